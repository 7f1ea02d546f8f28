"""The file's own way of writing: how it indents and quotes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import libcst as cst

from codemod.index import Index
from codemod.nodes import moved
from codemod.tree import LineOrCompound


class Idiom:
    """How code near some statements is written."""

    def __init__(self, index: Index, at: LineOrCompound, near: Iterable[cst.CSTNode]) -> None:
        """Take the statement whose block new code goes into, and nodes to take after."""
        self._index = index
        self._at = at
        self._near = (at, *near)

    def block(self, statements: Sequence[cst.BaseStatement]) -> cst.IndentedBlock:
        """Make a block that is indented like the block around the statement."""
        around = self._index.block(self._at)
        indent = around.indent if isinstance(around, cst.IndentedBlock) else self._module_indent()
        by = indent if indent is not None else self._index.module_of(self._at).default_indent
        return cst.IndentedBlock(moved(statements, by), indent=indent)

    def _module_indent(self) -> str | None:
        """Return the indent of the nearest block, as cells of a notebook may differ.

        It is a tab for a file without any block whose continued lines begin with tabs.
        """
        module = self._index.module_of(self._at)
        if not self._index.has_blocks:
            return "\t" if "\n\t" in module.code_for_node(self._at) else None
        here = next((at for at, one in enumerate(module.body) if one is self._at), 0)
        blocks = (
            (abs(at - here), one.body.indent)
            for at, one in enumerate(module.body)
            if isinstance(one, cst.BaseCompoundStatement)
            and isinstance(one.body, cst.IndentedBlock)
        )
        nearest = min(blocks, key=lambda block: block[0], default=None)
        return nearest[1] if nearest is not None else None

    def string(self, text: str) -> cst.SimpleString:
        """Write a string literal with the quotes that are used most nearby."""
        quote = self._quote()
        return cst.SimpleString(f"{quote}{text}{quote}")

    def _quote(self) -> str:
        single = double = 0
        for node in self._near:
            text = self._index.module.code_for_node(node)
            single += text.count("'")
            double += text.count('"')
        return "'" if single > double else '"'
