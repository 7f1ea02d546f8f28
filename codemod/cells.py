"""The cells of a module: those of a notebook, or of a script that marks its own with comments.

A cell may be run again, alone, and shows what its last expression gives. So no code moves from one
cell to another, and what is shown stays the last expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import libcst as cst

from codemod.index import Index
from codemod.tree import LineOrCompound

#: Marks a cell in Jupytext's percent format, nbconvert's scripts and Databricks notebooks.
_CELL_COMMENT = re.compile(r"#\s?(?:%%|In\s?\[|<codecell>|COMMAND -{5,}\s*$)")

#: The number of a cell and when it was last executed, by the name that stands in front of it.
Borders = Mapping[str, tuple[int, int | None]]


class Cells:
    """Which statement stands in which cell; a module without cells is a single one.

    Attributes:
        executed: When each cell of a notebook was last executed, as far as the notebook says.
    """

    def __init__(self, index: Index, borders: Borders) -> None:
        self._index = index
        self._borders = borders
        self.executed = dict(borders.values())

    @property
    def is_notebook(self) -> bool:
        """Whether the cells are those of a notebook."""
        return bool(self._borders)

    def of(self, node: cst.CSTNode) -> int:
        """Return the number of the cell that a node stands in."""
        return self._numbers[self.top(node)]

    def same(self, first: cst.CSTNode, second: cst.CSTNode) -> bool:
        """Tell whether two nodes stand in one cell."""
        return not self._are_several or self.of(first) == self.of(second)

    def statements(self, number: int) -> Iterator[LineOrCompound]:
        """Yield the statements of a cell, without the border."""
        for statement, cell in self._numbers.items():
            if cell == number and not self.is_border(statement):
                yield statement

    def border(self, number: int) -> LineOrCompound:
        """Return the statement that stands in front of a cell of a notebook."""
        return next(one for one, cell in self._numbers.items() if cell == number)

    def shows(self, statement: LineOrCompound) -> bool:
        """Tell whether a statement is the expression that its cell shows when it is run."""
        if not self._are_several or not isinstance(statement, cst.SimpleStatementLine):
            return False
        last = statement.body[-1]
        if not isinstance(last, cst.Expr) or isinstance(last.semicolon, cst.Semicolon):
            return False
        number = self._numbers.get(statement)
        return number is not None and list(self.statements(number))[-1] is statement

    def top(self, node: cst.CSTNode) -> LineOrCompound:
        """Return the statement of the module that a node is or stands in."""
        current = node
        for above in self._index.ancestors(node):
            if isinstance(above, cst.Module):
                break
            current = above
        assert isinstance(current, (cst.SimpleStatementLine, cst.BaseCompoundStatement))
        return current

    def is_border(self, statement: cst.CSTNode) -> bool:
        """Tell whether a statement only marks the beginning of a cell."""
        return self._name(statement) in self._borders

    @cached_property
    def _numbers(self) -> dict[LineOrCompound, int]:
        numbers: dict[LineOrCompound, int] = {}
        number = 0
        for statement in self._index.module.body:
            assert isinstance(statement, (cst.SimpleStatementLine, cst.BaseCompoundStatement))
            name = self._name(statement)
            if name in self._borders:
                number = self._borders[name][0]
            elif not self._borders and begins_cell(statement):
                number += 1
            numbers[statement] = number
        return numbers

    @cached_property
    def _are_several(self) -> bool:
        return len(set(self._numbers.values())) > 1

    @staticmethod
    def _name(statement: cst.CSTNode) -> str:
        if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
            small = statement.body[0]
            if isinstance(small, cst.Expr) and isinstance(small.value, cst.Name):
                return small.value.value
        return ""


def begins_cell(statement: cst.CSTNode) -> bool:
    """Tell whether a comment in front of a statement marks the beginning of a cell."""
    return after_cell_comment(getattr(statement, "leading_lines", ())) > 0


def after_cell_comment(lines: Sequence[cst.EmptyLine]) -> int:
    """Return how many of some lines there are up to the last comment that marks a cell."""
    last = 0
    for number, line in enumerate(lines, start=1):
        if line.comment is not None and _CELL_COMMENT.match(line.comment.value):
            last = number
    return last
