"""Moves the continuation lines of an expression that comes to stand on another line."""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst

from codemod.edits import apply
from codemod.index import Index

#: Stands for the expression while its place is looked for; no program has a name like it.
_MARK = "_here_begins_the_expression_"


def redented(
    index: Index,
    node: cst.BaseExpression,
    column: int,
    moved: cst.BaseExpression | None = None,
    kept: Collection[cst.CSTNode] = (),
) -> cst.BaseExpression:
    """Return an expression as it is written at the beginning of a line of its own.

    Lines that are aligned with a bracket stay aligned, others lose the indent of the line on which
    the expression began.

    Args:
        index: The module that it stands in.
        node: The expression in its old place.
        column: Where it will begin, counted from the indent of its new statement.
        moved: What takes its place, if that is no longer the same.
        kept: Parts of that which come from elsewhere.
    """
    moved = node if moved is None else moved
    if node not in index.parent or isinstance(node, cst.Name):
        return moved
    indents = _Indents()
    node.visit(indents)
    if not indents.widths:
        return moved
    statement = index.statement(node)
    if not isinstance(statement, cst.SimpleStatementLine):
        return moved
    bare = apply(index, statement, {node: [cst.Name(_MARK)]}).with_changes(leading_lines=())
    line = index.module_of(node).code_for_node(bare).partition(_MARK)[0].rpartition("\n")[2]
    is_aligned = min(indents.widths) > len(line)
    by = column - len(line) if is_aligned else len(line.lstrip()) - len(line)
    result = moved.visit(_Shift(by, kept))
    assert isinstance(result, cst.BaseExpression)
    return result


class _Indents(cst.CSTVisitor):
    """Collects how far the continuation lines are indented, within the block."""

    def __init__(self) -> None:
        self.widths: list[int] = []

    def visit_ParenthesizedWhitespace(  # noqa: N802 - the name that LibCST calls
        self, node: cst.ParenthesizedWhitespace
    ) -> None:
        self.widths.append(len(node.last_line.value))


class _Shift(cst.CSTTransformer):
    def __init__(self, by: int, kept: Collection[cst.CSTNode]) -> None:
        self._by = by
        self._kept = kept

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node not in self._kept

    def leave_ParenthesizedWhitespace(  # noqa: N802 - the name that LibCST calls
        self,
        original_node: cst.ParenthesizedWhitespace,  # noqa: ARG002
        updated_node: cst.ParenthesizedWhitespace,
    ) -> cst.ParenthesizedWhitespace:
        lines = [
            line.with_changes(whitespace=self._shifted(line.whitespace))
            for line in updated_node.empty_lines
        ]
        return updated_node.with_changes(
            empty_lines=lines, last_line=self._shifted(updated_node.last_line)
        )

    def _shifted(self, space: cst.SimpleWhitespace) -> cst.SimpleWhitespace:
        if self._by < 0:
            return space.with_changes(value=space.value[-self._by :])
        return space.with_changes(value=space.value + " " * self._by)
