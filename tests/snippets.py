"""Short programs in which one thing matters, and what the tool says about them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from codemod.model import FileResult, Settings
from codemod.process import process
from tests.equivalence import differences
from tests.execution import Script

HEADER = """\
import io
import json
import os
import posixpath

import boto3

s3 = boto3.client("s3")
runtime = boto3.client("sagemaker-runtime")
seen = []
"""

UPLOAD = 's3.put_object(Bucket="inputs", Key=name, Body=data)'
CALL = (
    'response = runtime.invoke_endpoint_async(EndpointName="e",'
    ' InputLocation=f"s3://inputs/{name}")'
)
SIZES = (1, 128_000, 128_001)


def program(body: str, *, header: str = HEADER, signature: str = "data: bytes, name") -> str:
    """A module with a function ``submit``; ``UPLOAD`` and ``CALL`` stand for the usual ones."""
    lines = [
        line.replace("UPLOAD", UPLOAD).replace("CALL", CALL)
        for line in textwrap.dedent(body).strip("\n").splitlines()
    ]
    inner = textwrap.indent("\n".join(lines), "    ")
    return f"{header}\n\ndef submit({signature}):\n{inner}\n"


def verdicts(text: str) -> list[str]:
    """What is said of each call: ``safe`` or the reason; calls left alone are left out."""
    return [finding.reason or finding.fix.value for finding in review(text).findings]


def notes(text: str) -> list[str]:
    """Why calls are left alone without a finding."""
    return [note.message.partition(": ")[2] for note in review(text).notes]


def rewritten(text: str) -> str:
    """The text after all safe fixes, the same text if there is none."""
    result = process("program.py", text.encode(), Settings(), rewrite=True)
    assert result.error is None
    return text if result.after is None else result.after.decode()


def review(text: str) -> FileResult:
    result = process("program.py", text.encode(), Settings(), rewrite=False)
    assert result.error is None
    return result


def what_differs(
    text: str,
    kinds: Sequence[str] = ("bytes",),
    call: str = "submit(PAYLOAD, 'job')",
    announces: Sequence[str] = ("uploaded",),
) -> list[str]:
    """How the rewritten program differs from the program in what it does."""
    script = Script(call=call, payloads=tuple(kinds), announces=tuple(announces), sizes=SIZES)
    return differences(text, rewritten(text), script)
