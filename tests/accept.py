"""Take the tool's current output as what fixtures expect, for review in the diff.

    python -m tests.accept fixtures/put_object/json_body_in_fstring_key ...

Writes ``after.py`` (or removes it where nothing changes) and the findings in ``case.toml``, and
says what running both programs shows. Without folders it does so for every fixture.
"""

# ruff: noqa: T201 - a command-line tool for developers

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from codemod.model import FileResult, Finding
from codemod.process import process
from tests.cases import Case, discovered, load
from tests.equivalence import differences


def main(folders: Sequence[str]) -> int:
    cases = [load(Path(folder).resolve()) for folder in folders] or discovered()
    return max([accept(case) for case in cases], default=0)


def accept(case: Case) -> int:
    """Rewrite the expectations of one fixture; 1 if its programs differ in what they do."""
    result = process(f"{case.name}/before.py", case.before, case.settings, rewrite=True)
    if result.error:
        print(f"{case.name}: {result.error}")
        return 1
    write_expectations(case, result)
    if result.after is None or case.script is None or case.is_too_new:
        return 0
    found = differences(case.before, result.after, case.script, limit=case.settings.limit)
    for difference in found:
        print(f"{case.name}: {difference}")
    return 1 if found else 0


def write_expectations(case: Case, result: FileResult) -> None:
    after = case.folder / "after.py"
    if result.after is None:
        after.unlink(missing_ok=True)
    else:
        after.write_bytes(result.after)
    path = case.folder / "case.toml"
    text = with_findings(path.read_text(encoding="utf-8"), result.findings)
    path.write_text(text, encoding="utf-8", newline="\n")


def with_findings(text: str, findings: Sequence[Finding]) -> str:
    """``text`` with its ``[[finding]]`` tables replaced; everything else stays as it is."""
    head: list[str] = []
    tables: list[str] = []
    into = head
    for line in text.splitlines():
        if line.startswith("["):
            into = [] if line.startswith("[[finding]]") else tables
        into.append(line)
    parts = ["\n".join(head).strip(), *map(rendered, findings), "\n".join(tables).strip()]
    return "\n\n".join(part for part in parts if part) + "\n"


def rendered(finding: Finding) -> str:
    lines = [
        "[[finding]]",
        f'code = "{finding.code}"',
        f"line = {finding.place.line}",
        f'fix = "{finding.fix.value}"',
    ]
    if finding.reason:
        lines.append(f'reason = "{finding.reason}"')
    if finding.cause:
        lines.append(f"cause = {finding.cause.line}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
