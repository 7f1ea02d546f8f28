"""The pipeline: each file from its bytes to its result, in one process or in several."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from codemod import processors
from codemod.files import Excludes, Selection
from codemod.garbage import collect_rarely
from codemod.jobs import Job, handle, handle_content
from codemod.model import Change, FileResult, Reliance, Report, Surroundings, Task
from codemod.scan import NEEDLE
from codemod.source import reason, write, write_together

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

    from codemod.callers import Callers
    from codemod.repository import Repository

#: Is told how many files are done, and of how many.
Progress = Callable[[int, int], None]

#: Below, starting processes takes longer than they save.
FEWEST_FILES_FOR_POOL = 10

#: Windows can wait for no more processes at once.
_MOST_WORKERS = 61

#: How many modules a payload may be handed through on its way to the call.
_ROUNDS = 4


def run(
    selection: Selection,
    task: Task,
    jobs: int | None = None,
    excludes: Excludes | None = None,
    progress: Progress | None = None,
) -> Report:
    """Process the selected files.

    Args:
        selection: The files.
        task: What to do with them.
        jobs: The most processes to use, by default one for each available processor. The report
            is the same for any number.
        excludes: What to leave out when other files are looked for that belong to these.
        progress: Is told of every file that is done, how many are, and of how many.
    """
    from codemod.repository import Repository

    repository = Repository()
    single = [Job(((path, Surroundings()),)) for path in selection.paths]
    done = _handled(single, task, jobs, repository, progress)
    search = _Search(repository, excludes)
    for _ in range(_ROUNDS):
        together = search.jobs([result for results in done for result in results])
        if not together:
            break
        merged = {path for job in together for path, _ in job.members}
        done = [results for results in done if merged.isdisjoint(one.path for one in results)]
        done += _handled(together, task, jobs, repository)
    if task.write:
        done = [_written(results) for results in done]
    results = [*selection.errors, *(result for results in done for result in results)]
    results.sort(key=lambda result: result.path)
    return _report(results, selection.checked, wrote=task.write)


def run_stdin(path: str, content: bytes, task: Task) -> Report:
    """Process ``content``, which standard input held, under the name ``path``.

    Nothing is written to any file; with ``task.write`` the rewritten content counts as kept.
    """
    if NEEDLE in content:
        from codemod.repository import Repository

        result = handle_content(path, content, task, Repository({path: content}))
    else:
        result = FileResult(path, before=content)
    return _report([result], checked=1, wrote=task.write)


def _report(results: Sequence[FileResult], checked: int, *, wrote: bool) -> Report:
    errors = tuple(result for result in results if result.error is not None)
    return Report(tuple(results), checked, wrote, errors)


class _Search:
    """Finds what other files of the repository do with the names that fixes rely on."""

    def __init__(self, repository: Repository, excludes: Excludes | None) -> None:
        self._repository = repository
        self._excludes = excludes
        self._callers: Callers | None = None
        self._known: set[tuple[str, Reliance]] = set()
        self._found: dict[str, Surroundings] = {}
        self._sending: dict[str, list[str]] = {}

    def jobs(self, results: Sequence[FileResult]) -> list[Job]:
        """Return the jobs that must be done again, now that more is known; perhaps none.

        Files that share a caller, or call each other, make one job: their rewrites may meet.
        """
        plain = {result.path for result in results if result.error is None}
        passes_body = any(result.passes_body for result in results)
        new = {
            (result.path, relied)
            for result in results
            for relied in result.relies_on
            if result.path in plain and (result.path, relied) not in self._known
            if not relied.routes or passes_body or self._is_near_body(result.path)
        }
        if not new:
            return []
        if self._callers is None:
            # Most runs end before, and need none of it.
            from codemod.callers import Callers

            self._callers = Callers(self._repository, self._excludes)
        self._known |= new
        partners, rebound = self._callers.of({relied for _, relied in new})
        grown = set()
        for path, relied in sorted(new):
            before = self._found.get(path, Surroundings())
            others = {*before.partners, *partners.get(relied, ())} - {path}
            places = [*before.rebound]
            if relied in rebound:
                places.append((relied, rebound[relied]))
            now = Surroundings(tuple(sorted(others)), tuple(places))
            if now != before:
                self._found[path] = now
                grown.add(path)
        return [
            Job(
                tuple(
                    (path, self._found.get(path, Surroundings()))
                    for path in sorted(
                        group & plain, key=lambda path: (path not in self._found, path)
                    )
                )
            )
            for group in sorted(self._groups(), key=min)
            if group & grown
        ]

    def _is_near_body(self, path: str) -> bool:
        """Tell whether a module in the folder of a file, or in that above, may send a body."""
        folder = os.path.dirname(path)
        places = (folder or os.curdir, os.path.join(folder, os.pardir))
        return any(one != path for place in places for one in self._sending_in(place))

    def _sending_in(self, folder: str) -> list[str]:
        if folder not in self._sending:
            # Most runs have no need of it.
            from codemod.reaching import sending_in

            self._sending[folder] = sending_in(self._repository, folder)
        return self._sending[folder]

    def _groups(self) -> list[set[str]]:
        groups: list[set[str]] = []
        for path, surroundings in self._found.items():
            group = {path, *surroundings.partners}
            for other in [one for one in groups if one & group]:
                groups.remove(other)
                group |= other
            groups.append(group)
        return groups


def _written(results: list[FileResult]) -> list[FileResult]:
    """Write what the files of one job shall hold: all of them or none."""
    changes = [
        Change(result.path, result.before, result.after)
        for result in results
        if result.before is not None and result.after is not None
    ]
    try:
        if len(changes) == 1:
            write(changes[0].path, before=changes[0].before, after=changes[0].after)
        else:
            write_together(changes)
    except OSError as error:
        return [_unwritten(result, error) for result in results]
    return results


def _unwritten(result: FileResult, error: OSError) -> FileResult:
    why: str | None = reason(error)
    if result.path != error.filename and error.filename is not None:
        why = f"left alone, for its changes belong to those of {error.filename}: {why}"
    return result._replace(after=None, fixed=(), error=why if result.after is not None else None)


def _handled(
    jobs: Sequence[Job],
    task: Task,
    most: int | None,
    repository: Repository,
    progress: Progress | None = None,
) -> list[list[FileResult]]:
    workers = min(most or processors.available(), len(jobs), _MOST_WORKERS)
    if workers > 1 and len(jobs) >= FEWEST_FILES_FOR_POOL:
        return _in_pool(jobs, task, workers, progress)
    done = []
    for job in jobs:
        done.append(handle(job, task, repository))
        if progress is not None:
            progress(len(done), len(jobs))
    return done


def _in_pool(
    jobs: Sequence[Job], task: Task, workers: int, progress: Progress | None
) -> list[list[FileResult]]:
    from concurrent.futures.process import BrokenProcessPool

    import codemod.process  # noqa: F401 (loads LibCST once, before the process is forked)

    results: dict[Job, list[FileResult]] = {}
    futures: dict[Job, Future[list[FileResult]]] = {}
    # A pool breaks when one of its processes dies, and does not say which job was the last straw.
    with _pool(workers) as pool:
        with contextlib.suppress(BrokenProcessPool):
            for job in jobs:
                futures[job] = _submit(pool, job, task)
        for job, future in futures.items():
            with contextlib.suppress(BrokenProcessPool):
                results[job] = future.result()
                if progress is not None:
                    progress(len(results), len(jobs))
    left = [job for job in jobs if job not in results]
    results.update(zip(left, _one_by_one(left, task), strict=True))
    return [results[job] for job in jobs]


def _one_by_one(jobs: Sequence[Job], task: Task) -> Iterator[list[FileResult]]:
    """Do one job at a time, in another process: if that dies, this job was the reason."""
    from concurrent.futures.process import BrokenProcessPool

    waiting = deque(jobs)
    while waiting:
        with _pool(1) as pool, contextlib.suppress(BrokenProcessPool):
            while waiting:
                results = _submit(pool, waiting[0], task).result()
                waiting.popleft()
                yield results
        if waiting:
            error = "the process that handled the file died, perhaps for want of memory"
            yield [FileResult(path, error=error) for path, _ in waiting.popleft().members]


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(workers, initializer=_begin)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, job: Job, task: Task) -> Future[list[FileResult]]:
    # The terminal interrupts every process, but only the parent can end in good order. A worker
    # that this call starts is deaf from birth where that is inherited, elsewhere a little later.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return pool.submit(_handle_in_worker, job, task)
    finally:
        signal.signal(signal.SIGINT, handler)


#: What one worker has read of the repository; nothing is written while it lives.
_repositories: list[Repository] = []


def _begin() -> None:
    from codemod.repository import Repository

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_rarely()
    _repositories[:] = [Repository()]


def _handle_in_worker(job: Job, task: Task) -> list[FileResult]:
    return handle(job, task, _repositories[0])
