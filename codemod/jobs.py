"""What one process does at a time: a file, or some whose rewrites belong together."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from codemod.model import Change, FileResult, Surroundings, Task
from codemod.source import read, reason

if TYPE_CHECKING:
    from codemod.repository import Repository

_NONE = Surroundings()

#: How much of what an error says is told, in characters: syntax trees are longer than a screen.
_LONGEST = 300


class Job(NamedTuple):
    """Files that are handled together, each with what other files have to do with it."""

    members: tuple[tuple[str, Surroundings], ...]


def handle(job: Job, task: Task, repository: Repository) -> list[FileResult]:
    """Return a result for each file of a job, and for each that changes with them.

    Nothing is written: what all the files of a job shall hold is known before any is touched.

    Args:
        job: The files.
        task: What to do with them.
        repository: Where to look for the functions that they call.
    """
    (path, surroundings), *others = job.members
    if others or surroundings.partners or surroundings.rebound:
        return _together(job, task, repository)
    return [guarded(path, partial(_alone, path, task, repository))]


def handle_content(path: str, content: bytes, task: Task, repository: Repository) -> FileResult:
    """Return the result for what a file holds, or would hold."""

    def work() -> FileResult:
        return _relocated(_processed(path, content, task, repository), task, repository)

    return guarded(path, work)


def _alone(path: str, task: Task, repository: Repository) -> FileResult:
    result = _processed(path, read(path), task, repository)
    return _relocated(result, task, repository)


def _together(job: Job, task: Task, repository: Repository) -> list[FileResult]:
    """Handle files one after the other, each as those before have left it."""
    contents: dict[str, bytes] = {}
    originals: dict[str, bytes] = {}
    reviewing = task._replace(rewrite=False)
    results: dict[str, FileResult] = {
        path: guarded(path, partial(_in_turn, path, reviewing, contents, repository, surroundings))
        for path, surroundings in job.members
    }
    if not task.rewrite:
        return list(results.values())
    for path, surroundings in job.members:
        current = repository.holding(contents)
        result = guarded(path, partial(_in_turn, path, task, contents, current, surroundings))
        results[path] = result = _as_found(result, results[path])
        for change in _changes(result):
            originals.setdefault(change.path, change.before)
            contents[change.path] = change.after
    if any(result.error is not None for result in results.values()):
        return [result._replace(after=None, also=(), fixed=()) for result in results.values()]
    if task.write and contents:
        current = repository.holding(contents)
        for path, surroundings in job.members:
            now = guarded(path, partial(_in_turn, path, reviewing, contents, current, surroundings))
            left = results[path]._replace(findings=results[path].fixed + now.findings)
            results[path] = left._replace(notes=now.notes)
    for path, after in contents.items():
        result = results.get(path, FileResult(path))
        results[path] = result._replace(before=originals[path], after=after, also=())
    return list(results.values())


def _as_found(result: FileResult, before: FileResult) -> FileResult:
    """Return a result with the findings as they were before any file of the job had changed."""
    if len(result.findings) != len(before.findings):
        return result
    fixed = (
        old
        for old, new in zip(before.findings, result.findings, strict=True)
        if new in result.fixed
    )
    return result._replace(findings=before.findings, fixed=tuple(fixed), notes=before.notes)


def _in_turn(
    path: str,
    task: Task,
    contents: Mapping[str, bytes],
    repository: Repository,
    surroundings: Surroundings,
) -> FileResult:
    content = contents[path] if path in contents else read(path)
    return _processed(path, content, task, repository, surroundings)


def _changes(result: FileResult) -> tuple[Change, ...]:
    if result.after is None:
        return result.also
    assert result.before is not None
    return (*result.also, Change(result.path, result.before, result.after))


def _processed(
    path: str,
    content: bytes,
    task: Task,
    repository: Repository,
    surroundings: Surroundings = _NONE,
) -> FileResult:
    # LibCST, behind this import, takes longer to load than the rest of most runs.
    from codemod.process import process

    result = process(
        path,
        content,
        task.settings,
        rewrite=task.rewrite,
        repository=repository,
        surroundings=surroundings,
    )
    return result._replace(before=content)


def _relocated(result: FileResult, task: Task, repository: Repository) -> FileResult:
    """Report what remains after a rewrite at the lines where it now is."""
    nothing_remains = len(result.fixed) == len(result.findings) and not result.notes
    if not task.write or result.after is None or nothing_remains:
        return result
    rewritten = repository.holding({result.path: result.after})
    now = _processed(result.path, result.after, task._replace(rewrite=False), rewritten)
    return result._replace(findings=result.fixed + now.findings, notes=now.notes)


def guarded(path: str, work: Callable[[], FileResult]) -> FileResult:
    """Return what ``work`` returns, or say why it could not be done: no file stops the others."""
    try:
        return work()
    except OSError as error:
        return FileResult(path, error=reason(error))
    except RecursionError:
        return FileResult(path, error="the code is nested too deeply to be analysed")
    except MemoryError:
        return FileResult(path, error="the file needs more memory than there is")
    except Exception as error:  # noqa: BLE001 (a bug must cost one file, not the run)
        message = textwrap.shorten(f"{type(error).__name__}: {error}", _LONGEST)
        return FileResult(path, error=f"internal error, the file is left as it is: {message}")
