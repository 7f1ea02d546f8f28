"""Every fixture that is a notebook, and everything that has to be true of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import nbformat
import pytest

from codemod.model import Fix
from tests.equivalence import differences
from tests.notebook_cases import NOTHING, NotebookCase, code_cells, discovered, place, program

CASES = discovered()

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_rewritten_case = pytest.mark.parametrize(
    "case", [case for case in CASES if case.after is not None], ids=lambda case: case.name
)


@each_case
def test_the_rewritten_bytes(case: NotebookCase) -> None:
    result = case.processed(case.before)
    assert result.error is None
    assert result.after == case.after


@each_case
def test_the_findings(case: NotebookCase) -> None:
    found = case.processed(case.before).findings
    assert [[f.code, *place(f.place), f.fix.value, f.reason] for f in found] == [
        [e["code"], e["cell"], e["line"], e["fix"], e.get("reason")] for e in case.findings
    ]
    for expected, finding in zip(case.findings, found, strict=True):
        if "upload" in expected:
            assert place(finding.upload) == expected["upload"]
        if "cause" in expected:
            assert finding.cause is not None
            assert place(finding.cause) == expected["cause"]


@each_case
def test_the_notes(case: NotebookCase) -> None:
    found = " ".join(note.message for note in case.processed(case.before).notes)
    assert [note for note in case.notes if note not in found] == []


@each_rewritten_case
def test_a_second_run_finds_nothing_to_do(case: NotebookCase) -> None:
    assert case.after is not None
    again = case.processed(case.after)
    assert again.error is None
    assert again.after is None
    assert [finding for finding in again.findings if finding.fix is Fix.SAFE] == []


@each_rewritten_case
def test_only_sources_change(case: NotebookCase) -> None:
    assert case.after is not None
    before, after = without_sources(case.before), without_sources(case.after)
    assert before == after
    kinds = [
        [type(cell["source"]) for cell in json.loads(content.decode("utf-8-sig"))["cells"]]
        for content in (case.before, case.after)
    ]
    assert kinds[0] == kinds[1]


def without_sources(content: bytes) -> str:
    document = json.loads(content.decode("utf-8-sig"), parse_float=str)
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = ""
    return json.dumps(document)


@each_rewritten_case
def test_the_rewritten_notebook_is_valid(case: NotebookCase) -> None:
    assert case.after is not None
    notebook: Any = nbformat.reads(  # type: ignore[no-untyped-call]
        case.after.decode("utf-8-sig"), as_version=4
    )
    notebook.pop("x-float", None), notebook.pop("x-twice", None)
    nbformat.validate(notebook)


RUNS = {
    "in order": NOTHING,
    "all of them twice": slice(None),
    "the last one again": slice(-1, None),
}


@pytest.mark.parametrize("again", RUNS.values(), ids=RUNS)
@each_rewritten_case
def test_the_rewritten_cells_do_the_same(case: NotebookCase, again: slice) -> None:
    if case.script is None:
        pytest.skip(case.not_run or "")
    assert case.after is not None
    before, after = program(case.before, again), program(case.after, again)
    script = case.script if again == NOTHING else replace(case.script, sizes=(1, 128_001))
    assert differences(before, after, script) == []


@each_case
def test_a_case_says_how_to_run_it_or_why_not(case: NotebookCase) -> None:
    assert (case.script is None) == bool(case.not_run)


@each_rewritten_case
def test_cells_without_upload_call_or_constant_stay(case: NotebookCase) -> None:
    assert case.after is not None
    before, after = code_cells(case.before), code_cells(case.after)
    changed = {number for number in before if before[number] != after[number]}
    result = case.processed(case.before)
    involved = {place.cell for f in result.fixed for place in (f.place, f.upload)}
    bound = {number for number in after if "128_000" in after[number] and number in changed}
    parameters = {number for number in before if "InputLocation" in before[number]}
    called = {number for number in before if "stage(" in before[number]}
    assert changed <= involved | bound | parameters | called
