"""Take the tool's current output as what fixtures expect, for review in the diff.

    python -m tests.accept fixtures/put_object/json_body_in_fstring_key ...

Writes ``after.py`` (or removes it where nothing changes) and the findings in ``case.toml``, and
says what running both programs shows. Without folders it does so for every fixture.
"""

# ruff: noqa: T201 - a command-line tool for developers

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from codemod.files import find
from codemod.model import FileResult, Finding, Task
from codemod.process import process
from codemod.run import run
from tests.cases import Case, discovered, load
from tests.equivalence import differences
from tests.execution import scratch_folder
from tests.project_cases import Expected, ProjectCase
from tests.project_cases import load as load_project


def main(folders: Sequence[str]) -> int:
    resolved = [Path(folder).resolve() for folder in folders]
    projects = [folder for folder in resolved if (folder / "before").is_dir()]
    worst = max([accept_project(load_project(folder)) for folder in projects], default=0)
    cases = [load(folder) for folder in resolved if folder not in projects]
    return max([accept(case) for case in cases or ([] if folders else discovered())], default=worst)


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


def accept_project(case: ProjectCase) -> int:
    """Rewrite the expectations of one fixture of several modules, likewise."""
    with scratch_folder() as scratch:
        (scratch / "pyproject.toml").touch()
        for name, content in case.before.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(content)
        report = run(find(case.only), Task(case.settings, rewrite=True), jobs=1)
    for error in report.errors:
        print(f"{case.name}: {error.path}: {error.error}")
    if report.errors:
        return 1
    after = {result.path: result.after for result in report.results if result.after is not None}
    shutil.rmtree(case.folder / "after", ignore_errors=True)
    for name, content in after.items():
        (case.folder / "after" / name).parent.mkdir(parents=True, exist_ok=True)
        (case.folder / "after" / name).write_bytes(content)
    path = case.folder / "case.toml"
    findings = [finding for result in report.results for finding in result.findings]
    text = with_tables(path.read_text(encoding="utf-8"), map(rendered_in_project, findings))
    path.write_text(text, encoding="utf-8", newline="\n")
    if not after or case.script is None:
        return 0
    found = differences(case.project({}), case.project(after), case.script)
    for difference in found:
        print(f"{case.name}: {difference}")
    return 1 if found else 0


def rendered_in_project(finding: Finding) -> str:
    expected = Expected.of(finding)
    lines = [
        f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"'
        for name in ("code", "path", "line", "fix", "reason", "upload", "cause")
        if (value := getattr(expected, name)) is not None
    ]
    return "\n".join(("[[finding]]", *lines))


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
    return with_tables(text, map(rendered, findings))


def with_tables(text: str, findings: Iterable[str]) -> str:
    head: list[str] = []
    tables: list[str] = []
    into = head
    for line in text.splitlines():
        if line.startswith("["):
            into = [] if line.startswith("[[finding]]") else tables
        into.append(line)
    parts = ["\n".join(head).strip(), *findings, "\n".join(tables).strip()]
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
