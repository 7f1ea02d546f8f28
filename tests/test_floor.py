"""When manifests are looked at, and what a run does with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codemod.cli import main
from codemod.floor import with_manifests
from codemod.model import FileResult, Report, Settings, Task
from tests.shell import LEGACY, git

#: A module that passes Body already.
INLINE = b"""\
import boto3

runtime = boto3.client("sagemaker-runtime")


def submit(body):
    return runtime.invoke_endpoint_async(EndpointName="e", Body=body)
"""

#: The upload is out of reach, so nothing is going to pass Body.
BY_URI = INLINE.replace(b"Body=body", b"InputLocation=body")

#: The URI is returned, so only an unsafe fix exists.
UNSAFE = LEGACY.replace(b"    return runtime", b"    uri = f's3://{bucket}/{key}'\n    runtime")
UNSAFE = UNSAFE.replace(b'InputLocation=f"s3://{bucket}/{key}")', b"InputLocation=uri)")
UNSAFE += b"    return uri\n"

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        return code, *capsys.readouterr()

    return run


def make(**files: str | bytes) -> None:
    for name, content in files.items():
        path = Path(name.replace("__", "/").replace("_txt", ".txt").replace("_py", ".py"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize(
    ("code", "options", "is_looked_at"),
    [
        (LEGACY, (), True),
        (INLINE, (), True),
        (BY_URI, (), False),
        (b"import boto3\n", (), False),
        (UNSAFE, (), False),
        (UNSAFE, ("--unsafe-fixes",), True),
        (LEGACY, ("--no-manifests",), False),
        (LEGACY, ("--exclude", "req*"), False),
    ],
    ids=[
        "code that can be fixed",
        "code that passes Body",
        "code that does not",
        "code without a call",
        "code that would need an unsafe fix",
        "code that gets one",
        "manifests are not wanted",
        "the manifest is excluded",
    ],
)
def test_manifests_are_looked_at_if_code_needs_the_floor(
    folder: Path, call: Call, code: bytes, options: tuple[str, ...], is_looked_at: bool
) -> None:
    make(app_py=code, requirements_txt="boto3==1.34.0\n")
    _, out, _ = call("check", *options)
    assert ("requirements.txt:1:1: SAI010 boto3==1.34.0 lets in" in out) == is_looked_at
    call("fix", *options)
    raised = Path("requirements.txt").read_text()
    assert raised == ("boto3==1.43.29\n" if is_looked_at else "boto3==1.34.0\n")


def test_a_fix_does_everything_and_a_second_one_nothing(repository: Path, call: Call) -> None:
    make(app_py=LEGACY, requirements_txt="boto3\n", lambda__requirements_txt="boto3>=1.30\n")
    code, out, err = call("fix")
    assert (code, out, err) == (0, "Fixed 3 findings in 3 files.\n", "")
    assert Path("lambda/requirements.txt").read_text() == "boto3>=1.43.29\n"
    assert call("fix") == (0, "No findings in 3 files.\n", "")


def test_what_cannot_be_raised_remains(repository: Path, call: Call) -> None:
    make(app_py=INLINE, requirements_txt="x boto3\nboto3<1.40\nbotocore\n")
    code, out, _ = call("fix")
    assert code == 1
    first, *others = out.splitlines()
    assert first == (
        "requirements.txt:2:1: SAI011 boto3<1.40 lets in an SDK without Body, and another clause"
        " rules out 1.43.29 and everything newer (<1.40); by hand: raise or drop `<1.40` and admit"
        " 1.43.29, such as `boto3>=1.43.29`"
    )
    assert others == [
        "    because of upper-bound",
        "Fixed 1 finding in 1 file.",
        "Found 1 finding.",
    ]
    assert Path("requirements.txt").read_text() == "x boto3\nboto3<1.40\nbotocore>=1.43.29\n"


def test_what_git_ignores_is_left_alone(repository: Path, call: Call) -> None:
    make(app_py=INLINE, build__requirements_txt="boto3\n", venv__x__requirements_txt="boto3\n")
    Path(".gitignore").write_text("build/\n")
    assert call("fix")[0] == 0
    assert Path("build/requirements.txt").read_text() == "boto3\n"
    assert Path("venv/x/requirements.txt").read_text() == "boto3\n"


def test_tracked_manifests_are_found(repository: Path, call: Call) -> None:
    make(app_py=INLINE, requirements_txt="boto3\n", a__requirements_txt="boto3\n")
    git("add", ".")
    Path("gone.sh").symlink_to("nowhere")
    _, out, _ = call("check")
    assert [line.split(":")[0] for line in out.splitlines()[:2]] == [
        "a/requirements.txt",
        "requirements.txt",
    ]


def test_a_named_manifest_is_always_looked_at(folder: Path, call: Call) -> None:
    make(requirements_txt="boto3\n", setup_py="import setup\nsetup(install_requires=['boto3'])\n")
    code, out, _ = call("check", "requirements.txt", "setup.py")
    assert code == 1
    assert "requirements.txt:1:1: SAI010" in out
    assert "setup.py:2:26: SAI010" in out
    assert "Found 2 findings (2 fixable with `async-inline fix`)." in out
    assert call("fix", "requirements.txt", "setup.py")[0] == 0
    assert call("check", "requirements.txt", "setup.py")[1] == "No findings in 2 files.\n"


def test_a_named_manifest_that_is_excluded(folder: Path, call: Call) -> None:
    make(requirements_txt="boto3\n")
    exclude = ("--exclude", "*.txt")
    assert call("check", "requirements.txt", *exclude)[0] == 1
    assert call("check", "requirements.txt", *exclude, "--force-exclude")[0] == 0
    assert call("check", "requirements.txt", "--no-manifests")[0] == 0


def test_a_named_notebook_is_code(folder: Path, call: Call) -> None:
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": "%pip install boto3",
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    Path("a.ipynb").write_text(json.dumps(notebook))
    assert call("check", "a.ipynb")[0] == 0
    make(app_py=INLINE)
    _, out, _ = call("check")
    assert "a.ipynb:cell 1:1:14: SAI010 boto3 without a version" in out
    assert call("fix")[1] == "Fixed 1 finding in 1 file.\n"
    assert '"%pip install \\"boto3>=1.43.29\\""' in Path("a.ipynb").read_text()


def test_files_that_are_included_are_followed(folder: Path, call: Call) -> None:
    make(
        app__requirements_txt="-r ../base.list\n-c gone.txt\n-r requirements.txt\n",
        vendor_txt="boto3\n",
    )
    Path("base.list").write_text("boto3==1.34.0\n-r vendor.txt\n")
    arguments = ("app/requirements.txt", "--exclude", "vendor*")
    assert call("fix", *arguments)[:2] == (0, "Fixed 1 finding in 1 file.\n")
    assert Path("base.list").read_text() == "boto3==1.43.29\n-r vendor.txt\n"
    assert Path("vendor.txt").read_text() == "boto3\n"


def test_a_diff_covers_code_and_manifest_of_one_file(repository: Path, call: Call) -> None:
    setup = LEGACY + b"\n\nsetup(install_requires=['boto3>=1.34'])\n"
    make(setup_py=setup, requirements_txt="boto3\n")
    code, out, _ = call("fix", "--diff", "setup.py", "requirements.txt")
    assert code == 1
    assert Path("setup.py").read_bytes() == setup
    assert out.count("--- a/setup.py") == 1
    git("apply", "-p1", stdin=out.encode())
    assert b"['boto3>=1.43.29']" in Path("setup.py").read_bytes()
    assert b"Body=body" in Path("setup.py").read_bytes()
    assert call("check", "setup.py", "requirements.txt")[0] == 0
    make(setup_py=setup)
    assert call("fix", "setup.py")[1] == "Fixed 2 findings in 1 file.\n"


def test_reports_for_machines_have_the_findings(folder: Path, call: Call) -> None:
    make(app_py=INLINE, requirements_txt="boto3==1.34.0\nbotocore<1\n")
    document = json.loads(call("check", "--output-format", "json")[1])
    assert document["findings"][0] == {
        "code": "SAI010",
        "fix": "safe",
        "reason": None,
        "message": "boto3==1.34.0 lets in an SDK without Body; raise it to ==1.43.29",
        "path": "requirements.txt",
        "cell": None,
        "line": 1,
        "column": 1,
        "end_line": 1,
        "end_column": 14,
        "chain": [],
        "upload": {"path": "requirements.txt", "cell": None, "line": 1},
    }
    assert document["summary"]["files"] == 2
    assert (document["summary"]["safe"], document["summary"]["none"]) == (1, 1)
    run = json.loads(call("check", "--output-format", "sarif")[1])["runs"][0]
    assert [result["ruleId"] for result in run["results"]] == ["SAI010", "SAI011"]
    assert run["results"][0]["relatedLocations"] == []


def test_a_manifest_that_cannot_be_handled_is_named(folder: Path, call: Call) -> None:
    make(app_py=INLINE, requirements_txt="boto3\n")
    Path("pyproject.toml").write_text("[project]\ndependencies = ['boto3'\n")
    Path("setup.cfg").mkdir()
    code, out, err = call("fix")
    assert code == 2
    assert err.startswith("error: pyproject.toml: not valid TOML: ")
    assert "Fixed 1 finding in 1 file." in out
    assert Path("requirements.txt").read_text() == "boto3>=1.43.29\n"


def test_a_manifest_that_cannot_be_written_is_named(
    folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "the file is read-only")

    monkeypatch.setattr("codemod.floor.write", fail)
    make(requirements_txt="boto3\n")
    code, _, err = call("fix", "requirements.txt")
    assert (code, err) == (2, "error: requirements.txt: the file is read-only\n")


def test_a_manifest_that_vanishes_is_named(folder: Path) -> None:
    report = with_manifests(Report((), 0), ["requirements.txt"], [], None, Task(Settings()))
    assert [(e.path, e.error) for e in report.errors] == [
        ("requirements.txt", "No such file or directory")
    ]


def test_a_file_with_an_error_is_left_alone(folder: Path) -> None:
    make(setup_py="setup(install_requires=['boto3'])")
    earlier = Report((FileResult("setup.py", error="no"),), 1)
    assert with_manifests(earlier, ["setup.py"], [], None, Task(Settings())).results == (
        earlier.results
    )


def test_one_file_by_two_names_is_raised_once(folder: Path, call: Call) -> None:
    make(requirements_txt="boto3\n")
    os.symlink("requirements.txt", "requirements-dev.txt")
    assert call("fix", "requirements.txt", "requirements-dev.txt")[1] == (
        "Fixed 1 finding in 1 file.\n"
    )
    assert os.path.islink("requirements-dev.txt")


def test_manifests_in_utf_16_are_raised(folder: Path, call: Call) -> None:
    make(requirements_txt="boto3==1.34.0\r\n".encode("utf-16"))
    assert call("fix", "requirements.txt")[0] == 0
    assert Path("requirements.txt").read_bytes().decode("utf-16") == "boto3==1.43.29\r\n"


def test_the_settings_can_leave_manifests_alone(folder: Path, call: Call) -> None:
    make(app_py=INLINE, requirements_txt="boto3\n")
    Path("pyproject.toml").write_text("[tool.async-inline]\nno-manifests = true\n")
    assert call("check")[0] == 0


def test_nothing_is_loaded_for_manifests_without_the_sdk(repository: Path) -> None:
    make(app_py=INLINE, requirements_txt="requests\n")
    Path("pyproject.toml").write_text("[project]\nname = 'theirs'\n")
    script = (
        "import sys; from codemod.cli import main; assert main(['check']) == 0;"
        "print([m for m in ('packaging', 'tomlkit', 'boto3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == b"[]"
