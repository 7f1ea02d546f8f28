"""The pipeline: each file from its bytes to its result, in one process or in several."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from codemod.files import NEEDLE, Selection
from codemod.model import FileResult, Report, Settings
from codemod.source import read, reason, write

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

#: Below, starting processes takes longer than they save.
FEWEST_FILES_FOR_POOL = 10

#: Windows can wait for no more processes at once.
_MOST_WORKERS = 61


@dataclass(frozen=True, slots=True)
class Task:
    """What to do with each file: rewrite it in memory, and write it as well."""

    settings: Settings
    rewrite: bool = False
    write: bool = False


def run(selection: Selection, task: Task, jobs: int | None = None) -> Report:
    """Process the selected files.

    Args:
        selection: The files.
        task: What to do with them.
        jobs: The most processes to use, by default one for each available processor. The report
            is the same for any number.
    """
    paths = selection.paths
    workers = min(jobs or _available_processors(), len(paths), _MOST_WORKERS)
    if workers > 1 and len(paths) >= FEWEST_FILES_FOR_POOL:
        processed = _in_pool(paths, task, workers)
    else:
        processed = [_process_file(path, task) for path in paths]
    results = sorted((*processed, *selection.errors), key=lambda result: result.path)
    return _report(results, selection.checked, wrote=task.write)


def run_stdin(path: str, content: bytes, task: Task) -> Report:
    """Process ``content``, which standard input held, under the name ``path``.

    Nothing is written to any file; with ``task.write`` the rewritten content counts as kept.
    """
    if NEEDLE in content:
        result = guarded(path, lambda: _relocated(_process(path, content, task), task))
    else:
        result = FileResult(path, before=content)
    return _report([result], checked=1, wrote=task.write)


def _report(results: Sequence[FileResult], checked: int, *, wrote: bool) -> Report:
    errors = tuple(result for result in results if result.error is not None)
    return Report(tuple(results), checked, wrote, errors)


def _process_file(path: str, task: Task) -> FileResult:
    return guarded(path, lambda: _read_process_write(path, task))


def _read_process_write(path: str, task: Task) -> FileResult:
    before = read(path)
    result = _process(path, before, task)
    if task.write and result.after is not None:
        try:
            write(path, before=before, after=result.after)
        except OSError as error:
            return replace(result, after=None, fixed=(), error=reason(error))
    return _relocated(result, task)


def _process(path: str, before: bytes, task: Task) -> FileResult:
    # LibCST, behind this import, takes longer to load than the rest of most runs.
    from codemod.process import process

    return replace(process(path, before, task.settings, rewrite=task.rewrite), before=before)


def _relocated(result: FileResult, task: Task) -> FileResult:
    """Report what remains after a rewrite at the lines where it now is."""
    nothing_remains = len(result.fixed) == len(result.findings) and not result.notes
    if not task.write or result.after is None or nothing_remains:
        return result
    now = _process(result.path, result.after, replace(task, rewrite=False))
    return replace(result, findings=result.fixed + now.findings, notes=now.notes)


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
        message = " ".join(f"{type(error).__name__}: {error}".split())
        return FileResult(path, error=f"internal error, the file is left as it is: {message}")


def _available_processors() -> int:
    """Return how many processors this process may use, which can be fewer than there are."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        count: int | None = os.process_cpu_count()
        return count or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_pool(paths: Sequence[str], task: Task, workers: int) -> list[FileResult]:
    from concurrent.futures.process import BrokenProcessPool

    import codemod.process  # noqa: F401 (loads LibCST once, before the process is forked)

    results: dict[str, FileResult] = {}
    futures: dict[str, Future[FileResult]] = {}
    # A pool breaks when one of its processes dies, and does not say which file was the last straw.
    with _pool(workers) as pool:
        with contextlib.suppress(BrokenProcessPool):
            for path in paths:
                futures[path] = _submit(pool, path, task)
        for path, future in futures.items():
            with contextlib.suppress(BrokenProcessPool):
                results[path] = future.result()
    left = [path for path in paths if path not in results]
    results.update(zip(left, _one_by_one(left, task), strict=True))
    return [results[path] for path in paths]


def _one_by_one(paths: Sequence[str], task: Task) -> Iterator[FileResult]:
    """Process one file at a time, in another process: if that dies, this file was the reason."""
    from concurrent.futures.process import BrokenProcessPool

    waiting = deque(paths)
    while waiting:
        with _pool(1) as pool, contextlib.suppress(BrokenProcessPool):
            while waiting:
                result = _submit(pool, waiting[0], task).result()
                waiting.popleft()
                yield result
        if waiting:
            yield FileResult(
                waiting.popleft(),
                error="the process that handled the file died, perhaps for want of memory",
            )


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(workers, initializer=_leave_interrupts_to_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, path: str, task: Task) -> Future[FileResult]:
    # The terminal interrupts every process, but only the parent can end in good order. A worker
    # that this call starts is deaf from birth where that is inherited, elsewhere a little later.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return pool.submit(_process_file, path, task)
    finally:
        signal.signal(signal.SIGINT, handler)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
