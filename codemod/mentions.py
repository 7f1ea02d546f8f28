"""What a function that makes a call does with its URI besides."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from codemod.announcements import is_log_line
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.regions import LOOKING_AROUND
from codemod.syntax import is_self, names_in, tested_for_none


@dataclass(frozen=True, slots=True)
class Mentions:
    """What a function does with the URI, or key, that it is given.

    Attributes:
        keeps: Whether it needs that for more than its calls of the API and log lines.
        telling: The log lines that tell it.
    """

    keeps: bool
    telling: tuple[cst.SimpleStatementLine, ...] = ()


def with_location(
    facts: Facts, location: cst.BaseExpression, calls: int, has_body: str = ""
) -> Mentions:
    """Tell what a function does with its URI, or key, besides its ``calls`` of the API.

    What it only does where it has got no body in the parameter ``has_body`` does not count.
    """
    given, here = given_for(facts, location), facts.index.function(location)
    for looking in LOOKING_AROUND:
        if any(facts.index.function(name) is here for name in facts.index.names.get(looking, ())):
            return Mentions(keeps=True)
    if given is None:
        return Mentions(keeps=True)
    telling: dict[cst.SimpleStatementLine, None] = {}
    others = 0
    for name in facts.definitions.reads(given):
        line = facts.index.statement(name)
        if isinstance(line, cst.SimpleStatementLine) and is_log_line(line):
            if facts.index.function(line) is here and not _is_without(facts, line, has_body):
                telling[line] = None
        else:
            others += 1
    is_clear = others == calls and (calls == 1 or not telling)
    return Mentions(keeps=not is_clear, telling=tuple(telling))


def _is_without(facts: Facts, line: cst.SimpleStatementLine, body: str) -> bool:
    """Tell whether a line stands below ``if body is None``."""
    block = facts.index.block(line)
    above = facts.index.parent.get(block)
    if not isinstance(above, cst.If) or above.body is not block:
        return False
    test = tested_for_none(above.test)
    return test is not None and test.value == body


def given_for(facts: Facts, location: cst.BaseExpression) -> Definition | None:
    """Return what a function is given for its URI: that, or the one thing the URI is made of.

    The URI is put together in the call, so nothing has to be given where there is no upload.
    """
    if isinstance(location, cst.Name):
        return facts.definitions.of(location)
    found = [facts.definitions.of(name) for name in names_in(location) if not is_self(name)]
    given = [one for one in found if isinstance(one.node, cst.Param)]
    return given[0] if len(given) == 1 else None
