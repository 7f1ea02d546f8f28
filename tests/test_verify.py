"""The live check against an endpoint, with real boto3 clients over real HTTP."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import botocore
import pytest

from codemod.cli import main
from codemod.live.aws import Location
from codemod.model import SERVICE_LIMIT
from tests.endpoint import INPUTS, NAME, REGION, Endpoint, running
from tests.test_moto import free_port, wait_until_it_answers


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    port = free_port()
    log = tmp_path_factory.mktemp("moto") / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(url, server, log)
        with running(url) as endpoint:
            yield endpoint
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture
def endpoint(
    stand_in: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Endpoint]:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": stand_in.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    stand_in.reset()
    (tmp_path / "payload.json").write_bytes(b'{"text": "hello"}')
    yield stand_in
    assert stand_in.objects(INPUTS) == []


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    def line(self, beginning: str) -> str:
        (line,) = (line for line in self.out.splitlines() if line.startswith(beginning))
        return line


Verify = Callable[..., Outcome]


@pytest.fixture
def verify(endpoint: Endpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    def run(*options: str, payload: bytes | None = None, name: str = NAME) -> Outcome:
        file = tmp_path / "payload.json"
        if payload is not None:
            file.write_bytes(payload)
        code = main(["verify", name, "--payload", str(file), *options])
        return Outcome(code, *capsys.readouterr())

    return run


def test_a_payload_goes_inline_and_its_output_is_shown(verify: Verify, endpoint: Endpoint) -> None:
    outcome = verify("--content-type", "application/json", "--accept", "application/json")
    assert outcome.code == 0, outcome
    (received,) = endpoint.received
    assert received.is_inline
    assert received.payload == b'{"text": "hello"}'
    assert received.content_type == "application/json"
    assert received.accept == "application/json"
    assert outcome.line("SDK:") == f"SDK: botocore {botocore.__version__} knows Body"
    assert outcome.line("Endpoint:") == (
        f"Endpoint: {NAME} in {REGION} is in service and asynchronous"
    )
    assert outcome.line("Payload:").endswith("payload.json, 17 bytes")
    assert received.inference_id in outcome.line("Sent: 17 bytes in Body")
    shown = outcome.line("Output: s3://sagemaker-output-")
    assert shown.endswith(" s, 14 bytes, application/json")
    assert outcome.line("  ") == '  {"length": 17}'
    assert outcome.line("Calls:") == (
        "Calls: 1 DescribeEndpoint, 1 DescribeEndpointConfig, 1 InvokeEndpointAsync, 1 GetObject"
    )
    assert outcome.err == ""


def test_a_payload_at_the_limit_fits(verify: Verify, endpoint: Endpoint) -> None:
    assert verify(payload=b"x" * SERVICE_LIMIT).code == 0
    assert len(endpoint.received[0].payload) == SERVICE_LIMIT


def test_a_late_output_is_waited_for(verify: Verify, endpoint: Endpoint) -> None:
    endpoint.plan.late = 3
    outcome = verify()
    assert outcome.code == 0
    assert outcome.err.startswith("waiting for s3://sagemaker-output-")
    assert len(outcome.err.splitlines()) == 1
    assert " 7 GetObject" in outcome.line("Calls:")


def test_on_a_terminal_the_waiting_is_one_line(
    verify: Verify, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.plan.late = 2
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    outcome = verify()
    assert outcome.err.count("\rwaiting for s3://") == 2
    assert outcome.err.endswith("\n")


def test_a_failure_is_shown_and_exits_with_1(verify: Verify, endpoint: Endpoint) -> None:
    endpoint.plan.failure = b"ModelError: the container said no\x1b[31m"
    outcome = verify()
    assert outcome.code == 1
    assert outcome.line("Failure: s3://").endswith(" s, 38 bytes, text/plain")
    assert outcome.line("  ") == "  ModelError: the container said no\\x1b[31m"


def test_an_output_that_does_not_come_ends_the_waiting(verify: Verify, endpoint: Endpoint) -> None:
    endpoint.plan.is_missing = True
    outcome = verify("--timeout", "0.5")
    assert outcome.code == 2
    assert "neither an output at s3://" in outcome.err
    assert "within 0.5 s: look at the endpoint's log" in outcome.err
    assert "Calls:" in outcome.out


def test_a_long_output_is_cut(verify: Verify, endpoint: Endpoint) -> None:
    endpoint.plan.model = lambda payload, kind: (b"a\n" * 1000, "")
    outcome = verify()
    assert outcome.code == 0
    assert outcome.out.count("\n  a") == 300
    assert "\n  … 1,400 bytes more" in outcome.out


# -- comparing both routes -------------------------------------------------------------------


def test_both_routes_give_the_same(verify: Verify, endpoint: Endpoint) -> None:
    outcome = verify("--compare-s3", f"s3://{INPUTS}/checks/", "--content-type", "text/csv")
    assert outcome.code == 0, outcome
    inline, by_s3 = endpoint.received
    assert (inline.is_inline, by_s3.is_inline) == (True, False)
    assert inline.payload == by_s3.payload
    assert inline.content_type == by_s3.content_type == "text/csv"
    assert inline.inference_id != by_s3.inference_id
    assert max(len(inline.inference_id), len(by_s3.inference_id)) <= 64
    assert outcome.line("Same:") == "Same: both routes gave the same bytes and content type"
    (deleted,) = endpoint.deleted
    assert deleted.startswith(f"/{INPUTS}/checks/async-inline-verify-")
    assert outcome.line("Deleted:") == f"Deleted: s3:/{deleted}"


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (
            [(b"abcd", "text/plain"), (b"abXd", "text/plain")],
            "have 4 bytes by Body and 4 bytes by InputLocation, and differ from byte 2 on",
        ),
        (
            [(b"abcd", "text/plain"), (b"ab", "text/plain")],
            "have 4 bytes by Body and 2 bytes by InputLocation, and differ from byte 2 on",
        ),
        (
            [(b"", "text/plain"), (b"a", "text/plain")],
            "have 0 bytes by Body and 1 byte by InputLocation, and differ from byte 0 on",
        ),
        (
            [(b"abcd", "text/plain"), (b"abcd", "application/json")],
            "the content types are 'text/plain' by Body and 'application/json' by InputLocation",
        ),
        (
            [(b"a" * 70_000 + b"b", "text/plain"), (b"a" * 70_000 + b"c", "text/plain")],
            "differ from byte 70,000 on",
        ),
    ],
    ids=["a byte", "a shorter one", "an empty one", "a content type", "far behind"],
)
def test_what_differs_is_said_and_exits_with_1(
    verify: Verify, endpoint: Endpoint, outputs: list[tuple[bytes, str]], said: str
) -> None:
    endpoint.plan.model = lambda payload, kind: outputs.pop(0)
    outcome = verify("--compare-s3", f"s3://{INPUTS}")
    assert outcome.code == 1
    assert said in outcome.line("Different:")


def test_what_was_uploaded_is_deleted_whatever_happens(verify: Verify, endpoint: Endpoint) -> None:
    endpoint.plan.is_missing = True
    assert verify("--compare-s3", f"s3://{INPUTS}/x", "--timeout", "0.3").code == 2
    endpoint.plan.is_missing = False
    endpoint.plan.failure = b"no"
    assert verify("--compare-s3", f"s3://{INPUTS}/x").code == 1
    assert len(endpoint.deleted) == 2


def test_what_cannot_be_deleted_is_named(verify: Verify, endpoint: Endpoint) -> None:
    endpoint.plan.errors["DELETE"] = (403, "AccessDenied")
    outcome = verify("--compare-s3", f"s3://{INPUTS}/x")
    assert outcome.code == 0
    (key,) = endpoint.objects(INPUTS)
    note = outcome.line("Note:")
    assert f"s3://{INPUTS}/{key} may still be there; delete it by hand" in note
    assert "allow s3:DeleteObject" in note
    endpoint.s3.delete_object(Bucket=INPUTS, Key=key)


# -- the limits ------------------------------------------------------------------------------


def test_the_limits_are_refused(verify: Verify, endpoint: Endpoint) -> None:
    outcome = verify("--probe-limits")
    assert outcome.code == 0
    assert outcome.line("Limit: 128,001 bytes in Body:") == (
        "Limit: 128,001 bytes in Body: refused (ValidationError: Body is too large)"
    )
    assert outcome.line("Limit: Body and InputLocation together:").endswith(
        "refused (ValidationError: exactly one of Body and InputLocation)"
    )
    assert len(endpoint.received) == 1
    assert "3 InvokeEndpointAsync" in outcome.line("Calls:")


def test_limits_that_are_not_refused_exit_with_1(verify: Verify, endpoint: Endpoint) -> None:
    endpoint.plan.has_no_limits = True
    outcome = verify("--probe-limits", "--compare-s3", f"s3://{INPUTS}/x")
    assert outcome.code == 1
    assert outcome.out.count("NOT refused") == 2


# -- what keeps the check from being made ----------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "is empty: an empty Body is sent as none at all"),
        (b"x" * 128_001, "has 128,001 bytes, and Body takes at most 128,000"),
        (b"x" * 200_000, "has 200,000 bytes, and Body takes at most 128,000"),
    ],
)
def test_a_payload_that_does_not_fit(
    verify: Verify, endpoint: Endpoint, payload: bytes, said: str
) -> None:
    outcome = verify(payload=payload)
    assert outcome.code == 2
    assert said in outcome.err
    assert "Calls:" not in outcome.out


def test_a_payload_that_is_not_there(verify: Verify, tmp_path: Path) -> None:
    outcome = verify("--payload", str(tmp_path))
    assert outcome.code == 2
    assert "cannot be read (Is a directory): name a file with --payload." in outcome.err


def test_an_endpoint_that_is_not_there(verify: Verify) -> None:
    outcome = verify(name="nobody")
    assert outcome.code == 2
    assert "DescribeEndpoint found nothing (Could not find endpoint" in outcome.err
    assert "check the endpoint's name, the region and the account" in outcome.err


def test_an_endpoint_that_is_not_asynchronous(verify: Verify) -> None:
    outcome = verify(name="at-once")
    assert outcome.code == 2
    assert "is not asynchronous: its configuration has no AsyncInferenceConfig" in outcome.err


def test_an_endpoint_that_is_not_in_service(verify: Verify, endpoint: Endpoint) -> None:
    endpoint.plan.describes = {"EndpointStatus": "Failed", "FailureReason": "no capacity"}
    outcome = verify()
    assert outcome.code == 2
    assert "is not in service (Failed, no capacity)" in outcome.err
    endpoint.plan.describes = {"EndpointStatus": "Creating"}
    assert "is not in service (Creating): wait until it is" in verify().err


def test_an_endpoint_says_itself_that_it_is_asynchronous(
    verify: Verify, endpoint: Endpoint
) -> None:
    endpoint.plan.describes = {"AsyncInferenceConfig": {"OutputConfig": {}}}
    assert "DescribeEndpointConfig" not in verify().line("Calls:")


def test_a_region_without_inline_payloads_is_noted(verify: Verify) -> None:
    outcome = verify("--region", "me-central-1")
    assert outcome.line("Note:") == (
        "Note: me-central-1 is not among the regions that AWS has named for inline payloads"
    )
    assert outcome.code == 2  # the endpoint is in another one


@pytest.mark.parametrize(
    ("where", "status", "code", "said"),
    [
        ("DescribeEndpoint", 400, "AccessDeniedException", "allow sagemaker:DescribeEndpoint"),
        ("POST /endpoints", 403, "AccessDeniedException", "allow sagemaker:InvokeEndpointAsync"),
        ("POST /endpoints", 403, "ExpiredTokenException", "the credentials have expired"),
        ("POST /endpoints", 403, "UnrecognizedClientException", "does not accept the credentials"),
        ("POST /endpoints", 429, "ThrottlingException", "AWS is busy with too many requests"),
        ("POST /endpoints", 503, "ServiceUnavailable", "run this again later"),
        ("POST /endpoints", 400, "ValidationError", "AWS refuses InvokeEndpointAsync"),
        ("GET /sagemaker-output", 404, "NoSuchBucket", "there is no bucket, which GetObject"),
        ("GET /sagemaker-output", 403, "ExpiredToken", "the credentials have expired"),
        ("PUT /inputs", 403, "AccessDenied", "allow s3:PutObject"),
        ("GET /sagemaker-output", 403, "AccessDenied", "allow s3:GetObject on the output path"),
    ],
)
def test_what_aws_refuses(
    verify: Verify, endpoint: Endpoint, where: str, status: int, code: str, said: str
) -> None:
    endpoint.plan.errors[where] = (status, code)
    outcome = verify("--timeout", "0.3", "--compare-s3", f"s3://{INPUTS}/x")
    assert outcome.code == 2
    assert said in outcome.err
    assert outcome.err.splitlines()[-1].startswith("Error: ")


def test_probing_needs_the_same_permission(verify: Verify, endpoint: Endpoint) -> None:
    def model(payload: bytes, kind: str) -> tuple[bytes, str]:
        endpoint.plan.errors["POST /endpoints"] = (403, "AccessDeniedException")
        return b"", ""

    endpoint.plan.model = model
    outcome = verify("--probe-limits")
    assert outcome.code == 2
    assert "allow sagemaker:InvokeEndpointAsync" in outcome.err


def test_an_answer_without_a_location(verify: Verify, endpoint: Endpoint) -> None:
    endpoint.plan.has_no_locations = True
    outcome = verify()
    assert outcome.code == 2
    assert "did not say where in S3 its output will be" in outcome.err


def test_an_output_that_is_gone_before_it_is_compared(verify: Verify, endpoint: Endpoint) -> None:
    original = endpoint._is_late

    def vanishes(path: str) -> bool:
        return endpoint._looks.get(path, 0) >= 1 or original(path)

    endpoint._is_late = vanishes  # type: ignore[method-assign]
    try:
        outcome = verify("--compare-s3", f"s3://{INPUTS}/x")
    finally:
        endpoint._is_late = original  # type: ignore[method-assign]
    assert outcome.code == 2
    assert "was there and is gone" in outcome.err


def test_there_are_no_credentials(verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    outcome = verify()
    assert outcome.code == 2
    assert "there are no AWS credentials: choose some with --profile" in outcome.err


def test_the_credentials_are_incomplete(verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    outcome = verify()
    assert outcome.code == 2
    assert "the AWS credentials are incomplete" in outcome.err


def test_the_sign_in_has_expired(verify: Verify, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[profile sso]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n"
        f"region = {REGION}\n[sso-session s]\nsso_start_url = https://example.com/start\n"
        f"sso_region = {REGION}\n"
    )
    outcome = verify("--profile", "sso")
    assert outcome.code == 2
    assert "the sign-in has expired or was never made" in outcome.err
    assert "aws sso login" in outcome.err


def test_there_is_no_such_profile(verify: Verify) -> None:
    outcome = verify("--profile", "nobody")
    assert outcome.code == 2
    assert "aws configure list-profiles" in outcome.err


@pytest.mark.parametrize("arguments", [(), ("--region", "")])
def test_there_is_no_region(
    verify: Verify, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    outcome = verify(*arguments)
    assert outcome.code == 2
    assert "there is no AWS region: give one with --region" in outcome.err


def test_an_address_that_is_none_is_told(verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    outcome = verify()
    assert outcome.code == 2
    assert "the SDK cannot send the request (Invalid endpoint: nonsense)" in outcome.err


def test_nobody_answers(verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    outcome = verify()
    assert outcome.code == 2
    assert "AWS cannot be reached" in outcome.err


def test_nobody_answers_in_time(verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr("codemod.live.aws._READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        outcome = verify()
    assert outcome.code == 2
    assert "AWS did not answer in time" in outcome.err


def test_a_name_that_no_endpoint_can_have(verify: Verify) -> None:
    outcome = verify(name="")
    assert outcome.code == 2
    assert outcome.err.startswith("Error: ")


def test_an_sdk_without_body(
    verify: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = Path(botocore.__file__).parent / "data" / "sagemaker-runtime"
    (version,) = (path.name for path in models.iterdir() if path.is_dir())
    old = tmp_path / "models" / "sagemaker-runtime" / version
    shutil.copytree(models / version, old)
    (packed,) = old.glob("service-2.json*")
    model = json.loads(_unpacked(packed))
    packed.unlink()
    for name in ("Body", "missing"):
        shape = model["operations"]["InvokeEndpointAsync"]["input"]["shape"]
        if name == "Body":
            del model["shapes"][shape]["members"]["Body"]
        else:
            del model["operations"]["InvokeEndpointAsync"]
        (old / "service-2.json").write_text(json.dumps(model))
        monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))
        outcome = verify()
        assert outcome.code == 2
        assert "has no Body in InvokeEndpointAsync: install `boto3>=1.43.29`." in outcome.err
        assert outcome.out == ""


def _unpacked(path: Path) -> bytes:
    import gzip

    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


@pytest.mark.parametrize("uri", ["bucket/prefix", "s3://", "https://bucket/prefix", "s3:///key"])
def test_a_prefix_that_is_none(verify: Verify, uri: str) -> None:
    outcome = verify("--compare-s3", uri)
    assert outcome.code == 2
    assert "is not of the form s3://bucket/prefix" in outcome.err
    assert outcome.out == ""


def test_a_location_has_two_parts() -> None:
    assert str(Location.of("s3://bucket/a/b")) == "s3://bucket/a/b"
    assert Location.of("s3://bucket") == Location("bucket", "")
