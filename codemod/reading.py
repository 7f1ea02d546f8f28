"""What was read to judge a file: modules, their text, and where everything stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from codemod.facts import Facts
from codemod.model import Place
from codemod.positions import Span, locate, locate_within
from codemod.splicing import Spliced, first_lines, splice
from codemod.tree import LineOrCompound

if TYPE_CHECKING:
    from codemod.joining import Joined

#: What ends a line for Python; `str.splitlines` knows some more.
_NEWLINE = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was read: a module with those it needs, and what is known of their text.

    ``statements`` are the lines of the statements of each, if they are known. ``joined`` is there
    if the module is a notebook, ``notebooks`` holds those among the others.
    """

    facts: Facts
    paths: Mapping[cst.Module, str]
    contents: Mapping[cst.Module, bytes | str]
    statements: Mapping[cst.Module, Sequence[int]]
    joined: Joined | None
    notebooks: Mapping[cst.Module, Joined] = field(default_factory=dict)

    def located(self, nodes: Iterable[cst.CSTNode]) -> Places:
        """Return where some nodes stand."""
        wanted: dict[cst.Module, list[cst.CSTNode]] = {}
        for node in nodes:
            wanted.setdefault(self.facts.index.module_of(node), []).append(node)
        spans: dict[cst.CSTNode, Span] = {}
        for module, inside in wanted.items():
            spans.update(self._spans(module, inside))
        lines = {module: self._lines(module) for module in wanted}
        places = {node: self._place(node, span) for node, span in spans.items()}
        return Places(self.facts, spans, places, lines)

    def round_trips(self, module: cst.Module) -> bool:
        """Tell whether a module would be written back byte for byte."""
        content, text = self.contents[module], module.code
        return content == (text if isinstance(content, str) else text.encode(module.encoding))

    def spliced(self, module: cst.Module, rewritten: cst.Module) -> Spliced | None:
        """Return a file with its new statements, ``None`` if that needs all of it rendered."""
        content = self.contents[module]
        lines = first_lines(module, self.statements.get(module, ()))
        if lines is None:
            return None
        text = self.text(module)
        # A form feed is a line to some, and text must come back as it was.
        comes_back = isinstance(content, str) or text.encode(module.encoding) == content
        is_plain = comes_back and "\f" not in text
        return splice(module, rewritten, text, lines) if is_plain else None

    def _spans(self, module: cst.Module, nodes: Sequence[cst.CSTNode]) -> dict[cst.CSTNode, Span]:
        begins = first_lines(module, self.statements.get(module, ()))
        if begins is None:
            return locate(module, nodes)
        by_statement: dict[LineOrCompound, list[cst.CSTNode]] = {}
        for node in nodes:
            by_statement.setdefault(self.facts.cells.top(node), []).append(node)
        spans: dict[cst.CSTNode, Span] = {}
        for top, inside in by_statement.items():
            spans.update(locate_within(module, top, begins[top], inside))
        return spans

    def text(self, module: cst.Module) -> str:
        """Return the text of a module."""
        content = self.contents[module]
        return content if isinstance(content, str) else content.decode(module.encoding)

    def _lines(self, module: cst.Module) -> list[str]:
        return _NEWLINE.split(self.text(module))

    def _place(self, node: cst.CSTNode, span: Span) -> Place:
        module = self.facts.index.module_of(node)
        path = self.paths[module]
        joined = self.joined if module is self.facts.index.module else self.notebooks.get(module)
        if joined is not None:
            return joined.place(path, span)
        return Place(path, span.line, span.column + 1, span.end_line, span.end_column + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where nodes stand, over all the modules that were read."""

    facts: Facts
    spans: Mapping[cst.CSTNode, Span]
    places: Mapping[cst.CSTNode, Place]
    lines: Mapping[cst.Module, list[str]]

    def of(self, node: cst.CSTNode) -> Place:
        return self.places[pointed_at(node)]

    def line(self, node: cst.CSTNode, *, end: bool = False) -> str:
        """Return the line of source that a node begins on, or ends on."""
        span = self.spans[node]
        return self.lines[self.facts.index.module_of(node)][
            (span.end_line if end else span.line) - 1
        ]


#: Nodes that write nothing, or nothing that can be found, around what they hold.
_WRAPPERS = (
    cst.Arg,
    cst.DictElement,
    cst.Element,
    cst.CompFor,
    cst.CompIf,
    cst.FormattedStringExpression,
)


def pointed_at(node: cst.CSTNode) -> cst.CSTNode:
    """Return the node whose place can be told: wrappers write nothing of their own."""
    while isinstance(node, _WRAPPERS):
        if isinstance(node, cst.CompFor):
            node = node.iter
        elif isinstance(node, cst.FormattedStringExpression):
            node = node.expression
        else:
            node = node.test if isinstance(node, cst.CompIf) else node.value
    return node
