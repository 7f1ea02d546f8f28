"""Which of many files mention the call: nothing but reading bytes, in more than one process."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from codemod import processors

#: Every call the tool knows has this name in it, and ASCII looks the same in any encoding that
#: Python source may have.
NEEDLE = b"invoke_endpoint_async"

#: How much of a file is read at once: most are smaller than the first.
_FIRST_BYTES, _MORE_BYTES = 1 << 16, 1 << 20

#: How systems say that they cannot open a socket.
_NO_FILE = frozenset({errno.ENXIO, errno.EOPNOTSUPP})

#: To read fewer takes no longer than to start a process.
FEWEST_FILES_A_PROCESS = 1_000

#: Reading gets no faster with more.
_MOST_PROCESSES = 8

#: What another process says of each file that it was to read.
_ABSENT, _PRESENT, _UNREADABLE = b"-+?"


class NotAFileError(OSError):
    """A folder, pipe or device where a file is wanted."""


class Sightings(NamedTuple):
    """The files that mention the call, and those that could not be read, each with its error."""

    mentioning: list[str]
    unread: list[tuple[str, OSError]]


def scan(paths: Sequence[str], most: int | None = None) -> Sightings:
    """Look for the call in files.

    Args:
        paths: The files.
        most: The most processes to use, by default one for each available processor. What is
            returned, in the order of ``paths``, is the same for any number.
    """
    own, *others = _shares(paths, most)
    seen = Sightings([], [])
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(_reader(share)) for share in others]
        for path in own:
            _look(path, seen)
        for share, reader in zip(others, readers, strict=True):
            _hear(share, _read_all(reader), seen)
    return seen


def _shares(paths: Sequence[str], most: int | None) -> list[Sequence[str]]:
    """Return the files that each process reads; the first share is that of this one."""
    count = min(
        len(paths) // FEWEST_FILES_A_PROCESS, most or processors.available(), _MOST_PROCESSES
    )
    if count < 2 or not _can_be_copied():
        return [paths]
    borders = [len(paths) * number // count for number in range(count + 1)]
    return [paths[start:end] for start, end in pairwise(borders)]


def _can_be_copied() -> bool:
    """Whether a copy of this process works: it has none of the threads that this one has.

    The libraries of macOS start some that Python does not know of.
    """
    alone = threading.active_count() == 1
    in_main_thread = threading.current_thread() is threading.main_thread()
    return alone and in_main_thread and hasattr(os, "fork") and sys.platform != "darwin"


@contextlib.contextmanager
def _reader(paths: Sequence[str]) -> Iterator[int]:
    """Have a copy of this process read files: the descriptor gives what it says of them."""
    reading, writing = os.pipe()
    child = _fork()
    if child == 0:
        # Whatever happens to the copy, it must not go on with the work that is not its own.
        try:
            _become_interruptible()
            os.close(reading)
            _tell(paths, writing)
        finally:
            os._exit(0)
    os.close(writing)
    is_heard = False
    try:
        yield reading
        is_heard = True
    finally:
        os.close(reading)
        if child is not None and not is_heard:  # an interrupt: nobody waits for the rest
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        if child is not None:
            # Where a parent of this process ignores its children, the system waits for them.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


def _fork() -> int | None:
    """Return what ``os.fork`` returns, ``None`` if there may be no further process.

    The copy is born deaf to an interrupt, so that none can reach it before it is prepared.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    child = None
    try:
        child = os.fork()
    except OSError:
        return None
    finally:
        if child != 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    return child


def _become_interruptible() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _tell(paths: Sequence[str], writing: int) -> None:
    """Say of each file what was seen."""
    with open(writing, "wb") as pipe:
        pipe.write(bytes(_answer(path) for path in paths))


def _answer(path: str) -> int:
    try:
        return _PRESENT if _mentions_call(path) else _ABSENT
    except OSError:
        return _UNREADABLE


def _hear(paths: Sequence[str], answers: bytes, seen: Sightings) -> None:
    """Take over what another process has said, and read what it could not.

    If it has died, it has said less, or nothing.
    """
    answers = answers.ljust(len(paths), bytes([_UNREADABLE]))
    for path, answer in zip(paths, answers, strict=True):
        if answer == _UNREADABLE:
            _look(path, seen)
        elif answer == _PRESENT:
            seen.mentioning.append(path)


def _read_all(descriptor: int) -> bytes:
    with open(descriptor, "rb", closefd=False) as pipe:
        return pipe.read()


def _look(path: str, seen: Sightings) -> None:
    try:
        if _mentions_call(path):
            seen.mentioning.append(path)
    except OSError as error:
        seen.unread.append((path, error))


def _mentions_call(path: str) -> bool:
    """Whether the file has the needle in it."""
    # Twenty thousand times the overhead of a file object is as long as all the reading.
    try:
        descriptor = os.open(path, _READING)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise NotAFileError(errno.EINVAL, "Not a regular file", path) from error
        raise
    try:
        content = os.read(descriptor, _FIRST_BYTES)
        if 0 < len(content) < _FIRST_BYTES and NEEDLE not in content:
            return False
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotAFileError(errno.EINVAL, "Not a regular file", path)
        while content:
            if NEEDLE in content:
                return True
            more = os.read(descriptor, _MORE_BYTES)
            # The needle may lie across the border of two reads.
            content = content[-len(NEEDLE) + 1 :] + more if more else b""
    finally:
        os.close(descriptor)
    return False


#: Opening a pipe would otherwise wait until somebody writes into it.
_READING = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
