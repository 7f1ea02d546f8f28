"""What a function that makes a call does with its URI besides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from codemod.announcements import announces_upload, is_log_line
from codemod.calls import Telling
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.names import body_parameter
from codemod.regions import LOOKING_AROUND
from codemod.structure import in_handler
from codemod.syntax import descendants, is_self, names_in, tested_for_none


@dataclass(frozen=True, slots=True)
class Mentions:
    """What a function does with the URI, or key, that it is given.

    Attributes:
        keeps: Whether it needs that for more than its calls of the API and log lines.
        telling: The log lines that tell it, or say that something was uploaded.
    """

    keeps: bool
    telling: tuple[Telling, ...] = ()


def with_location(
    facts: Facts,
    function: cst.FunctionDef,
    location: cst.BaseExpression,
    calls: int,
    has_body: str | None = None,
) -> Mentions:
    """Tell what a function does with its URI, or key, besides its ``calls`` of the API.

    What it only does where it has got no body in the parameter ``has_body`` does not count.
    """
    given = given_for(facts, location)
    for looking in LOOKING_AROUND:
        names = facts.index.names.get(looking, ())
        if any(facts.index.function(name) is function for name in names):
            return Mentions(keeps=True)
    body = has_body or body_parameter(function)
    telling: dict[cst.SimpleStatementLine, bool] = dict.fromkeys(
        _announcing(facts, function, given), True
    )
    others = 0
    for name in facts.definitions.reads(given) if given is not None else ():
        line = facts.index.statement(name)
        if isinstance(line, cst.SimpleStatementLine) and is_log_line(line):
            if facts.index.function(line) is function:
                telling.setdefault(line, False)
        else:
            others += 1
    order, call = facts.index.order, facts.index.statement(location)
    lines = tuple(
        Telling(line, body, announces, is_late=order[line] > order[call])
        for line, announces in telling.items()
        if not _is_without(facts, line, has_body)
    )
    return Mentions(keeps=given is None or others != calls, telling=lines)


def _announcing(
    facts: Facts, function: cst.FunctionDef, given: Definition | None
) -> Iterator[cst.SimpleStatementLine]:
    """Yield the lines of a function that say that its input was uploaded."""
    about = {given} if given is not None else set()
    for part in descendants(function.body):
        if isinstance(part, cst.SimpleStatementLine) and announces_upload(facts, part, about):
            if facts.index.function(part) is function and not in_handler(facts.index, part):
                yield part


def _is_without(facts: Facts, line: cst.SimpleStatementLine, body: str | None) -> bool:
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
