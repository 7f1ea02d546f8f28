"""The table in pyproject.toml gives the options their defaults, and mistakes in it are named."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from codemod.cli import cli
from codemod.settings import FileSettings, SettingsError, load
from tests.shell import LEGACY

OPTIONS = {
    param.opts[-1].lstrip("-"): param
    for param in cli.commands["fix"].params
    if isinstance(param, click.Option)
}


def pyproject(text: str, folder: str = ".") -> None:
    os.makedirs(folder, exist_ok=True)
    Path(folder, "pyproject.toml").write_text(text, encoding="utf-8")


def complaint(text: str) -> str:
    pyproject(text)
    with pytest.raises(SettingsError) as raised:
        load(".", OPTIONS)
    return raised.value.message


def test_every_option_can_be_set(folder: Path) -> None:
    pyproject(
        """
        [tool.async-inline]
        limit = 64_000
        exclude = ["a.py", "/b/"]
        force-exclude = true
        unsafe-fixes = true
        jobs = 2
        output-format = "json"
        exit-zero = false
        diff = true
        quiet = true
        verbose = false
        """
    )
    settings = load(".", OPTIONS)
    assert settings.path == str(folder / "pyproject.toml")
    assert settings.folder == str(folder)
    assert settings.values == {
        "limit": 64_000,
        "exclude": ["a.py", "/b/"],
        "force_exclude": True,
        "unsafe_fixes": True,
        "jobs": 2,
        "output_format": "json",
        "exit_zero": False,
        "diff": True,
        "quiet": True,
        "verbose": False,
    }


@pytest.mark.parametrize("start", [".", "inner", "inner/a.py", "inner/deep", "inner/not-there.py"])
def test_the_file_next_to_the_path_or_above_it_counts(folder: Path, start: str) -> None:
    pyproject("[tool.async-inline]\nlimit = 1")
    os.makedirs("inner/deep")
    Path("inner/a.py").touch()
    assert load(start, OPTIONS).values == {"limit": 1}


def test_the_nearest_file_counts_even_if_it_has_no_table(folder: Path) -> None:
    pyproject("[tool.async-inline]\nlimit = 1")
    pyproject("[project]\nname = 'inner'", folder="inner")
    assert load("inner", OPTIONS) == FileSettings()
    assert load("inner", OPTIONS).folder == "."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[project]\nname = 'async-inline'",
        "tool = 'async-inline'",
        "[tool]\nother = 'async-inline'",
        "[tool.async-inline-too]\nx = 1",
        "this is no TOML, and nothing of ours is in it",
    ],
)
def test_a_file_without_our_table_sets_nothing(folder: Path, text: str) -> None:
    pyproject(text)
    assert load(".", OPTIONS) == FileSettings()


def test_without_any_file_nothing_is_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "isfile", lambda path: False)
    assert load(".", OPTIONS) == FileSettings()


def test_a_folder_called_pyproject_toml_is_passed_over(folder: Path) -> None:
    os.makedirs("inner/pyproject.toml")
    pyproject("[tool.async-inline]\nlimit = 1")
    assert load("inner", OPTIONS).values == {"limit": 1}


def test_an_unknown_key_is_named(folder: Path) -> None:
    assert complaint("[tool.async-inline]\ncolour = 3") == (
        "pyproject.toml: unknown key in [tool.async-inline]: 'colour'"
    )


def test_an_unknown_key_is_compared_with_the_known_ones(folder: Path) -> None:
    assert complaint("[tool.async-inline]\nlimits = 3\nunsafe_fixes = true\nzzz = 1") == (
        "pyproject.toml: unknown keys in [tool.async-inline]: 'limits' (did you mean 'limit'?),"
        " 'unsafe_fixes' (did you mean 'unsafe-fixes'?), 'zzz'"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("limit = '1000'", "'limit' in [tool.async-inline]: must be an integer, not '1000'"),
        ("limit = true", "'limit' in [tool.async-inline]: must be an integer, not True"),
        ("limit = 1.5", "'limit' in [tool.async-inline]: must be an integer, not 1.5"),
        ("jobs = 0", "'jobs' in [tool.async-inline]: 0 is not in the range x>=1."),
        ("diff = 'yes'", "'diff' in [tool.async-inline]: must be true or false, not 'yes'"),
        ("diff = 1", "'diff' in [tool.async-inline]: must be true or false, not 1"),
        ("exclude = 'a'", "'exclude' in [tool.async-inline]: must be a list of strings, not 'a'"),
        (
            "exclude = ['a', 1]",
            "'exclude' in [tool.async-inline]: must be a list of strings, not of 1",
        ),
        (
            "output-format = ['text']",
            "'output-format' in [tool.async-inline]: must be a string, not ['text']",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_named(folder: Path, value: str, expected: str) -> None:
    assert complaint(f"[tool.async-inline]\n{value}") == f"pyproject.toml: {expected}"


def test_a_value_that_the_option_does_not_take_is_named(folder: Path) -> None:
    assert complaint("[tool.async-inline]\nlimit = 131_072").startswith(
        "pyproject.toml: 'limit' in [tool.async-inline]: InvokeEndpointAsync takes at most 128,000"
    )
    assert complaint("[tool.async-inline]\noutput-format = 'xml'").startswith(
        "pyproject.toml: 'output-format' in [tool.async-inline]: 'xml' is not one of"
    )


def test_a_table_that_is_none_is_named(folder: Path) -> None:
    assert complaint("tool.async-inline = 3") == (
        "pyproject.toml: 'tool.async-inline' must be a table, not 3"
    )


@pytest.mark.parametrize(
    "content", [b"[tool.async-inline", b"[tool.async-inline]\nlimit = 1 # \xe9"]
)
def test_a_file_that_is_no_toml_is_named(folder: Path, content: bytes) -> None:
    (folder / "pyproject.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"^pyproject\.toml: not valid TOML: "):
        load(".", OPTIONS)


def test_a_file_that_cannot_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    pyproject("")
    os.mkdir("inner")
    monkeypatch.setattr("codemod.settings.read", refuse)
    os.chdir("inner")
    with pytest.raises(SettingsError, match=r"^\.\./pyproject\.toml: Permission denied$"):
        load(".", OPTIONS)


def test_settings_are_no_longer_defaults_where_an_option_is_given(folder: Path) -> None:
    pyproject("[tool.async-inline]\nlimit = 1\njobs = 2")
    (folder / "a.py").write_bytes(LEGACY)
    context = cli.commands["check"].make_context("check", ["--limit", "7", "a.py"])
    assert context.params["limit"] == 7
    assert context.params["jobs"] == 2
