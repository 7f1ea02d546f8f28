"""One file from bytes to findings and, where asked, to rewritten bytes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import NamedTuple

import libcst as cst

from codemod.calls import PASSES_BODY
from codemod.inputs import METHOD
from codemod.model import Change, FileResult, Finding, Fix, Settings, Surroundings
from codemod.parsing import TOO_DEEP
from codemod.reading import Reading
from codemod.repository import Repository
from codemod.review import Review, review

#: Frames that walking the deepest trees that are read may take.
_MAX_FRAMES = 20_000

_NONE = Surroundings()


def process(
    path: str,
    before: bytes,
    settings: Settings,
    *,
    rewrite: bool,
    repository: Repository | None = None,
    surroundings: Surroundings = _NONE,
) -> FileResult:
    """Review one file.

    Args:
        path: The path to report, relative, with ``/``.
        before: The content of the file.
        settings: What the user asked for.
        rewrite: Whether to plan and prove the fixes as well.
        repository: Where to look for the functions that the file calls, if anywhere; ``path`` must
            then be where the file lies.
        surroundings: What other files of the repository have to do with this one. Those that may
            call its functions may change with it.

    Returns:
        The findings and, with ``rewrite``, the content after the fixes. A file that cannot be
        read has an error and nothing else.
    """
    if METHOD.encode() not in before:
        return FileResult(path=path)
    frames = sys.getrecursionlimit()
    sys.setrecursionlimit(max(frames, _MAX_FRAMES))
    try:
        return _process(_Subject(path, settings, repository, surroundings), before, rewrite=rewrite)
    except RecursionError:
        return FileResult(path=path, error=TOO_DEEP)
    finally:
        sys.setrecursionlimit(frames)


class _Subject(NamedTuple):
    """A file, and what it is looked at with."""

    path: str
    settings: Settings
    repository: Repository | None
    surroundings: Surroundings

    def review(
        self, contents: Mapping[str, bytes], known: Mapping[str, cst.Module]
    ) -> Review | str:
        """Review the file when it and others hold what is given, and not what is on disk.

        ``known`` are the trees of some of them.
        """
        held = self.repository.holding(contents, known) if self.repository is not None else None
        return review(self.path, contents[self.path], held, self.surroundings, known.get(self.path))


def _process(subject: _Subject, before: bytes, *, rewrite: bool) -> FileResult:
    first = review(subject.path, before, subject.repository, subject.surroundings)
    if isinstance(first, str):
        return FileResult(subject.path, error=first)
    fixable = any(_may_fix(finding, subject.settings) for finding in first.findings)
    passes_body = any(left.why == PASSES_BODY for left in first.judgement.left)
    if rewrite and fixable:
        result = _fixed(subject, before, first)
    else:
        result = FileResult(subject.path, first.findings, notes=first.notes)
    return result._replace(
        passes_body=passes_body,
        sends_body=passes_body or (fixable and result.error is None),
        relies_on=first.relies_on,
    )


def _may_fix(finding: Finding, settings: Settings) -> bool:
    return finding.fix is Fix.SAFE or (finding.fix is Fix.UNSAFE and settings.unsafe_fixes)


def _fixed(subject: _Subject, before: bytes, first: Review) -> FileResult:
    """Apply fixes until none is left, proving every step."""
    # A check has no need of it.
    from codemod.rewrite import rewrite
    from codemod.wrapping import width_of

    contents = {subject.path: before}
    originals = dict(contents)
    settings, current = subject.settings, first
    for _ in range(len(first.findings) + 1):
        reading = current.reading
        assert reading is not None
        # Nobody formats notebooks to a width.
        widths = {
            module: width_of(reading.text(module)) if reading.joined is None else None
            for module in reading.paths
        }
        changed = rewrite(reading.facts, current.fixable, settings, widths)
        if not changed:
            break
        modules: dict[str, cst.Module] = {}
        for module, rewritten in changed.items():
            path = reading.paths[module]
            spliced = reading.spliced(module, rewritten)
            if spliced is None and not reading.round_trips(module):
                why = "cannot be written back byte for byte; the file is left alone"
                return FileResult(subject.path, first.findings, notes=first.notes, error=why)
            text = rewritten.code if spliced is None else spliced.text
            written = _written(reading, module, text)
            if isinstance(written, bytes) and spliced is not None:
                modules[path] = spliced.module
            if isinstance(written, str):
                return _unproven(subject, first, written)
            original = reading.contents[module]
            if path not in originals and isinstance(original, bytes):
                originals[path] = original
            contents[path] = written
        following = subject.review(contents, modules)
        if isinstance(following, str):
            return _unproven(subject, first, f"the rewritten code {following}")
        if len(following.findings) >= len(current.findings):
            return _unproven(subject, first, "the rewritten code still has the finding")
        current = following
    if any(_may_fix(finding, settings) for finding in current.findings):
        return _unproven(subject, first, "a second pass would change the rewritten code again")
    fixed = tuple(finding for finding in first.findings if _may_fix(finding, settings))
    after = contents.pop(subject.path)
    return FileResult(
        subject.path,
        first.findings,
        fixed,
        first.notes,
        before,
        after if after != before else None,
        also=tuple(Change(path, originals[path], now) for path, now in contents.items()),
    )


def _written(reading: Reading, module: cst.Module, text: str) -> bytes | str:
    """Return the content of a file with the rewritten code, or why it has none."""
    if reading.joined is None or module is not reading.facts.index.module:
        return text.encode(module.encoding)
    from codemod import notebook

    sources = reading.joined.divided(text)
    if isinstance(sources, str):
        return sources
    before = reading.joined.notebook
    content = notebook.with_sources(before, sources)
    after = notebook.read(content)
    expected = {cell.number: sources.get(cell.number, cell.source) for cell in before.cells}
    if isinstance(after, notebook.Unread) or expected != {
        cell.number: cell.source for cell in after.cells
    }:
        return "the rewritten notebook does not read as it should"
    return content


def _unproven(subject: _Subject, first: Review, why: str) -> FileResult:
    return FileResult(
        subject.path,
        first.findings,
        notes=first.notes,
        error=f"left alone: {why}; please report this",
    )
