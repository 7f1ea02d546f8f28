"""Expressions that come to stand within an f-string, so that Python before 3.12 can read them."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from codemod.edits import Replacement, substitute
from codemod.syntax import descendants

_OTHER = {'"': "'", "'": '"'}
_CODE = cst.Module([])


def spliced(
    string: cst.FormattedString, hole: cst.FormattedStringExpression, node: cst.BaseExpression
) -> Sequence[cst.BaseFormattedStringContent] | None:
    """Return what takes the place of a hole in an f-string that is filled with another string.

    ``None`` if it must stay a hole.
    """
    if hole.conversion is not None or hole.format_spec is not None or hole.equal is not None:
        return None
    if isinstance(node, cst.SimpleString) and not node.prefix:
        text = node.raw_value
        if any(one in text for one in "{}\\'\"\n"):
            return None
        return [cst.FormattedStringText(text)] if text else []
    if not isinstance(node, cst.FormattedString) or node.start.lower() != node.start:
        return None
    if "r" in node.start + string.start:
        return None
    found: list[cst.BaseFormattedStringContent] = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringExpression):
            inner = within_strings([string], part.expression)
            if inner is None or part.format_spec is not None:
                return None
            part = part.with_changes(expression=inner)
        elif any(one in _CODE.code_for_node(part) for one in "\\'\"\n"):
            return None
        found.append(part)
    return found


def within_strings(
    strings: Sequence[cst.FormattedString], node: cst.BaseExpression
) -> cst.BaseExpression | None:
    """Return an expression with other quotes than the f-strings around it, ``None`` if none do.

    Neither theirs nor a backslash may occur between the braces of one, nor a line end or a brace
    right behind a brace.
    """
    if not strings:
        return node
    taken = {string.start[-1] for string in strings}
    edits: dict[cst.CSTNode, Replacement] = {}
    free = node
    for part in descendants(node):
        if isinstance(part, (cst.SimpleString, cst.FormattedString)):
            other = _with_other_quotes(part, taken)
            if other is None:
                return None
            if part is node:
                free = other
            else:
                edits[part] = [other]
    free = substitute(free, edits)
    text = _CODE.code_for_node(free)
    if text.startswith("{") or any(one in text for one in ("\n", "\\", "#")):
        return None
    return free


def _with_other_quotes(
    string: cst.SimpleString | cst.FormattedString, taken: set[str]
) -> cst.SimpleString | cst.FormattedString | None:
    nested = (cst.SimpleString, cst.FormattedString)
    if isinstance(string, cst.FormattedString):
        if any(isinstance(part, nested) and part is not string for part in descendants(string)):
            return None
        start, quote = string.start, string.end
    else:
        start, quote = f"{string.prefix}{string.quote}", string.quote
    content = _CODE.code_for_node(string)[len(start) : -len(quote)]
    if string.lpar or len(quote) != 1 or "'" in content or '"' in content:
        return None
    if quote not in taken:
        return string
    other = _OTHER[quote]
    if other in taken:
        return None
    if isinstance(string, cst.FormattedString):
        return string.with_changes(start=start[:-1] + other, end=other)
    return string.with_changes(value=f"{start[:-1]}{other}{content}{other}")
