"""The clients of one check, real boto3 ones, and how many requests they have sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from codemod.live.failures import LiveError, code, explained, status

#: Seconds to connect, and to wait for the next bytes of an answer.
_CONNECT_SECONDS, _READ_SECONDS = 10, 60

#: What GetObject answers if there is no such object. Without s3:ListBucket on the bucket, S3 says
#: 403 instead, whether the object is missing or may not be read (Amazon S3 API, GetObject).
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class Location:
    """An object in S3."""

    bucket: str
    key: str

    @classmethod
    def of(cls, uri: str) -> Location:
        """Parse ``s3://bucket/key``; the key may be empty.

        Raises:
            ValueError: If ``uri`` is no such URI.
        """
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not bucket:
            raise ValueError(f"{uri!r} is not of the form s3://bucket/prefix")
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Found:
    """An object that is there, with its size in bytes; what it holds can be read once."""

    location: Location
    size: int
    content_type: str
    body: Any

    def beginning(self, size: int) -> bytes:
        """Return the first ``size`` bytes and leave the rest.

        Raises:
            LiveError: If S3 stops sending.
        """
        with explained():
            content: bytes = self.body.read(size)
            self.body.close()
        return content

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield everything, at most ``size`` bytes at a time.

        Raises:
            LiveError: If S3 stops sending.
        """
        with explained():
            while chunk := self.body.read(size):
                yield chunk
            self.body.close()


class Aws:
    """The clients for SageMaker and S3.

    Attributes:
        region: The region they talk to.
        calls: How many requests of each operation were sent, repeated ones included.
        forbidden: Whether S3 has answered 403 where an object was looked for.
    """

    def __init__(self, region: str | None, profile: str | None) -> None:
        """Make the clients; nothing is sent yet.

        Raises:
            LiveError: If there is no such profile or no region.
        """
        import boto3
        from botocore.config import Config

        self.calls: Counter[str] = Counter()
        self.forbidden = False
        config = Config(connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS)
        with explained():
            session = boto3.Session(region_name=region, profile_name=profile)
            if not session.region_name:
                raise LiveError(
                    "there is no AWS region: give one with --region, or set AWS_DEFAULT_REGION"
                )
            self.region: str = session.region_name
            self._runtime: Any = session.client("sagemaker-runtime", config=config)
            self._sagemaker: Any = session.client("sagemaker", config=config)
            self._s3: Any = session.client("s3", config=config)
        for client in (self._runtime, self._sagemaker, self._s3):
            client.meta.events.register("before-send", self._count)

    def describe(self, endpoint: str) -> dict[str, Any]:
        """Return what DescribeEndpoint says, with the configuration's ``AsyncInferenceConfig``.

        Raises:
            LiveError: If AWS does not say it.
        """
        with explained():
            described: dict[str, Any] = self._sagemaker.describe_endpoint(EndpointName=endpoint)
            if "AsyncInferenceConfig" not in described and "EndpointConfigName" in described:
                config = self._sagemaker.describe_endpoint_config(
                    EndpointConfigName=described["EndpointConfigName"]
                )
                described["AsyncInferenceConfig"] = config.get("AsyncInferenceConfig")
        return described

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        """Send InvokeEndpointAsync and return the answer.

        Raises:
            LiveError: If it is refused or cannot be sent.
        """
        with explained():
            answer: dict[str, Any] = self._runtime.invoke_endpoint_async(**parameters)
        return answer

    def refusal(self, **parameters: Any) -> str | None:
        """Send an InvokeEndpointAsync that has to be refused.

        Returns:
            What the service says, ``None`` if it takes the request.

        Raises:
            LiveError: If it is refused for another reason than its parameters.
        """
        from botocore.exceptions import ClientError

        from codemod.live.failures import is_about_credentials

        with explained():
            try:
                self._runtime.invoke_endpoint_async(**parameters)
            except ClientError as error:
                if is_about_credentials(error.response) or status(error.response) not in (400, 413):
                    raise
                message = error.response.get("Error", {}).get("Message", "")
                return f"{code(error.response)}: {message}"
        return None

    def find(self, location: Location) -> Found | None:
        """Return the object at ``location``, ``None`` if it is not there or not to be seen.

        Raises:
            LiveError: If S3 cannot be asked.
        """
        from botocore.exceptions import ClientError

        with explained():
            try:
                answer = self._s3.get_object(Bucket=location.bucket, Key=location.key)
            except ClientError as error:
                if code(error.response) in _MISSING:
                    return None
                if status(error.response) == _FORBIDDEN and code(error.response) == "AccessDenied":
                    self.forbidden = True
                    return None
                raise
        kind = str(answer.get("ContentType", ""))
        return Found(location, int(answer["ContentLength"]), kind, answer["Body"])

    def upload(self, location: Location, payload: bytes, content_type: str | None) -> None:
        """Put ``payload`` at ``location``.

        Raises:
            LiveError: If S3 does not take it.
        """
        options = {"ContentType": content_type} if content_type else {}
        with explained():
            self._s3.put_object(Bucket=location.bucket, Key=location.key, Body=payload, **options)

    def delete(self, location: Location) -> None:
        """Delete the object at ``location``.

        Raises:
            LiveError: If S3 does not do it.
        """
        with explained():
            self._s3.delete_object(Bucket=location.bucket, Key=location.key)

    def _count(self, event_name: str, **_: object) -> None:
        self.calls[event_name.rpartition(".")[2]] += 1


def sdk_knows_body() -> tuple[bool, str]:
    """Return whether the installed SDK's model has ``Body``, and the version of botocore."""
    import botocore
    import botocore.session
    from botocore.model import OperationNotFoundError

    with explained():
        model = botocore.session.get_session().get_service_model("sagemaker-runtime")
        try:
            shape = model.operation_model("InvokeEndpointAsync").input_shape
        except OperationNotFoundError:
            return False, botocore.__version__
    return shape is not None and "Body" in shape.members, botocore.__version__
