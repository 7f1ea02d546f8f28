"""The ``source`` of a cell as JSON text: a string or a list of them, whatever the layout.

A line that a rewrite does not change keeps its JSON text, so escapes such as ``\\/`` or ``\\u00e9``
stay as they were found; only new lines are written anew, in the style of the cell.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_CHARACTER = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|[^\\]")
#: Where an element ends within a line; JSON strings hold no such character.
_BORDER = "\n"
_NEWLINES = ("\\n", "\\u000a", "\\u000A")
_INDENT = re.compile(r"(?: |\\t)*")
_ESCAPED = re.compile(r"\\u(?!00[0-7])[0-9a-fA-F]{4}")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def is_source(value: Any) -> bool:
    """Tell whether a JSON value is a source: a string or a list of strings."""
    if isinstance(value, list):
        return all(isinstance(line, str) for line in value)
    return isinstance(value, str)


@dataclass(frozen=True, slots=True)
class Style:
    """What a cell's own source does not tell if it is empty or has one line.

    Attributes:
        escapes: Whether the file writes what is not ASCII as escapes.
        separator: What stands between the elements of a list of lines.
    """

    escapes: bool
    separator: str | None

    @classmethod
    def of(cls, text: str, sources: Iterable[str]) -> Style:
        """Judge the style of a file with the given JSON texts of its sources."""
        between = Counter(gap for raw in sources for gap in _List.of(raw).between)
        escapes = _NOT_ASCII.search(text.lstrip("\ufeff")) is None
        return cls(escapes and _ESCAPED.search(text) is not None, _most_common(between))


@dataclass(frozen=True, slots=True)
class _List:
    """The strings in the JSON text of a source, without quotes, and what stands around them."""

    bodies: tuple[str, ...]
    opening: str
    between: tuple[str, ...]
    closing: str

    @classmethod
    def of(cls, raw: str) -> _List:
        strings = list(_STRING.finditer(raw))
        if not strings:
            return cls((), "[", (), raw[1:])
        return cls(
            tuple(one[1] for one in strings),
            raw[: strings[0].start()],
            tuple(raw[one.end() : other.start()] for one, other in pairwise(strings)),
            raw[strings[-1].end() :],
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a cell: its text, its JSON text, and the JSON text of the newline at its end.

    A list may hold a line in several elements, as some writers end a line at a form feed as well.
    """

    text: str
    raw: str
    newline: str


def rewritten(raw: str, source: str, style: Style) -> str:
    """Return the JSON text of a changed source.

    Args:
        raw: The JSON text of the source as it was.
        source: The new source.
        style: How the file writes what this source has no example of.
    """
    found = _List.of(raw)
    old = _lines(found.bodies)
    lines = _new_lines(old, source, _escapes(raw, style))
    if not raw.startswith("["):
        return f'"{"".join(lines)}"'
    if lines and not lines[-1]:
        lines.pop()  # the newline before it ends the last element
    if not lines:
        return "[]"
    elements = [f'"{piece}"' for line in lines for piece in line.split(_BORDER)]
    gaps = _gaps(found, elements, style)
    closing = found.closing if found.bodies else "]"
    return found.opening + "".join(map("".join, zip(elements, [*gaps, closing], strict=True)))


def _gaps(found: _List, elements: Sequence[str], style: Style) -> list[str]:
    """Return what to put between the elements: what was there, and elsewhere its like."""
    usual = _most_common(Counter(found.between)) or style.separator
    if usual is None:
        opening = found.opening[1:]
        usual = "," + (opening if "\n" in opening else " ")
    gaps = [usual] * (len(elements) - 1)
    if len(set(found.between)) > 1:
        old = [f'"{body}"' for body in found.bodies]
        for block in SequenceMatcher(a=old, b=elements, autojunk=False).get_matching_blocks():
            for offset in range(block.size - 1):
                gaps[block.b + offset] = found.between[block.a + offset]
    return gaps


def _lines(bodies: Iterable[str]) -> list[_Line]:
    lines: list[_Line] = []
    current: list[str] = []
    for match in _CHARACTER.finditer(_BORDER.join(bodies)):
        if match[0] in _NEWLINES:
            lines.append(_line("".join(current), match[0]))
            current = []
        else:
            current.append(match[0])
    lines.append(_line("".join(current), ""))
    return lines


def _line(raw: str, newline: str) -> _Line:
    raw = raw.lstrip(_BORDER)
    return _Line(json.loads(f'"{raw.replace(_BORDER, "")}"'), raw, newline)


def _new_lines(old: Sequence[_Line], source: str, escapes: bool) -> list[str]:
    """Return the JSON text of each line of the new source, its newline included."""
    texts = source.split("\n")
    usual = _most_common(Counter(line.newline for line in old if line.newline)) or "\\n"
    # A line that only moved into a block keeps the escapes behind its new indentation.
    moved = {line.text.lstrip(" \t"): _INDENT.sub("", line.raw, count=1) for line in old}
    raws = [_written(text, moved, escapes) for text in texts]
    newlines = [usual] * (len(texts) - 1) + [""]
    matcher = SequenceMatcher(a=[line.text for line in old], b=texts, autojunk=False)
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            line, position = old[block.a + offset], block.b + offset
            raws[position] = line.raw
            if line.newline and newlines[position]:
                newlines[position] = line.newline
    return list(map("".join, zip(raws, newlines, strict=True)))


def _written(text: str, moved: dict[str, str], escapes: bool) -> str:
    content = text.lstrip(" \t")
    indent = text[: len(text) - len(content)].replace("\t", "\\t")
    if content in moved:
        return indent + moved[content]
    return indent + json.dumps(content, ensure_ascii=escapes)[1:-1]


def _escapes(raw: str, style: Style) -> bool:
    """Tell whether a cell writes what is not ASCII as escapes, in doubt as the file does."""
    if _NOT_ASCII.search(raw):
        return False
    return style.escapes or _ESCAPED.search(raw) is not None


def _most_common(counted: Counter[str]) -> str | None:
    return counted.most_common(1)[0][0] if counted else None
