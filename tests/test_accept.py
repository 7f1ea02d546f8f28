"""The developers' tool replaces expected findings and nothing else."""

from __future__ import annotations

from codemod.model import Finding, Fix, Place
from tests.accept import with_findings

FINDING = Finding(
    code="SAI002",
    fix=Fix.UNSAFE,
    reason="uri-returned",
    message="",
    place=Place("before.py", 7, 1, 7, 9),
    upload=Place("before.py", 6, 1, 6, 9),
    cause=Place("before.py", 9, 1, 9, 9),
)

WITHOUT = """\
# Why this case is there.

unsafe = true

[run]
call = "submit(PAYLOAD)"

[run.files]
"a.json" = "$PAYLOAD"
"""

WITH = """\
# Why this case is there.

unsafe = true

[[finding]]
code = "SAI002"
line = 7
fix = "unsafe"
reason = "uri-returned"
cause = 9

[run]
call = "submit(PAYLOAD)"

[run.files]
"a.json" = "$PAYLOAD"
"""


def test_findings_are_put_before_the_run() -> None:
    assert with_findings(WITHOUT, [FINDING]) == WITH


def test_findings_are_replaced() -> None:
    assert with_findings(WITH, [FINDING]) == WITH
    assert with_findings(WITH, []) == WITHOUT
