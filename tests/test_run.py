"""The pipeline gives each file its result, whatever happens to other files and processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

import codemod.process
from codemod.files import Selection, find
from codemod.jobs import Job
from codemod.model import FileResult, Report, Settings, Task
from codemod.run import FEWEST_FILES_FOR_POOL, run, run_stdin
from codemod.source import write
from tests.shell import LEGACY, process_by_words

CHECK = Task(Settings())
FIX = Task(Settings(), rewrite=True, write=True)
DIFF = Task(Settings(), rewrite=True)

MANY = FEWEST_FILES_FOR_POOL + 2

START_METHODS = multiprocessing.get_all_start_methods()


@pytest.fixture(autouse=True)
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codemod.process, "process", process_by_words)


@pytest.fixture
def forking() -> Iterator[None]:
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("fork", force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


def in_forked_pool(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that needs what it has replaced to be replaced in the workers as well."""
    for mark in (
        pytest.mark.skipif("fork" not in START_METHODS, reason="this system cannot fork"),
        pytest.mark.usefixtures("forking"),
        # Other tests may have left threads behind; ours hold no locks that a worker wants.
        pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
    ):
        test = mark(test)
    return test


def make(contents: Mapping[str, str]) -> Selection:
    """Write files that mention the call, and find them."""
    for name, content in contents.items():
        Path(name).write_text(f"# invoke_endpoint_async\n{content}\n")
    return find(["."])


def many(**odd: str) -> Selection:
    """Make so many files that a pool handles them, the ``odd`` ones among them."""
    contents = {f"{letter}.py": "safe" for letter in string.ascii_lowercase[:MANY]}
    return make(contents | {f"{name}.py": content for name, content in odd.items()})


def errors(report: Report) -> dict[str, str | None]:
    return {result.path: result.error for result in report.errors}


def test_every_file_gets_its_result_in_the_order_of_the_paths(folder: Path) -> None:
    report = run(make({"b.py": "safe", "a.py": "none\nsafe", "c.py": "note"}), CHECK)
    assert [result.path for result in report.results] == ["a.py", "b.py", "c.py"]
    assert [[f.code for f in result.findings] for result in report.results] == [
        ["SAI003", "SAI001"],
        ["SAI001"],
        [],
    ]
    assert len(report.results[2].notes) == 1
    assert report.checked == 3
    assert report.errors == ()
    assert not report.wrote


def test_check_writes_nothing(folder: Path) -> None:
    make({"a.py": "safe"})
    earlier = Path("a.py").stat()
    for task in (CHECK, DIFF):
        run(find(["."]), task)
    assert Path("a.py").stat() == earlier


def test_a_diff_has_what_the_file_was_and_would_be(folder: Path) -> None:
    (result,) = run(make({"a.py": "safe"}), DIFF).results
    assert result.before == b"# invoke_endpoint_async\nsafe\n"
    assert result.after == b"# invoke_endpoint_async\n# was fixed\ndone\n"


def test_fix_writes_what_is_safe(folder: Path) -> None:
    report = run(make({"a.py": "safe", "b.py": "unsafe"}), FIX)
    assert report.wrote
    assert Path("a.py").read_text() == "# invoke_endpoint_async\n# was fixed\ndone\n"
    assert Path("b.py").read_text() == "# invoke_endpoint_async\nunsafe\n"


def test_fix_writes_what_is_unsafe_only_when_asked(folder: Path) -> None:
    run(make({"b.py": "unsafe"}), FIX._replace(settings=Settings(unsafe_fixes=True)))
    assert Path("b.py").read_text() == "# invoke_endpoint_async\n# was fixed\ndone\n"


def test_what_remains_after_a_fix_is_reported_where_it_now_is(folder: Path) -> None:
    (result,) = run(make({"a.py": "safe\nnone"}), FIX).results
    (left,) = (finding for finding in result.findings if finding not in result.fixed)
    assert left.code == "SAI003"
    assert Path("a.py").read_text().splitlines()[left.place.line - 1] == "none"


def test_a_file_that_cannot_be_written_is_an_error_and_its_findings_remain(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection = make({"a.py": "safe", "b.py": "safe"})

    def refuse(path: str, **contents: bytes) -> None:
        if path == "a.py":
            raise PermissionError(13, "the file is read-only", path)
        write(path, **contents)

    monkeypatch.setattr("codemod.run.write", refuse)
    report = run(selection, FIX)
    assert errors(report) == {"a.py": "the file is read-only"}
    assert [len(result.findings) for result in report.results] == [1, 1]
    assert [len(result.fixed) for result in report.results] == [0, 1]


def test_a_file_that_vanishes_before_its_turn_is_an_error(folder: Path) -> None:
    selection = make({"a.py": "safe", "b.py": "safe"})
    os.unlink("a.py")
    assert errors(run(selection, CHECK)) == {"a.py": "No such file or directory"}


@pytest.mark.parametrize(
    ("crash", "expected"),
    [
        (RecursionError("maximum"), "the code is nested too deeply to be analysed"),
        (MemoryError(), "the file needs more memory than there is"),
        (KeyError("a\nb"), r"internal error, the file is left as it is: KeyError: 'a\nb'"),
        (
            ValueError("two\n  lines"),
            "internal error, the file is left as it is: ValueError: two lines",
        ),
    ],
)
def test_a_crash_is_an_error_about_one_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, crash: Exception, expected: str
) -> None:
    def crashing(
        path: str, before: bytes, settings: Settings, *, rewrite: bool, **_: object
    ) -> FileResult:
        if path == "b.py":
            raise crash
        return process_by_words(path, before, settings, rewrite=rewrite)

    monkeypatch.setattr(codemod.process, "process", crashing)
    report = run(make({"a.py": "safe", "b.py": "safe", "c.py": "safe"}), FIX)
    assert errors(report) == {"b.py": expected}
    assert Path("b.py").read_text() == "# invoke_endpoint_async\nsafe\n"
    assert [len(result.fixed) for result in report.results] == [1, 0, 1]


def test_paths_that_could_not_be_searched_are_errors_of_the_run(folder: Path) -> None:
    selection = make({"a.py": "safe", "c.py": "safe"})._replace(
        errors=(FileResult("b.py", error="gone"),)
    )
    report = run(selection, CHECK)
    assert [result.path for result in report.results] == ["a.py", "b.py", "c.py"]
    assert errors(report) == {"b.py": "gone"}


def no_pool(workers: int) -> NoReturn:
    raise AssertionError(f"a pool of {workers} was started")


@in_forked_pool
@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_is_told_of_each_file(folder: Path, jobs: int) -> None:
    told: list[tuple[int, int]] = []
    run(many(), CHECK, jobs=jobs, progress=lambda *counts: told.append(counts))
    assert told == [(number, MANY) for number in range(1, MANY + 1)]


def test_few_files_start_no_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codemod.run._pool", no_pool)
    few = {f"{number}.py": "safe" for number in range(FEWEST_FILES_FOR_POOL - 1)}
    assert len(run(make(few), CHECK, jobs=4).results) == len(few)


def test_one_job_starts_no_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codemod.run._pool", no_pool)
    assert len(run(many(), CHECK, jobs=1).results) == MANY


@in_forked_pool
@pytest.mark.parametrize("task", [CHECK, DIFF, FIX], ids=["check", "diff", "fix"])
def test_the_report_is_the_same_for_any_number_of_jobs(folder: Path, task: Task) -> None:
    reports = [
        run(many(b="none", d="crash", k="note\nunsafe"), task, jobs=jobs) for jobs in (1, 2, 5)
    ]
    assert reports[0] == reports[1] == reports[2]
    assert list(errors(reports[0])) == ["d.py"]


@in_forked_pool
@pytest.mark.parametrize("deadly", [("a",), ("f",), ("c", "d", "l")])
def test_a_worker_that_dies_is_an_error_about_its_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, deadly: tuple[str, ...]
) -> None:
    parent = os.getpid()

    def deadly_process(
        path: str, before: bytes, settings: Settings, *, rewrite: bool, **_: object
    ) -> FileResult:
        if b"deadly" in before and os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return process_by_words(path, before, settings, rewrite=rewrite)

    monkeypatch.setattr(codemod.process, "process", deadly_process)
    report = run(many(**dict.fromkeys(deadly, "deadly")), CHECK, jobs=2)
    message = "the process that handled the file died, perhaps for want of memory"
    assert errors(report) == {f"{name}.py": message for name in deadly}
    assert len(report.results) == MANY
    assert sum(len(result.findings) for result in report.results) == MANY - len(deadly)


@pytest.mark.parametrize("method", START_METHODS)
def test_any_way_of_starting_processes_gives_the_same_report(folder: Path, method: str) -> None:
    for letter in string.ascii_lowercase[:MANY]:
        Path(f"{letter}.py").write_bytes(LEGACY)
    script = (
        "import multiprocessing, sys\n"
        "from codemod.cli import main\n"
        "if __name__ == '__main__':\n"
        f"    multiprocessing.set_start_method({method!r})\n"
        "    sys.exit(main(['check', '--output-format=json', *sys.argv[1:]]))\n"
    )
    Path("script").write_text(script)
    in_pool, alone = (
        subprocess.run([sys.executable, "script", "-j", jobs], capture_output=True)
        for jobs in ("2", "1")
    )
    assert in_pool.stderr == b""
    assert in_pool.stdout == alone.stdout
    assert in_pool.stdout.count(b"SAI001") == MANY
    assert in_pool.returncode == alone.returncode == 1


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_ends_the_run_without_a_traceback(folder: Path, jobs: str) -> None:
    many()
    script = (
        "import multiprocessing, pathlib, sys, time\n"
        "import codemod.process\n"
        "from codemod.cli import main\n"
        "def process(path, *_, **__):\n"
        "    pathlib.Path('started').touch()\n"
        "    time.sleep(1)\n"
        "codemod.process.process = process\n"
        "multiprocessing.set_start_method('fork')\n"
        "sys.exit(main(['fix', *sys.argv[1:]]))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, "-j", jobs],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        while not os.path.exists("started") and running.poll() is None:
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGINT)
        stdout, stderr = running.communicate(timeout=60)
    assert (stdout, stderr.strip()) == (b"", b"")
    assert running.returncode == 130


def test_standard_input_is_processed_under_its_name(folder: Path) -> None:
    report = run_stdin("in/a.py", b"# invoke_endpoint_async\nsafe\nnone\n", FIX)
    (result,) = report.results
    assert result.path == "in/a.py"
    assert result.after == b"# invoke_endpoint_async\n# was fixed\ndone\nnone\n"
    assert [finding.place.line for finding in result.findings] == [2, 4]
    assert os.listdir() == []


def test_standard_input_without_a_mention_is_not_analysed(folder: Path) -> None:
    report = run_stdin("a.py", b"safe\n", FIX)
    assert report == Report((FileResult("a.py", before=b"safe\n"),), checked=1, wrote=True)


@pytest.mark.parametrize(
    ("functions", "expected"),
    [
        ({"process_cpu_count": lambda: 3}, 3),
        ({"process_cpu_count": lambda: None}, 1),
        ({"sched_getaffinity": lambda pid: {0, 5}, "cpu_count": lambda: 64}, 2),
        ({"cpu_count": lambda: 6}, 6),
        ({"cpu_count": lambda: None}, 1),
    ],
)
def test_by_default_there_is_a_job_for_each_available_processor(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    functions: Mapping[str, Callable[..., object]],
    expected: int,
) -> None:
    for name in ("process_cpu_count", "sched_getaffinity"):
        monkeypatch.delattr(os, name, raising=False)
    for name, function in functions.items():
        monkeypatch.setattr(os, name, function, raising=False)
    asked = []

    def pool(
        jobs: Sequence[Job], task: Task, workers: int, progress: object
    ) -> list[list[FileResult]]:
        asked.append(workers)
        return []

    monkeypatch.setattr("codemod.run._in_pool", pool)
    run(many(), CHECK)
    assert asked == ([expected] if expected > 1 else [])
