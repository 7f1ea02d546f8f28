"""Every fixture of several modules, run through the pipeline as the command line does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from codemod.files import find
from codemod.model import Fix, Report, Task
from codemod.rules import REASONS
from codemod.run import run
from codemod.source import write
from tests.equivalence import differences
from tests.project_cases import Expected, ProjectCase, discovered

CASES = discovered()

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_rewritten_case = pytest.mark.parametrize(
    "case", [case for case in CASES if case.after], ids=lambda case: case.name
)


def put_down(files: Mapping[str, bytes]) -> None:
    Path("pyproject.toml").touch()
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def shown(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: content.decode() for name, content in files.items()}


def handled(case: ProjectCase, *, write: bool) -> Report:
    task = Task(case.settings, rewrite=True, write=write)
    return run(find(case.only), task, jobs=1)


@each_case
def test_the_files_are_rewritten_on_disk(case: ProjectCase, folder: Path) -> None:
    put_down(case.before)
    report = handled(case, write=True)
    assert report.errors == ()
    now = {name: Path(name).read_bytes() for name in case.before}
    changed = {name: content for name, content in now.items() if content != case.before[name]}
    assert shown(changed) == shown(case.after)


@each_case
def test_the_findings(case: ProjectCase, folder: Path) -> None:
    put_down(case.before)
    found = [
        finding for result in handled(case, write=False).results for finding in result.findings
    ]
    assert [Expected.of(finding) for finding in found] == list(case.findings)
    for finding in found:
        assert (finding.reason is None) is (finding.fix is Fix.SAFE)
        if finding.reason is not None:
            assert REASONS[finding.reason].code == finding.code
        if finding.upload.path != finding.place.path:
            places = [link.place.path for link in finding.chain if link.place is not None]
            assert places[0] == finding.place.path
            assert places[-1] == finding.upload.path


@each_rewritten_case
def test_a_second_run_finds_nothing_to_do(case: ProjectCase, folder: Path) -> None:
    put_down({**case.before, **case.after})
    report = handled(case, write=False)
    assert report.errors == ()
    assert [result.path for result in report.results if result.after is not None] == []


@each_rewritten_case
def test_the_report_of_a_fix_tells_what_is_left(case: ProjectCase, folder: Path) -> None:
    put_down(case.before)
    report = handled(case, write=True)
    left = [f for r in report.results for f in r.findings if f not in r.fixed]
    put_down({**case.before, **case.after})
    again = run(find(case.only), Task(case.settings), jobs=1)
    assert left == [f for r in again.results for f in r.findings]


@each_rewritten_case
def test_the_rewritten_program_does_the_same(case: ProjectCase) -> None:
    if case.script is None:
        pytest.skip(case.not_run or "")
    assert differences(case.project({}), case.project(case.after), case.script) == []


@each_rewritten_case
def test_what_cannot_be_written_leaves_every_file_of_the_finding(
    case: ProjectCase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_down(case.before)
    for name in case.after:

        def refuse(path: str, *, before: bytes, after: bytes, failing: str = name) -> None:
            if path == failing:
                raise PermissionError(13, "the file is read-only", path)
            write(path, before=before, after=after)

        monkeypatch.setattr("codemod.source.write", refuse)
        monkeypatch.setattr("codemod.run.write", refuse)
        report = handled(case, write=True)
        assert name in {result.path for result in report.errors}
        touched = {path for path in case.before if Path(path).read_bytes() != case.before[path]}
        assert touched.isdisjoint(result.path for result in report.errors)
        put_down(case.before)


def test_there_are_enough() -> None:
    assert len(CASES) >= 30
    assert sum(not case.after for case in CASES) >= 10


@each_case
def test_each_says_how_it_is_run(case: ProjectCase) -> None:
    assert (case.script is None) is not (case.not_run is None) or not case.after
    assert replace(case, only=()).folder == case.folder
