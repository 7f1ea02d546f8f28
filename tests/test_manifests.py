"""Every fixture that is a manifest, and everything that has to be true of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codemod.manifests.names import Kind, is_manifest, kind
from codemod.manifests.review import included, process_manifest
from codemod.model import FileResult, Fix
from codemod.rules import REASONS
from tests.manifest_cases import MANIFEST_CODES, ManifestCase, discovered

ROOT = Path(__file__).parent.parent

CASES = discovered()

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_raised_case = pytest.mark.parametrize(
    "case", [case for case in CASES if case.after is not None], ids=lambda case: case.name
)

#: What a version specifier, and the quotes around one, is written with.
SPECIFIER = re.compile(r"""[\s\d.*<>=~^!,'"\\]+""")


def processed(case: ManifestCase, content: bytes) -> FileResult:
    return process_manifest(case.path, content, rewrite=True)


def test_there_are_enough() -> None:
    assert len(CASES) >= 40
    assert {case.folder.parent.name for case in CASES} == {one.value for one in Kind}


@each_case
def test_the_raised_text(case: ManifestCase) -> None:
    result = processed(case, case.before)
    assert result.error is None
    assert result.after == case.after
    assert result.before == case.before


@each_case
def test_the_findings(case: ManifestCase) -> None:
    found = processed(case, case.before).findings
    for expected, finding in zip(case.findings, found, strict=True):
        assert expected.describes(finding), finding
        assert finding.place == finding.upload
        assert (finding.fix is Fix.SAFE) == (finding.code == "SAI010")
        assert finding.code == "SAI010" or finding.reason in REASONS


@each_case
def test_a_check_changes_nothing(case: ManifestCase) -> None:
    checked = process_manifest(case.path, case.before, rewrite=False)
    assert (checked.after, checked.fixed) == (None, ())
    assert checked.findings == processed(case, case.before).findings


@each_raised_case
def test_a_second_run_finds_only_what_is_left(case: ManifestCase) -> None:
    first = processed(case, case.before)
    again = processed(case, case.after or b"")
    assert again.after is None
    assert [f.reason for f in again.findings] == [
        f.reason for f in first.findings if f not in first.fixed
    ]
    assert {f.fix for f in again.findings} <= {Fix.NONE}


@each_raised_case
def test_nothing_but_specifiers_changes(case: ManifestCase) -> None:
    before, after = text_of(case.before), text_of(case.after or b"")
    assert SPECIFIER.sub("", before) == SPECIFIER.sub("", after)
    for sign in "\n\r#;":
        assert before.count(sign) == after.count(sign)


def text_of(content: bytes) -> str:
    return content.decode("utf-16" if content.startswith(b"\xff\xfe") else "utf-8")


@each_case
def test_with_carriage_returns(case: ManifestCase) -> None:
    if b"\r" in case.before or case.path.endswith(".ipynb"):
        pytest.skip("has carriage returns of its own, or none in its text")
    result = processed(case, case.before.replace(b"\n", b"\r\n"))
    assert result.after == (case.after and case.after.replace(b"\n", b"\r\n"))
    assert [f.place.line for f in result.findings] == [e.line for e in case.findings]


@each_case
def test_with_a_byte_order_mark(case: ManifestCase) -> None:
    if case.before.startswith(b"\xff\xfe"):
        pytest.skip("has a mark of its own")
    mark = b"\xef\xbb\xbf"
    assert processed(case, mark + case.before).after == (case.after and mark + case.after)


def test_every_reason_occurs() -> None:
    seen = {expected.reason for case in CASES for expected in case.findings}
    assert {r.slug for r in REASONS.values() if r.code in MANIFEST_CODES} <= seen


def test_a_finding_covers_its_requirement() -> None:
    content = b"requests\n  boto3[crt] >=1.34 ; python_version > '3'\n"
    (finding,) = process_manifest("requirements.txt", content, rewrite=False).findings
    place = finding.place
    assert (place.line, place.column, place.end_line, place.end_column) == (2, 3, 2, 20)


def test_a_result_that_is_not_what_was_asked_for_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("codemod.manifests.review.apply", lambda text, lows: f"{text}boto3\n")
    result = process_manifest("requirements.txt", b"boto3\n", rewrite=True)
    assert result.after is None
    assert result.error is not None
    assert result.error.startswith("left alone: ")


def test_a_number_that_a_document_has_already_is_no_stand_in() -> None:
    content = b"[project]\ndependencies = ['boto3']\n[tool.x]\nn = 7000000007\n"
    result = process_manifest("pyproject.toml", content, rewrite=True)
    assert result.after == content.replace(b"boto3", b"boto3>=1.43.29")


def test_the_hook_gets_every_manifest_but_notebooks() -> None:
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    match = re.search(r"  files: \|\n(?P<pattern>(?:    .*\n)+)", hooks)
    assert match is not None
    pattern = re.compile(match["pattern"].replace("\n    ", "\n").strip())
    for path, expected in NAMES:
        if "\\" not in path and "\t" not in path:
            wanted = expected not in (None, Kind.NOTEBOOK)
            assert (pattern.search(path) is not None) == wanted, path


def test_bytes_that_are_no_text_survive() -> None:
    content = b"# \xff\xe9\nboto3>=1.34\n"
    result = process_manifest("requirements.txt", content, rewrite=True)
    assert result.after == b"# \xff\xe9\nboto3>=1.43.29\n"


def test_a_setup_py_may_declare_its_encoding() -> None:
    content = b"# coding: latin-1\n# \xe9\nsetup(name='\xe9', install_requires=['boto3>=1.34'])\n"
    result = process_manifest("setup.py", content, rewrite=True)
    assert result.after == content.replace(b"1.34", b"1.43.29")


def test_a_version_with_more_digits_than_python_reads_is_left_to_the_user() -> None:
    result = process_manifest("requirements.txt", b"boto3==1." + b"9" * 5000, rewrite=True)
    assert [finding.reason for finding in result.findings] == ["specifier-unclear"]
    assert (result.after, result.error) == (None, None)


@pytest.mark.parametrize(
    ("path", "content", "error"),
    [
        ("pyproject.toml", b"[project\nname = 'boto3'\n", "not valid TOML: Unexpected"),
        ("Pipfile", b"boto3 = ", "not valid TOML: "),
        ("setup.py", b"setup(install_requires=['boto3']", "cannot be parsed: line 1: '(' was"),
        ("setup.py", b"# \xff\nsetup(install_requires=['boto3'])", "cannot be parsed: "),
        ("a.ipynb", b"{'boto3'}", "is no notebook: it is not JSON"),
    ],
)
def test_what_cannot_be_read_is_an_error(path: str, content: bytes, error: str) -> None:
    result = process_manifest(path, content, rewrite=True)
    assert result.error is not None
    assert result.error.startswith(error)
    assert "\n" not in result.error
    assert (result.after, result.findings) == (None, ())


def test_a_notebook_of_another_language_is_left_alone() -> None:
    content = b'{"cells": [], "metadata": {"language_info": {"name": "R"}}, "nbformat": 4}'
    content = content.replace(b"[]", b'[{"cell_type": "code", "source": "!pip install boto3"}]')
    assert process_manifest("a.ipynb", content, rewrite=True).findings == ()


def test_files_that_are_no_manifests_have_nothing_said_of_them() -> None:
    assert process_manifest("notes.txt", b"boto3==1.34.0\n", rewrite=True).findings == ()
    assert process_manifest("requirements.txt", b"requests\n", rewrite=True).findings == ()


def test_what_a_list_includes() -> None:
    content = (
        b"-r base.txt\n--requirement=../more.in # why\n  -c 'constraints of all.txt'\n-rshort.txt\n"
        b"# -r not.txt\n-r https://example.com/x.txt\n-r ${HOME}/x.txt\nboto3 -r\n--require\n"
    )
    assert included("app/requirements.txt", content) == [
        "app/base.txt",
        "more.in",
        "app/constraints of all.txt",
        "app/short.txt",
    ]
    assert included("anything", content, Kind.REQUIREMENTS)[0] == "base.txt"
    conda = b"dependencies:\n- -r no.txt\n- pip:\n  - -r yes.txt\n"
    assert included("environment.yml", conda) == ["yes.txt"]
    assert included("setup.py", content) == included("notes.txt", content) == []


NAMES = (
    ("requirements.txt", Kind.REQUIREMENTS),
    ("a/dev-requirements.in", Kind.REQUIREMENTS),
    ("requirements/base.txt", Kind.REQUIREMENTS),
    ("constraints_py312.txt", Kind.REQUIREMENTS),
    ("lambda/handler/requirements.txt", Kind.REQUIREMENTS),
    ("requirements.md", None),
    ("docs/base.txt", None),
    ("pyproject.toml", Kind.PYPROJECT),
    ("my-pyproject.toml", None),
    ("a\\b\\setup.cfg", Kind.SETUP_CFG),
    ("100644 0123 0\tsetup.py", Kind.SETUP_PY),
    ("Pipfile", Kind.PIPFILE),
    ("environment-dev.yaml", Kind.CONDA),
    ("conda-lock.yml", Kind.LOCK),
    ("environment.conda-lock.yml", Kind.LOCK),
    ("Dockerfile", Kind.DOCKERFILE),
    ("docker/Dockerfile.gpu", Kind.DOCKERFILE),
    ("Dockerfile/notes", None),
    ("x/.github/workflows/a.yml", Kind.WORKFLOW),
    (".github/dependabot.yml", None),
    ("run.sh", Kind.SHELL),
    ("uv.lock", Kind.LOCK),
    ("Cargo.lock", None),
    ("a.ipynb", Kind.NOTEBOOK),
    ("a.py", None),
)


@pytest.mark.parametrize(("path", "expected"), NAMES)
def test_a_name_tells_the_format(path: str, expected: Kind | None) -> None:
    assert kind(path) is expected
    assert is_manifest(path) == (expected is not None)
