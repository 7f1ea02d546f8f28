"""The raised specifiers can be installed, says pip and the package index."""

from __future__ import annotations

import subprocess
import sys

import pytest

from codemod.manifests.review import process_manifest


@pytest.mark.network
@pytest.mark.parametrize(
    "requirements",
    [
        "boto3==1.34.0\nbotocore==1.34.0\n",
        "boto3[crt]>=1.34,<2\n",
        "boto3~=1.34.0\n",
        "boto3~=1.34\naiobotocore>=3.8\n",
        "boto3\nboto3-stubs[sagemaker-runtime]==1.34.0\n",
        "types-boto3[sagemaker-runtime]~=1.34.0\nmypy-boto3-sagemaker-runtime==1.34.*\n",
    ],
)
def test_raised_requirements_resolve(requirements: str) -> None:
    result = process_manifest("requirements.txt", requirements.encode(), rewrite=True)
    assert result.after is not None
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    raised = result.after.decode().split()
    done = subprocess.run([*command, *raised], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "Would install" in done.stdout


@pytest.mark.network
def test_aioboto3_cannot_be_installed_with_the_floor() -> None:
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    done = subprocess.run(
        [*command, "aioboto3==15.5.0", "botocore>=1.43.29"], capture_output=True, encoding="utf-8"
    )
    assert done.returncode != 0
    assert "conflict" in done.stderr
