"""Rewritten code under a type checker, with the stubs of boto3."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from mypy import api

from codemod.model import Settings
from codemod.process import process

TYPED = '''\
"""Typed code: payloads of every kind that an inline request can carry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sagemaker_runtime.type_defs import InvokeEndpointAsyncOutputTypeDef

BUCKET = "typed-input"

s3: Any = boto3.client("s3")
runtime: SageMakerRuntimeClient = boto3.client("sagemaker-runtime")


def send_bytes(body: bytes, name: str) -> str:
    s3.put_object(Bucket=BUCKET, Key=name, Body=body)
    response = runtime.invoke_endpoint_async(
        EndpointName="typed", InputLocation=f"s3://{BUCKET}/{name}"
    )
    return response["OutputLocation"]


def send_json(document: dict[str, Any], name: str) -> InvokeEndpointAsyncOutputTypeDef:
    key = f"json/{name}"
    text = json.dumps(document)
    s3.put_object(Bucket=BUCKET, Key=key, Body=text, ContentType="application/json")
    return runtime.invoke_endpoint_async(
        EndpointName="typed", InputLocation=f"s3://{BUCKET}/{key}"
    )


def send_either(payload: str | bytes, name: str) -> str:
    s3.put_object(Bucket=BUCKET, Key=name, Body=payload)
    return runtime.invoke_endpoint_async(
        EndpointName="typed", InputLocation=f"s3://{BUCKET}/{name}"
    )["InferenceId"]


def dump(payload: object) -> str | bytes:
    return payload if isinstance(payload, bytes) else str(payload)


def send_dumped(payload: object, name: str) -> str:
    s3.put_object(Bucket=BUCKET, Key=name, Body=dump(payload))
    return runtime.invoke_endpoint_async(
        EndpointName="typed", InputLocation=f"s3://{BUCKET}/{name}"
    )["InferenceId"]


def send_file(path: Path) -> str:
    s3.upload_file(str(path), BUCKET, path.name, ExtraArgs={"ContentType": "text/csv"})
    response = runtime.invoke_endpoint_async(
        EndpointName="typed", InputLocation=f"s3://{BUCKET}/{path.name}"
    )
    return response["InferenceId"]


def send_handle(path: Path, name: str) -> str:
    with open(path, "rb") as file:
        s3.upload_fileobj(file, BUCKET, name)
        response = runtime.invoke_endpoint_async(
            EndpointName="typed", InputLocation=f"s3://{BUCKET}/{name}"
        )
    return response["InferenceId"]
'''


@pytest.fixture(scope="module")
def rewritten() -> str:
    result = process("typed.py", TYPED.encode(), Settings(), rewrite=True)
    assert result.error is None
    assert result.after is not None
    return result.after.decode()


def complaints(text: str, folder: Path) -> list[str]:
    """What mypy says about a module in its strictest mode, without the line numbers."""
    module = folder / "typed.py"
    module.write_text(text, encoding="utf-8")
    config = folder / "mypy.ini"
    config.write_text("[mypy]\nstrict = true\nwarn_unreachable = true\n", encoding="utf-8")
    out, err, _ = api.run(
        ["--config-file", str(config), "--cache-dir", str(folder / "cache"), str(module)]
    )
    assert not err
    errors = [line for line in out.splitlines() if ": error: " in line]
    return [re.sub(r"^.*?: error: ", "", line) for line in errors]


def test_rewritten_code_has_no_new_type_error(rewritten: str, tmp_path: Path) -> None:
    assert rewritten.count("ASYNC_INLINE_LIMIT:\n") == 6
    assert "request_input" not in rewritten
    assert complaints(TYPED, tmp_path) == []
    assert complaints(rewritten, tmp_path) == []


def test_a_wrong_type_would_be_noticed(tmp_path: Path) -> None:
    text = TYPED + textwrap.dedent(
        """

        runtime.invoke_endpoint_async(EndpointName="typed", Body=17)
        """
    )
    assert len(complaints(text, tmp_path)) == 1
