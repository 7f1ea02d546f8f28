"""An endpoint to check against: moto_server behind a proxy that does what the service does.

moto takes any size and both parameters, ignores ``Body`` and answers every inline request with one
output. The proxy in front of it refuses what the service refuses, runs a model, and on demand
answers late, not at all, with a failure, or with an error.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3

from codemod.model import SERVICE_LIMIT

NAME = "summaries"
REGION = "eu-west-1"
INPUTS = "inputs"

#: One object by its bucket and key.
_Object = tuple[str, str]


def echo(payload: bytes, content_type: str) -> tuple[bytes, str]:
    """The model: the output and its content type for a payload."""
    return b'{"length": %d}' % len(payload), "application/json"


@dataclass
class Plan:
    """How the endpoint is to behave.

    ``late`` is how often S3 says that an output is not there before it is. ``errors`` are answered
    to requests whose method and path begin with the key: a status and a code.
    """

    model: Callable[[bytes, str], tuple[bytes, str]] = echo
    late: int = 0
    is_missing: bool = False
    failure: bytes | None = None
    has_no_limits: bool = False
    has_no_locations: bool = False
    errors: dict[str, tuple[int, str]] = field(default_factory=dict)
    describes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """A request that the endpoint has taken."""

    payload: bytes
    is_inline: bool
    content_type: str
    accept: str
    inference_id: str


class Endpoint:
    """The proxy, while it runs.

    Attributes:
        url: Where to send the requests of all services.
        plan: How to behave, to be changed at will.
        received: What the endpoint was given to work on.
        deleted: The paths that were deleted in S3.
    """

    def __init__(self, moto: str) -> None:
        self._moto = urlsplit(moto)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.plan = Plan()
        self.received: list[Received] = []
        self.deleted: list[str] = []
        self._looks: dict[str, int] = {}
        self.s3 = _client("s3", moto)

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Answer requests within the block."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()

    def reset(self) -> None:
        """Forget the last test."""
        self.plan = Plan()
        self.received.clear()
        self.deleted.clear()
        self._looks.clear()

    def objects(self, bucket: str) -> list[str]:
        """The keys in a bucket."""
        listed = self.s3.list_objects_v2(Bucket=bucket)
        return [one["Key"] for one in listed.get("Contents", ())]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = _unchunked(self.rfile)
                status, headers, content = endpoint._answer(self, body)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        return Handler

    def _answer(
        self, request: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        plan, path = self.plan, urlsplit(request.path).path
        target = request.headers.get("X-Amz-Target", "")
        for beginning, (status, code) in plan.errors.items():
            if f"{request.command} {path} {target}".startswith(beginning) or beginning in target:
                return _error(status, code, is_xml=not target and "/endpoints/" not in path)
        if path.endswith("/async-invocations"):
            return self._invoked(request, path, body)
        if request.command == "DELETE":
            self.deleted.append(path)
        if request.command == "GET" and self._is_late(path):
            return _error(404, "NoSuchKey", is_xml=True)
        status, headers, content = self._forward(request.command, request.path, request, body)
        if target.endswith(".DescribeEndpoint") and status == 200:
            content = json.dumps(json.loads(content) | plan.describes).encode()
        return status, headers, content

    def _is_late(self, path: str) -> bool:
        if "/sagemaker-output-" not in path:
            return False
        self._looks[path] = self._looks.get(path, 0) + 1
        return self._looks[path] <= self.plan.late

    def _invoked(
        self, request: BaseHTTPRequestHandler, path: str, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        location = request.headers.get("X-Amzn-SageMaker-InputLocation")
        if not self.plan.has_no_limits:
            if bool(body) == bool(location):
                return _error(400, "ValidationError", "exactly one of Body and InputLocation")
            if len(body) > SERVICE_LIMIT:
                return _error(400, "ValidationError", "Body is too large")
        content_type = request.headers.get("X-Amzn-SageMaker-Content-Type") or ""
        payload = body
        if location and not body:
            uploaded = self.s3.get_object(**_place(location))
            payload = uploaded["Body"].read()
            content_type = content_type or uploaded["ContentType"]
        self.received.append(
            Received(
                payload,
                not location,
                content_type,
                request.headers.get("X-Amzn-SageMaker-Accept") or "",
                request.headers.get("X-Amzn-SageMaker-Inference-Id") or "",
            )
        )
        # moto tells requests apart by this alone.
        unique = {"X-Amzn-SageMaker-InputLocation": f"s3://{INPUTS}/{uuid.uuid4()}"}
        status, headers, content = self._forward("POST", path, request, b"", unique)
        self._work(headers, payload, content_type)
        if self.plan.has_no_locations:
            headers = {name: value for name, value in headers.items() if "Location" not in name}
        return status, headers, content

    def _work(self, headers: dict[str, str], payload: bytes, content_type: str) -> None:
        """Put into S3 what the model makes of a payload, in place of what moto has put there."""
        output = _place(headers["X-Amzn-SageMaker-OutputLocation"])
        failure = _place(headers["X-Amzn-SageMaker-FailureLocation"])
        self.s3.delete_object(**output)
        if self.plan.failure is not None:
            self.s3.put_object(**failure, Body=self.plan.failure, ContentType="text/plain")
        elif not self.plan.is_missing:
            result, kind = self.plan.model(payload, content_type)
            self.s3.put_object(**output, Body=result, ContentType=kind)

    def _forward(
        self,
        method: str,
        path: str,
        request: BaseHTTPRequestHandler,
        body: bytes,
        more: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        skipped = ("content-length", "transfer-encoding", "expect", "connection")
        headers = {k: v for k, v in request.headers.items() if k.lower() not in skipped}
        headers = {k: v for k, v in headers.items() if k.lower() not in map(str.lower, more or {})}
        assert self._moto.hostname is not None
        connection = http.client.HTTPConnection(self._moto.hostname, self._moto.port, timeout=30)
        try:
            connection.request(method, path, body, headers | (more or {}))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        kept = {k: v for k, v in answer.getheaders() if k.lower() not in skipped}
        return answer.status, kept, content


@contextlib.contextmanager
def running(moto: str) -> Iterator[Endpoint]:
    """An asynchronous endpoint in front of a moto server, with a bucket for inputs."""
    sagemaker = _client("sagemaker", moto)
    role = "arn:aws:iam::123456789012:role/endpoint"
    variant = {
        "VariantName": "all",
        "ModelName": NAME,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_model(
        ModelName=NAME, ExecutionRoleArn=role, PrimaryContainer={"Image": "123.dkr/model:1"}
    )
    asynchronous = {"OutputConfig": {"S3OutputPath": "s3://outputs/"}}
    sagemaker.create_endpoint_config(
        EndpointConfigName=NAME, ProductionVariants=[variant], AsyncInferenceConfig=asynchronous
    )
    sagemaker.create_endpoint_config(EndpointConfigName="at-once", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    sagemaker.create_endpoint(EndpointName="at-once", EndpointConfigName="at-once")
    endpoint = Endpoint(moto)
    with endpoint.serving():
        endpoint.s3.create_bucket(
            Bucket=INPUTS, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield endpoint


def _client(service: str, url: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def _place(uri: str) -> dict[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def _error(
    status: int, code: str, message: str = "so it says", *, is_xml: bool = False
) -> tuple[int, dict[str, str], bytes]:
    if is_xml:
        text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return status, {"Content-Type": "application/xml"}, text.encode()
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return status, headers, json.dumps({"__type": code, "message": message}).encode()


def _unchunked(stream: Any) -> bytes:
    content = b""
    while size := int(stream.readline().split(b";")[0], 16):
        content += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass
    return content
