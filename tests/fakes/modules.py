"""The module trees that programs import: boto3, sagemaker, aioboto3 and aiobotocore."""

# ruff: noqa: PYI034 - the parameters are those of the real modules

from __future__ import annotations

import types
from functools import partial
from typing import Any

import boto3.exceptions
import botocore.config
from s3transfer.manager import TransferManager

from tests.fakes.runtime import RuntimeClient
from tests.fakes.s3 import S3Client, S3Resource
from tests.fakes.sagemaker_sdk import S3Uploader, SageMakerSession
from tests.fakes.world import World

STOOD_IN_FOR = ("boto3", "sagemaker", "aioboto3", "aiobotocore")
DEFAULT_REGION = "eu-west-1"


class OtherService:
    """Any other client or resource: each call is a side effect that has to stay."""

    def __init__(self, world: World, service: str) -> None:
        self._world = world
        self._service = service

    def __getattr__(self, operation: str) -> Any:
        if operation.startswith("_"):
            raise AttributeError(operation)
        return partial(self._call, operation)

    def _call(self, operation: str, *arguments: Any, **parameters: Any) -> Any:
        self._world.record(
            "call", detail=(self._service, operation, arguments, tuple(parameters.items()))
        )
        if operation[0].isupper():
            return OtherService(self._world, f"{self._service}.{operation}")
        return {"Account": "123456789012", "MessageId": "message-1"}


class Session:
    """``boto3.Session``, bound to a world by :func:`boto3_modules`."""

    world: World

    def __init__(self, *arguments: Any, region_name: str | None = None, **options: Any) -> None:
        self.region_name = region_name or DEFAULT_REGION
        self.profile_name = options.get("profile_name", "default")

    def client(self, service_name: str, region_name: str | None = None, **options: Any) -> Any:
        region = region_name or self.region_name
        if service_name == "s3":
            return S3Client(self.world, region)
        if service_name in ("sagemaker-runtime", "runtime.sagemaker"):
            return RuntimeClient(self.world, region)
        return OtherService(self.world, service_name)

    def resource(self, service_name: str, region_name: str | None = None, **options: Any) -> Any:
        if service_name == "s3":
            return S3Resource(S3Client(self.world, region_name or self.region_name))
        return OtherService(self.world, service_name)


class TransferConfig:
    """``boto3.s3.transfer.TransferConfig``; how a transfer is split is not observable here."""

    def __init__(self, **options: Any) -> None:
        self.options = options


class Awaitable:
    """The twin of a client or resource whose methods are awaited, itself a context manager."""

    def __init__(self, subject: Any) -> None:
        self._subject = subject

    async def __aenter__(self) -> Awaitable:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._subject, name)
        if name in ("exceptions", "meta", "key", "bucket_name", "name"):
            return member
        if name == "get_waiter":
            return lambda waiter: Awaitable(member(waiter))
        if not callable(member):
            return member

        async def awaited(*arguments: Any, **parameters: Any) -> Any:
            result = member(*arguments, **parameters)
            if isinstance(result, dict) and hasattr(result.get("Body"), "read"):
                result["Body"] = Awaitable(result["Body"])
            is_resource = type(result).__module__ == S3Client.__module__
            return Awaitable(result) if is_resource else result

        return awaited


class AsyncSession:
    """``aioboto3.Session`` and the session of aiobotocore."""

    blocking: Session

    def __init__(self, **options: Any) -> None:
        self._options = options

    def client(self, service_name: str, **options: Any) -> Awaitable:
        return Awaitable(self.blocking.client(service_name, **options))

    create_client = client

    def resource(self, service_name: str, **options: Any) -> Awaitable:
        return Awaitable(self.blocking.resource(service_name, **options))


def stand_ins(world: World) -> dict[str, types.ModuleType]:
    """The module trees of one world, by name."""
    session = type("Session", (Session,), {"world": world})
    default = session()
    async_session = type("Session", (AsyncSession,), {"blocking": default})
    sagemaker_session = type(
        "Session",
        (SageMakerSession,),
        {"_default_boto_session": staticmethod(lambda: default)},
    )
    uploader = type("S3Uploader", (S3Uploader,), {"session_class": sagemaker_session})
    transfer = {
        "TransferConfig": TransferConfig,
        "S3Transfer": type(
            "S3Transfer", (), {"ALLOWED_UPLOAD_ARGS": TransferManager.ALLOWED_UPLOAD_ARGS}
        ),
    }
    contents: dict[str, dict[str, Any]] = {
        "boto3": {
            "Session": session,
            "client": default.client,
            "resource": default.resource,
            "setup_default_session": lambda **options: None,
        },
        "boto3.session": {"Session": session},
        "boto3.s3": {},
        "boto3.s3.transfer": transfer,
        "boto3.exceptions": vars(boto3.exceptions),
        "sagemaker": {"Session": sagemaker_session},
        "sagemaker.session": {"Session": sagemaker_session},
        "sagemaker.s3": {"S3Uploader": uploader},
        "aioboto3": {"Session": async_session},
        "aiobotocore": {},
        "aiobotocore.config": {"AioConfig": botocore.config.Config},
        "aiobotocore.session": {"get_session": async_session, "AioSession": async_session},
    }
    return assembled(contents)


def assembled(contents: dict[str, dict[str, Any]]) -> dict[str, types.ModuleType]:
    """Modules with the given names and members, each an attribute of its parent."""
    modules: dict[str, types.ModuleType] = {}
    for name, members in contents.items():
        module = types.ModuleType(name)
        module.__path__ = []
        module.__dict__.update({k: v for k, v in members.items() if not k.startswith("__")})
        parent, _, leaf = name.rpartition(".")
        if parent:
            setattr(modules[parent], leaf, module)
        modules[name] = module
    return modules
