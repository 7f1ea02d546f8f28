"""Programs composed from the shapes that real ones have, for the property tests.

A program is a header, the function ``submit`` that is run, and the function ``other`` that is not.
Both are composed the same way: an upload, a call, and what users write around and between them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.execution import Script

HEADER = '''\
"""A composed program."""

import contextlib
import io
import json
import os

import boto3
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.s3 import S3Uploader

BUCKET = "inputs"

s3 = boto3.client("s3")
resource = boto3.resource("s3")
bucket = resource.Bucket(BUCKET)
session = sagemaker.Session()
runtime = boto3.client("sagemaker-runtime")
events = boto3.client("events")
seen = []


def note(value):
    seen.append(value)
'''

SIZES = (0, 1, 128_000, 128_001)


@dataclass(frozen=True)
class Payload:
    """How a function comes by its payload.

    ``kinds`` are what it is called with, ``prepare`` the lines before the upload and ``value`` the
    expression that is uploaded. ``handle`` is the ``with`` line that opens a file around the
    upload.
    """

    annotation: str
    kinds: tuple[str, ...]
    value: str
    prepare: tuple[str, ...] = ()
    handle: str | None = None
    uploaded: tuple[str, ...] = ()


MEMORY = {
    "bytes": Payload(": bytes", ("bytes",), "data"),
    "text": Payload(": str", ("str",), "data"),
    "encoded": Payload("", ("str",), "body", ('body = data.encode("utf-8")',)),
    "encoded in place": Payload("", ("str",), 'data.encode("utf-8")'),
    "json": Payload("", ("str",), "text", ('text = json.dumps({"inputs": data})',)),
    "json in place": Payload("", ("str",), 'json.dumps({"inputs": data}).encode()'),
    "unknown": Payload("", ("bytes", "str"), "data", uploaded=("bytearray",)),
    "of a buffer": Payload(
        "", ("str",), "buffer.getvalue()", ("buffer = io.StringIO()", "buffer.write(data)")
    ),
}
BYTES = ("bytes", "encoded", "encoded in place", "json in place")
FILES = {
    "path": Payload("", ("path",), "data"),
    "written": Payload(
        "",
        ("str",),
        "path",
        ('path = "request.json"', 'with open(path, "w") as f:', "    json.dump([data], f)"),
    ),
}
HANDLES = {
    "opened": Payload("", ("path",), "handle", handle='with open(data, "rb") as handle:'),
    "wrapped": Payload(": bytes", ("bytes",), "handle", ("handle = io.BytesIO(data)",)),
    "rewound": Payload(
        ": bytes",
        ("bytes",),
        "handle",
        ("handle = io.BytesIO()", "handle.write(data)", "handle.seek(0)"),
    ),
}


@dataclass(frozen=True)
class Upload:
    """An upload form: ``{value}``, ``{bucket}``, ``{key}`` and ``{extra}`` are filled in.

    ``typed`` tells how it is given a ContentType, ``answers`` whether it returns a response whose
    status can be checked, and ``located`` whether it returns the address of the object.
    """

    text: str
    payloads: tuple[str, ...]
    typed: str = ""
    answers: bool = False
    located: bool = False
    before: str | None = None


KEYWORD = ', ContentType="text/plain"'
EXTRA = ', ExtraArgs={"ContentType": "text/plain"}'
ANY_MEMORY = tuple(MEMORY)
ANY_BODY = (*ANY_MEMORY, *HANDLES)

UPLOADS = {
    "put_object": Upload(
        "s3.put_object(Bucket={bucket}, Key={key}, Body={value}{extra})", ANY_BODY, KEYWORD, True
    ),
    "body first": Upload(
        "s3.put_object(Body={value}, Key={key}, Bucket={bucket}{extra})", ANY_BODY, KEYWORD, True
    ),
    "several lines": Upload(
        "s3.put_object(\n    Bucket={bucket},\n    Key={key},\n    Body={value}{extra},\n)",
        ANY_BODY,
        KEYWORD,
        True,
    ),
    "opened in place": Upload(
        's3.put_object(Bucket={bucket}, Key={key}, Body=open({value}, "rb"){extra})',
        tuple(FILES),
        KEYWORD,
        True,
    ),
    "object put": Upload(
        "resource.Object({bucket}, {key}).put(Body={value}{extra})", ANY_BODY, KEYWORD, True
    ),
    "bound object put": Upload(
        "target.put(Body={value}{extra})",
        ANY_BODY,
        KEYWORD,
        True,
        before="target = resource.Object({bucket}, {key})",
    ),
    "bucket put_object": Upload(
        "bucket.put_object(Key={key}, Body={value}{extra})", ANY_BODY, KEYWORD
    ),
    "meta client": Upload(
        "resource.meta.client.put_object(Bucket={bucket}, Key={key}, Body={value}{extra})",
        ANY_BODY,
        KEYWORD,
        True,
    ),
    "upload_file": Upload("s3.upload_file({value}, {bucket}, {key}{extra})", tuple(FILES), EXTRA),
    "upload_file keywords": Upload(
        "s3.upload_file(Filename={value}, Bucket={bucket}, Key={key}{extra})", tuple(FILES), EXTRA
    ),
    "object upload_file": Upload(
        "resource.Object({bucket}, {key}).upload_file({value}{extra})", tuple(FILES), EXTRA
    ),
    "bucket upload_file": Upload("bucket.upload_file({value}, {key}{extra})", tuple(FILES), EXTRA),
    "upload_fileobj": Upload(
        "s3.upload_fileobj({value}, {bucket}, {key}{extra})", tuple(HANDLES), EXTRA
    ),
    "buffer in place": Upload(
        "s3.upload_fileobj(io.BytesIO({value}), {bucket}, {key}{extra})", BYTES, EXTRA
    ),
    "bucket upload_fileobj": Upload(
        "bucket.upload_fileobj({value}, {key}{extra})", tuple(HANDLES), EXTRA
    ),
    "session string": Upload(
        "session.upload_string_as_file_body({value}, {bucket}, {key})", ANY_MEMORY, located=True
    ),
    "uploader string": Upload(
        'S3Uploader.upload_string_as_file_body({value}, f"s3://{{{bucket}}}/{{{key}}}")',
        ANY_MEMORY,
        located=True,
    ),
    "uploader bytes": Upload(
        'S3Uploader.upload_bytes({value}, f"s3://{{{bucket}}}/{{{key}}}")', BYTES, located=True
    ),
}

#: Spellings of the key and, for each, of the part of it that follows ``in/``.
KEYS = {
    "f-string": ('f"in/{name}.bin"', 'f"in/{name}.bin"'),
    "addition": ('"in/" + name', '"in/" + name'),
    "mixed": ('f"in/{name}"', '"in/" + name'),
    "percent": ('"in/%s.bin" % name', '"in/%s.bin" % name'),
    "format": ('"in/{}".format(name)', 'f"in/{name}"'),
    "joined": ('"/".join(["in", name])', 'f"in/{name}"'),
    "path": ('os.path.join("in", name)', 'os.path.join("in", name)'),
    "fixed": ('"in/fixed.bin"', '"in/fixed.bin"'),
    "other": ('f"in/{name}.bin"', 'f"out/{name}.bin"'),
}
URIS = {
    "f-string": 'f"s3://{{{bucket}}}/{{{key}}}"',
    "addition": '"s3://" + {bucket} + "/" + {key}',
    "percent": '"s3://%s/%s" % ({bucket}, {key})',
    "format": '"s3://{{}}/{{}}".format({bucket}, {key})',
    "named format": '"s3://{{b}}/{{k}}".format(k={key}, b={bucket})',
    "joined": '"/".join(["s3:/", {bucket}, {key}])',
    "path": '"s3://" + os.path.join({bucket}, {key})',
    "https": 'f"https://{{{bucket}}}.s3.eu-west-1.amazonaws.com/{{{key}}}"',
}

BETWEEN = {
    "nothing": (),
    "work": ('print("working on", name)',),
    "announcement": ('print(f"uploaded {key}")',),
    "event": ('events.put_events(Entries=[{"Source": name}])',),
    "assignment": ("label = name.upper()",),
    "waiter": ('s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key=key)',),
    "waiter in two": (
        'waiter = s3.get_waiter("object_exists")',
        "waiter.wait(Bucket=BUCKET, Key=key)",
    ),
    "rebound name": ('name = name + "-2"',),
    "rebound key": ('key = key + "-2"',),
    "condition": ("if not name:", '    print("no name")'),
    "way out": ('if name == "nobody":', "    return None"),
    "comment": ("# Now the call.",),
    "mutation": ("seen.append(name)",),
    "removed file": ('if os.path.exists("payload.bin"):', '    os.remove("payload.bin")'),
}
CHECK = (
    'if answer["ResponseMetadata"]["HTTPStatusCode"] != 200:',
    '    raise RuntimeError("not stored")',
)
AFTERWARDS = {
    "nothing": (),
    "logged": ("print({uri})",),
    "kept": ("seen.append({uri})",),
    "passed on": ("note(key)",),
    "read": ('seen.append(s3.get_object(Bucket=BUCKET, Key=key)["ContentLength"])',),
    "deleted": ("s3.delete_object(Bucket=BUCKET, Key=key)",),
    "other work": ('events.put_events(Entries=[{{"Source": name}}])',),
}
HANDLERS = {
    "raises": ('print("failed")', "raise"),
    "returns": ('print("failed")', "return None"),
    "goes on": ('print("failed")',),
    "wraps": ('raise RuntimeError("failed")',),
}
CALL_STYLES = ("keywords", "one line", "dict before", "dict after", "dict()", "item", "item before")
ARRANGEMENTS = (
    "plain",
    "one try",
    "try around the upload",
    "try around the call",
    "two tries",
    "finally",
    "suppress",
    "loop",
    "calls in a loop",
    "condition around both",
    "condition around the upload",
    "condition around the call",
)


@dataclass(frozen=True)
class Shape:
    """What one function is made of, by the names in the tables above."""

    upload: str
    payload: str
    key: str
    uri: str
    where: str
    between: tuple[str, ...]
    arrangement: str
    handlers: tuple[str, str]
    style: str
    content_type: str
    afterwards: str
    result: str
    checked: bool
    named_key: bool


@dataclass(frozen=True)
class Program:
    """A composed program: its text, its two functions in it, and how it is run."""

    text: str
    functions: tuple[str, str]
    script: Script = field(compare=False)


def _choice(table: Iterable[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(list(table))


def _rebinds(between: str) -> bool:
    """Rebinding comes last: a program that waits for a wrong object never gets to its call."""
    return between.startswith("rebound")


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Any combination that makes a program that runs."""
    upload = draw(_choice(UPLOADS))
    return Shape(
        upload=upload,
        payload=draw(st.sampled_from(UPLOADS[upload].payloads)),
        key=draw(_choice(KEYS)),
        uri=draw(_choice(URIS)),
        where=draw(st.sampled_from(("inline", "before", "after"))),
        between=tuple(sorted(draw(st.lists(_choice(BETWEEN), max_size=2)), key=_rebinds)),
        arrangement=draw(_choice(ARRANGEMENTS)),
        handlers=(draw(_choice(HANDLERS)), draw(_choice(HANDLERS))),
        style=draw(_choice(CALL_STYLES)),
        content_type=draw(st.sampled_from(("none", "upload", "call", "both"))),
        afterwards=draw(_choice(AFTERWARDS)),
        result=draw(st.sampled_from(("named", "returned", "subscripted", "unused"))),
        checked=draw(st.booleans()),
        named_key=draw(st.booleans()),
    )


@st.composite
def programs(draw: st.DrawFn) -> Program:
    shape = draw(shapes())
    other = draw(shapes())
    functions = (function("submit", shape), function("other", other))
    payload = payload_of(shape)
    script = Script(
        call="[submit(PAYLOAD, 'job'), seen]",
        payloads=payload.kinds,
        uploaded=payload.uploaded if UPLOADS[shape.upload].text.count("put") else (),
        announces=("uploaded",),
        sizes=SIZES,
    )
    return Program("\n\n".join((HEADER, *functions)), functions, script)


def payload_of(shape: Shape) -> Payload:
    return {**MEMORY, **FILES, **HANDLES}[shape.payload]


def function(name: str, shape: Shape) -> str:
    """The text of one function."""
    payload, upload = payload_of(shape), UPLOADS[shape.upload]
    for_key, for_uri = KEYS[shape.key]
    spelled = "key" if shape.named_key and shape.key != "other" else for_uri
    uri = URIS[shape.uri].format(bucket="BUCKET", key=_plain(spelled, shape.uri))
    at_upload = "key" if shape.named_key else for_key
    head = [*payload.prepare, f"key = {for_key}"]
    body = Body(shape, payload, upload, at_upload, uri)
    lines = [*head, *body.lines()]
    return f"def {name}(data{payload.annotation}, name):\n" + textwrap.indent(
        "\n".join(lines) + "\n", "    "
    )


def _plain(expression: str, uri: str) -> str:
    """An expression as it may stand in a replacement field or between operators."""
    if uri in ("f-string", "https"):
        return expression.replace('"', "'")
    return f"({expression})" if "%" in expression else expression


@dataclass(frozen=True)
class Body:
    """The statements of one function after its key is made."""

    shape: Shape
    payload: Payload
    upload: Upload
    key: str
    uri: str

    def lines(self) -> list[str]:
        shape = self.shape
        before, after = self._location()
        between = [line for name in shape.between for line in BETWEEN[name]]
        uploading, calling = self._uploading(), self._calling()
        lines: list[str] = [*before]
        arrangement = shape.arrangement
        first, second = (HANDLERS[name] for name in shape.handlers)
        if arrangement == "one try":
            lines += _try([*uploading, *between, *after, *calling], first)
        elif arrangement == "try around the upload":
            lines += [*_try(uploading, first), *between, *after, *calling]
        elif arrangement == "try around the call":
            lines += [*uploading, *between, *after, *_try(calling, _leaving(second))]
        elif arrangement == "two tries":
            lines += [*_try(uploading, first), *between, *after]
            lines += _try(calling, _leaving(second))
        elif arrangement == "finally":
            deleting = ["s3.delete_object(Bucket=BUCKET, Key=key)"]
            lines += [*uploading, *between, *after]
            lines += ["try:", *_indented(calling), "finally:", *_indented(deleting)]
        elif arrangement == "suppress":
            lines += ["with contextlib.suppress(ClientError):", *_indented(uploading)]
            lines += [*between, *after, *calling]
        elif arrangement == "loop":
            body = [*uploading, *between, *after, *calling]
            lines += ["for turn in range(2):", *_indented(body)]
        elif arrangement == "calls in a loop":
            lines += [*uploading, *between, *after]
            lines += ["for turn in range(2):", *_indented(calling)]
        elif arrangement == "condition around both":
            lines += ["if name:", *_indented([*uploading, *between, *after, *calling])]
        elif arrangement == "condition around the upload":
            lines += ["if name:", *_indented(uploading), *between, *after, *calling]
        elif arrangement == "condition around the call":
            lines += [*uploading, *between, *after, "if name:", *_indented(calling)]
        else:
            lines += [*uploading, *between, *after, *calling]
        uri = "location" if self._is_named() else self.uri
        lines += [line.format(uri=uri) for line in AFTERWARDS[shape.afterwards]]
        if shape.result == "named" and not _may_skip(arrangement, shape):
            lines.append('return response["OutputLocation"]')
        return lines

    def _is_named(self) -> bool:
        return self.shape.where != "inline" or (
            self.upload.located and self.shape.uri == "f-string"
        )

    def _location(self) -> tuple[list[str], list[str]]:
        """The line that names the address, before the upload or after it."""
        if self.upload.located and self.shape.uri == "f-string":
            return [], []
        line = [f"location = {self.uri}"]
        if self.shape.where == "before":
            return line, []
        return [], line if self.shape.where == "after" else []

    def _uploading(self) -> list[str]:
        shape, upload = self.shape, self.upload
        extra = upload.typed if shape.content_type in ("upload", "both") else ""
        key = self.key.replace('"', "'") if upload.text.count('f"') else self.key
        values = {"bucket": "BUCKET", "key": key, "value": self.payload.value, "extra": extra}
        lines = [upload.before.format(**values)] if upload.before else []
        text = upload.text.format(**values)
        if upload.located and shape.uri == "f-string":
            text = f"location = {text}"
        elif upload.answers and shape.checked:
            text = f"answer = {text}"
        lines += text.split("\n")
        if self.payload.handle:
            lines = [self.payload.handle, *_indented(lines)]
        return [*lines, *CHECK] if upload.answers and shape.checked else lines

    def _calling(self) -> list[str]:
        shape = self.shape
        location = "location" if self._is_named() else self.uri
        arguments = {"EndpointName": '"endpoint"', "InputLocation": location}
        if shape.content_type in ("call", "both"):
            arguments["ContentType"] = '"text/csv"'
        lines, call = _call(shape.style, arguments)
        if shape.result == "named":
            call[0] = f"response = {call[0]}"
        elif shape.result == "returned" and "loop" not in shape.arrangement:
            call[0] = f"return {call[0]}"
        elif shape.result == "subscripted":
            call[0] = f"seen.append({call[0]}"
            call[-1] += '["InferenceId"])'
        return [*lines, *call]


def _call(style: str, arguments: dict[str, str]) -> tuple[list[str], list[str]]:
    """The lines before a call, and those of the call."""
    method = "runtime.invoke_endpoint_async("
    starred = [f"{method}**params)"]
    entries = [f'    "{name}": {value},' for name, value in arguments.items()]
    if style == "one line":
        return [], [method + ", ".join(f"{n}={v}" for n, v in arguments.items()) + ")"]
    if style in ("dict before", "dict after"):
        return ["params = {", *entries, "}"], starred
    if style == "dict()":
        return [
            "params = dict(" + ", ".join(f"{n}={v}" for n, v in arguments.items()) + ")"
        ], starred
    if style in ("item", "item before"):
        rest = [entry for entry in entries if "InputLocation" not in entry]
        item = f'params["InputLocation"] = {arguments["InputLocation"]}'
        return ["params = {", *rest, "}", item], starred
    return [], [method, *(f"    {name}={value}," for name, value in arguments.items()), ")"]


def _leaving(handler: tuple[str, ...]) -> tuple[str, ...]:
    """A handler after which nobody needs the response."""
    return (*handler, "return None") if handler == HANDLERS["goes on"] else handler


def _may_skip(arrangement: str, shape: Shape) -> bool:
    """Tell whether the end of the function is reached without a response."""
    if arrangement == "one try":
        return shape.handlers[0] == "goes on"
    return arrangement in ("condition around both", "condition around the call")


def _try(lines: list[str], handler: tuple[str, ...]) -> list[str]:
    return ["try:", *_indented(lines), "except ClientError:", *_indented(list(handler))]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
