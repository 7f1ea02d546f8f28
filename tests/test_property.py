"""What has to be true of every program, not just of the ones somebody thought of.

More examples, found at random, with ``ASYNC_INLINE_EXAMPLES=2000 pytest tests/test_property.py``.
"""

from __future__ import annotations

import os
from dataclasses import replace

from hypothesis import HealthCheck, given, note, settings

from codemod.model import FileResult, Fix, Settings
from codemod.process import process
from tests.compositions import Program, programs
from tests.edits import stray_edits
from tests.equivalence import differences

EXAMPLES = int(os.environ.get("ASYNC_INLINE_EXAMPLES", "0"))

# The tool raises the recursion limit of its process; Hypothesis wants it to be the same before and
# after an example.
process("first.py", b"invoke_endpoint_async", Settings(), rewrite=False)

composed = settings(
    max_examples=EXAMPLES or 60,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def processed(text: str, *, unsafe: bool = False) -> FileResult:
    return process("program.py", text.encode(), Settings(unsafe_fixes=unsafe), rewrite=True)


@composed
@given(programs())
def test_a_rewritten_program_does_the_same(program: Program) -> None:
    note(program.text)
    result = processed(program.text)
    assert result.error is None
    if result.after is None:
        return
    after = result.after.decode()
    note(after)
    script = program.script
    if program.functions[0] in after:
        # Only the function that does not run was rewritten: everything stays as it is.
        script = replace(script, stays=tuple(range(1, 9)))
    assert differences(program.text, after, script) == []


@composed
@given(programs())
def test_a_second_pass_finds_nothing_to_do(program: Program) -> None:
    for unsafe in (False, True):
        note(program.text)
        result = processed(program.text, unsafe=unsafe)
        assert result.error is None
        assert bool(result.fixed) == (result.after is not None)
        if result.after is None:
            continue
        note(result.after.decode())
        again = processed(result.after.decode(), unsafe=unsafe)
        assert again.after is None
        assert not [f for f in again.findings if f.fix is Fix.SAFE]


@composed
@given(programs())
def test_what_is_not_rewritten_stays_byte_for_byte(program: Program) -> None:
    note(program.text)
    result = processed(program.text, unsafe=True)
    if result.after is None:
        return
    after = result.after.decode()
    note(after)
    pairs = [(finding.upload.line, finding.place.line) for finding in result.fixed]
    assert stray_edits(program.text, after, pairs) == []
    start = program.text.index(program.functions[1])
    first_line_of_other = program.text[:start].count("\n") + 1
    for function, is_other in zip(program.functions, (False, True), strict=True):
        touched = any((call >= first_line_of_other) == is_other for _, call in pairs)
        assert touched or function in after
