"""The commands do what their users' scripts rely on."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

import codemod.process
from codemod import __version__
from codemod.cli import cli, main
from codemod.rules import REASONS, RULES
from tests.shell import LEGACY, MENTION, git, process_by_words


@dataclass(frozen=True)
class Outcome:
    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def json(self) -> dict[str, list[dict[str, object]]]:
        document: dict[str, list[dict[str, object]]] = json.loads(self.out)
        return document


Call = Callable[..., Outcome]


@pytest.fixture
def call(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Call:
    """Run the command line in this process and return what came of it."""

    def run(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments)
        out, err = capsysbinary.readouterr()
        return Outcome(code, out, err.decode())

    return run


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings of every kind, whatever the analysis says: see :func:`process_by_words`."""
    monkeypatch.setattr(codemod.process, "process", process_by_words)


def make(name: str, content: bytes | str = LEGACY) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        content = f"# invoke_endpoint_async\n{content}\n".encode()
    path.write_bytes(content)
    return path


def test_check_reports_and_writes_nothing(call: Call) -> None:
    file = make("in/app.py")
    outcome = call("check")
    assert outcome.code == 1
    lines = outcome.text.splitlines()
    assert lines[0].startswith("in/app.py:12:12: SAI001 ")
    assert lines[-1] == "Found 1 finding (1 fixable with `async-inline fix`)."
    assert outcome.err == ""
    assert file.read_bytes() == LEGACY


def test_fix_rewrites_what_is_safe_and_leaves_nothing_to_do(call: Call) -> None:
    file = make("in/app.py")
    outcome = call("fix", "in")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.text == "Fixed 1 finding in 1 file.\n"
    rewritten = file.read_bytes()
    assert b"Body=body)\n    s3.put_object(" in rewritten.replace(b"\n        ", b"\n    ")
    assert b"128_000" in rewritten
    again = call("fix", "in")
    assert (again.code, again.text) == (0, "No findings in 1 file.\n")
    assert file.read_bytes() == rewritten


def test_fix_exits_with_1_if_findings_remain(call: Call, words: None) -> None:
    file = make("a.py", "safe\nunsafe\nnone")
    outcome = call("fix")
    assert outcome.code == 1
    assert outcome.text == (
        "a.py:4:1: SAI002 not so safe\n"
        "    because of uri-returned\n"
        "a.py:5:1: SAI003 by hand\n"
        "    because of upload-conditional\n"
        "Fixed 1 finding in 1 file.\n"
        "Found 2 findings (1 fixable with `async-inline fix --unsafe-fixes`).\n"
    )
    assert file.read_text().splitlines()[3] == "unsafe"


def test_fix_rewrites_what_is_unsafe_if_asked(call: Call, words: None) -> None:
    file = make("a.py", "safe\nunsafe")
    outcome = call("fix", "--unsafe-fixes")
    assert (outcome.code, outcome.text) == (0, "Fixed 2 findings in 1 file.\n")
    assert "unsafe" not in file.read_text()


def test_check_counts_what_is_fixable_with_unsafe_fixes(call: Call, words: None) -> None:
    make("a.py", "safe\nunsafe\nnone")
    assert "(1 fixable with `async-inline fix`, 1 more with" in call("check").text
    assert "(2 fixable with `async-inline fix --unsafe-fixes`)" in (
        call("check", "--unsafe-fixes").text
    )


def test_files_without_findings_exit_with_0(call: Call) -> None:
    make("a.py", MENTION)
    make("b.py", b"x = 1\n")
    assert call("check") == Outcome(0, b"No findings in 2 files.\n", "")
    os.mkdir("empty")
    assert call("check", "empty") == Outcome(0, b"No Python files or notebooks found.\n", "")


def test_exit_zero_exits_with_0_although_there_are_findings(call: Call, words: None) -> None:
    make("a.py", "none")
    assert call("check", "--exit-zero").code == 0
    assert call("fix", "--exit-zero").code == 0
    assert call("check", "--exit-zero", "a.py", "gone.py").code == 2


@pytest.mark.parametrize(
    "content",
    [
        LEGACY + b"def broken(:\n",
        b"# invoke_endpoint_async\nx = '\xe9'\n",
        b"# invoke_endpoint_async\nx = 1\0\n",
        b"# -*- coding: no-such-codec -*-\n# invoke_endpoint_async\n",
        LEGACY + b"x = " + b"(" * 5_000 + b")" * 5_000 + b"\n",
        LEGACY + b"x = " + b"+".join([b"1"] * 50_000) + b"\n",
        LEGACY + b"x = " + b"not " * 50_000 + b"1\n",
    ],
    ids=[
        "invalid syntax",
        "undecodable",
        "NUL",
        "unknown encoding",
        "deep parentheses",
        "deep addition",
        "deep negation",
    ],
)
def test_a_file_that_cannot_be_handled_is_named_and_the_others_are_handled(
    call: Call, content: bytes
) -> None:
    make("a.py")
    broken = make("broken.py", content)
    make("c.py")
    outcome = call("fix")
    assert outcome.code == 2
    assert outcome.err.startswith("error: broken.py: ")
    assert outcome.err.count("\n") == 1
    assert outcome.text == "Fixed 2 findings in 2 files.\n1 file could not be handled.\n"
    assert broken.read_bytes() == content


@pytest.mark.parametrize(("path", "shown"), [("gone.py", "gone.py"), ("", "''")])
def test_a_path_that_does_not_exist_is_named_and_the_others_are_handled(
    call: Call, path: str, shown: str
) -> None:
    make("a.py")
    outcome = call("check", path, "a.py")
    assert outcome.code == 2
    assert outcome.err == f"error: {shown}: No such file or directory\n"
    assert "a.py:12:12: SAI001" in outcome.text


def test_whether_a_path_can_be_read_is_found_out_by_reading(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("a.py")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "a.py:12:12: SAI001" in call("check", "a.py").text


def test_a_full_disk_behind_standard_output_is_told(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(message: Any = None, *, err: bool = False, **how: Any) -> None:
        if not err:
            raise OSError(errno.ENOSPC, "No space left on device")
        echo(message, err=err, **how)

    echo = click.echo
    monkeypatch.setattr(click, "echo", refuse)
    make("a.py")
    told = "Error: the output cannot be written: No space left on device\n"
    assert call("check") == Outcome(2, b"", told)


class Folder(io.RawIOBase):
    """What a shell gives for ``< folder``, on systems where Python begins with that."""

    def read(self, _: int | None = -1) -> bytes:
        raise OSError(errno.EISDIR, "Is a directory")

    def readable(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stdin", "told"),
    [
        (None, "Error: standard input is closed\n"),
        (io.TextIOWrapper(Folder()), "Error: standard input: Is a directory\n"),  # type: ignore[type-var]
    ],
)
def test_standard_input_that_cannot_be_read_is_told(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stdin: io.TextIOWrapper | None,
    told: str,
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["fix", "-"]) == 2
    assert capsys.readouterr() == ("", told)


def test_a_working_folder_that_is_gone_is_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(os, "getcwd", refuse)
    outcome = call("check")
    assert outcome.code == 2
    assert outcome.err.endswith("the working folder cannot be used: No such file or directory\n")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--limit", "131072"], "InvokeEndpointAsync takes at most 128,000 bytes in Body"),
        (["--limit", "0"], "the limit must be at least 1"),
        (["--limit", "many"], "'many' is not a valid integer"),
        (["--jobs", "0"], "0 is not in the range x>=1"),
        (["--output-format", "xml"], "'xml' is not one of 'text', 'json', 'sarif', 'github'"),
        (
            ["--exclude", "!", "--exclude", "a", "--exclude", "[z-a]"],
            "Invalid value for '--exclude': not a pattern as in a .gitignore file: '!', '[z-a]'",
        ),
        (["--no-such-option"], "No such option"),
        (["-", "a.py"], "`-` cannot be combined with other paths"),
        (["--diff", "--output-format", "json"], "standard output is for the diff"),
        (["--diff", "--output-format", "sarif"], "standard output is for the diff"),
    ],
)
@pytest.mark.parametrize("command", ["check", "fix"])
def test_wrong_usage_exits_with_2_and_says_why(
    call: Call, command: str, arguments: list[str], expected: str
) -> None:
    make("a.py")
    outcome = call(command, *arguments)
    assert (outcome.code, outcome.out) == (2, b"")
    assert expected in outcome.err
    assert Path("a.py").read_bytes() == LEGACY


def test_a_command_is_needed(call: Call) -> None:
    outcome = call()
    assert (outcome.code, outcome.out) == (2, b"")
    assert "Usage: async-inline" in outcome.err


def test_the_limit_goes_into_the_rewritten_code(call: Call) -> None:
    file = make("a.py")
    assert call("fix", "--limit", "64000").code == 0
    assert b"64_000" in file.read_bytes()
    assert b"128_000" not in file.read_bytes()


def test_json_is_all_there_is_on_standard_output(call: Call) -> None:
    make("a.py")
    make("bad.py", LEGACY + b"(")
    outcome = call("check", "--output-format", "json", "-v")
    assert (outcome.code, outcome.err) == (2, "")
    assert [finding["path"] for finding in outcome.json["findings"]] == ["a.py"]
    assert [error["path"] for error in outcome.json["errors"]] == ["bad.py"]


def test_json_after_a_fix_lists_what_remains(call: Call, words: None) -> None:
    make("a.py", "safe\nnone")
    outcome = call("fix", "--output-format", "json")
    assert outcome.code == 1
    assert [finding["line"] for finding in outcome.json["findings"]] == [4]


def test_sarif_is_all_there_is_on_standard_output(call: Call) -> None:
    make("a.py")
    outcome = call("check", "--output-format", "sarif")
    assert (outcome.code, outcome.err) == (1, "")
    assert json.loads(outcome.out)["version"] == "2.1.0"


def test_github_annotates_findings_and_errors(call: Call) -> None:
    make("a.py")
    outcome = call("check", "--output-format", "github", ".", "gone.py")
    assert (outcome.code, outcome.err) == (2, "")
    finding, error = outcome.text.splitlines()
    assert finding.startswith("::warning title=async-inline (SAI001),file=a.py,line=12,")
    assert error == "::error file=gone.py::No such file or directory"


@pytest.mark.parametrize("command", ["check", "fix"])
def test_a_diff_changes_what_fix_would_change_when_it_is_applied(call: Call, command: str) -> None:
    make("in/a b.py", LEGACY.replace(b"\n", b"\r\n"))
    make("in/c.py", LEGACY.removesuffix(b"\n"))
    git("init", "--quiet")
    outcome = call(command, "--diff")
    assert outcome.code == 1
    assert outcome.out.startswith(b"--- a/in/a b.py\t\n+++ b/in/a b.py\t\n@@ ")
    assert outcome.err.splitlines()[-2:] == [
        "Would fix 2 findings in 2 files.",
        "Found 2 findings (2 fixable with `async-inline fix`).",
    ]
    assert Path("in/a b.py").read_bytes() == LEGACY.replace(b"\n", b"\r\n")
    git("apply", "-p1", stdin=outcome.out)
    applied = [Path(name).read_bytes() for name in ("in/a b.py", "in/c.py")]
    make("in/a b.py", LEGACY.replace(b"\n", b"\r\n"))
    make("in/c.py", LEGACY.removesuffix(b"\n"))
    assert call("fix").code == 0
    assert [Path(name).read_bytes() for name in ("in/a b.py", "in/c.py")] == applied


def test_a_diff_of_nothing_is_empty(call: Call) -> None:
    make("a.py", MENTION)
    assert call("fix", "--diff") == Outcome(0, b"", "No findings in 1 file.\n")


def test_fix_writes_what_it_makes_of_standard_input_to_standard_output(call: Call) -> None:
    outcome = call("fix", "-", stdin=LEGACY)
    assert (outcome.code, outcome.err) == (0, "Fixed 1 finding in 1 file.\n")
    make("a.py")
    call("fix")
    assert outcome.out == Path("a.py").read_bytes()


@pytest.mark.parametrize(
    "content", [b"", b"x = 1\r\n", b"\xff\xfe", MENTION, LEGACY + b"("], ids=repr
)
def test_standard_input_that_is_not_rewritten_comes_back(call: Call, content: bytes) -> None:
    outcome = call("fix", "-", stdin=content)
    assert outcome.out == content
    assert outcome.code == (2 if content.endswith(b"(") else 0)


def test_check_reports_on_standard_input(call: Call) -> None:
    outcome = call("check", "-", "--output-format", "json", stdin=LEGACY)
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.json["findings"][0]["path"] == "-"


def test_standard_input_can_have_a_name(call: Call) -> None:
    outcome = call("check", "-", "--stdin-filename", "./in/a.py", stdin=LEGACY)
    assert outcome.text.startswith("in/a.py:12:12: SAI001 ")
    assert os.listdir() == []


def test_a_diff_of_standard_input_can_be_applied(call: Call) -> None:
    git("init", "--quiet")
    make("in/a.py")
    outcome = call("fix", "-", "--diff", "--stdin-filename", "in/a.py", stdin=LEGACY)
    assert outcome.code == 1
    git("apply", "-p1", stdin=outcome.out)
    assert b"128_000" in Path("in/a.py").read_bytes()


def test_standard_input_that_is_excluded_comes_back(call: Call) -> None:
    arguments = ("fix", "-", "--stdin-filename", "in/a.py", "--exclude", "in/")
    assert call(*arguments, stdin=LEGACY).out != LEGACY
    assert call(*arguments, "--force-exclude", "-q", stdin=LEGACY) == Outcome(0, LEGACY, "")


@pytest.mark.parametrize("output_format", ["json", "sarif"])
def test_the_result_of_standard_input_leaves_no_room_for_a_document(
    call: Call, output_format: str
) -> None:
    outcome = call("fix", "-", "--output-format", output_format, stdin=LEGACY)
    assert (outcome.code, outcome.out) == (2, b"")
    assert "standard output is for the rewritten code" in outcome.err


def test_excluded_files_are_left_out(call: Call) -> None:
    for name in ("a.py", "in/a.py", "out/a.py"):
        make(name)
    paths = [line.split(":")[0] for line in call("check", "--exclude", "in/", "-q").text.split()]
    assert [path for path in paths if path.endswith(".py")] == ["a.py", "out/a.py"]
    assert call("check", "--exclude", "in/", "--exclude", "/a.py", "--exclude", "out").code == 0
    assert call("check", "--exclude", "*.py", "a.py").code == 1
    assert call("check", "--exclude", "*.py", "--force-exclude", "a.py").code == 0


def test_settings_are_the_defaults_of_the_options(call: Call, words: None) -> None:
    make("pyproject.toml", b"[tool.async-inline]\nunsafe-fixes = true\nquiet = true\n")
    make("a.py", "unsafe")
    assert call("fix") == Outcome(0, b"", "")
    assert "unsafe" not in Path("a.py").read_text()


def test_excludes_in_the_settings_are_relative_to_their_file(call: Call) -> None:
    make("pyproject.toml", b"[tool.async-inline]\nexclude = ['/in/a.py']\n")
    for name in ("a.py", "in/a.py"):
        make(name)
    os.chdir("in")
    assert call("check", "..").text.startswith("../a.py:12:12:")
    assert call("check", ".").code == 0
    # Those on the command line take their place, and are relative to where the user is.
    assert call("check", ".", "--exclude", "/in/a.py").code == 1
    assert call("check", ".", "--exclude", "/a.py").code == 0


def test_an_exclude_in_the_settings_that_makes_no_sense_is_named_with_the_file(call: Call) -> None:
    make("pyproject.toml", b"[tool.async-inline]\nexclude = ['a.py', '[z-a]']\n")
    outcome = call("check")
    assert outcome.code == 2
    assert outcome.err.endswith(
        "Error: pyproject.toml: 'exclude' in [tool.async-inline]:"
        " not a pattern as in a .gitignore file: '[z-a]'\n"
    )


def test_the_settings_for_standard_input_are_those_of_its_name(call: Call) -> None:
    make("in/pyproject.toml", b"[tool.async-inline]\nlimit = 1234\n")
    assert b"1_234" in call("fix", "-", "--stdin-filename", "in/a.py", stdin=LEGACY).out
    assert b"128_000" in call("fix", "-", stdin=LEGACY).out


def test_a_mistake_in_the_settings_exits_with_2(call: Call) -> None:
    make("pyproject.toml", b"[tool.async-inline]\nunsafe_fixes = true\n")
    outcome = call("check")
    assert (outcome.code, outcome.out) == (2, b"")
    assert outcome.err.endswith(
        "Error: pyproject.toml: unknown key in [tool.async-inline]: 'unsafe_fixes'"
        " (did you mean 'unsafe-fixes'?)\n"
    )


def test_quiet_leaves_out_the_summary(call: Call, words: None) -> None:
    make("a.py", "safe")
    assert call("check", "-q", ".", "gone.py") == Outcome(
        2, b"a.py:2:1: SAI001 safe to fix\n", "error: gone.py: No such file or directory\n"
    )


def test_verbose_tells_of_notes_and_files(call: Call, words: None) -> None:
    make("a.py", "safe")
    make("b.py", "note")
    make("c.py", b"x = 1\n")
    assert "no upload in reach" not in call("check").text
    outcome = call("check", "-v")
    assert "b.py:1:1: note: no upload in reach\n" in outcome.text
    assert outcome.err == "a.py: 1 finding\nb.py: 0 findings\n"


def test_check_and_fix_take_the_same_options() -> None:
    check, fix = ([param.opts for param in cli.commands[name].params] for name in ("check", "fix"))
    assert check == fix


def test_the_version_is_told(call: Call) -> None:
    assert call("--version") == Outcome(0, f"async-inline, version {__version__}\n".encode(), "")


def test_the_help_names_the_exit_codes(call: Call) -> None:
    outcome = call("--help")
    assert outcome.code == 0
    for line in ("0  nothing is left to do", "1  there are findings", "2  wrong usage"):
        assert line in outcome.text


def test_every_code_and_reason_is_explained(call: Call) -> None:
    overview = call("explain")
    assert overview.code == 0
    for name in (*RULES, *REASONS):
        assert name in overview.text
        explained = call("explain", name)
        assert explained.code == 0
        assert explained.text.startswith(name)


def test_a_code_that_does_not_exist_is_not_explained(call: Call) -> None:
    outcome = call("explain", "no")
    assert (outcome.code, outcome.out) == (2, b"")
    assert "no code or reason is called 'no'; `async-inline explain` lists" in outcome.err
    assert "is called 'SAI02' (did you mean SAI002" in call("explain", "SAI02").err
    assert "is called 'Uri-return' (did you mean uri-returned" in call("explain", "Uri-return").err


def test_an_interrupt_leaves_no_traceback(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("codemod.cli.find", interrupt)
    outcome = call("check")
    assert (outcome.code, outcome.out, outcome.err.strip()) == (130, b"", "")


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, env={**os.environ, **environment}
    )


def test_the_package_can_be_run_as_a_module(folder: Path) -> None:
    make("a.py")
    done = python("-m", "codemod", "check")
    assert done.returncode == 1
    assert b"a.py:12:12: SAI001" in done.stdout


def test_what_the_terminal_cannot_show_is_escaped(folder: Path) -> None:
    make("\N{SNOWMAN}.py")
    done = python("-m", "codemod", "check", PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert done.returncode == 1
    assert done.stdout.startswith(rb"\u2603.py:12:12: SAI001")
    assert done.stderr == b""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_utf8_is_shown_with_its_bytes(folder: Path) -> None:
    make(os.fsdecode(b"caf\xe9.py"))
    done = python("-m", "codemod", "check")
    assert done.returncode == 1
    assert done.stdout.startswith(rb"caf\xe9.py:12:12: SAI001")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_reader_that_goes_away_causes_no_traceback(folder: Path) -> None:
    for number in range(9):
        make(f"{number}.py")
    command = f"{sys.executable} -m codemod check --output-format json | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True)
    assert done.stdout == b"{"
    assert done.stderr == b""


class Terminal(io.StringIO):
    """Standard error that is shown to somebody."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        ((), {}, "\r1 of 1 files\r" + " " * 12 + "\r"),
        (("-q",), {}, ""),
        ((), {"CI": "true"}, ""),
    ],
)
def test_a_terminal_shows_how_far_the_work_is(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: Sequence[str],
    environment: Mapping[str, str],
    expected: str,
) -> None:
    Path("a.py").write_bytes(LEGACY)
    terminal = Terminal()
    monkeypatch.delenv("CI", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("codemod.cli._PATIENCE", -1)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["check", "--exit-zero", *options, "a.py"]) == 0
    assert terminal.getvalue() == expected
