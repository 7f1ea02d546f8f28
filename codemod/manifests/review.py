"""One manifest from bytes to findings and, where asked, to bytes with the floor raised."""

from __future__ import annotations

import bisect
import codecs
import posixpath
import re
from collections.abc import Iterable, Iterator

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
    Kind.DOCKERFILE: commands.find,
    Kind.SHELL: commands.find,
    Kind.WORKFLOW: commands.find,
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
    if chosen not in (*_FINDERS, Kind.LOCK):
        return FileResult(path, before=before)
    mark, encoding, text = _decoded(before)
    if NEEDLE.search(text.encode("utf-8", "surrogatepass")) is None:
        return FileResult(path, before=before)
    try:
        lows = tuple(_unsuppressed(text, _lows(chosen, path, text)))
        found = tuple(_findings(path, text, lows))
        raised = apply(text, lows)
        left = tuple(_unsuppressed(raised, _lows(chosen, path, raised)))
    except (TomlError, NotPythonError) as error:
        return FileResult(path, before=before, error=str(error))
    if not rewrite or raised == text:
        return FileResult(path, found, before=before)
    if any(low.edit is not None for low in left) or len(left) != _by_hand(lows):
        why = "the raised requirements are not what was asked for; please report this"
        return FileResult(path, found, before=before, error=f"left alone: {why}")
    fixed = tuple(finding for finding in found if finding.fix is Fix.SAFE)
    after = mark + raised.encode(encoding, "surrogateescape")
    return FileResult(path, found, fixed, before=before, after=after)


def included(path: str, content: bytes, as_kind: Kind | None = None) -> list[str]:
    """Return the paths of the lists for pip that the manifest at ``path`` includes."""
    finder = _INCLUDES.get(as_kind or kind(path) or Kind.LOCK)
    if finder is None:
        return []
    folder = posixpath.dirname(path)
    text = _decoded(content)[2]
    return [posixpath.normpath(posixpath.join(folder, name)) for name in finder(text)]


def _decoded(content: bytes) -> tuple[bytes, str, str]:
    """Return the byte order mark, the encoding and the text; every byte survives the way back."""
    for mark, encoding in _ENCODINGS:
        if content.startswith(mark):
            return mark, encoding, content[len(mark) :].decode(encoding, "surrogateescape")
    return b"", "utf-8", content.decode("utf-8", "surrogateescape")


def _lows(chosen: Kind, path: str, text: str) -> tuple[Low, ...]:
    found: Iterable[Requirement]
    if chosen is Kind.LOCK:
        found = locks.find(text, posixpath.basename(path))
    else:
        found = _FINDERS[chosen](text)
    return judge(text, found)


def _by_hand(lows: Iterable[Low]) -> int:
    return sum(1 for low in lows if low.edit is None)


def _unsuppressed(text: str, lows: Iterable[Low]) -> Iterator[Low]:
    for low in lows:
        end = _LINE_END.search(text, low.requirement.end)
        line = text[low.requirement.start : end.start() if end else len(text)]
        match = _SUPPRESSION.search(line)
        codes = match["codes"] if match else "none"
        if codes and _code(low) not in re.findall(r"[A-Z]+\d+", codes.upper()):
            yield low


def _code(low: Low) -> str:
    return "SAI010" if low.reason is None else "SAI011"


def _findings(path: str, text: str, lows: Iterable[Low]) -> Iterator[Finding]:
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def position(offset: int) -> tuple[int, int]:
        line = bisect.bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    for low in lows:
        requirement = low.requirement
        place = Place(path, *position(requirement.start), *position(requirement.end))
        yield Finding(
            code=_code(low),
            fix=Fix.SAFE if low.reason is None else Fix.NONE,
            reason=low.reason,
            message=low.message,
            place=place,
            upload=place,
            notes=requirement.notes,
        )
