"""Files that mention the call are seen, by however many processes, whatever becomes of those."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from codemod import processors, scan
from codemod.scan import NEEDLE, Sightings

#: So many files that four processes share them, once every process gets at least two.
NAMES = tuple(f"{number}.py" for number in range(9))

forking_only = pytest.mark.skipif(
    not hasattr(os, "fork") or sys.platform == "darwin", reason="needs to copy the process"
)

count_threads = threading.active_count

#: Programs that other tests have run in this process may have left threads that sleep.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture
def names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """Make files of which every third mentions the call, and have four processes for them."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(scan, "FEWEST_FILES_A_PROCESS", 2)
    monkeypatch.setattr(processors, "available", lambda: 4)
    for number, name in enumerate(NAMES):
        Path(name).write_bytes(NEEDLE if number % 3 == 0 else b"import json\n")
    return NAMES


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Note the processes that are started; none of them is left at the end."""
    fork, started = os.fork, []

    def noting() -> int:
        child = fork()
        if child:
            started.append(child)
        return child

    monkeypatch.setattr(os, "fork", noting)
    yield started
    for child in started:
        with pytest.raises(ChildProcessError):
            os.waitpid(child, os.WNOHANG)


def seen(names: Sequence[str], most: int | None = None) -> tuple[list[str], dict[str, str]]:
    sightings = scan.scan(names, most)
    return sightings.mentioning, {name: str(error.strerror) for name, error in sightings.unread}


EXPECTED = ["0.py", "3.py", "6.py"]


@forking_only
@pytest.mark.parametrize(("most", "others"), [(1, 0), (2, 1), (3, 2), (None, 3), (20, 3)])
def test_any_number_of_processes_sees_the_same(
    names: Sequence[str], forks: list[int], most: int | None, others: int
) -> None:
    os.remove("2.py")
    os.remove("8.py")
    os.mkdir("8.py")
    assert seen(names, most) == (
        EXPECTED,
        {"2.py": os.strerror(errno.ENOENT), "8.py": os.strerror(errno.EISDIR)},
    )
    assert len(forks) == others


def test_few_files_are_read_by_one_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "available", lambda: 4)
    monkeypatch.setattr(scan, "_fork", lambda: pytest.fail("a process is started"))
    Path("a.py").write_bytes(NEEDLE)
    assert seen(["a.py"] * (2 * scan.FEWEST_FILES_A_PROCESS - 1))[0] == ["a.py"] * 1999
    assert seen([]) == ([], {})


@forking_only
def test_what_a_process_leaves_unread_when_it_dies_is_read(
    names: Sequence[str], forks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(paths: Sequence[str], writing: int) -> None:
        os.write(writing, b"+"[: "3.py" in paths])
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(scan, "_tell", die)
    assert seen(names, 3) == (EXPECTED, {})
    assert len(forks) == 2


@forking_only
def test_an_error_in_another_process_does_not_leave_it(
    names: Sequence[str], forks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(paths: Sequence[str], writing: int) -> None:
        raise RuntimeError

    monkeypatch.setattr(scan, "_tell", fail)
    assert seen(names) == (EXPECTED, {})
    assert len(forks) == 3


@forking_only
def test_where_no_process_can_be_started_this_one_reads_everything(
    names: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    assert seen(names) == (EXPECTED, {})


@forking_only
def test_with_other_threads_about_no_process_is_started(
    names: Sequence[str], forks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "active_count", count_threads)
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        assert seen(names) == (EXPECTED, {})
    finally:
        done.set()
        other.join()
    assert forks == []


@forking_only
def test_an_interrupt_ends_the_other_processes(
    names: Sequence[str], forks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(path: str, sightings: Sightings) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(scan, "_tell", lambda paths, writing: time.sleep(600))
    monkeypatch.setattr(scan, "_look", interrupt)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        scan.scan(names)
    assert time.monotonic() - began < 300
    assert len(forks) == 3


@forking_only
def test_an_interrupt_of_another_process_is_none_of_this_one(
    names: Sequence[str], forks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(paths: Sequence[str], writing: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(600)

    monkeypatch.setattr(scan, "_tell", interrupted)
    assert seen(names) == (EXPECTED, {})
    assert len(forks) == 3


@pytest.mark.parametrize("size", range(len(NEEDLE), len(NEEDLE) + 4))
def test_the_name_is_seen_across_the_borders_of_reads(
    folder: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(scan, "_FIRST_BYTES", size)
    monkeypatch.setattr(scan, "_MORE_BYTES", size)
    for before in range(3 * size):
        Path("a.py").write_bytes(b"x" * before + NEEDLE + b"y" * (before % 3))
        assert seen(["a.py"])[0] == ["a.py"], before
    Path("a.py").write_bytes((b"x" + NEEDLE[:-1]) * 20)
    assert seen(["a.py"])[0] == []


def test_what_an_earlier_file_left_in_the_buffer_is_not_seen_again(folder: Path) -> None:
    Path("a.py").write_bytes(b"x" * 10 + NEEDLE)
    Path("b.py").write_bytes(b"x" * 5)
    assert seen(["a.py", "b.py"])[0] == ["a.py"]
