"""One request, written as one function and through helpers of the same module and of others.

Whatever has an effect notes it in one list, and the program is run for two requests: what is done
twice, not at all or in another order is seen in that list and in the payloads.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.execution import Project

HANDLER = "app/handler.py"
STORAGE = "app/storage.py"
RECORD = "app/record.py"

#: The imports of a module, by what it says if it needs them.
_IMPORTS = {
    r"\bcsv\.": "import csv",
    r"\bio\.": "import io",
    r"\bjson\.": "import json",
    r"\blogger\.": "import logging",
    r"\buuid\.": "import uuid",
}
_CLIENTS = (
    's3 = boto3.client("s3")\nruntime = boto3.client("sagemaker-runtime")\nBUCKET = "inputs"\n'
)
_LOGGER = "logger = logging.getLogger(__name__)\n"
_RECORD = "noted = []\n"

#: Two requests, each with data of its own: their answers or errors, and what was noted.
_MAIN = """\
import copy

from app.handler import handle
from {home} import noted


def both(data):
    answers = []
    for name, ticket in (("a", "n1"), ("b", "n2")):
        given = copy.copy(data)
        try:
            answer = handle(given, name, ticket)
        except Exception as error:
            answer = f"{{type(error).__name__}}: {{error}}"
        answers.append((answer, given))
    return answers, noted
"""
CALL = "both(PAYLOAD)"


@dataclass(frozen=True)
class Payload:
    """How a payload is made of the argument ``data``.

    Attributes:
        kind: What kind of argument that takes.
        value: The expression that is uploaded.
        steps: The statements that come before.
        calls: The function beside the uploading one that is called.
        is_handle: Whether a file object is uploaded.
    """

    kind: str
    value: str
    steps: tuple[str, ...] = ()
    calls: str | None = None
    is_handle: bool = False


_BUFFER = ("buffer = io.BytesIO()", 'buffer.write(b"head:")', "buffer.write(data.encode())")
PAYLOADS = {
    "given": Payload("bytes", "data"),
    "json": Payload("str", "json.dumps(data)"),
    "json bytes": Payload("str", 'json.dumps({"inputs": data}).encode("utf-8")'),
    "encoded": Payload("str", "data.encode()"),
    "numbered by the notes": Payload("str", 'json.dumps({"number": len(noted), "inputs": data})'),
    "buffer": Payload("str", "buffer.getvalue()", _BUFFER),
    "rewound buffer": Payload("str", "buffer", (*_BUFFER, "buffer.seek(0)"), is_handle=True),
    "document": Payload(
        "str",
        "json.dumps(document)",
        ('document = {"inputs": data}', 'document["parameters"] = {"best": 1}'),
    ),
    "changed argument": Payload(
        "json", "json.dumps(data)", ('data["turns"] = data.get("turns", 0) + 1',)
    ),
    "rows": Payload(
        "str",
        "text.getvalue()",
        (
            "text = io.StringIO()",
            "writer = csv.writer(text)",
            'writer.writerow(["id", "text"])',
            "writer.writerow([1, data])",
        ),
    ),
    "lines": Payload(
        "str",
        '"\\n".join(lines).encode()',
        ("lines = []", 'for number in range(2):\n    lines.append(f"{number} {data}")'),
    ),
    "branches": Payload(
        "str",
        "(head + data).encode()",
        ('if data.startswith("x"):\n    head = "plain "\nelse:\n    head = "other "',),
    ),
    "counted": Payload("str", "counted(data)", calls="counted"),
    "counted bytes": Payload("bytes", 'b"%d " % next_number() + data', calls="next_number"),
    "numbered": Payload(
        "str", 'json.dumps({"number": next_number(), "inputs": data})', calls="next_number"
    ),
    "numbered document": Payload(
        "str",
        "json.dumps(document)",
        ('document = {"inputs": data}', 'document["number"] = next_number()'),
        calls="next_number",
    ),
    "filled buffer": Payload(
        "str",
        "buffer.getvalue()",
        ("buffer = io.BytesIO()", "fill(buffer, data)"),
        calls="fill",
    ),
}

#: Functions with effects that stand beside the uploading one.
_BESIDE = {
    "counted": ("data", ['noted.append("counted")', 'return f"{len(noted)} {data}".encode()']),
    "next_number": ("", ['noted.append("numbered")', "return len(noted)"]),
    "fill": (
        "buffer, data",
        ['noted.append("filled")', 'buffer.write(f"{len(noted)} {data}".encode())'],
    ),
}

#: How a key is made of the argument ``name``.
KEYS = (
    'f"in/{name}.json"',
    '"in/" + name',
    '"in/{}".format(name)',
    'f"in/{name}/{uuid.uuid4().hex}"',
    'f"in/{name}-{len(data)}.json"',
)
#: What the uploading function gives back.
RETURNS = ("uri", "key", "both", "nothing", "whether")
#: Those that are given the key.
_GIVEN_KEY = ("nothing", "whether")
#: What the handler does with an answer that says whether the upload went well.
VERDICTS = ("gives up", "raises", "calls if so")
#: What the uploading function does if it is given no key.
FALLBACKS = ('if key is None:\n    key = f"in/{len(data)}"', 'key = key or f"in/{len(data)}"')
#: How the arguments of the uploading function are given.
ORDERS = ("positions", "keywords")
#: What makes the payload invalid, and what is done about it.
CHECKS = {
    "argument": 'if len({text}) < 4:\n    raise ValueError(f"{{len({text})}} are too few")',
    "assertion": 'assert len({text}) >= 4, "too few"',
    "payload": 'if len(body) < 12:\n    raise ValueError(f"{{len(body)}} bytes are too few")',
}
#: Functions with effects that the handler calls in its arguments.
_OF_HANDLER = {
    "wrapped": ("data", ["noted.append(len(data))", "return {wrapping}"]),
    "drawn": ("name", ["noted.append(name)", 'return f"{{name}}-{{len(noted)}}"']),
    "turned": (
        "data, name",
        ['data["turned"] = data.get("turned", 0) + 1', "return f\"{{name}}-{{data['turned']}}\""],
    ),
    "tagged": ("name", ['noted.append("tagged")', "return name.upper()"]),
    "stamped": ("ticket", ["noted.append(ticket)", 'return f"{{ticket}}-{{len(noted)}}"']),
}
_WRAPPINGS = {
    "bytes": 'b"%d " % len(noted) + data',
    "str": 'f"{len(noted)} {data}"',
    "json": '{"number": len(noted), **data}',
}


@dataclass(frozen=True)
class Shape:
    """How a program is divided, and what its functions do.

    Attributes:
        payload: How the payload is made, by its name in ``PAYLOADS``.
        is_named: Whether it is given a name before the upload.
        key: The expression for the key.
        key_at: The number of statements of the payload that come before that of the key.
        check: What validates the payload, by its name in ``CHECKS``.
        is_checked_first: Whether that is done before the payload is made.
        guarded: What the ``try`` statement is around that logs errors: ``upload``, ``all`` or
            nothing.
        caught: The errors that it logs.
        logged: Whether the size of the payload is logged ``before`` or ``after`` the upload.
        data: The argument of the uploading function that the payload is made of.
        name: The argument that the key is made of.
        tag: Whether there is a third argument, which is ``logged`` or ``ignored``.
        order: Whether the arguments are given by position, or as keywords the other way round.
        uploads: What the uploading function returns, ``None`` for an upload in place.
        verdict: What is done with that if it says whether the upload went well.
        fallback: What the function does if it is given no key, where it may be given none.
        is_located: Whether the handler gives the location a name where it makes it itself.
        is_nested: Whether the upload stands in the arguments of the call.
        takes_key: Whether the invoking function makes the location of the key.
        hands: How many functions the upload is handed through.
        invokes: Whether a function makes the call.
        is_stamped: Whether an argument of the call has an effect.
        storage: The module of the uploading function: ``app/handler.py`` or another one.
        client: That of the invoking function.
        method: Whether the functions are methods.
        beside: Whether the functions that methods call are none.
        style: How other modules are imported.
        upload_type: Whether the upload has a content type.
        call_type: Whether the call has one.
    """

    payload: str
    is_named: bool
    key: str
    key_at: int
    check: str | None
    is_checked_first: bool
    guarded: str | None
    caught: str
    logged: str | None
    data: str
    name: str
    tag: str | None
    order: str
    uploads: str | None
    verdict: str
    fallback: str | None
    is_located: bool
    is_nested: bool
    takes_key: bool
    hands: int
    invokes: bool
    is_stamped: bool
    storage: str
    client: str
    method: bool
    beside: bool
    style: str
    upload_type: bool
    call_type: bool

    @property
    def made(self) -> Payload:
        return PAYLOADS[self.payload]

    @property
    def kind(self) -> str:
        """The kind of payload that the handler is given."""
        return "json" if self.data == "json.dumps(data)" else self.made.kind

    @property
    def home(self) -> str:
        """The module of the list in which effects are noted."""
        return HANDLER if self.uploads is None or self.storage == HANDLER else RECORD

    @property
    def is_beside_method(self) -> bool:
        """Whether the function that makes a payload is a method like the uploading one."""
        return self.method and not self.beside and self.uploads is not None


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Draw a program that has a helper at least."""
    uploads = draw(st.sampled_from((*RETURNS, None)))
    invokes = True if uploads is None else draw(st.booleans())
    upload_type, call_type = draw(st.sampled_from(((0, 0), (1, 1), (1, 1), (0, 1), (0, 1), (1, 0))))
    payload = draw(st.sampled_from(sorted(PAYLOADS)))
    is_named = not PAYLOADS[payload].is_handle and draw(st.booleans())
    checks = CHECKS if is_named else [one for one in CHECKS if one != "payload"]
    check = draw(st.sampled_from((None, None, *checks)))
    data, name = draw(_arguments(PAYLOADS[payload].kind, uploads))
    return Shape(
        payload=payload,
        is_named=is_named,
        key=draw(st.sampled_from(KEYS)),
        key_at=draw(st.integers(0, 4)),
        check=check,
        is_checked_first=check != "payload" and draw(st.booleans()),
        guarded=draw(st.sampled_from((None, None, "upload", "all"))),
        caught=draw(st.sampled_from(("ClientError", "Exception"))),
        logged=draw(st.sampled_from((None, "before", "after"))) if is_named else None,
        data=data,
        name=name,
        tag=draw(st.sampled_from((None, None, "logged", "ignored"))) if uploads else None,
        order=draw(st.sampled_from(ORDERS)),
        uploads=uploads,
        verdict=draw(st.sampled_from(VERDICTS)),
        fallback=draw(st.sampled_from((None, *FALLBACKS))) if uploads in _GIVEN_KEY else None,
        is_located=draw(st.booleans()) if uploads in ("key", "both") else True,
        is_nested=uploads == "uri" and draw(st.booleans()),
        takes_key=invokes and uploads in ("key", *_GIVEN_KEY) and draw(st.booleans()),
        hands=draw(st.sampled_from((1, 1, 1, 1, 2, 3))),
        invokes=invokes,
        is_stamped=draw(st.booleans()),
        storage=draw(st.sampled_from((HANDLER, STORAGE))),
        client=draw(st.sampled_from((HANDLER, "app/client.py"))),
        method=draw(st.booleans()),
        beside=draw(st.booleans()),
        style=draw(st.sampled_from(("from", "module", "relative"))),
        upload_type=bool(upload_type),
        call_type=bool(call_type),
    )


@st.composite
def _arguments(draw: st.DrawFn, kind: str, uploads: str | None) -> tuple[str, str]:
    """Draw what the uploading function is given for ``data`` and ``name``."""
    known = ["data", "wrapped(data)"]
    if kind == "str":
        known += ["json.dumps(data)", 'f"{len(noted)} {data}"']
    data = draw(st.sampled_from(known)) if uploads is not None else "data"
    if uploads not in ("uri", "key", "both"):
        return data, "name"
    known = ["name", "drawn(name)"]
    if kind == "json" or data == "json.dumps(data)":
        known.append("turned(data, name)")
    return data, draw(st.sampled_from(known))


def in_one_function(shape: Shape) -> Project:
    """Write the program without any helper."""
    handling = [*_in_place(shape), f"location = {_LOCATION}", *_answered(shape, "location")]
    text = _beside(shape, "") + _handler(shape, handling)
    return _project({HANDLER: text}, HANDLER)


def through_helpers(shape: Shape) -> Project:
    """Write the same program through its helpers."""
    files = {HANDLER: "", shape.storage: "", shape.client: "", shape.home: ""}
    calls = {"upload": "", "invoke": ""}
    if shape.uploads is None:
        files[HANDLER] += _beside(shape, "")
    else:
        beside = _beside(shape, "self, " if shape.is_beside_method else "")
        functions = _functions(shape, _uploading(shape))
        if shape.is_beside_method:
            files[shape.storage] += _class("Storage", beside + functions)
        else:
            uploading = _class("Storage", functions) if shape.method else functions
            files[shape.storage] += beside + uploading
        calls["upload"] = _called(shape, shape.storage, "Storage", f"upload_{shape.hands}")
    if shape.invokes:
        functions = _functions(shape, _invoking(shape))
        files[shape.client] += _class("Client", functions) if shape.method else functions
        calls["invoke"] = _called(shape, shape.client, "Client", "submit")
    files[HANDLER] += _handler(shape, _handling(shape, calls))
    return _project(files, shape.home, _imports(shape))


_ANSWER = 'return response["InferenceId"]'
_LOCATION = 'f"s3://{BUCKET}/{key}"'


def _project(files: dict[str, str], home: str, imports: str = "") -> Project:
    every = {"app/__init__.py": ""}
    for path, text in files.items():
        every[path] = _module(path, text, home, imports if path == HANDLER else "")
    main = _MAIN.format(home=home.removesuffix(".py").replace("/", "."))
    return Project(main, {path: text.encode() for path, text in every.items()})


def _module(path: str, text: str, home: str, imports: str) -> str:
    """Return a module with the imports and the variables that its functions need."""
    if path == RECORD:
        return _RECORD
    lines = [line for said, line in _IMPORTS.items() if re.search(said, text)]
    theirs = "from app.record import noted\n" if home != path and "noted" in text else ""
    first = "".join(f"{line}\n" for line in lines)
    botocore = "from botocore.exceptions import ClientError\n" if "ClientError" in text else ""
    variables = _CLIENTS + (_LOGGER if "logger." in text else "") + (_RECORD * (home == path))
    return f"{first}\nimport boto3\n{botocore}\n{theirs}{imports}\n{variables}{text}".lstrip()


def _indented(lines: list[str]) -> list[str]:
    return [textwrap.indent(line, "    ") for line in lines]


def _function(name: str, given: str, body: list[str]) -> str:
    return "\n".join(("", "", f"def {name}({given}):", *_indented(body), ""))


def _class(name: str, functions: str) -> str:
    methods = textwrap.indent(functions.strip().replace("\n\n\n", "\n\n"), "    ")
    return f"\n\nclass {name}:\n{methods}\n\n\n{name.lower()} = {name}()\n"


# -- making the payload and uploading it ---------------------------------------------------


def _uploaded(shape: Shape, own: str, *, is_helper: bool = True) -> list[str]:
    """Return the statements that make the payload and the key, unless it is given, and upload.

    Args:
        shape: The program.
        own: What stands before the names of the functions beside.
        is_helper: Whether they stand in a function of their own.
    """
    made = shape.made
    steps, value = [_of(own, one) for one in made.steps], _of(own, made.value)
    if shape.is_named:
        steps.append(f"body = {value}")
        value = "body"
    if shape.uploads not in _GIVEN_KEY:
        steps.insert(shape.key_at, f"key = {shape.key}")
    elif shape.fallback is not None and is_helper:
        steps.insert(0, shape.fallback)
    if shape.check is not None:
        text = "data['inputs']" if made.kind == "json" else "data"
        place = 0 if shape.is_checked_first else len(steps)
        steps.insert(place, CHECKS[shape.check].format(text=text))
    if shape.tag == "logged":
        steps.append('logger.info("uploading for %s", tag)')
    if shape.logged == "before":
        steps.append('logger.info("uploading %d bytes", len(body))')
    put = [_put(shape, value)]
    if shape.uploads == "whether" and is_helper:
        put = ["try:", *_indented(put), "except ClientError:", "    return False"]
    elif shape.guarded == "upload":
        put = _guarded(shape, put)
    lines = _guarded(shape, [*steps, *put]) if shape.guarded == "all" else [*steps, *put]
    if shape.logged == "after":
        lines.append('logger.info("uploaded %d bytes", len(body))')
    return lines


def _of(own: str, code: str) -> str:
    return re.sub(rf"\b({'|'.join(_BESIDE)})\(", rf"{own}\1(", code)


def _put(shape: Shape, payload: str) -> str:
    if shape.made.is_handle:
        extra = ', ExtraArgs={"ContentType": "application/json"}' if shape.upload_type else ""
        return f"s3.upload_fileobj({payload}, BUCKET, key{extra})"
    content_type = ', ContentType="application/json"' if shape.upload_type else ""
    return f"s3.put_object(Bucket=BUCKET, Key=key, Body={payload}{content_type})"


def _guarded(shape: Shape, lines: list[str]) -> list[str]:
    """Return statements whose errors are logged and raised again."""
    logged = ['logger.exception("upload failed")', "raise"]
    return ["try:", *_indented(lines), f"except {shape.caught}:", *_indented(logged)]


def _beside(shape: Shape, self: str) -> str:
    """Return the function with an effect that the uploading one calls, if it calls any."""
    if shape.made.calls is None:
        return ""
    given, body = _BESIDE[shape.made.calls]
    return _function(shape.made.calls, f"{self}{given}".rstrip(", "), body)


def _uploading(shape: Shape) -> list[tuple[str, str, list[str]]]:
    """Return the functions that upload: their names, parameters and bodies."""
    given = ", ".join(("data", "key" if shape.uploads in _GIVEN_KEY else "name"))
    given += ", tag" if shape.tag else ""
    if shape.fallback is not None:
        given = given.replace("key", "key=None").replace("tag", "tag=None")
    last = {
        "whether": ["return True"],
        "uri": [f"return {_LOCATION}"],
        "key": ["return key"],
        "both": ["return BUCKET, key"],
    }
    own = "self." if shape.is_beside_method else ""
    body = [*_uploaded(shape, own), *last.get(shape.uploads or "", [])]
    functions = [("upload_1", given, body)]
    for number in range(2, shape.hands + 1):
        handed = given.replace("=None", "")
        inner = f"{'self.' if shape.method else ''}upload_{number - 1}({handed})"
        functions.append((f"upload_{number}", given, [f"return {inner}"]))
    return functions


# -- making the call -----------------------------------------------------------------------


def _ticket(shape: Shape) -> str:
    return "stamped(ticket)" if shape.is_stamped else "ticket"


def _invoke(shape: Shape, location: str, ticket: str) -> str:
    content_type = ', ContentType="application/json"' if shape.call_type else ""
    return (
        'runtime.invoke_endpoint_async(EndpointName="e", '
        f"InputLocation={location}, InferenceId={ticket}{content_type})"
    )


def _invoking(shape: Shape) -> list[tuple[str, str, list[str]]]:
    location, given = (_LOCATION, "key") if shape.takes_key else ("location", "location")
    body = [f"response = {_invoke(shape, location, 'ticket')}", _ANSWER]
    return [("submit", f"{given}, ticket", body)]


def _functions(shape: Shape, functions: list[tuple[str, str, list[str]]]) -> str:
    self = "self, " if shape.method else ""
    return "".join(_function(name, self + given, body) for name, given, body in functions)


# -- the handler ---------------------------------------------------------------------------


def _called(shape: Shape, path: str, owner: str, name: str) -> str:
    """Return how the handler names a function."""
    name = f"{owner.lower()}.{name}" if shape.method else name
    if path == HANDLER or shape.style != "module":
        return name
    return f"{path.removeprefix('app/').removesuffix('.py')}_module.{name}"


def _imports(shape: Shape) -> str:
    lines = []
    for path, owner, name, is_needed in (
        (shape.storage, "storage", f"upload_{shape.hands}", shape.uploads is not None),
        (shape.client, "client", "submit", shape.invokes),
    ):
        if path == HANDLER or not is_needed:
            continue
        module = path.removeprefix("app/").removesuffix(".py")
        taken = owner if shape.method else name
        lines.append(
            {
                "from": f"from app.{module} import {taken}",
                "relative": f"from .{module} import {taken}",
                "module": f"import app.{module} as {module}_module",
            }[shape.style]
        )
    return "".join(f"{line}\n" for line in lines)


def _given(shape: Shape) -> list[tuple[str, str]]:
    """Return the arguments of the uploading function, by parameter, as they are evaluated."""
    given = [("data", shape.data)]
    given.append(("key", "key") if shape.uploads in _GIVEN_KEY else ("name", shape.name))
    if shape.tag:
        given.append(("tag", "tagged(ticket)"))
    return given if shape.order == "positions" else given[::-1]


def _in_place(shape: Shape) -> list[str]:
    """Return all that the uploading function and its call do."""
    lines = [f"key = {shape.key}"] if shape.uploads in _GIVEN_KEY else []
    if shape.name.startswith("turned"):
        lines.append("source = data")
    for parameter, value in _given(shape):
        if parameter != value:
            lines.append(f"{parameter} = {value.replace('turned(data', 'turned(source')}")
    return [*lines, *_uploaded(shape, "", is_helper=False)]


def _handling(shape: Shape, calls: dict[str, str]) -> list[str]:
    given = [
        value if shape.order == "positions" else f"{parameter}={value}"
        for parameter, value in _given(shape)
    ]
    put = f"{calls['upload']}({', '.join(given)})"
    location = put if shape.is_nested else "key" if shape.takes_key else _location(shape)
    if shape.uploads == "uri":
        lines = [] if shape.is_nested else [f"location = {put}"]
    elif shape.uploads == "key":
        lines = [f"key = {put}", *_located(shape)]
    elif shape.uploads == "both":
        lines = [f"bucket, key = {put}", *_located(shape)]
    elif shape.uploads == "whether":
        answering = [*_located(shape), *_answering(shape, calls, location)]
        return [f"key = {shape.key}", *_checked(shape, put, answering)]
    elif shape.uploads == "nothing":
        lines = [f"key = {shape.key}", put, *_located(shape)]
    else:
        lines = [*_in_place(shape), *_located(shape)]
    return [*lines, *_answering(shape, calls, location)]


def _answering(shape: Shape, calls: dict[str, str], location: str) -> list[str]:
    if shape.invokes:
        return [f"return {calls['invoke']}({location}, {_ticket(shape)})"]
    if shape.uploads == "whether" and shape.verdict == "calls if so":
        return [f"return {_invoke(shape, location, _ticket(shape))}['InferenceId']"]
    return _answered(shape, location)


def _checked(shape: Shape, put: str, answering: list[str]) -> list[str]:
    """Return what is done with the answer of an upload: give up, or go on."""
    if shape.verdict == "gives up":
        return [f"if not {put}:", "    return None", *answering]
    if shape.verdict == "raises":
        return [f"done = {put}", "if not done:", "    raise RuntimeError(name)", *answering]
    return [f"if {put}:", *_indented(answering), "return None"]


def _located(shape: Shape) -> list[str]:
    is_named = shape.is_located and not shape.takes_key
    return [f"location = {_address(shape)}"] if is_named else []


def _location(shape: Shape) -> str:
    return "location" if shape.is_located or shape.uploads == "uri" else _address(shape)


def _address(shape: Shape) -> str:
    return 'f"s3://{bucket}/{key}"' if shape.uploads == "both" else _LOCATION


def _answered(shape: Shape, location: str) -> list[str]:
    """Return the call of the handler itself."""
    return [f"response = {_invoke(shape, location, _ticket(shape))}", _ANSWER]


def _handler(shape: Shape, handling: list[str]) -> str:
    """Return the handler and the functions that it calls in its arguments."""
    text = _function("handle", "data, name, ticket", handling)
    wrapping = _WRAPPINGS[shape.kind]
    called = {name: one for name, one in _OF_HANDLER.items() if f"{name}(" in text}
    before = [
        _function(name, given, [line.format(wrapping=wrapping) for line in body])
        for name, (given, body) in called.items()
    ]
    return "".join((*before, text))
