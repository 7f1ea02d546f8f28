"""S3 as boto3 shapes it: the client with its transfer methods, and the resource on top of it."""

# ruff: noqa: N802, N803, N818 - the names are those of boto3

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, NoReturn

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError, WaiterError
from s3transfer.manager import TransferManager

from tests.fakes.world import Location, Put, World, check_parameters, client_error


class NoSuchKey(ClientError):
    """The object is not there."""


EXCEPTIONS = SimpleNamespace(ClientError=ClientError, NoSuchKey=NoSuchKey)


def read_body(body: Any, world: World, complaint: str) -> tuple[bytes, bool]:
    """The bytes an SDK sends for ``body``, and whether it took them from a stream.

    Raises:
        TypeError: With ``complaint``, if a handle yields text.
    """
    if isinstance(body, str):
        return body.encode("utf-8"), False
    if isinstance(body, (bytes, bytearray)):
        return bytes(body), False
    with world.unmetered():
        data = body.read()
    if isinstance(data, str):
        raise TypeError(complaint)
    return data, True


def missing(location: Location, operation: str) -> NoReturn:
    code, message = ("404", "Not Found") if operation == "HeadObject" else ("NoSuchKey", "No key")
    error = client_error(code, f"{message}: {'/'.join(location)}", operation, 404)
    raise NoSuchKey(error.response, operation)


class S3Client:
    """``boto3.client("s3")``."""

    exceptions = EXCEPTIONS

    def __init__(self, world: World, region: str) -> None:
        self._world = world
        self.meta = SimpleNamespace(
            region_name=region,
            service_model=SimpleNamespace(service_name="s3"),
            endpoint_url=f"https://s3.{region}.amazonaws.com",
        )

    def put_object(self, **parameters: Any) -> dict[str, Any]:
        check_parameters("s3", "PutObject", parameters)
        options = dict(parameters)
        location = (options.pop("Bucket"), options.pop("Key"))
        content, streamed = read_body(
            options.pop("Body", b""), self._world, "a bytes-like object is required, not 'str'"
        )
        put = self._world.store(location, content, options, streamed=streamed)
        return {"ETag": etag(put), "ResponseMetadata": {"HTTPStatusCode": 200}}

    def upload_file(
        self,
        Filename: Any,
        Bucket: str,
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: Any = None,
        Config: Any = None,
    ) -> None:
        if not isinstance(Filename, (str, os.PathLike)):
            raise ValueError("Filename must be a string or a path-like object")
        path = os.fspath(Filename)
        os.path.getsize(path)
        with open(path, "rb") as file:
            content = file.read()
        try:
            self._transfer(content, Bucket, Key, ExtraArgs, Callback)
        except ClientError as error:
            raise S3UploadFailedError(
                f"Failed to upload {path} to {Bucket}/{Key}: {error}"
            ) from error

    def upload_fileobj(
        self,
        Fileobj: Any,
        Bucket: str,
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: Any = None,
        Config: Any = None,
    ) -> None:
        if not hasattr(Fileobj, "read"):
            raise ValueError("Fileobj must implement read")
        try:
            content, _ = read_body(
                Fileobj, self._world, "a bytes-like object is required, not 'str'"
            )
            self._transfer(content, Bucket, Key, ExtraArgs, Callback)
        finally:
            if Fileobj.seekable():
                Fileobj.close()

    def _transfer(
        self,
        content: bytes,
        bucket: str,
        key: str,
        extra: Mapping[str, Any] | None,
        callback: Any,
    ) -> None:
        for name in extra or {}:
            if name not in TransferManager.ALLOWED_UPLOAD_ARGS:
                raise ValueError(f"Invalid extra_args key '{name}'")
        check_parameters("s3", "PutObject", {"Bucket": bucket, "Key": key, **(extra or {})})
        self._world.store((bucket, key), content, extra or {}, streamed=True)
        if callback:
            callback(len(content))

    def get_object(self, **parameters: Any) -> dict[str, Any]:
        put = self._fetch("get", "GetObject", parameters)
        return {**described(put), "Body": io.BytesIO(put.content)}

    def head_object(self, **parameters: Any) -> dict[str, Any]:
        return described(self._fetch("head", "HeadObject", parameters))

    def download_file(self, Bucket: str, Key: str, Filename: Any, **_: Any) -> None:
        put = self._fetch("get", "GetObject", {"Bucket": Bucket, "Key": Key})
        with open(os.fspath(Filename), "wb") as file:
            file.write(put.content)

    def download_fileobj(self, Bucket: str, Key: str, Fileobj: Any, **_: Any) -> None:
        put = self._fetch("get", "GetObject", {"Bucket": Bucket, "Key": Key})
        Fileobj.write(put.content)

    def delete_object(self, **parameters: Any) -> dict[str, Any]:
        check_parameters("s3", "DeleteObject", parameters)
        location = (parameters["Bucket"], parameters["Key"])
        self._world.record("delete", location)
        self._world.objects.pop(location, None)
        return {"ResponseMetadata": {"HTTPStatusCode": 204}}

    def delete_objects(self, **parameters: Any) -> dict[str, Any]:
        check_parameters("s3", "DeleteObjects", parameters)
        for entry in parameters["Delete"]["Objects"]:
            self.delete_object(Bucket=parameters["Bucket"], Key=entry["Key"])
        return {"Deleted": parameters["Delete"]["Objects"]}

    def copy_object(self, **parameters: Any) -> dict[str, Any]:
        check_parameters("s3", "CopyObject", parameters)
        source = parameters["CopySource"]
        if isinstance(source, str):
            bucket, _, key = source.removeprefix("/").partition("/")
            source = {"Bucket": bucket, "Key": key}
        put = self._fetch("copy", "CopyObject", source)
        target = (parameters["Bucket"], parameters["Key"])
        self._world.store(target, put.content, put.options, streamed=False)
        return {"CopyObjectResult": {"ETag": etag(put)}}

    def copy(self, CopySource: Any, Bucket: str, Key: str, **_: Any) -> None:
        self.copy_object(CopySource=CopySource, Bucket=Bucket, Key=Key)

    def list_objects_v2(self, **parameters: Any) -> dict[str, Any]:
        check_parameters("s3", "ListObjectsV2", parameters)
        bucket, prefix = parameters["Bucket"], parameters.get("Prefix", "")
        self._world.record("list", (bucket, prefix))
        found = [
            {"Key": key, "Size": len(put.content), "ETag": etag(put)}
            for (place, key), put in sorted(self._world.objects.items())
            if place == bucket and key.startswith(prefix)
        ]
        contents = {"Contents": found} if found else {}
        return {"KeyCount": len(found), "IsTruncated": False, **contents}

    list_objects = list_objects_v2

    def get_paginator(self, operation: str) -> Any:
        pages = getattr(self, operation)
        return SimpleNamespace(paginate=lambda **parameters: [pages(**parameters)])

    def get_waiter(self, name: str) -> Any:
        return SimpleNamespace(wait=lambda **parameters: self._wait(name, parameters))

    def _wait(self, name: str, parameters: Mapping[str, Any]) -> None:
        location = (parameters["Bucket"], parameters["Key"])
        self._world.record("wait", location, name)
        if (location in self._world.objects) != (name == "object_exists"):
            raise WaiterError("ObjectExists", "Max attempts exceeded", {})

    def generate_presigned_url(
        self,
        ClientMethod: str,
        Params: Mapping[str, Any] | None = None,
        ExpiresIn: int = 3600,
        HttpMethod: str | None = None,
    ) -> str:
        location = (Params or {})["Bucket"], (Params or {})["Key"]
        self._world.record("presign", location, ClientMethod)
        return f"https://{location[0]}.s3.amazonaws.com/{location[1]}?X-Amz-Expires={ExpiresIn}"

    def put_object_tagging(self, **parameters: Any) -> dict[str, Any]:
        check_parameters("s3", "PutObjectTagging", parameters)
        self._fetch("tag", "PutObjectTagging", parameters)
        return {"ResponseMetadata": {"HTTPStatusCode": 200}}

    def head_bucket(self, **parameters: Any) -> dict[str, Any]:
        self._world.record("call", (parameters["Bucket"], ""), "head_bucket")
        return {"ResponseMetadata": {"HTTPStatusCode": 200}}

    def create_bucket(self, **parameters: Any) -> dict[str, Any]:
        self._world.record("call", (parameters["Bucket"], ""), "create_bucket")
        return {"Location": f"/{parameters['Bucket']}"}

    def close(self) -> None:
        """boto3's clients can be closed; nothing to release here."""

    def _fetch(self, kind: str, operation: str, parameters: Mapping[str, Any]) -> Put:
        location = (parameters["Bucket"], parameters["Key"])
        self._world.record(kind, location)
        return self._world.objects.get(location) or missing(location, operation)


def etag(put: Put) -> str:
    return f'"{hashlib.md5(put.content, usedforsecurity=False).hexdigest()}"'


def described(put: Put) -> dict[str, Any]:
    return {
        "ContentLength": len(put.content),
        "ContentType": put.content_type or "binary/octet-stream",
        "ETag": etag(put),
        "Metadata": put.options.get("Metadata", {}),
        "ResponseMetadata": {"HTTPStatusCode": 200},
    }


class S3Object:
    """``boto3.resource("s3").Object(bucket, key)``."""

    def __init__(self, client: S3Client, bucket_name: str, key: str) -> None:
        self.meta = SimpleNamespace(client=client)
        self.bucket_name = bucket_name
        self.key = key

    @property
    def _name(self) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": self.key}

    @property
    def _client(self) -> S3Client:
        client: S3Client = self.meta.client
        return client

    @property
    def content_length(self) -> int:
        length: int = self._client.head_object(**self._name)["ContentLength"]
        return length

    def put(self, **parameters: Any) -> dict[str, Any]:
        return self._client.put_object(**self._name, **parameters)

    def upload_file(self, Filename: Any, *arguments: Any, **parameters: Any) -> None:
        self._client.upload_file(Filename, self.bucket_name, self.key, *arguments, **parameters)

    def upload_fileobj(self, Fileobj: Any, *arguments: Any, **parameters: Any) -> None:
        self._client.upload_fileobj(Fileobj, self.bucket_name, self.key, *arguments, **parameters)

    def get(self, **parameters: Any) -> dict[str, Any]:
        return self._client.get_object(**self._name, **parameters)

    def load(self) -> None:
        self._client.head_object(**self._name)

    def delete(self, **parameters: Any) -> dict[str, Any]:
        return self._client.delete_object(**self._name, **parameters)

    def copy_from(self, **parameters: Any) -> dict[str, Any]:
        return self._client.copy_object(**self._name, **parameters)

    def wait_until_exists(self) -> None:
        self._client.get_waiter("object_exists").wait(**self._name)


class S3Bucket:
    """``boto3.resource("s3").Bucket(name)``."""

    def __init__(self, client: S3Client, name: str) -> None:
        self.meta = SimpleNamespace(client=client)
        self.name = name
        self.objects = SimpleNamespace(filter=self._filter, all=self._filter)

    def Object(self, key: str) -> S3Object:
        return S3Object(self.meta.client, self.name, key)

    def put_object(self, **parameters: Any) -> S3Object:
        self.meta.client.put_object(Bucket=self.name, **parameters)
        return self.Object(parameters["Key"])

    def upload_file(self, Filename: Any, Key: str, *arguments: Any, **parameters: Any) -> None:
        self.meta.client.upload_file(Filename, self.name, Key, *arguments, **parameters)

    def upload_fileobj(self, Fileobj: Any, Key: str, *arguments: Any, **parameters: Any) -> None:
        self.meta.client.upload_fileobj(Fileobj, self.name, Key, *arguments, **parameters)

    def delete_objects(self, **parameters: Any) -> dict[str, Any]:
        response: dict[str, Any] = self.meta.client.delete_objects(Bucket=self.name, **parameters)
        return response

    def _filter(self, Prefix: str = "") -> Iterator[S3Object]:
        listing = self.meta.client.list_objects_v2(Bucket=self.name, Prefix=Prefix)
        return iter([self.Object(entry["Key"]) for entry in listing.get("Contents", ())])


class S3Resource:
    """``boto3.resource("s3")``."""

    def __init__(self, client: S3Client) -> None:
        self.meta = SimpleNamespace(client=client)

    def Object(self, bucket_name: str, key: str) -> S3Object:
        return S3Object(self.meta.client, bucket_name, key)

    def Bucket(self, name: str) -> S3Bucket:
        return S3Bucket(self.meta.client, name)
