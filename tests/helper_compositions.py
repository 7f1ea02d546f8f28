"""One request, written as one function and through helpers of the same module and of others."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.execution import Project

_IMPORTS = "import json\nimport uuid\n\nimport boto3\n"
_CLIENTS = (
    's3 = boto3.client("s3")\nruntime = boto3.client("sagemaker-runtime")\nBUCKET = "inputs"\n'
)

#: How a payload is made of the argument ``data``, and what kind of argument that takes.
PAYLOADS = {
    "data": "bytes",
    "json.dumps(data)": "str",
    'json.dumps({"inputs": data}).encode("utf-8")': "str",
    "data.encode()": "str",
}
#: How a key is made of the argument ``name``.
KEYS = ('f"in/{name}.json"', '"in/" + name', '"in/{}".format(name)')
#: What the uploading function gives back.
RETURNS = ("uri", "key", "nothing")


@dataclass(frozen=True)
class Shape:
    """How a program is divided.

    Attributes:
        payload: The expression that is uploaded.
        key: The expression for the key.
        uploads: What the uploading function returns, ``None`` for an upload in place.
        hands: How many functions the upload is handed through.
        invokes: Whether a function makes the call.
        storage: The module of the uploading function: ``app/handler.py`` or another one.
        client: That of the invoking function.
        method: Whether the functions are methods.
        style: How other modules are imported.
        upload_type: Whether the upload has a content type.
        call_type: Whether the call has one.
    """

    payload: str
    key: str
    uploads: str | None
    hands: int
    invokes: bool
    storage: str
    client: str
    method: bool
    style: str
    upload_type: bool
    call_type: bool

    @property
    def kind(self) -> str:
        return PAYLOADS[self.payload]


HANDLER = "app/handler.py"


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Draw a program that has a helper at least."""
    uploads = draw(st.sampled_from((*RETURNS, None)))
    invokes = True if uploads is None else draw(st.booleans())
    upload_type, call_type = draw(st.sampled_from(((0, 0), (1, 1), (0, 1), (1, 0))))
    return Shape(
        payload=draw(st.sampled_from(sorted(PAYLOADS))),
        key=draw(st.sampled_from(KEYS)),
        uploads=uploads,
        hands=draw(st.integers(1, 3)),
        invokes=invokes,
        storage=draw(st.sampled_from((HANDLER, "app/storage.py"))),
        client=draw(st.sampled_from((HANDLER, "app/client.py"))),
        method=draw(st.booleans()),
        style=draw(st.sampled_from(("from", "module", "relative"))),
        upload_type=bool(upload_type),
        call_type=bool(call_type),
    )


def in_one_function(shape: Shape) -> Project:
    """Write the program without any helper."""
    lines = [
        "def handle(data, name):",
        f"    key = {shape.key}",
        f"    {_put(shape, shape.payload)}",
        '    location = f"s3://{BUCKET}/{key}"',
        f"    response = {_invoke(shape)}",
        '    return response["InferenceId"]',
    ]
    text = "\n".join((_IMPORTS, _CLIENTS, "", *lines, ""))
    return _project({HANDLER: text})


def through_helpers(shape: Shape) -> Project:
    """Write the same program through its helpers."""
    files = {HANDLER: "", shape.storage: "", shape.client: ""}
    calls = {"upload": "", "invoke": ""}
    if shape.uploads is not None:
        files[shape.storage] += _definitions(shape, "Storage", _uploading(shape))
        calls["upload"] = _called(shape, shape.storage, "Storage", f"upload_{shape.hands}")
    if shape.invokes:
        files[shape.client] += _definitions(shape, "Client", _invoking(shape))
        calls["invoke"] = _called(shape, shape.client, "Client", "submit")
    files[HANDLER] += "\n".join(("", "", *_handling(shape, calls), ""))
    written = {}
    for path, text in files.items():
        imports = _imports(shape) if path == HANDLER else ""
        written[path] = f"{_IMPORTS}{imports}\n{_CLIENTS}{text}"
    return _project(written)


def _project(files: dict[str, str]) -> Project:
    every = {"app/__init__.py": "", **files}
    return Project(
        "from app.handler import handle", {path: text.encode() for path, text in every.items()}
    )


def _put(shape: Shape, payload: str) -> str:
    content_type = ', ContentType="application/json"' if shape.upload_type else ""
    return f"s3.put_object(Bucket=BUCKET, Key=key, Body={payload}{content_type})"


def _invoke(shape: Shape) -> str:
    content_type = ', ContentType="application/json"' if shape.call_type else ""
    return (
        'runtime.invoke_endpoint_async(EndpointName="e", InputLocation=location, InferenceId=name'
        f"{content_type})"
    )


def _uploading(shape: Shape) -> list[tuple[str, str, list[str]]]:
    """Return the functions that upload: their names, parameters and bodies."""
    given = "data, key" if shape.uploads == "nothing" else "data, name"
    first = [] if shape.uploads == "nothing" else [f"key = {shape.key}"]
    last = {"uri": ['return f"s3://{BUCKET}/{key}"'], "key": ["return key"]}
    body = [*first, _put(shape, shape.payload), *last.get(shape.uploads or "", [])]
    functions = [("upload_1", given, body)]
    for number in range(2, shape.hands + 1):
        inner = f"{'self.' if shape.method else ''}upload_{number - 1}({given})"
        functions.append((f"upload_{number}", given, [f"return {inner}"]))
    return functions


def _invoking(shape: Shape) -> list[tuple[str, str, list[str]]]:
    body = [f"response = {_invoke(shape)}", 'return response["InferenceId"]']
    return [("submit", "location, name", body)]


def _definitions(shape: Shape, owner: str, functions: list[tuple[str, str, list[str]]]) -> str:
    self = "self, " if shape.method else ""
    text = "\n\n".join(
        "\n".join((f"def {name}({self}{given}):", *(f"    {line}" for line in body)))
        for name, given, body in functions
    )
    if shape.method:
        instance = owner.lower()
        text = f"class {owner}:\n{textwrap.indent(text, '    ')}\n\n\n{instance} = {owner}()"
    return f"\n\n{text}\n"


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


def _handling(shape: Shape, calls: dict[str, str]) -> list[str]:
    lines = ["def handle(data, name):"]
    if shape.uploads == "uri":
        lines.append(f"    location = {calls['upload']}(data, name)")
    elif shape.uploads == "key":
        lines.append(f"    key = {calls['upload']}(data, name)")
    else:
        lines.append(f"    key = {shape.key}")
        put = f"{calls['upload']}(data, key)" if shape.uploads else _put(shape, shape.payload)
        lines.append(f"    {put}")
    if shape.uploads != "uri":
        lines.append('    location = f"s3://{BUCKET}/{key}"')
    if shape.invokes:
        lines.append(f"    return {calls['invoke']}(location, name)")
    else:
        lines += (f"    response = {_invoke(shape)}", '    return response["InferenceId"]')
    return lines
