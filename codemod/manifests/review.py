"""One manifest from bytes to findings and, where asked, to bytes with the floor raised."""

from __future__ import annotations

import bisect
import codecs
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from codemod import notebook
from codemod.manifests import (
    commands,
    conda,
    locks,
    pipfile,
    pyproject,
    requirements,
    setup_cfg,
    setup_py,
)
from codemod.manifests.judge import Low, apply, judge
from codemod.manifests.names import Kind, kind
from codemod.manifests.requirement import Requirement
from codemod.manifests.sdk import NEEDLE
from codemod.manifests.setup_py import NotPythonError
from codemod.manifests.toml_places import TomlError
from codemod.model import FileResult, Finding, Fix, Place

_FINDERS = {
    Kind.REQUIREMENTS: requirements.find,
    Kind.PYPROJECT: pyproject.find,
    Kind.SETUP_CFG: setup_cfg.find,
    Kind.SETUP_PY: setup_py.find,
    Kind.PIPFILE: pipfile.find,
    Kind.CONDA: conda.find,
    Kind.DOCKERFILE: commands.find_in_dockerfile,
    Kind.SHELL: commands.find,
    Kind.WORKFLOW: commands.find,
    Kind.NOTEBOOK: commands.find_in_cell,
}

_INCLUDES = {Kind.REQUIREMENTS: requirements.includes, Kind.CONDA: conda.includes}

#: Windows' own tools redirect `pip freeze` into UTF-16, and pip reads that.
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_LINE_END = re.compile(r"\r\n|\r|\n")

_SUPPRESSION = re.compile(
    r"#\s*(?:noqa|async-inline:\s*ignore)\b(?P<codes>\s*[:\[]\s*[A-Z][A-Z0-9, ]*)?", re.IGNORECASE
)


def process_manifest(
    path: str, before: bytes, *, rewrite: bool, as_kind: Kind | None = None
) -> FileResult:
    """Review one manifest.

    Args:
        path: The path to report, relative, with ``/``.
        before: The content of the file.
        rewrite: Whether to raise the floor as well.
        as_kind: The format, where the name does not tell it because another file includes this.

    Returns:
        The findings and, with ``rewrite``, the content with the floor raised. A file that cannot
        be read has an error and nothing else.
    """
    chosen = as_kind or kind(path)
    if chosen is None:
        return FileResult(path, before=before)
    try:
        content = _read(chosen, before)
        texts = content.texts
        lows = {number: _lows(chosen, path, text) for number, text in texts.items()}
        raised = {number: apply(text, lows[number]) for number, text in texts.items()}
        left = [low for number in raised for low in _lows(chosen, path, raised[number])]
    except (TomlError, NotPythonError, _NotANotebookError) as error:
        return FileResult(path, before=before, error=str(error))
    found = tuple(
        finding
        for number, text in texts.items()
        for finding in _findings(path, number, text, lows[number])
    )
    if not rewrite or raised == texts:
        return FileResult(path, found, before=before)
    fixed = tuple(finding for finding in found if finding.fix is Fix.SAFE)
    if any(low.edit is not None for low in left) or len(left) != len(found) - len(fixed):
        why = "the raised requirements are not what was asked for; please report this"
        return FileResult(path, found, before=before, error=f"left alone: {why}")
    changed = {number: text for number, text in raised.items() if text != texts[number]}
    return FileResult(path, found, fixed, before=before, after=content.with_texts(changed))


def included(path: str, content: bytes, as_kind: Kind | None = None) -> list[str]:
    """Return the paths of the lists for pip that the manifest at ``path`` includes."""
    finder = _INCLUDES.get(as_kind or kind(path) or Kind.LOCK)
    if finder is None:
        return []
    folder = posixpath.dirname(path)
    text = _decoded(content)[2]
    return [posixpath.normpath(posixpath.join(folder, name)) for name in finder(text)]


class _NotANotebookError(ValueError):
    """The content is no notebook; the message says why."""


@dataclass(frozen=True, slots=True)
class _Content:
    """A manifest as text, and the way back to bytes.

    ``texts`` are the cells of a notebook by their number, or one text under ``None``.
    """

    texts: dict[int | None, str]
    with_texts: Callable[[dict[int | None, str]], bytes]


def _read(chosen: Kind, content: bytes) -> _Content:
    if chosen is Kind.NOTEBOOK:
        return _read_notebook(content)
    mark, encoding, text = _decoded(content)
    return _Content(
        {None: text}, lambda texts: mark + texts[None].encode(encoding, "surrogateescape")
    )


def _read_notebook(content: bytes) -> _Content:
    read = notebook.read(content)
    if isinstance(read, notebook.Unread):
        if read.is_error:
            raise _NotANotebookError(read.why)
        return _Content({}, lambda _: content)
    return _Content(
        {cell.number: cell.source for cell in read.cells if cell.source is not None},
        lambda texts: notebook.with_sources(
            read, {number: text for number, text in texts.items() if number is not None}
        ),
    )


def _decoded(content: bytes) -> tuple[bytes, str, str]:
    """Return the byte order mark, the encoding and the text; every byte survives the way back."""
    for mark, encoding in _ENCODINGS:
        if content.startswith(mark):
            return mark, encoding, content[len(mark) :].decode(encoding, "surrogateescape")
    return b"", "utf-8", content.decode("utf-8", "surrogateescape")


def _lows(chosen: Kind, path: str, text: str) -> tuple[Low, ...]:
    if NEEDLE.search(text.encode("utf-8", "surrogateescape")) is None:
        return ()
    found: Iterable[Requirement]
    if chosen is Kind.LOCK:
        found = locks.find(text, posixpath.basename(path))
    else:
        found = _FINDERS[chosen](text)
    return tuple(low for low in judge(text, found) if not _is_suppressed(text, low))


def _is_suppressed(text: str, low: Low) -> bool:
    end = _LINE_END.search(text, low.requirement.end)
    match = _SUPPRESSION.search(text, low.requirement.start, end.start() if end else len(text))
    if match is None:
        return False
    codes = match["codes"]
    return not codes or _code(low) in re.findall(r"[A-Z]+\d+", codes.upper())


def _code(low: Low) -> str:
    return "SAI010" if low.reason is None else "SAI011"


def _findings(path: str, cell: int | None, text: str, lows: Iterable[Low]) -> Iterator[Finding]:
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def position(offset: int) -> tuple[int, int]:
        line = bisect.bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    for low in lows:
        requirement = low.requirement
        place = Place(path, *position(requirement.start), *position(requirement.end), cell)
        yield Finding(
            code=_code(low),
            fix=Fix.SAFE if low.reason is None else Fix.NONE,
            reason=low.reason,
            message=low.message,
            place=place,
            upload=place,
            notes=requirement.notes,
        )
