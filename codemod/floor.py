"""The manifests of a run: which ones are looked at, and what becomes of them."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from codemod.files import Excludes, find_manifests
from codemod.folders import is_code
from codemod.jobs import guarded
from codemod.manifests.names import Kind, kind
from codemod.manifests.sdk import NEEDLE
from codemod.model import FileResult, Report, Task
from codemod.source import read, reason, write

#: A list for pip that includes another one; most have nothing of the kind.
_INCLUDES = re.compile(rb"^[\s-]*(?:-[rc]|--(?:requirement|constraint))", re.MULTILINE)

#: In other encodings, nothing can be told before the text is read.
_NOT_UTF_8 = (b"\xff\xfe", b"\xfe\xff")


def with_manifests(
    report: Report,
    named: Sequence[str],
    paths: Sequence[str],
    excludes: Excludes | None,
    task: Task,
) -> Report:
    """Add to ``report`` what is to be said of manifests.

    Args:
        report: What became of the code.
        named: The manifests that the user named; they are looked at in any case.
        paths: The paths that the user named. The manifests in the folders among them are looked at
            if some code in the report passes ``Body`` or would.
        excludes: What to leave out of the folders, and of what manifests include.
        task: What to do with each manifest.
    """
    listed: tuple[str, ...] = ()
    if any(result.sends_body for result in report.results):
        listed = find_manifests(paths, excludes)
    results = {result.path: result for result in report.results}
    waiting = deque(_Manifest(path, kind(path)) for path in (*named, *listed))
    seen: set[str] = set()
    checked = report.checked
    while waiting:
        manifest = waiting.popleft()
        path, real = manifest.path, os.path.realpath(manifest.path)
        earlier = results.get(path, FileResult(path))
        if real in seen or earlier.error is not None:
            continue
        seen.add(real)
        checked += not is_code(path)
        outcome = _handle(manifest, earlier, task)
        if outcome.result is not None:
            results[path] = outcome.result
        waiting += _wanted(outcome.included, excludes)
    everything = tuple(sorted(results.values(), key=lambda result: result.path))
    errors = tuple(result for result in everything if result.error is not None)
    return Report(everything, checked, report.wrote, errors)


class _Manifest(NamedTuple):
    """A file to look at, and its format: what another one includes may be called anything."""

    path: str
    kind: Kind | None


class _Outcome(NamedTuple):
    """What became of a manifest, ``None`` if there is nothing to say, and what it includes."""

    result: FileResult | None
    included: Sequence[str] = ()


def _wanted(included: Iterable[str], excludes: Excludes | None) -> Iterator[_Manifest]:
    excluded = excludes.matching(included) if excludes is not None else set()
    for path in included:
        if path not in excluded and os.path.isfile(path):
            yield _Manifest(path, Kind.REQUIREMENTS)


def _handle(manifest: _Manifest, earlier: FileResult, task: Task) -> _Outcome:
    try:
        # What a run without writing has made of a module goes on from here.
        content = read(manifest.path) if task.write or not earlier.after else earlier.after
    except OSError as error:
        return _Outcome(earlier._replace(error=reason(error)))
    mentions = NEEDLE.search(content) is not None or content.startswith(_NOT_UTF_8)
    if not mentions and _INCLUDES.search(content) is None:
        return _Outcome(None)
    # TOML Kit and packaging, behind this import, take as long to load as most runs take.
    from codemod.manifests.review import included

    more = included(manifest.path, content, manifest.kind)
    if not mentions:
        return _Outcome(None, more)
    result = guarded(manifest.path, lambda: _reviewed(manifest, content, task))
    return _Outcome(_merged(earlier, result), more)


def _reviewed(manifest: _Manifest, content: bytes, task: Task) -> FileResult:
    from codemod.manifests.review import process_manifest

    path, chosen = manifest.path, manifest.kind
    result = process_manifest(path, content, rewrite=task.rewrite, as_kind=chosen)
    if not task.write or result.after is None:
        return result
    write(path, before=content, after=result.after)
    # What remains is reported where it now is.
    now = process_manifest(path, result.after, rewrite=False, as_kind=chosen)
    return result._replace(findings=result.fixed + now.findings)


def _merged(earlier: FileResult, later: FileResult) -> FileResult:
    """Join what is said of one file as code and as a manifest."""
    return earlier._replace(
        findings=earlier.findings + later.findings,
        fixed=earlier.fixed + later.fixed,
        before=earlier.before if earlier.before is not None else later.before,
        after=later.after if later.after is not None else earlier.after,
        error=later.error,
    )
