"""The SageMaker SDK, as far as it uploads."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

from tests.fakes.world import Location, s3_location


class SageMakerSession:
    """``sagemaker.Session()``."""

    def __init__(self, boto_session: Any = None, **options: Any) -> None:
        self.boto_session = boto_session or self._default_boto_session()
        self.boto_region_name = self.boto_session.region_name
        self.sagemaker_runtime_client = options.get(
            "sagemaker_runtime_client"
        ) or self.boto_session.client("sagemaker-runtime")
        self.sagemaker_client = options.get("sagemaker_client")
        self.s3_client = self.boto_session.client("s3")
        self.s3_resource = self.boto_session.resource("s3")
        self._default_bucket = options.get("default_bucket")

    @staticmethod
    def _default_boto_session() -> Any:
        raise NotImplementedError

    def default_bucket(self) -> str:
        return self._default_bucket or f"sagemaker-{self.boto_region_name}-123456789012"

    def upload_data(
        self,
        path: str,
        bucket: str | None = None,
        key_prefix: str = "data",
        callback: Any = None,
        extra_args: Mapping[str, Any] | None = None,
    ) -> str:
        bucket = bucket or self.default_bucket()
        name = os.path.split(path)[1]
        key = f"{key_prefix}/{name}"
        self.s3_resource.Object(bucket, key).upload_file(
            path, ExtraArgs=extra_args, Callback=callback
        )
        return f"s3://{bucket}/{key}"

    def upload_string_as_file_body(
        self, body: Any, bucket: str, key: str, kms_key: str | None = None
    ) -> str:
        options = {"SSEKMSKeyId": kms_key, "ServerSideEncryption": "aws:kms"} if kms_key else {}
        self.s3_resource.Object(bucket, key).put(Body=body, **options)
        return f"s3://{bucket}/{key}"


class S3Uploader:
    """``sagemaker.s3.S3Uploader``; ``session_class`` is set when a run begins."""

    session_class: type[SageMakerSession] = SageMakerSession

    @classmethod
    def upload(
        cls,
        local_path: str,
        desired_s3_uri: str,
        kms_key: str | None = None,
        sagemaker_session: Any = None,
        callback: Any = None,
    ) -> str:
        session = sagemaker_session or cls.session_class()
        bucket, prefix = located(desired_s3_uri)
        extra = {"SSEKMSKeyId": kms_key, "ServerSideEncryption": "aws:kms"} if kms_key else None
        uri: str = session.upload_data(local_path, bucket, prefix, callback, extra)
        return uri

    @classmethod
    def upload_string_as_file_body(
        cls,
        body: Any,
        desired_s3_uri: str,
        kms_key: str | None = None,
        sagemaker_session: Any = None,
    ) -> str:
        session = sagemaker_session or cls.session_class()
        bucket, key = located(desired_s3_uri)
        session.upload_string_as_file_body(body=body, bucket=bucket, key=key, kms_key=kms_key)
        return desired_s3_uri

    @classmethod
    def upload_bytes(
        cls,
        b: Any,
        s3_uri: str,
        kms_key: str | None = None,
        sagemaker_session: Any = None,
    ) -> str:
        session = sagemaker_session or cls.session_class()
        bucket, key = located(s3_uri)
        extra = {"SSEKMSKeyId": kms_key, "ServerSideEncryption": "aws:kms"} if kms_key else None
        stream = b if isinstance(b, io.BytesIO) else io.BytesIO(b)
        session.s3_resource.Bucket(bucket).upload_fileobj(stream, key, ExtraArgs=extra)
        return s3_uri


def located(uri: str) -> Location:
    location = s3_location(uri)
    if location is None:
        raise ValueError(f"Expecting 's3' scheme, got: {uri}")
    return location
