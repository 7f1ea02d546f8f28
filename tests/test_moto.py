"""A migrated module against a server that speaks S3 and SageMaker, with real boto3 clients."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import boto3
import pytest

from codemod.model import SERVICE_LIMIT, Settings
from codemod.process import process

PROGRAM = '''\
"""Ask the endpoint about a document; prints where the answer will be."""

import json
import sys

import boto3

BUCKET = "documents-in"

s3 = boto3.client("s3")
runtime = boto3.client("sagemaker-runtime")


def ask(name, text):
    key = f"requests/{name}.json"
    body = json.dumps({"inputs": text}).encode("utf-8")
    s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType="application/json")
    response = runtime.invoke_endpoint_async(
        EndpointName="documents",
        InputLocation=f"s3://{BUCKET}/{key}",
    )
    return response["OutputLocation"]


print(ask(sys.argv[1], "x" * int(sys.argv[2])))
'''

ANSWER = "a summary"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a process needs to talk to a fresh moto server, which is gone afterwards."""
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
        yield {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "NO_PROXY": "127.0.0.1",
        }
    finally:
        server.terminate()
        server.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not answers(url):
        if time.monotonic() > deadline or server.poll() is not None:
            pytest.fail(f"moto_server does not answer: {log.read_text(errors='replace')}")
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        request(f"{url}/moto-api/data.json")
    except (URLError, ConnectionError):
        return False
    return True


def request(url: str, data: bytes | None = None) -> bytes:
    """Send a request to the server on this machine, past any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, data=data), timeout=10) as response:
        content: bytes = response.read()
        return content


@pytest.fixture
def s3(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    request(f"{environment['AWS_ENDPOINT_URL']}/moto-api/reset", b"")
    client = boto3.client("s3")
    client.create_bucket(
        Bucket="documents-in", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    expect_answer(environment["AWS_ENDPOINT_URL"])
    return client


def expect_answer(url: str) -> None:
    """Queue the answer that moto gives to the next request of the endpoint."""
    expected = {"region": "eu-west-1", "results": [{"data": ANSWER}]}
    queue = f"{url}/moto-api/static/sagemaker/async-endpoint-results"
    request(queue, json.dumps(expected).encode())


@pytest.fixture(scope="module")
def migrated() -> str:
    result = process("ask.py", PROGRAM.encode(), Settings(), rewrite=True)
    assert result.after is not None
    return result.after.decode()


@pytest.mark.parametrize(
    ("size", "uploads"),
    [
        (10, {}),
        (SERVICE_LIMIT, {"requests/one.json": ('{"inputs": "', "application/json")}),
    ],
    ids=["a small payload goes inline", "a large payload goes through the bucket"],
)
def test_the_output_of_a_migrated_module_is_in_s3(
    s3: Any,
    environment: dict[str, str],
    migrated: str,
    tmp_path: Path,
    size: int,
    uploads: dict[str, tuple[str, str]],
) -> None:
    program = tmp_path / "ask.py"
    program.write_text(migrated, encoding="utf-8")

    ran = subprocess.run(
        [sys.executable, str(program), "one", str(size)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    bucket, _, key = ran.stdout.strip().removeprefix("s3://").partition("/")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == ANSWER.encode()
    assert uploaded_to(s3, "documents-in") == uploads


def uploaded_to(s3: Any, bucket: str) -> dict[str, tuple[str, str]]:
    """The start of every object in a bucket and its type, by key."""
    listing = s3.list_objects_v2(Bucket=bucket)
    found = {}
    for entry in listing.get("Contents", ()):
        stored = s3.get_object(Bucket=bucket, Key=entry["Key"])
        found[entry["Key"]] = (stored["Body"].read(12).decode(), stored["ContentType"])
    return found
