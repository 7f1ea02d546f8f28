"""The fixtures of several modules, found on disk: a folder for each case.

``before/``     the files of a repository
``after/``      those of them that the tool changes; absent: it must leave all alone
``case.toml``   the expected findings, and how to run the program
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codemod.model import SERVICE_LIMIT, Finding, Settings
from tests.cases import FIXTURES, RUN_KEYS, check_keys, read_toml, script_of
from tests.execution import Project, Script

CASE_KEYS = {"unsafe", "only", "finding", "run", "not_run"}
FINDING_KEYS = {"code", "path", "line", "fix", "reason", "upload", "cause"}


@dataclass(frozen=True, slots=True)
class Expected:
    """A finding as ``case.toml`` describes it; ``upload`` and ``cause`` are ``path:line``."""

    code: str
    path: str
    line: int
    fix: str
    upload: str
    reason: str | None = None
    cause: str | None = None

    @classmethod
    def of(cls, finding: Finding) -> Expected:
        cause, upload = finding.cause, finding.upload
        return cls(
            finding.code,
            finding.place.path,
            finding.place.line,
            finding.fix.value,
            f"{upload.path}:{upload.line}",
            finding.reason,
            f"{cause.path}:{cause.line}" if cause is not None else None,
        )


@dataclass(frozen=True, slots=True)
class ProjectCase:
    """One fixture. ``only`` are the files to name on the command line, by default the folder."""

    folder: Path
    before: dict[str, bytes]
    after: dict[str, bytes]
    findings: tuple[Expected, ...]
    settings: Settings
    only: tuple[str, ...]
    imports: str
    root: str
    script: Script | None
    not_run: str | None

    @property
    def name(self) -> str:
        return self.folder.relative_to(FIXTURES).as_posix()

    def project(self, changed: dict[str, bytes]) -> Project:
        return Project(self.imports, {**self.before, **changed}, self.root)


def discovered() -> list[ProjectCase]:
    return [load(path.parent) for path in sorted(FIXTURES.glob("*/*/before")) if path.is_dir()]


def load(folder: Path) -> ProjectCase:
    """Read one fixture.

    Raises:
        ValueError: If ``case.toml`` has a key that nobody reads.
    """
    content = read_toml(folder)
    run = content.get("run", {})
    check_keys(folder, content, CASE_KEYS)
    check_keys(folder, run, RUN_KEYS | {"imports", "root"})
    for finding in content.get("finding", ()):
        check_keys(folder, finding, FINDING_KEYS)
    return ProjectCase(
        folder=folder,
        before=dict(_files(folder / "before")),
        after=dict(_files(folder / "after")),
        findings=tuple(Expected(**finding) for finding in content.get("finding", ())),
        settings=Settings(SERVICE_LIMIT, unsafe_fixes=content.get("unsafe", False)),
        only=tuple(content.get("only", (".",))),
        imports=run.get("imports", ""),
        root=run.get("root", ""),
        script=script_of(folder, run) if run else None,
        not_run=content.get("not_run"),
    )


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield path.relative_to(folder).as_posix(), path.read_bytes()
