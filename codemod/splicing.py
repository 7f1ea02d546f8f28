"""Rewritten statements put into the text of a file, of which nothing else is rendered again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

_NEWLINE = re.compile(r"\r\n?|\n")

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


@dataclass(frozen=True, slots=True)
class Spliced:
    """The text of a rewritten file, and its tree as that text parses."""

    text: str
    module: cst.Module


def first_lines(module: cst.Module, numbers: Sequence[int]) -> dict[Statement, int] | None:
    """Return the line of each statement that a module consists of.

    Args:
        module: The module.
        numbers: The lines as ``ast`` has them: one for each statement, those on one line included.

    Returns:
        The lines, ``None`` if the numbers are those of another module.
    """
    remaining = iter(numbers)
    found: dict[Statement, int] = {}
    for statement in module.body:
        several = statement.body if isinstance(statement, cst.SimpleStatementLine) else (None,)
        lines = [line for _, line in zip(several, remaining, strict=False)]
        if len(lines) != len(several):
            return None
        found[statement] = lines[0]
    return found if next(remaining, None) is None else None


def splice(
    before: cst.Module, after: cst.Module, text: str, lines: dict[Statement, int]
) -> Spliced | None:
    """Put the statements that are new into the text, in the place of those that are gone.

    Args:
        before: The tree of the text.
        after: The tree with some of its statements replaced; the others are the same nodes.
        text: The text.
        lines: Where the statements of ``before`` begin.

    Returns:
        The new text and its tree, in which the new statements are parsed anew: they are what their
        text says, not what was meant. ``None`` if the old ones are not found where they should be.
    """
    starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
    pieces: list[str] = []
    body: list[Statement] = []
    done = 0
    for gone, new, following in _changes(before, after):
        old = "".join(before.code_for_node(statement) for statement in gone)
        anchor = gone[0] if gone else following
        start = len(text) if anchor is None else _start(before, anchor, lines, starts)
        if start is None or start < done or not text.startswith(old, start):
            return None
        made = "".join(after.code_for_node(statement) for statement in new)
        parsed = _parsed(after, made)
        if parsed is None:
            return None
        pieces += (text[done:start], made)
        done = start + len(old)
        body += parsed
        if following is not None:
            body.append(following)
    pieces.append(text[done:])
    return Spliced("".join(pieces), after.with_changes(body=body))


def _changes(
    before: cst.Module, after: cst.Module
) -> Iterator[tuple[list[Statement], list[Statement], Statement | None]]:
    """Yield the statements that are gone, those that are new, and the one that follows both."""
    remaining = iter(before.body)
    known = set(before.body)
    new: list[Statement] = []
    for statement in after.body:
        if statement not in known:
            new.append(statement)
            continue
        gone = []
        for old in remaining:
            if old is statement:
                break
            gone.append(old)
        yield gone, new, statement
        new = []
    yield list(remaining), new, None


def _start(
    module: cst.Module, statement: Statement, lines: dict[Statement, int], starts: list[int]
) -> int | None:
    """Return where a statement begins in the text, its comments and blank lines included."""
    above = sum(1 for _ in statement.leading_lines)
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
        above += len(statement.lines_after_decorators)
        for decorator in statement.decorators:
            above += len(_NEWLINE.findall(module.code_for_node(decorator)))
    line = lines[statement] - 1 - above
    return starts[line] if 0 <= line < len(starts) else None


def _parsed(module: cst.Module, code: str) -> list[Statement] | None:
    """Return the statements of some code, with the comments above them where they belong."""
    if not code:
        return []
    try:
        part = cst.parse_module(code, module.config_for_parsing)
    except (cst.ParserSyntaxError, RecursionError):
        return None
    if not part.body or part.footer or part.code != code:
        return None
    first, *rest = part.body
    return [first.with_changes(leading_lines=[*part.header, *first.leading_lines]), *rest]
