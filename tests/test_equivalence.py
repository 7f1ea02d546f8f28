"""The check for equivalence can fail: each careless rewrite is reported as what it is.

``BEFORE`` and ``RIGHT`` are a program and its rewrite. Every other rewrite is ``RIGHT`` with one
mistake, each of which was seen in real code.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.equivalence import compare, differences, payloads
from tests.execution import Script, execute
from tests.fakes.payloads import Payload

HEAD = """
import json
import logging
import os
import uuid

import boto3

logger = logging.getLogger(__name__)
s3 = boto3.client("s3")
runtime = boto3.client("sagemaker-runtime")


def request_id():
    return str(uuid.uuid4())

"""

BEFORE = (
    HEAD
    + """
def submit(text):
    key = f"in/{uuid.uuid4()}.json"
    s3.put_object(Bucket="b", Key=key, Body=text, ContentType="text/plain")
    logger.info("uploaded to %s", key)
    response = runtime.invoke_endpoint_async(
        EndpointName="e", InputLocation=f"s3://b/{key}", InferenceId=request_id()
    )
    logger.info("queued")
    return response["OutputLocation"]
"""
)

RIGHT = (
    HEAD
    + """
def submit(text):
    key = f"in/{uuid.uuid4()}.json"
    body = text.encode("utf-8")
    if 0 < len(body) <= 128_000:
        response = runtime.invoke_endpoint_async(
            EndpointName="e", InferenceId=request_id(), ContentType="text/plain", Body=body
        )
    else:
        s3.put_object(Bucket="b", Key=key, Body=body, ContentType="text/plain")
        logger.info("uploaded to %s", key)
        response = runtime.invoke_endpoint_async(
            EndpointName="e", InputLocation=f"s3://b/{key}", InferenceId=request_id()
        )
    logger.info("queued")
    return response["OutputLocation"]
"""
)

SCRIPT = Script(call="submit(PAYLOAD)", payloads=("str",), announces=("uploaded to",))

INLINE_CALL = 'runtime.invoke_endpoint_async(EndpointName="e", Body=b"1")'
QUEUED = '    logger.info("queued")\n'
AROUND = """

def submit(text, careful=submit):
    try:
        return careful(text)
    except Exception as error:
        {handling}
"""
GUARD = "if 0 < len(body) <= 128_000:"
UPLOAD = 's3.put_object(Bucket="b", Key=key, Body=body, ContentType="text/plain")'


def mistaken(*changes: tuple[str, str]) -> str:
    """``RIGHT`` with each ``(old, new)`` carried out, once per occurrence."""
    text = RIGHT
    for old, new in changes:
        assert old in text, f"{old!r} is not in the program"
        text = text.replace(old, new)
    return text


MISTAKES = {
    "the limit is one byte low": (
        mistaken((GUARD, "if 0 < len(body) <= 127_999:")),
        "128000 bytes take the s3 route instead of inline",
    ),
    "the limit is one byte high": (
        mistaken((GUARD, "if 0 < len(body) <= 128_001:")),
        "at most 128000 bytes",
    ),
    "the limit is 128 KiB": (
        mistaken((GUARD, "if 0 < len(body) <= 128 * 1024:")),
        "at most 128000 bytes",
    ),
    "characters are counted instead of bytes": (
        mistaken((GUARD, "if 0 < len(text) <= 128_000:")),
        "at most 128000 bytes",
    ),
    "an empty body is sent inline": (
        mistaken((GUARD, "if len(body) <= 128_000:")),
        "Exactly one of Body and InputLocation",
    ),
    "the content type stays behind": (
        mistaken((', ContentType="text/plain", Body=body', ", Body=body")),
        "content_type 'text/plain' became None",
    ),
    "another content type is sent": (
        mistaken(('ContentType="text/plain", Body=body', 'ContentType="text/csv", Body=body')),
        "content_type 'text/plain' became 'text/csv'",
    ),
    "the object loses its content type": (
        mistaken((UPLOAD, 's3.put_object(Bucket="b", Key=key, Body=body)')),
        "content_type 'text/plain' became None",
    ),
    "the payload is dumped once more": (
        mistaken(('text.encode("utf-8")', "json.dumps(text).encode()")),
        "payload",
    ),
    "the payload is encoded otherwise": (
        mistaken(('text.encode("utf-8")', 'text.encode("utf-16-le")')),
        "payload",
    ),
    "an expression is evaluated twice": (
        mistaken((GUARD, "request_id()\n    " + GUARD)),
        "parameters",
    ),
    "an expression is evaluated in another order": (
        mistaken(
            ('    key = f"in/{uuid.uuid4()}.json"\n', ""),
            (
                GUARD,
                f'identifier = request_id()\n    key = f"in/{{uuid.uuid4()}}.json"\n    {GUARD}',
            ),
            ("InferenceId=request_id()", "InferenceId=identifier"),
        ),
        "parameters",
    ),
    "the upload is not skipped": (
        mistaken(
            ("    " + UPLOAD, "    pass"),
            (GUARD, UPLOAD + "\n    " + GUARD),
        ),
        "side effects",
    ),
    "the upload is forgotten for large payloads": (
        mistaken((UPLOAD, "pass")),
        "became None",
    ),
    "everything keeps the S3 route": (
        mistaken((GUARD, "if False:")),
        "1 bytes take the s3 route instead of inline",
    ),
    "the object is written to another key": (
        mistaken(
            ("Key=key", 'Key=key + ".bin"'),
            ('f"s3://b/{key}"', 'f"s3://b/{key}.bin"'),
        ),
        "location",
    ),
    "the line about the upload is printed although there is none": (
        mistaken(
            ('        logger.info("uploaded to %s", key)\n', ""),
            (GUARD, 'logger.info("uploaded to %s", key)\n    ' + GUARD),
        ),
        "side effects: invoke became text 'INFO uploaded",
    ),
    "the line about the upload is lost": (
        mistaken(('        logger.info("uploaded to %s", key)\n', "")),
        "side effects: text 'INFO uploaded",
    ),
    "a line that has nothing to do with the upload is lost": (
        mistaken((QUEUED, "")),
        "side effects: text 'INFO queued' became None",
    ),
    "a parameter of the call is lost": (
        mistaken((", InferenceId=request_id()", "")),
        "parameters",
    ),
    "the call is made twice": (
        mistaken((QUEUED, QUEUED + "    " + INLINE_CALL + "\n")),
        "number of invocations: 1 became 2",
    ),
    "another value is returned": (
        mistaken(('return response["OutputLocation"]', "return response")),
        "returned",
    ),
    "a failing upload is swallowed": (
        mistaken((UPLOAD, f"try: {UPLOAD}\n        except Exception: return None")),
        "raised: ['ClientError'",
    ),
    "a failing call is swallowed": (
        RIGHT + AROUND.format(handling="return None"),
        "raised: ['ClientError'",
    ),
    "a failing call raises something else": (
        RIGHT + AROUND.format(handling="raise RuntimeError(str(error))"),
        "RuntimeError",
    ),
    "a file is left behind": (
        mistaken((GUARD, 'open("body.bin", "wb").write(body)\n    ' + GUARD)),
        "local files afterwards",
    ),
    "the rewritten text does not compile": (RIGHT + "\nelse:\n", "SyntaxError"),
    "a name is undefined on one route": (mistaken(("Body=body\n", "Body=bdy\n")), "NameError"),
}


def test_the_right_rewrite_is_equivalent() -> None:
    assert differences(BEFORE, RIGHT, SCRIPT) == []


def test_the_program_is_equivalent_to_itself_but_for_the_upload() -> None:
    found = differences(BEFORE, BEFORE, SCRIPT)
    assert any("take the s3 route instead of inline" in line for line in found)
    staying = Script(call=SCRIPT.call, payloads=("str",), stays=(1,))
    assert differences(BEFORE, BEFORE, staying) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_careless_rewrite_is_reported(mistake: str) -> None:
    program, expected = MISTAKES[mistake]
    found = differences(BEFORE, program, SCRIPT)
    assert any(expected in line for line in found), "\n".join(found) or "nothing was reported"


PATH_BEFORE = (
    HEAD
    + """
def submit(path):
    key = "in/" + os.path.basename(path)
    s3.upload_file(path, "b", key)
    return runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/" + key)
"""
)

PATH_AFTER = (
    HEAD
    + """
def submit(path):
    key = "in/" + os.path.basename(path)
    with open(path, "rb") as file:
        body = file.read({size})
    if 0 < len(body) <= 128_000:
        return runtime.invoke_endpoint_async(EndpointName="e", Body=body)
    else:
        {upload}
        return runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/" + key)
"""
)

PATH_SCRIPT = Script(call="submit(PAYLOAD)", payloads=("path", "pathlib"))
STREAMING = 's3.upload_file(path, "b", key)'


def test_a_file_is_read_up_to_the_limit() -> None:
    right = PATH_AFTER.format(size=128_001, upload=STREAMING)
    assert differences(PATH_BEFORE, right, PATH_SCRIPT) == []


def test_reading_a_large_file_just_to_measure_it_is_reported() -> None:
    program = PATH_AFTER.format(size="", upload=STREAMING)
    found = differences(PATH_BEFORE, program, PATH_SCRIPT)
    assert any("the program reads 400000 bytes" in line for line in found)


def test_an_upload_that_streams_no_more_is_reported() -> None:
    upload = 's3.put_object(Bucket="b", Key=key, Body=open(path, "rb").read())'
    found = differences(PATH_BEFORE, PATH_AFTER.format(size=128_001, upload=upload), PATH_SCRIPT)
    assert any("as a stream" in line for line in found)


def test_a_truncated_upload_is_reported() -> None:
    upload = 's3.put_object(Bucket="b", Key=key, Body=body)'
    found = differences(PATH_BEFORE, PATH_AFTER.format(size=128_001, upload=upload), PATH_SCRIPT)
    assert any("payload <400000 bytes" in line for line in found)


HANDLE_BEFORE = (
    HEAD
    + """
def submit(file):
    s3.put_object(Bucket="b", Key="in/k", Body=file)
    runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/in/k")
"""
)


def test_a_handle_that_was_read_to_be_measured_is_reported() -> None:
    program = (
        HEAD
        + """
def submit(file):
    if 0 < len(file.read()) <= 128_000:
        runtime.invoke_endpoint_async(EndpointName="e", Body=file)
    else:
        s3.put_object(Bucket="b", Key="in/k", Body=file)
        runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/in/k")
"""
    )
    found = differences(
        HANDLE_BEFORE, program, Script(call="submit(PAYLOAD)", payloads=("handle",))
    )
    assert any("Exactly one of Body and InputLocation" in line for line in found)
    assert any("payload <400000 bytes" in line for line in found)


def test_a_program_that_assumes_bytes_is_reported_when_it_is_given_a_handle() -> None:
    program = (
        HEAD
        + """
def submit(body):
    if 0 < len(body) <= 128_000:
        runtime.invoke_endpoint_async(EndpointName="e", Body=body)
    else:
        s3.put_object(Bucket="b", Key="in/k", Body=body)
        runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/in/k")
"""
    )
    found = differences(
        HANDLE_BEFORE, program, Script(call="submit(PAYLOAD)", payloads=("bytes", "handle"))
    )
    assert found
    assert all(
        line.startswith("handle") and "TypeError" in line for line in found if "raised" in line
    )
    assert not any(line.startswith("bytes") for line in found)


def test_an_upload_that_other_calls_need_must_stay() -> None:
    before = (
        HEAD
        + """
def submit(text):
    s3.put_object(Bucket="b", Key="in/k", Body=text)
    runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/in/k")
    runtime.invoke_endpoint_async(EndpointName="f", InputLocation="s3://b/in/k")
"""
    )
    after = (
        HEAD
        + """
def submit(text):
    if 0 < len(text) <= 128_000:
        runtime.invoke_endpoint_async(EndpointName="e", Body=text)
    else:
        s3.put_object(Bucket="b", Key="in/k", Body=text)
        runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/in/k")
    runtime.invoke_endpoint_async(EndpointName="f", InputLocation="s3://b/in/k")
"""
    )
    found = differences(before, after, Script(call="submit(PAYLOAD)", payloads=("bytes",)))
    assert any("invocation 2: payload b'x' became None" in line for line in found)


def test_deleting_the_input_afterwards_may_go_or_stay() -> None:
    deletion = '    s3.delete_object(Bucket="b", Key="in/k")\n'
    before = HANDLE_BEFORE + deletion
    guarded = """
def submit(file):
    if 0 < len(file) <= 128_000:
        runtime.invoke_endpoint_async(EndpointName="e", Body=file)
    else:
        s3.put_object(Bucket="b", Key="in/k", Body=file)
        runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/in/k")
"""
    script = Script(call="submit(PAYLOAD)", payloads=("bytes",))
    assert differences(before, HEAD + guarded + deletion, script) == []
    assert differences(before, HEAD + guarded + "    " + deletion, script) == []
    found = differences(before, HEAD + guarded, script)
    assert any("delete b/in/k became None" in line for line in found)


def test_payloads_are_measured_where_the_endpoint_receives_them() -> None:
    before = BEFORE.replace("Body=text", "Body=json.dumps({'text': text})")
    sizes = {
        (payload.letter, len(execute(before, SCRIPT, payload).invocations[0].payload or b""))
        for payload in payloads(before, SCRIPT)
        if payload
    }
    assert {size for letter, size in sizes if letter == "x"} == {
        12,
        127_999,
        128_000,
        128_001,
        400_000,
    }
    assert all(len(json_size) == 2 for json_size in sizes)


def test_outcomes_compare_without_programs_at_hand() -> None:
    script = Script(call="submit(PAYLOAD)")
    before = execute(BEFORE, script, Payload("str", 7))
    after = execute(RIGHT, script, Payload("str", 7))
    assert compare(before, after, announces=("uploaded to",)) == []
    assert compare(after, after) == []
    assert compare(before, after) != []


def test_nothing_is_left_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    import boto3

    monkeypatch.chdir(tmp_path)
    execute(BEFORE, SCRIPT, Payload("str", 1))
    assert sys.modules["boto3"] is boto3
    assert "sagemaker" not in sys.modules
    assert Path.cwd() == tmp_path
    assert list(tmp_path.iterdir()) == []
