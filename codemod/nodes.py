"""Small pieces of new code, and the comments and blank lines of old code that moves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

import libcst as cst

from codemod.cells import after_cell_comment
from codemod.tree import LineOrCompound

_PRAGMA = re.compile(r"#\s*(type:|noqa|nosec|pyright:|pylint:|pragma|mypy:|fmt:)")

#: A comment with the types of a function, and one with that of a variable (PEP 484).
_SIGNATURE = re.compile(r"#\s*type:\s*\(")
_TYPE = re.compile(r"#\s*type:(?!\s*ignore)")
_CONTINUED = re.compile(r"\\(?:\r\n?|\n)")


def assign(name: str, value: cst.BaseExpression) -> cst.SimpleStatementLine:
    """Return ``name = value``."""
    return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], value)])


def function_call(name: str, *args: cst.BaseExpression) -> cst.Call:
    """Return ``name(…)``."""
    return cst.Call(cst.Name(name), [cst.Arg(arg) for arg in args])


def method_call(owner: cst.BaseExpression, name: str, *args: cst.BaseExpression) -> cst.Call:
    """Return ``owner.name(…)``."""
    return cst.Call(cst.Attribute(owner, cst.Name(name)), [cst.Arg(arg) for arg in args])


def encoded(node: cst.BaseExpression, encoding: cst.SimpleString) -> cst.Call:
    """Return ``node.encode(encoding)``."""
    atoms = (cst.Name, cst.Call, cst.Attribute, cst.Subscript, cst.SimpleString)
    if not isinstance(node, (*atoms, cst.FormattedString)) and not node.lpar:
        node = node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.Call(cst.Attribute(node, cst.Name("encode")), [cst.Arg(encoding)])


def standing_alone(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return an expression that stays valid outside of the brackets it stood in."""
    closed = isinstance(node, (cst.Call, cst.Dict, cst.List, cst.Set, cst.Name, cst.Subscript))
    is_broken = "\n" in cst.Module([]).code_for_node(node)
    if closed and node.lpar and not is_broken:
        return node.with_changes(lpar=[], rpar=[])
    if node.lpar or closed:
        return node
    if is_broken or isinstance(node, cst.NamedExpr):
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return node


#: How long a sum may become that was written over several lines.
_SHORT = 60
_SPACE = cst.SimpleWhitespace(" ")


def on_one_line(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return a short sum whose terms stood on lines of their own on a single one."""
    flat = _flat(node)
    code = cst.Module([]).code_for_node(flat)
    return flat if len(code) <= _SHORT and "#" not in code and "\n" not in code else node


def _flat(node: cst.BaseExpression) -> cst.BaseExpression:
    if not isinstance(node, cst.BinaryOperation):
        return node
    broken = {
        side: _SPACE
        for side in ("whitespace_before", "whitespace_after")
        if isinstance(getattr(node.operator, side, None), cst.ParenthesizedWhitespace)
    }
    operator = node.operator.with_changes(**broken)
    return node.with_changes(left=_flat(node.left), right=_flat(node.right), operator=operator)


def leading_lines(statement: cst.BaseStatement) -> Sequence[cst.EmptyLine]:
    """Return the blank lines and comments before a statement."""
    return tuple(getattr(statement, "leading_lines", ()))


def with_lines(statement: cst.BaseStatement, lines: Sequence[cst.EmptyLine]) -> cst.BaseStatement:
    """Return a statement with other blank lines and comments before it."""
    return statement.with_changes(leading_lines=list(lines))


def blank_lines(lines: Sequence[cst.EmptyLine]) -> tuple[cst.EmptyLine, ...]:
    """Return the blank lines in front of the first comment, with what begins a cell.

    A comment that gives the types of the function, ``# type: (bytes) -> str``, stays with it.
    """
    start = after_cell_comment(lines)
    for number, line in enumerate(lines):
        if line.comment is not None and _SIGNATURE.match(line.comment.value):
            start = number + 1
    found = list(lines[:start])
    for line in lines[start:]:
        if line.comment is not None:
            break
        found.append(line)
    return tuple(found)


def from_comment(lines: Sequence[cst.EmptyLine]) -> tuple[cst.EmptyLine, ...]:
    """Return the lines from the first comment on."""
    return tuple(lines[len(blank_lines(lines)) :])


def without_comments(statement: LineOrCompound) -> LineOrCompound:
    """Return a copy of a statement for the other branch: its comments stay with the original."""
    assert isinstance(statement, cst.SimpleStatementLine)
    trailing = statement.trailing_whitespace
    if trailing.comment is not None and not has_pragma(statement):
        trailing = cst.TrailingWhitespace(newline=trailing.newline)
    return statement.with_changes(leading_lines=(), trailing_whitespace=trailing)


def without_type(line: cst.SimpleStatementLine) -> cst.SimpleStatementLine:
    """Return an assignment without the comment that declares its type."""
    trailing = line.trailing_whitespace
    if trailing.comment is None or not _TYPE.match(trailing.comment.value):
        return line
    return line.with_changes(trailing_whitespace=cst.TrailingWhitespace(newline=trailing.newline))


def has_pragma(line: cst.SimpleStatementLine) -> bool:
    """Tell whether the comment of a line tells a checker something about that line."""
    comment = line.trailing_whitespace.comment
    return comment is not None and _PRAGMA.match(comment.value) is not None


class _Deeper(cst.CSTTransformer):
    """Moves code into a block.

    The indent of a line behind a backslash is part of the code. Blank lines stay empty: LibCST
    takes one at the module level for an indented one, as the indent is empty there.
    """

    def __init__(self, indent: str) -> None:
        self._indent = indent

    def leave_EmptyLine(  # noqa: N802 - the name that LibCST calls
        self,
        original_node: cst.EmptyLine,  # noqa: ARG002
        updated_node: cst.EmptyLine,
    ) -> cst.EmptyLine:
        if updated_node.comment is None and not updated_node.whitespace.value:
            return updated_node.with_changes(indent=False)
        return updated_node

    def leave_SimpleWhitespace(  # noqa: N802 - the name that LibCST calls
        self,
        original_node: cst.SimpleWhitespace,
        updated_node: cst.SimpleWhitespace,
    ) -> cst.SimpleWhitespace:
        if "\\" not in original_node.value:
            return updated_node
        deeper = _CONTINUED.sub(lambda end: end[0] + self._indent, original_node.value)
        return updated_node.with_changes(value=deeper)


def moved(statements: Sequence[cst.BaseStatement], indent: str) -> list[cst.BaseStatement]:
    """Return statements as they are in a block that is indented by so much more."""
    return [cast(cst.BaseStatement, one.visit(_Deeper(indent))) for one in statements]
