"""What the tests of the command line share: example files, git, and a stand-in for the analysis."""

from __future__ import annotations

import subprocess
from pathlib import Path

from codemod.model import FileResult, Finding, Fix, Note, Place, Settings

LEGACY = b"""\
import json

import boto3

s3 = boto3.client("s3")
runtime = boto3.client("sagemaker-runtime")


def submit(payload, bucket, key):
    body = json.dumps(payload).encode("utf-8")
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    return runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://{bucket}/{key}")
"""

MENTION = b'"""Says invoke_endpoint_async, and calls nothing."""\n'


def git(*arguments: str, folder: str | Path = ".", stdin: bytes = b"") -> bytes:
    """Run git and return what it writes; a failure fails the test."""
    author = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    allowed = ("-c", "protocol.file.allow=always", "-c", "advice.addEmbeddedRepo=false")
    command = ("git", *author, *allowed, *arguments)
    return subprocess.run(
        command, cwd=folder, check=True, input=stdin, stdout=subprocess.PIPE
    ).stdout


def process_by_words(
    path: str, before: bytes, settings: Settings, *, rewrite: bool, **_: object
) -> FileResult:
    """Stand in for the analysis: take each line that begins with ``safe``, ``unsafe`` or ``none``
    for a finding of that kind, and rewrite it to two lines that are none.
    """
    findings: list[Finding] = []
    fixed: list[Finding] = []
    lines: list[bytes] = []
    for number, line in enumerate(before.splitlines(keepends=True), 1):
        word = line.split(maxsplit=1)[0].decode() if line.strip() else ""
        place = Place(path, number, 1, number, len(line.rstrip()) + 1)
        if word == "crash":
            raise ValueError(line.decode())
        if word not in ("safe", "unsafe", "none"):
            lines.append(line)
            continue
        finding = _FINDINGS[word]
        finding = finding._replace(place=place, upload=place._replace(line=1))
        findings.append(finding)
        if word == "safe" or (word == "unsafe" and settings.unsafe_fixes):
            fixed.append(finding)
            lines += (b"# was fixed\n", b"done\n")
        else:
            lines.append(line)
    after = b"".join(lines) if rewrite and fixed else None
    note = Note("no upload in reach", Place(path, 1, 1, 1, 2))
    return FileResult(
        path,
        tuple(findings),
        fixed=tuple(fixed) if after is not None else (),
        notes=(note,) if b"note" in before else (),
        after=after,
    )


_NOWHERE = Place("", 1, 1, 1, 1)

_FINDINGS = {
    "safe": Finding("SAI001", Fix.SAFE, None, "safe to fix", _NOWHERE, _NOWHERE),
    "unsafe": Finding("SAI002", Fix.UNSAFE, "uri-returned", "not so safe", _NOWHERE, _NOWHERE),
    "none": Finding("SAI003", Fix.NONE, "upload-conditional", "by hand", _NOWHERE, _NOWHERE),
}
