"""One file from bytes to findings and, where asked, to rewritten bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace

import libcst as cst

from codemod import notebook
from codemod.calls import METHOD, PASSES_BODY
from codemod.model import FileResult, Finding, Fix, Settings
from codemod.parsing import TOO_DEEP
from codemod.repository import Repository
from codemod.review import Review, review
from codemod.rewrite import rewrite

#: Frames that walking the deepest trees that are read may take.
_MAX_FRAMES = 20_000


def process(
    path: str,
    before: bytes,
    settings: Settings,
    *,
    rewrite: bool,
    repository: Repository | None = None,
) -> FileResult:
    """Review one file.

    Args:
        path: The path to report, relative, with ``/``.
        before: The content of the file.
        settings: What the user asked for.
        rewrite: Whether to plan and prove the fixes as well.
        repository: Where to look for the functions that the file calls, if anywhere; ``path`` must
            then be where the file lies.

    Returns:
        The findings and, with ``rewrite``, the content after the fixes. A file that cannot be
        read has an error and nothing else.
    """
    if METHOD.encode() not in before:
        return FileResult(path=path)
    frames = sys.getrecursionlimit()
    sys.setrecursionlimit(max(frames, _MAX_FRAMES))
    try:
        return _process(path, before, settings, repository, rewrite=rewrite)
    except RecursionError:
        return FileResult(path=path, error=TOO_DEEP)
    finally:
        sys.setrecursionlimit(frames)


def _process(
    path: str,
    before: bytes,
    settings: Settings,
    repository: Repository | None,
    *,
    rewrite: bool,
) -> FileResult:
    first = review(path, before, repository)
    if isinstance(first, str):
        return FileResult(path=path, error=first)
    fixable = any(_may_fix(finding, settings) for finding in first.findings)
    passes_body = any(left.why == PASSES_BODY for left in first.judgement.left)
    if rewrite and fixable:
        result = _fixed(path, before, settings, first, repository)
    else:
        result = FileResult(path, first.findings, notes=first.notes)
    return replace(result, sends_body=passes_body or (fixable and result.error is None))


def _may_fix(finding: Finding, settings: Settings) -> bool:
    return finding.fix is Fix.SAFE or (finding.fix is Fix.UNSAFE and settings.unsafe_fixes)


def _fixed(
    path: str,
    before: bytes,
    settings: Settings,
    first: Review,
    repository: Repository | None,
) -> FileResult:
    """Apply fixes until none is left, proving every step."""
    content, current = before, first
    for _ in range(len(first.findings) + 1):
        if current.misread:
            return FileResult(
                path,
                first.findings,
                notes=first.notes,
                error="cannot be written back byte for byte; the file is left alone",
            )
        assert current.facts is not None
        changed = rewrite(current.facts, current.fixable, settings)
        if changed is None:
            break
        written = _written(current, changed)
        if isinstance(written, str):
            return _unproven(path, first, written)
        content = written
        following = review(path, content, repository)
        if isinstance(following, str):
            return _unproven(path, first, f"the rewritten code {following}")
        if len(following.findings) >= len(current.findings):
            return _unproven(path, first, "the rewritten code still has the finding")
        current = following
    if any(_may_fix(finding, settings) for finding in current.findings):
        return _unproven(path, first, "a second pass would change the rewritten code again")
    fixed = _difference(first.findings, current.findings, settings)
    return FileResult(path, first.findings, fixed, first.notes, before, content)


def _written(review: Review, changed: cst.Module) -> bytes | str:
    """Return the content of the file with the rewritten code, or why it has none."""
    if review.joined is None:
        return changed.bytes
    sources = review.joined.divided(changed.code)
    if isinstance(sources, str):
        return sources
    before = review.joined.notebook
    content = notebook.with_sources(before, sources)
    after = notebook.read(content)
    expected = {cell.number: sources.get(cell.number, cell.source) for cell in before.cells}
    if isinstance(after, notebook.Unread) or expected != {
        cell.number: cell.source for cell in after.cells
    }:
        return "the rewritten notebook does not read as it should"
    return content


def _unproven(path: str, review: Review, why: str) -> FileResult:
    return FileResult(
        path, review.findings, notes=review.notes, error=f"left alone: {why}; please report this"
    )


def _difference(
    before: Iterable[Finding], after: Iterable[Finding], settings: Settings
) -> tuple[Finding, ...]:
    assert not any(_may_fix(finding, settings) for finding in after)
    return tuple(finding for finding in before if _may_fix(finding, settings))
