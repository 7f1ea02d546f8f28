"""The bytes of a notebook: where the source of each code cell stands, and putting a new one there.

Nothing else of the file is ever written anew, so whatever wrote the notebook, its indentation, key
order, floats, escapes and outputs stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from codemod.cell_source import Style, is_source, rewritten

#: What changes where a notebook is, what lies there, or where Python looks for modules.
MOVES = re.compile(rb"%cd|%%writefile|os\.chdir|sys\.path")

_BOM = "\ufeff"
_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()

#: Older notebooks keep their cells in worksheets; Jupyter itself upgrades them when it saves.
_OLDEST_FORMAT = 4


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A code cell of the kernel's language.

    Attributes:
        number: The 1-based index into ``cells``.
        source: The text of the cell, ``None`` if it is written in another language than the rest.
        executed: What ``execution_count`` says.
        raw: The JSON text of ``source``.
        start: Where that begins in the text of the file.
    """

    number: int
    source: str | None
    executed: int | None
    raw: str
    start: int


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as text, with its code cells."""

    text: str
    cells: tuple[CodeCell, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a file has no cells to look at; an error unless it is a notebook of another kind."""

    why: str
    is_error: bool


def read(content: bytes) -> Notebook | Unread:
    """Find the code cells in the content of a notebook."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return Unread(f"is no notebook: it is not encoded in UTF-8: {error.reason}", is_error=True)
    start = _after_blank(text, len(_BOM) if text.startswith(_BOM) else 0)
    try:
        document, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        return Unread("is nested too deeply to be a notebook", is_error=True)
    except ValueError as error:
        return Unread(f"is no notebook: it is not JSON: {error}", is_error=True)
    if _after_blank(text, end) != len(text):
        return Unread("is no notebook: something follows its JSON", is_error=True)
    return _refused(document) or Notebook(text, tuple(_code_cells(text, start)))


def _refused(document: object) -> Unread | None:
    if not isinstance(document, dict):
        return Unread("is no notebook: its JSON is no object", is_error=True)
    version = document.get("nbformat")
    if "worksheets" in document or (isinstance(version, int) and version < _OLDEST_FORMAT):
        return Unread(
            "the notebook is skipped: its format is older than version 4; save it with Jupyter",
            is_error=False,
        )
    if not isinstance(document.get("cells"), list):
        return Unread("is no notebook: it has no list of cells", is_error=True)
    language = _language(document.get("metadata"))
    if language is not None and not _is_python(language):
        return Unread(f"the notebook is skipped: its language is {language}", is_error=False)
    return None


def _language(metadata: object) -> str | None:
    """Return the language of the kernel; what the kernel itself said wins over what was asked."""
    for owner, key in (("language_info", "name"), ("kernelspec", "language")):
        found = _at(metadata, owner, key)
        if isinstance(found, str) and found:
            return found
    return None


def _is_python(language: str) -> bool:
    return language.lower().startswith(("python", "ipython", "pyspark"))


def _at(value: object, *keys: str) -> object:
    """Return what stands under some keys, one below the other, if all are there."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def with_sources(notebook: Notebook, sources: Mapping[int, str]) -> bytes:
    """Return the file with new sources for some of its code cells, by the number of the cell."""
    text = notebook.text
    style = Style.of(text, (cell.raw for cell in notebook.cells))
    pieces, done = [], 0
    for cell in notebook.cells:
        if cell.number in sources:
            pieces.append(text[done : cell.start])
            pieces.append(rewritten(cell.raw, sources[cell.number], style))
            done = cell.start + len(cell.raw)
    pieces.append(text[done:])
    return "".join(pieces).encode("utf-8")


# -- finding the cells ---------------------------------------------------------------------
#
# The text is known to be JSON here, so nothing is checked twice.


def _code_cells(text: str, start: int) -> Iterator[CodeCell]:
    cells = _members(text, start)["cells"][0]
    for number, (at, _) in enumerate(_elements(text, cells), start=1):
        if text[at] != "{":
            continue
        members = _members(text, at)
        values = {key: _value(text, span) for key, span in members.items() if key != "outputs"}
        source = values.get("source")
        if values.get("cell_type") != "code" or not is_source(source):
            continue
        begin, end = members["source"]
        executed = values.get("execution_count")
        yield CodeCell(
            number,
            _joined(source) if _is_of_kernel(values.get("metadata")) else None,
            executed if isinstance(executed, int) else None,
            text[begin:end],
            begin,
        )


def _joined(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def _is_of_kernel(metadata: object) -> bool:
    """Tell whether a cell says nothing of a language of its own, as it may in some front ends."""
    own = _at(metadata, "vscode", "languageId") or _at(metadata, "kernel")
    return not isinstance(own, str) or _is_python(own)


def _members(text: str, at: int) -> dict[str, tuple[int, int]]:
    """Return where the values of an object stand; of a repeated key the last one counts."""
    found = {}
    at = _after_blank(text, at + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _after_blank(text, _after_blank(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found[key] = (start, end)
        at = _after_comma(text, end)
    return found


def _elements(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield where the elements of a list stand."""
    at = _after_blank(text, at + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield at, end
        at = _after_comma(text, end)


def _after_comma(text: str, at: int) -> int:
    at = _after_blank(text, at)
    return _after_blank(text, at + 1) if text[at] == "," else at


def _after_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    assert match is not None
    return match.end()


def _value(text: str, span: tuple[int, int]) -> Any:
    return _DECODER.raw_decode(text, span[0])[0]


__all__ = ["CodeCell", "Notebook", "Unread", "read", "with_sources"]
