"""The fakes behave as the real SDKs and the service were seen to behave."""

from __future__ import annotations

import textwrap

import pytest

from tests.execution import Outcome, Script, execute
from tests.fakes.payloads import Payload
from tests.fakes.world import Weather, s3_location


def run(text: str, payload: Payload | None = None, weather: Weather | None = None) -> Outcome:
    """Run the body of a function that has the clients and, maybe, ``payload``."""
    program = (
        "import asyncio, io, logging, sys, time, uuid\n"
        "import boto3\n"
        "s3 = boto3.client('s3')\n"
        "runtime = boto3.client('sagemaker-runtime')\n"
        "def main(payload=None):\n" + textwrap.indent(textwrap.dedent(text), "    ")
    )
    call = "main(PAYLOAD)" if payload else "main()"
    return execute(program, Script(call=call), payload, weather)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("EndpointName='e'", "Exactly one of Body and InputLocation"),
        ("EndpointName='e', Body=b''", "Exactly one of Body and InputLocation"),
        ("EndpointName='e', Body=b'x', InputLocation='s3://b/k'", "mutually exclusive"),
        ("EndpointName='e', Body=b'x' * 128_001", "at most 128000 bytes"),
        ("EndpointName='e', Body='é' * 64_001", "at most 128000 bytes"),
        ("EndpointName='e', InputLocation='b/k'", "no S3 address"),
    ],
)
def test_the_service_refuses(arguments: str, message: str) -> None:
    outcome = run(f"runtime.invoke_endpoint_async({arguments})")
    assert outcome.raised is not None
    assert outcome.raised[0] == "ClientError"
    assert "ValidationError" in outcome.raised[1]
    assert message in outcome.raised[1]
    assert outcome.invocations == ()


@pytest.mark.parametrize(
    "arguments",
    [
        "Body=b'x'",
        "EndpointName='e', Body=None",
        "EndpointName='e', InputLocation=None",
        "Data=b'x'",
    ],
)
def test_botocore_refuses_before_sending(arguments: str) -> None:
    outcome = run(f"runtime.invoke_endpoint_async({arguments})")
    assert outcome.raised is not None
    assert outcome.raised[0] == "ParamValidationError"


@pytest.mark.parametrize("kind", ["bytes", "bytearray", "str", "handle", "bytesio"])
@pytest.mark.parametrize("count", [1, 128_000])
def test_inline_payloads_arrive(kind: str, count: int) -> None:
    outcome = run(
        "return runtime.invoke_endpoint_async(EndpointName='e', Body=payload, Accept='text/csv')",
        Payload(kind, count),
    )
    (invocation,) = outcome.invocations
    assert invocation.payload == b"x" * count
    assert invocation.route == "inline"
    assert invocation.parameters == {"EndpointName": "e", "Accept": "text/csv"}
    assert outcome.returned["OutputLocation"] == "s3://async-results/e/0001/output.out"


@pytest.mark.parametrize("kind", ["text_handle", "stringio"])
@pytest.mark.parametrize(
    "call",
    [
        "runtime.invoke_endpoint_async(EndpointName='e', Body=payload)",
        "s3.put_object(Bucket='b', Key='k', Body=payload)",
        "s3.upload_fileobj(payload, 'b', 'k')",
    ],
)
def test_text_handles_fail_everywhere(kind: str, call: str) -> None:
    outcome = run(call, Payload(kind, 3))
    assert outcome.raised is not None
    assert outcome.raised[0] == "TypeError"


def test_streams_go_to_s3_but_not_inline() -> None:
    stream = Payload("stream", 3)
    assert run("s3.put_object(Bucket='b', Key='k', Body=payload)", stream).puts[0].content == b"xxx"
    inline = run("runtime.invoke_endpoint_async(EndpointName='e', Body=payload)", stream)
    assert inline.raised == ("UnsupportedOperation", "seek")


def test_handles_are_sent_from_where_they_stand() -> None:
    outcome = run(
        """
        payload.read(2)
        s3.put_object(Bucket="b", Key="k", Body=payload)
        runtime.invoke_endpoint_async(EndpointName="e", Body=payload)
        """,
        Payload("bytesio", 5),
    )
    assert outcome.puts[0].content == b"xxx"
    assert outcome.raised is not None
    assert "Exactly one" in outcome.raised[1]


def test_upload_fileobj_closes_what_it_read_and_put_object_does_not() -> None:
    code = "s3.{}; return payload.closed"
    closing = run(code.format("upload_fileobj(payload, 'b', 'k')"), Payload("handle", 3))
    leaving = run(
        code.format("put_object(Body=payload, Bucket='b', Key='k')"), Payload("handle", 3)
    )
    assert (closing.returned, leaving.returned) == (True, False)


def test_the_content_type_of_the_object_counts_when_the_call_has_none() -> None:
    outcome = run(
        """
        s3.put_object(Bucket="b", Key="k", Body=b"1", ContentType="text/csv")
        runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/k")
        runtime.invoke_endpoint_async(
            EndpointName="e",
            InputLocation="https://b.s3.eu-west-1.amazonaws.com/k",
            ContentType="application/json",
        )
        """
    )
    assert [i.content_type for i in outcome.invocations] == ["text/csv", "application/json"]
    assert [i.payload for i in outcome.invocations] == [b"1", b"1"]


def test_an_object_deleted_before_it_is_processed_is_missing() -> None:
    text = """
        s3.put_object(Bucket="b", Key="k", Body=b"1")
        runtime.invoke_endpoint_async(EndpointName="e", InputLocation="s3://b/k")
        s3.delete_object(Bucket="b", Key="k")
        """
    assert run(text).invocations[0].payload == b"1"
    assert run(text, weather=Weather(processing="at_end")).invocations[0].payload is None


@pytest.mark.parametrize(
    ("upload", "error"),
    [
        ("s3.put_object(Bucket='b', Key='k', Body=b'1')", "ClientError"),
        ("s3.upload_fileobj(io.BytesIO(b'1'), 'b', 'k')", "ClientError"),
        ("s3.upload_file(payload, 'b', 'k')", "S3UploadFailedError"),
        ("boto3.resource('s3').Object('b', 'k').put(Body=b'1')", "ClientError"),
        ("boto3.resource('s3').Bucket('b').upload_file(payload, 'k')", "S3UploadFailedError"),
    ],
)
def test_uploads_fail_when_told_to(upload: str, error: str) -> None:
    outcome = run(upload, Payload("path", 1), Weather(upload_fails=lambda _: True))
    assert outcome.raised is not None
    assert outcome.raised[0] == error
    assert len(outcome.puts) == 1


def test_calls_fail_when_told_to() -> None:
    outcome = run(
        "runtime.invoke_endpoint_async(EndpointName='e', Body=b'1')",
        weather=Weather(invoke_fails=True),
    )
    assert outcome.raised is not None
    assert "ServiceUnavailable" in outcome.raised[1]


def test_waiting_for_an_object_that_is_not_there_fails() -> None:
    outcome = run("s3.get_waiter('object_exists').wait(Bucket='b', Key='k')")
    assert outcome.raised is not None
    assert outcome.raised[0] == "WaiterError"


def test_only_reads_by_the_program_are_counted() -> None:
    by_sdk = run("s3.upload_file(payload, 'b', 'k')", Payload("path", 400_000))
    by_program = run("open(payload, 'rb').read(128_001)", Payload("path", 400_000))
    by_pathlib = run(
        "from pathlib import Path; Path(payload).read_bytes()", Payload("path", 400_000)
    )
    assert (by_sdk.bytes_read, by_program.bytes_read) == (0, 128_001)
    assert by_pathlib.bytes_read in (0, 400_000)  # Python 3.10 binds its own open


def test_runs_are_the_same_and_steps_within_a_run_are_not() -> None:
    text = """
        import datetime, random, secrets, tempfile
        print(uuid.uuid4(), time.time(), random.random(), secrets.token_hex(4))
        logging.getLogger("job").info("at %s", datetime.datetime.now())
        return [str(uuid.uuid4()), tempfile.mkstemp()[1]]
        """
    first, second = run(text), run(text)
    assert first == second
    assert run("return uuid.uuid4() == uuid.uuid4()").returned is False


def test_the_sagemaker_sdk_names_its_objects() -> None:
    outcome = execute(
        textwrap.dedent(
            """
            import sagemaker
            from sagemaker.s3 import S3Uploader
            session = sagemaker.Session()
            uris = [
                session.upload_data("in.json", key_prefix="jobs"),
                session.upload_string_as_file_body("1", bucket="b", key="jobs/2.json"),
                S3Uploader.upload("in.json", "s3://b/jobs"),
                S3Uploader.upload_string_as_file_body("1", "s3://b/jobs/3.json"),
                S3Uploader.upload_bytes(b"1", "s3://b/jobs/4.json"),
            ]
            """
        ),
        Script(result="uris", files={"in.json": "{}"}),
    )
    assert outcome.raised is None
    assert outcome.returned[1:] == [f"s3://{'/'.join(put.location)}" for put in outcome.puts]
    assert outcome.puts[0].location == ("sagemaker-eu-west-1-123456789012", "jobs/in.json")


def test_asynchronous_clients_are_awaited() -> None:
    outcome = execute(
        textwrap.dedent(
            """
            import asyncio
            import aioboto3
            from aiobotocore.session import get_session

            async def main(payload):
                async with get_session().create_client("s3") as s3:
                    await s3.put_object(Bucket="b", Key="k", Body=payload)
                async with aioboto3.Session().resource("s3") as s3:
                    thing = await s3.Object("b", "k")
                    content = await (await thing.get())["Body"].read()
                async with aioboto3.Session().client("sagemaker-runtime") as runtime:
                    await runtime.invoke_endpoint_async(EndpointName="e", Body=content)
                await asyncio.sleep(60)
                return content
            """
        ),
        Script(call="main(PAYLOAD)"),
        Payload("bytes", 2),
    )
    assert outcome.raised is None
    assert outcome.returned == b"xx"
    assert outcome.invocations[0].payload == b"xx"


@pytest.mark.parametrize(
    "uri",
    [
        "s3://b/in/k 1",
        "https://b.s3.eu-west-1.amazonaws.com/in/k%201",
        "https://b.s3.amazonaws.com/in/k%201",
        "https://s3.eu-west-1.amazonaws.com/b/in/k%201",
    ],
)
def test_addresses_of_an_object(uri: str) -> None:
    assert s3_location(uri) == ("b", "in/k 1")
