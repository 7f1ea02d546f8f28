"""The code cells of a notebook as one module, and its rewrite as cells again.

In front of each cell stands a statement of its own that marks the border. It does nothing that is
known, so no statement is moved over it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from codemod.magics import Mask, Reading, read_cell
from codemod.model import Note, Place
from codemod.notebook import CodeCell, Notebook
from codemod.positions import Span

_NEWLINE = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Part:
    """One code cell in the joined module.

    Attributes:
        cell: The cell.
        border: The name in front of it.
        line: The line of the module with the first line of the cell.
        text: What stands there for the cell.
        masks: The lines of it that are no Python.
        left_out: Why the cell is not part of the module, if it is not.
        is_remarkable: Whether the user should hear of that.
    """

    cell: CodeCell
    border: str
    line: int
    text: str
    masks: tuple[Mask, ...]
    left_out: str | None
    is_remarkable: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """A notebook as one module."""

    notebook: Notebook
    text: str
    parts: tuple[Part, ...]
    newline: str

    @property
    def borders(self) -> dict[str, tuple[int, int | None]]:
        """The name that marks each border, with the number of the cell and when it was run."""
        return {part.border: (part.cell.number, part.cell.executed) for part in self.parts}

    def place(self, path: str, span: Span) -> Place:
        """Return where in the notebook a stretch of the module stands."""
        starts = [part.line for part in self.parts]
        part = self.parts[max(0, bisect_right(starts, span.line) - 1)]
        before = part.line - 1
        return Place(
            path,
            span.line - before,
            span.column + 1,
            span.end_line - before,
            span.end_column + 1,
            part.cell.number,
        )

    def notes(self, path: str, method: str) -> Iterator[Note]:
        """Yield what to say of the code that could not be looked at."""
        for part in self.parts:
            number = part.cell.number
            if part.left_out is not None and part.is_remarkable:
                place = Place(path, 1, 1, 1, 1, number)
                yield Note(f"cell {number} is left out: {part.left_out}", place)
            for mask in part.masks:
                if method in mask.original:
                    lines = _NEWLINE.split(part.text)
                    line = lines.index(mask.line.rstrip("\r")) + 1
                    place = Place(path, line, 1, line, len(mask.original) + 1, number)
                    yield Note(f"{method} is left alone: it is called by a magic", place)

    def divided(self, text: str) -> dict[int, str] | str:
        """Return the new sources of the cells that a rewritten module changes.

        What should never happen comes back as a sentence: a border that moved, or a changed line
        that is no Python.
        """
        names = "|".join(re.escape(part.border) for part in self.parts)
        pieces = re.split(rf"^({names})\r?\n", text, flags=re.MULTILINE)
        if pieces[0] or pieces[1::2] != [part.border for part in self.parts]:
            return "the cells would not stay apart"
        sources = {}
        for part, piece in zip(self.parts, pieces[2::2], strict=True):
            piece = piece.removesuffix(self.newline)
            if piece == part.text:
                continue
            restored = _restored(part, piece)
            if restored is None:
                return f"cell {part.cell.number} would lose a line that is no Python"
            sources[part.cell.number] = restored
        return sources


def join(notebook: Notebook, parses: Callable[[str], bool] | None = None) -> Joined:
    """Write the code cells of a notebook as one module.

    Args:
        notebook: The notebook.
        parses: Tells whether the text of a cell is Python; see :func:`codemod.magics.read_cell`.
    """
    sources = [cell.source or "" for cell in notebook.cells]
    newline = next(("\r\n" for source in sources if "\r\n" in source), "\n")
    prefix = _free_prefix(sources)
    numbers = count(1)

    def new_name() -> str:
        return f"{prefix}masked_{next(numbers)}__"

    parts = []
    line = 1
    written: list[str] = []
    for cell in notebook.cells:
        border = f"{prefix}cell_{cell.number}__"
        reading = _read(cell, new_name, parses)
        parts.append(
            Part(
                cell,
                border,
                line + 1,
                reading.text,
                reading.masks,
                reading.left_out,
                reading.is_remarkable,
            )
        )
        piece = f"{border}{newline}{reading.text}{newline}"
        line += len(_NEWLINE.findall(piece))
        written.append(piece)
    return Joined(notebook, "".join(written), tuple(parts), newline)


def _read(
    cell: CodeCell, new_name: Callable[[], str], parses: Callable[[str], bool] | None
) -> Reading:
    if cell.source is None:
        return Reading("", left_out="it is written in another language", is_remarkable=False)
    reading = read_cell(cell.source, new_name, parses)
    # It would become one newline with the one that follows.
    if reading.left_out is None and reading.text.endswith("\r"):
        return Reading("", left_out="it ends with a carriage return")
    return reading


def _free_prefix(sources: list[str]) -> str:
    """Return how the names that are put in begin: like nothing else in the notebook."""
    for number in count(1):
        prefix = "__async_inline_" if number == 1 else f"__async_inline_{number}_"
        if not any(prefix in source for source in sources):
            return prefix
    raise AssertionError("there are more numbers than names")


def _restored(part: Part, piece: str) -> str | None:
    """Put back the lines of a cell that are no Python; ``None`` if not each is there once."""
    if part.left_out is not None:
        return None
    source = part.cell.source or ""
    if "\r\n" in source and not re.search(r"(?<!\r)\n", source):
        piece = re.sub(r"(?<!\r)\n", "\r\n", piece)
    lines = piece.split("\n")
    at = -1
    for mask in part.masks:
        if lines.count(mask.line) != 1 or lines.index(mask.line) <= at:
            return None
        at = lines.index(mask.line)
        lines[at] = mask.original
    return "\n".join(lines)
