"""Every fixture, and everything that has to be true of it."""

from __future__ import annotations

import io
import re
import tokenize

import pytest

from codemod.model import FileResult, Fix, Settings
from codemod.process import process
from codemod.rules import REASONS, RULES
from tests import notebook_cases, project_cases
from tests.cases import Case, discovered
from tests.edits import stray_edits
from tests.equivalence import compare, differences, payloads
from tests.execution import execute
from tests.manifest_cases import MANIFEST_CODES

CASES = discovered()

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_rewritten_case = pytest.mark.parametrize(
    "case", [case for case in CASES if case.after is not None], ids=lambda case: case.name
)


def processed(case: Case, text: bytes, settings: Settings | None = None) -> FileResult:
    return process(f"{case.name}/before.py", text, settings or case.settings, rewrite=True)


def skip_if_too_new(case: Case) -> None:
    if case.is_too_new:
        pytest.skip(f"needs Python {'.'.join(map(str, case.needs_python))}")


def shown(text: bytes | None) -> str | None:
    """Text for a readable comparison; bytes that are no UTF-8 do not get lost."""
    return None if text is None else text.decode("utf-8", errors="surrogateescape")


def decoded(text: bytes) -> str:
    """Text as Python reads it, with its line ends."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(text).readline)
    return text.decode(encoding)


@each_case
def test_the_rewritten_text(case: Case) -> None:
    result = processed(case, case.before)
    assert result.error is None
    assert shown(result.after) == shown(case.after)


@each_case
def test_the_findings(case: Case) -> None:
    found = processed(case, case.before).findings
    assert [(f.code, f.place.line, f.fix.value, f.reason) for f in found] == [
        (e.code, e.line, e.fix, e.reason) for e in case.findings
    ]
    for expected, finding in zip(case.findings, found, strict=True):
        assert expected.describes(finding), finding


@each_case
def test_unsafe_fixes_are_left_out_unless_asked_for(case: Case) -> None:
    safe = {e.line for e in case.findings if e.fix == Fix.SAFE}
    result = processed(case, case.before, Settings(limit=case.settings.limit))
    assert {finding.place.line for finding in result.fixed} == safe
    if not safe:
        assert result.after is None


@each_rewritten_case
def test_the_rewritten_text_compiles(case: Case) -> None:
    skip_if_too_new(case)
    compile(case.after or b"", f"{case.name}/after.py", "exec", dont_inherit=True)


@each_rewritten_case
def test_a_second_run_finds_nothing_to_do(case: Case) -> None:
    again = processed(case, case.after or b"")
    assert again.after is None
    assert again.fixed == ()
    left = [finding for finding in again.findings if finding.fix is not Fix.NONE]
    assert [f for f in left if f.fix is Fix.SAFE or case.settings.unsafe_fixes] == []


@each_case
def test_with_carriage_returns(case: Case) -> None:
    if b"\r" in case.before:
        pytest.skip("the fixture is about carriage returns itself")
    result = processed(case, with_carriage_returns(case.before))
    assert shown(result.after) == shown(case.after and with_carriage_returns(case.after))


@each_case
def test_with_tabs(case: Case) -> None:
    if b"\t" in case.before:
        pytest.skip("the fixture is about tabs itself")
    unit = indent_unit(case.before)
    result = processed(case, with_tabs(case.before, unit))
    assert shown(result.after) == shown(case.after and with_tabs(case.after, unit))


def with_carriage_returns(text: bytes) -> bytes:
    return text.replace(b"\n", b"\r\n")


def with_tabs(text: bytes, unit: int) -> bytes:
    def tabs(match: re.Match[bytes]) -> bytes:
        levels, rest = divmod(len(match[0]), unit)
        return b"\t" * levels + b" " * rest

    return re.sub(rb"^ +", tabs, text, flags=re.MULTILINE)


def indent_unit(text: bytes) -> int:
    """The width of the first indented line that begins a block."""
    match = re.search(rb":[ \t]*(?:#.*)?\n(?:[ ]*\n)*([ ]+)\S", text)
    return len(match[1]) if match else 4


@each_rewritten_case
def test_nothing_else_changes(case: Case) -> None:
    skip_if_too_new(case)
    result = processed(case, case.before)
    pairs = [(finding.upload.line, finding.place.line) for finding in result.fixed]
    assert pairs
    assert stray_edits(decoded(case.before), decoded(case.after or b""), pairs) == []


@each_rewritten_case
def test_the_rewritten_program_does_the_same(case: Case) -> None:
    skip_if_too_new(case)
    if case.script is None:
        pytest.skip(case.not_run or "")
    after = case.after or b""
    assert differences(case.before, after, case.script, limit=case.settings.limit) == []


@each_case
def test_the_program_runs_and_runs_the_same_again(case: Case) -> None:
    skip_if_too_new(case)
    if case.script is None:
        pytest.skip(case.not_run or "")
    does_something = False
    for payload in payloads(case.before, case.script):
        first = execute(case.before, case.script, payload)
        second = execute(case.before, case.script, payload)
        staying = range(1, len(first.invocations) + 1)
        assert compare(first, second, stays=staying) == []
        assert first.raised is None or first.raised[0] not in ("NameError", "ImportError")
        does_something |= bool(first.journal or first.raised)
    assert does_something or not case.findings


@each_case
def test_a_case_says_how_to_run_it_or_why_not(case: Case) -> None:
    assert (case.script is None) == bool(case.not_run)


@each_case
def test_only_known_codes_and_reasons_are_expected(case: Case) -> None:
    for expected in case.findings:
        assert expected.code in RULES
        assert expected.fix in set(Fix)
        assert (expected.reason is None) == (expected.fix == Fix.SAFE)
        assert expected.reason is None or expected.reason in REASONS


def test_every_code_occurs() -> None:
    assert {e.code for case in CASES for e in case.findings} >= set(RULES) - MANIFEST_CODES


def test_every_reason_occurs() -> None:
    seen = {e.reason for case in CASES for e in case.findings}
    seen |= {e.get("reason") for case in notebook_cases.discovered() for e in case.findings}
    seen |= {e.reason for case in project_cases.discovered() for e in case.findings}
    ours = {reason.slug for reason in REASONS.values() if reason.code not in MANIFEST_CODES}
    assert sorted(ours - seen) == []
