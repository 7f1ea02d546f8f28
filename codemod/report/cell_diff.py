"""The changed cells of a notebook, line by line, for people.

A diff of the JSON would be hard to read, and one of the sources cannot be applied to the file. So
no line looks like the header of a patch: `git apply` passes over it and takes what else there is.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator

from codemod import notebook

_CONTEXT = 3


def render(path: str, before: bytes, after: bytes) -> Iterator[bytes]:
    """Yield the lines of the difference between two versions of a notebook."""
    old, new = _sources(before), _sources(after)
    yield b"# %b: cells of a notebook, for reading; not for `git apply`\n" % os.fsencode(path)
    for number, source in old.items():
        if new[number] != source:
            yield from _cell(number, source, new[number])


def _sources(content: bytes) -> dict[int, str]:
    read = notebook.read(content)
    assert isinstance(read, notebook.Notebook)
    return {cell.number: cell.source or "" for cell in read.cells}


def _cell(number: int, before: str, after: str) -> Iterator[bytes]:
    old, new = before.split("\n"), after.split("\n")
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        yield f"@@ cell {number}, line {group[0][1] + 1} @@\n".encode()
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                yield from _lines(" ", old[start:end])
            else:
                yield from _lines("-", old[start:end])
                yield from _lines("+", new[new_start:new_end])


def _lines(sign: str, lines: list[str]) -> Iterator[bytes]:
    for line in lines:
        yield f"{sign}{line}\n".encode("utf-8", "backslashreplace")
