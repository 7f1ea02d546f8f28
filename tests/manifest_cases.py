"""The fixtures that are manifests, found on disk: a folder for each case.

``before.NAME``  a manifest as users write it, where NAME is what it is called
``after.NAME``   what the tool makes of it; absent: it must leave the file alone
``case.toml``    the expected findings, and the path where it is not just the name
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from codemod.model import Finding
from tests.cases import FIXTURES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MANIFEST_CODES = {"SAI010", "SAI011"}

CASE_KEYS = {"path", "finding"}


@dataclass(frozen=True, slots=True)
class Expected:
    """A finding as ``case.toml`` describes it; ``by_hand`` is the end of its message."""

    code: str
    line: int
    cell: int | None = None
    reason: str | None = None
    by_hand: str = ""
    note: str | None = None

    def describes(self, finding: Finding) -> bool:
        place = finding.place
        return (
            (self.code, self.cell, self.line, self.reason)
            == (finding.code, place.cell, place.line, finding.reason)
            and finding.message.endswith(self.by_hand)
            and finding.notes == ((self.note,) if self.note is not None else ())
        )


@dataclass(frozen=True, slots=True)
class ManifestCase:
    """One fixture; ``path`` is what to call the manifest."""

    folder: Path
    path: str
    before: bytes
    after: bytes | None
    findings: tuple[Expected, ...]

    @property
    def name(self) -> str:
        return self.folder.relative_to(FIXTURES).as_posix()


def discovered() -> list[ManifestCase]:
    return [load(path.parent) for path in sorted((FIXTURES / "manifests").glob("*/*/case.toml"))]


def load(folder: Path) -> ManifestCase:
    """Read one fixture.

    Raises:
        ValueError: If ``case.toml`` has a key that nobody reads.
    """
    content = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    unknown = content.keys() - CASE_KEYS
    if unknown:
        raise ValueError(f"{folder.name}/case.toml: unknown keys {sorted(unknown)}")
    (before,) = folder.glob("before.*")
    name = before.name.removeprefix("before.")
    after = folder / f"after.{name}"
    return ManifestCase(
        folder=folder,
        path=content.get("path", name),
        before=before.read_bytes(),
        after=after.read_bytes() if after.exists() else None,
        findings=tuple(Expected(**finding) for finding in content.get("finding", ())),
    )
