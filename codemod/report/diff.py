"""The rewritten modules as a unified diff that ``git apply -p1`` takes, and notebooks to read."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator

from codemod.model import Report
from codemod.report import cell_diff
from codemod.source import is_notebook

#: As git does: a quote, a backslash, a control character or a byte that is not ASCII.
_QUOTED = re.compile(rb'["\\\x00-\x1f\x7f-\xff]')
_LETTERS = {
    b'"': b'\\"',
    b"\\": b"\\\\",
    b"\a": b"\\a",
    b"\b": b"\\b",
    b"\t": b"\\t",
    b"\n": b"\\n",
    b"\v": b"\\v",
    b"\f": b"\\f",
    b"\r": b"\\r",
}


def render(report: Report) -> bytes:
    """Return the differences of all files, in bytes, because files have different encodings."""
    return b"".join(
        line
        for result in report.results
        if result.before is not None and result.after is not None
        for line in _difference(result.path, result.before, result.after)
    )


def _difference(path: str, before: bytes, after: bytes) -> Iterator[bytes]:
    render_file = cell_diff.render if is_notebook(path) else _file
    return render_file(path, before, after)


def _file(path: str, before: bytes, after: bytes) -> Iterator[bytes]:
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(before),
        _lines(after),
        fromfile=_name(b"a/", path),
        tofile=_name(b"b/", path),
    )
    for line in lines:
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def _lines(content: bytes) -> list[bytes]:
    # Not `splitlines`: to git, a carriage return alone ends no line.
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


def _name(prefix: bytes, path: str) -> bytes:
    name = prefix + os.fsencode(path)
    if _QUOTED.search(name):
        return b'"%b"' % _QUOTED.sub(_escape, name)
    # Without the tab, a blank could as well begin a time stamp.
    return name + b"\t" if b" " in name else name


def _escape(match: re.Match[bytes]) -> bytes:
    character = match[0]
    return _LETTERS.get(character) or b"\\%03o" % ord(character)
