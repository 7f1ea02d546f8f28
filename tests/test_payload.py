"""What is known of a payload decides how it is measured and sent."""

# ruff: noqa: E501 - a program in a table is easier to read on one line

from __future__ import annotations

import pytest

from tests.snippets import HEADER, program, rewritten, verdicts, what_differs

HELPERS = """

def as_bytes(value):
    return value


def as_text(value):
    if value is None:
        return ""
    return str(value)


def as_json(value):
    return json.dumps(value).encode()


def either(value):
    if value:
        return b"x"
    return "x"


def nothing(value):
    print(value)
"""
IMPORTS = "import base64\nimport gzip\nimport pickle\nimport tempfile\nfrom pathlib import Path\n"


def measured(
    value: str, *, signature: str = "data: bytes, name, value", before: str = "pass"
) -> str:
    """How the payload ``value`` is measured: by what the tool writes in front of the guard."""
    text = program(
        f"""
        {before}
        s3.put_object(Bucket="inputs", Key=name, Body={value})
        CALL
        return response
        """,
        header=IMPORTS + HEADER + HELPERS,
        signature=signature,
    )
    after = rewritten(text)
    if after == text:
        return ", ".join(verdicts(text)) or "left alone"
    function = after[after.index("def submit") :]
    if "isinstance(body, bytes)" in function:
        return "unknown"
    if "with open(" in function:
        return "path"
    if ".read(ASYNC_INLINE_LIMIT + 1)" in function:
        return "handle"
    added = function.count(".encode(") > text[text.index("def submit") :].count(".encode(")
    return "text" if added else "bytes"


FORMS = [
    ("data", "bytes"),
    ("b'x'", "bytes"),
    ("b'x' b'y'", "bytes"),
    ("b'x' + data", "bytes"),
    ("b'%d' % 5", "bytes"),
    ("data + b'x'", "bytes"),
    ("data.strip()", "bytes"),
    ("b','.join([data, data])", "bytes"),
    ("bytes(5)", "bytes"),
    ("value.encode()", "bytes"),
    ("value.encode('utf-8')", "bytes"),
    ("value.encode(encoding='latin-1')", "bytes"),
    ("codec.encode(data)", "unknown"),
    ("codec.encode(data, 'x')", "unknown"),
    ("'x'.encode('x')", "bytes"),
    ("json.dumps(value).encode()", "bytes"),
    ("pickle.dumps(value)", "bytes"),
    ("gzip.compress(data)", "bytes"),
    ("base64.b64encode(data)", "bytes"),
    ("image.tobytes()", "bytes"),
    ("Path(value).read_bytes()", "bytes"),
    ("frame.to_parquet()", "bytes"),
    ("io.BytesIO(data)", "bytes"),
    ("data if value else b''", "bytes"),
    ("as_json(value)", "bytes"),
    ("'x'", "text"),
    ("'x' 'y'", "text"),
    ("f'{value}'", "text"),
    ("'x' + value", "text"),
    ("value + 'x'", "text"),
    ("'%s' % value", "text"),
    ("'{}'.format(value)", "text"),
    ("json.dumps(value)", "text"),
    ("str(value)", "text"),
    ("data.decode()", "text"),
    ("data.hex().upper()", "unknown"),
    ("Path(value).read_text()", "text"),
    ("frame.to_csv(index=False)", "text"),
    ("frame.to_json(orient='records')", "text"),
    ("frame.to_csv()", "unknown"),
    ("frame.to_csv(value, index=False)", "unknown"),
    ("as_text(value)", "text"),
    ("'-'.join([value])", "text"),
    ("'x'.upper()", "text"),
    ("value", "unknown"),
    ("value if data else data", "unknown"),
    ("as_bytes(value)", "unknown"),
    ("either(value)", "unknown"),
    ("nothing(value)", "unknown"),
    ("value + value", "unknown"),
    ("value * 5", "unknown"),
    ("-value", "unknown"),
    ("value[0]", "unknown"),
    ("value.lower()", "unknown"),
    ("tokenizer.encode(value, 5)", "unknown"),
    ("open(value, 'rb')", "path"),
    ("open(file=value, mode='rb')", "path"),
    ("open(value)", "payload-is-text-file"),
    ("io.StringIO(value)", "payload-is-text-file"),
    ("open(value, mode)", "unknown"),
    ("Path(value).open('rb')", "payload-is-stream"),
    ("(body := data)", "argument-has-effects"),
    ("open(input(), 'rb')", "argument-has-effects"),
]


@pytest.mark.parametrize(("value", "expected"), FORMS, ids=[case[0] for case in FORMS])
def test_an_expression_tells_its_form(value: str, expected: str) -> None:
    assert measured(value) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("payload: bytes", "bytes"),
        ("payload: 'bytes'", "bytes"),
        ("payload: str", "text"),
        ("payload: str = ''", "text"),
        ("payload: str = None", "unknown"),
        ("payload: bytes | str", "unknown"),
        ("payload: object", "unknown"),
        ("payload: io.BytesIO", "payload-used-later"),
        ("*payload", "unknown"),
    ],
)
def test_an_annotation_tells_the_form_of_a_parameter(annotation: str, expected: str) -> None:
    assert measured("payload", signature=f"name, {annotation}") == expected


BEFORE = [
    ("payload = b''\n        if value:\n            payload = data", "bytes", "two values of one form"),
    ("payload = b''\n        if value:\n            payload = value", "unknown", "two values"),
    ("payload = value\n        payload = data", "bytes", "the value that counts"),
    ("payload = 'x'\n        payload += value", "text", "text that grows"),
    ("payload = value\n        payload += value", "unknown", "something that grows"),
    ("payload, rest = data, value", "bytes", "bound together"),
    ("payload, rest = value", "unknown", "unpacked"),
    ("payload = io.BytesIO(data)", "handle", "a buffer"),
    ("payload = io.BytesIO()\n        payload.write(data)\n        payload.seek(0)", "handle", "a rewound one"),
    ("payload = io.BytesIO(data).getvalue()", "bytes", "the value of a buffer"),
    ("payload = io.BytesIO(data).read()", "bytes", "the rest of a buffer"),
    ("payload = io.StringIO(value).getvalue()", "text", "the value of a text buffer"),
    ("payload = buffer.getvalue()", "unknown", "the value of an unknown buffer"),
    ("payload = tempfile.TemporaryFile()", "handle", "a temporary file"),
    ("payload = tempfile.NamedTemporaryFile('w')", "payload-is-text-file", "a temporary text file"),
    ("payload = open(value, 'rb')", "handle", "a file"),
    ("payload = open(value, 'r+b')", "handle", "a file for changes"),
    ("payload = Path(value).open(mode='rb')", "handle", "a file of a path"),
    ("payload = archive.open(value)", "unknown", "a file of an archive"),
    ("payload = payload", "unknown", "itself"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "expected"), [case[:2] for case in BEFORE], ids=[case[2] for case in BEFORE]
)
def test_a_variable_has_the_form_of_its_value(before: str, expected: str) -> None:
    assert measured("payload", before=before) == expected


POSITIONS = [
    ("handle = io.BytesIO(data)", "a new buffer"),
    ("handle = io.BytesIO()\nhandle.write(data)", "a buffer at its end"),
    ("handle = io.BytesIO(data)\nhandle.read(3)", "a buffer after some bytes"),
    ("handle = io.BytesIO(data)\nhandle.seek(0)", "a rewound buffer"),
    ("handle = io.BytesIO(data)\nhandle.seek(2)", "a buffer at its third byte"),
    ("handle = io.BytesIO(data)\nhandle.seek(0, 2)", "a buffer whose size was asked for"),
    ("handle = io.BytesIO(data)\nif not name:\n    handle.seek(0)", "a buffer perhaps rewound"),
    ("handle = other = io.BytesIO(data)\nother.read(1)", "a buffer with two names"),
    ("open('f.bin', 'wb').write(data)\nhandle = open('f.bin', 'r+b')", "a file for changes"),
    ("open('f.bin', 'wb').write(data)\nhandle = open('f.bin', 'a+b')", "a file to append to"),
]


@pytest.mark.parametrize("before", [case[0] for case in POSITIONS], ids=[c[1] for c in POSITIONS])
def test_a_handle_is_sent_from_where_it_stands(before: str) -> None:
    lines = [*before.splitlines(), 's3.put_object(Bucket="inputs", Key=name, Body=handle)']
    text = program("\n".join([*lines, "CALL", "return response"]))
    assert verdicts(text) == ["safe"]
    assert what_differs(text) == []
