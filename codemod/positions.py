"""Where nodes stand in the text: one rendering of the tree gives the places asked for.

LibCST's ``PositionProvider`` notes the place of every node and costs twice the parse.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import libcst as cst
from libcst._nodes.internal import CodegenState


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text; lines count from 1, columns from 0, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class _Stretch:
    """Notes how many tokens were written when a wanted node began and ended."""

    def __init__(self, state: _RecordingState, node: cst.CSTNode) -> None:
        self._state = state
        self._node = node
        self._start = 0

    def __enter__(self) -> None:
        self._start = len(self._state.tokens)

    def __exit__(self, *error: object) -> None:
        self._state.found[self._node] = (self._start, len(self._state.tokens))


class _RecordingState(CodegenState):
    """Renders a tree and remembers where some of its nodes came to stand."""

    def __init__(self, module: cst.Module, wanted: set[cst.CSTNode]) -> None:
        super().__init__(module.default_indent, module.default_newline)
        self._wanted = {id(node) for node in wanted}
        self.found: dict[cst.CSTNode, tuple[int, int]] = {}
        self._nothing = nullcontext()

    # The base class says that it gives a generator's context manager; any will do.
    def record_syntactic_position(  # type: ignore[override]
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,  # noqa: ARG002
        end_node: cst.CSTNode | None = None,  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """Answer LibCST, which asks around every node that has a place of its own."""
        return _Stretch(self, node) if id(node) in self._wanted else self._nothing


def locate(module: cst.Module, nodes: Iterable[cst.CSTNode]) -> dict[cst.CSTNode, Span]:
    """Return the places of some nodes of a module."""
    state = _RecordingState(module, set(nodes))
    module._codegen(state)
    return _spans(state, 1)


def locate_within(
    module: cst.Module, statement: cst.BaseStatement, line: int, nodes: Iterable[cst.CSTNode]
) -> dict[cst.CSTNode, Span]:
    """Return the places of nodes inside one of the statements that a module consists of.

    Nothing else of the module is rendered for it.

    Args:
        module: The module.
        statement: The statement.
        line: The line on which it begins, after its comments and decorators.
        nodes: The nodes.
    """
    wanted = {statement, *nodes}
    state = _RecordingState(module, wanted)
    statement._codegen(state)
    above = "".join(state.tokens[: state.found[statement][0]])
    return _spans(state, line - _newlines(above))


def _spans(state: _RecordingState, line: int) -> dict[cst.CSTNode, Span]:
    offsets = sorted({offset for pair in state.found.values() for offset in pair})
    at: dict[int, tuple[int, int]] = {}
    column, done = 0, 0
    for offset in offsets:
        text = "".join(state.tokens[done:offset])
        newlines = _newlines(text)
        if newlines:
            line += newlines
            column = len(text) - max(text.rfind("\n"), text.rfind("\r")) - 1
        else:
            column += len(text)
        at[offset] = (line, column)
        done = offset
    return {node: Span(*at[start], *at[end]) for node, (start, end) in state.found.items()}


def _newlines(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
