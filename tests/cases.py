"""The fixtures, found on disk: a folder for each case.

``before.py``   a program as users write it
``after.py``    what the tool makes of it; absent: the tool must leave the file alone
``case.toml``   the expected findings, and how to run the program
``files/``      files the program needs, copied into its working directory
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codemod.model import SERVICE_LIMIT, Finding, Settings
from tests.execution import SIZES, Script
from tests.fakes.sagemaker_sdk import located

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).parent.parent / "fixtures"

CASE_KEYS = {"unsafe", "limit", "needs_python", "not_run", "finding", "run"}
FINDING_KEYS = {"code", "line", "fix", "reason", "cause", "note"}
RUN_KEYS = {
    "call", "result", "payload", "uploaded", "sizes", "argv", "announces", "stays",
    "files", "objects", "environment",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expected:
    """A finding as ``case.toml`` describes it.

    ``cause`` is the line of the finding's cause and ``note`` a part of one of its notes; where
    they are ``None``, anything will do.
    """

    code: str
    line: int
    fix: str
    reason: str | None = None
    cause: int | None = None
    note: str | None = None

    def describes(self, finding: Finding) -> bool:
        cause = finding.cause.line if finding.cause else None
        return (
            (self.code, self.line, self.fix, self.reason)
            == (finding.code, finding.place.line, finding.fix.value, finding.reason)
            and self.cause in (None, cause)
            and (self.note is None or any(self.note in note for note in finding.notes))
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One fixture. Either ``script`` says how to run it or ``not_run`` why that cannot be.

    ``needs_python`` is the oldest Python that can run it; the tool reads it on any.
    """

    folder: Path
    before: bytes
    after: bytes | None
    findings: tuple[Expected, ...]
    settings: Settings
    script: Script | None
    not_run: str | None
    needs_python: tuple[int, ...] = ()

    @property
    def is_too_new(self) -> bool:
        return sys.version_info < self.needs_python

    @property
    def name(self) -> str:
        return self.folder.relative_to(FIXTURES).as_posix()


def discovered() -> list[Case]:
    return [load(path.parent) for path in sorted(FIXTURES.glob("*/*/before.py"))]


def load(folder: Path) -> Case:
    """Read one fixture.

    Raises:
        ValueError: If ``case.toml`` has a key that nobody reads.
    """
    content = read_toml(folder)
    run = content.get("run", {})
    check_keys(folder, content, CASE_KEYS)
    check_keys(folder, run, RUN_KEYS)
    for finding in content.get("finding", ()):
        check_keys(folder, finding, FINDING_KEYS)
    after = folder / "after.py"
    return Case(
        folder=folder,
        before=(folder / "before.py").read_bytes(),
        after=after.read_bytes() if after.exists() else None,
        findings=tuple(Expected(**finding) for finding in content.get("finding", ())),
        settings=Settings(
            limit=content.get("limit", SERVICE_LIMIT), unsafe_fixes=content.get("unsafe", False)
        ),
        script=script_of(folder, run) if "run" in content else None,
        not_run=content.get("not_run"),
        needs_python=tuple(map(int, content.get("needs_python", "3").split("."))),
    )


def read_toml(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))


def script_of(folder: Path, run: Mapping[str, Any]) -> Script:
    kinds = run.get("payload", ())
    extra = folder / "files"
    return Script(
        call=run.get("call"),
        result=run.get("result"),
        payloads=(kinds,) if isinstance(kinds, str) else tuple(kinds),
        uploaded=tuple(run.get("uploaded", ())),
        files={
            **{
                path.relative_to(extra).as_posix(): path.read_bytes()
                for path in sorted(extra.rglob("*"))
                if path.is_file() and path.suffix != ".pyc"
            },
            **run.get("files", {}),
        },
        objects={located(uri): text.encode() for uri, text in run.get("objects", {}).items()},
        environment=run.get("environment", {}),
        argv=tuple(run.get("argv", ())),
        announces=tuple(run.get("announces", ())),
        stays=tuple(run.get("stays", ())),
        sizes=tuple(run.get("sizes", SIZES)),
    )


def check_keys(folder: Path, table: Mapping[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise ValueError(f"{folder.name}/case.toml: unknown key {key!r}")
