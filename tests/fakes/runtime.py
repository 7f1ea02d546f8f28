"""InvokeEndpointAsync with the rules that the service enforces and botocore does not."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from codemod.model import SERVICE_LIMIT
from tests.fakes.s3 import read_body
from tests.fakes.world import Invocation, World, check_parameters, client_error, s3_location


class RuntimeClient:
    """``boto3.client("sagemaker-runtime")``."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, world: World, region: str) -> None:
        self._world = world
        self.meta = SimpleNamespace(
            region_name=region, service_model=SimpleNamespace(service_name="sagemaker-runtime")
        )

    def invoke_endpoint_async(self, **parameters: Any) -> dict[str, Any]:
        check_parameters("sagemaker-runtime", "InvokeEndpointAsync", parameters)
        body = self._body(parameters.pop("Body", b""))
        uri = parameters.pop("InputLocation", None)
        if body and uri is not None:
            raise refusal("Body and InputLocation are mutually exclusive")
        if not body and uri is None:
            raise refusal("Exactly one of Body and InputLocation must be given")
        if len(body) > SERVICE_LIMIT:
            raise refusal(f"Body must have at most {SERVICE_LIMIT} bytes")
        location = None if uri is None else s3_location(uri)
        if uri is not None and (location is None or len(uri) > 1024):
            raise refusal(f"InputLocation is no S3 address: {uri}")

        world = self._world
        number = len(world.queue) + 1
        invocation = Invocation(
            number=number,
            route="s3" if location else "inline",
            payload=None if location else body,
            content_type=parameters.get("ContentType"),
            parameters=parameters,
            location=location,
        )
        if world.weather.processing == "at_call":
            invocation = world.resolve(invocation)
        world.queue.append(invocation)
        world.record("invoke", number=number)
        if world.weather.invoke_fails:
            raise client_error(
                "ServiceUnavailable", "The endpoint is busy", "InvokeEndpointAsync", 503
            )
        return self._answer(number, parameters)

    def invoke_endpoint(self, **parameters: Any) -> dict[str, Any]:
        check_parameters("sagemaker-runtime", "InvokeEndpoint", parameters)
        body = self._body(parameters.pop("Body", b""))
        self._world.record("call", detail=("invoke_endpoint", body, tuple(parameters.items())))
        return {"Body": io.BytesIO(b"{}"), "ContentType": "application/json"}

    def close(self) -> None:
        """boto3's clients can be closed; nothing to release here."""

    def _body(self, body: Any) -> bytes:
        if hasattr(body, "read"):
            if not hasattr(body, "seek"):
                raise TypeError("object supporting the buffer API required")
            body.seek(body.tell())
        return read_body(body, self._world, "Strings must be encoded before hashing")[0]

    def _answer(self, number: int, parameters: dict[str, Any]) -> dict[str, Any]:
        folder = f"{parameters['EndpointName']}/{number:04d}"
        self._world.place_output(
            ("async-results", f"{folder}/output.out"), f'{{"call": {number}}}'.encode()
        )
        return {
            "InferenceId": parameters.get("InferenceId", f"inference-{number:04d}"),
            "OutputLocation": f"s3://async-results/{folder}/output.out",
            "FailureLocation": f"s3://async-results/{folder}/error.out",
            "ResponseMetadata": {"RequestId": f"request-{number:04d}", "HTTPStatusCode": 202},
        }


def refusal(message: str) -> ClientError:
    return client_error("ValidationError", message, "InvokeEndpointAsync")
