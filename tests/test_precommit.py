"""Both hooks work when pre-commit installs and runs them, in a repository of somebody else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shell import LEGACY, git

ROOT = Path(__file__).parent.parent

#: What pre-commit gets to see of this project: what it takes to install it.
PROJECT = ("codemod", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")

NOTEBOOK = (
    b'{"cells": [], "metadata": {"about": "invoke_endpoint_async"}, "nbformat": 4,'
    b' "nbformat_minor": 5}\n'
)


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A repository with the project as it stands, uncommitted changes included."""
    place = tmp_path_factory.mktemp("hooks")
    for name in PROJECT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / name)
    git("init", "--quiet", folder=place)
    git("add", ".", folder=place)
    git("commit", "--quiet", "--message=hooks", folder=place)
    return place, git("rev-parse", "HEAD", folder=place).decode().strip()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit installs, once for all tests."""
    return tmp_path_factory.mktemp("store")


def pre_commit(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        env={**os.environ, "PRE_COMMIT_HOME": str(store), "PRE_COMMIT_COLOR": "never"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def test_both_hooks_run(repository: Path, hooks: tuple[Path, str], store: Path) -> None:
    place, revision = hooks
    (repository / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {place}\n  rev: {revision}\n"
        "  hooks:\n  - id: async-inline-check\n  - id: async-inline-fix\n"
    )
    (repository / "pyproject.toml").write_text("[tool.async-inline]\nexclude = ['vendor/']\n")
    (repository / "app.py").write_bytes(LEGACY)
    (repository / "vendor").mkdir()
    (repository / "vendor" / "theirs.py").write_bytes(LEGACY)
    (repository / "notes.ipynb").write_bytes(NOTEBOOK)
    (repository / "notes.txt").write_bytes(LEGACY)
    git("add", ".")

    check = pre_commit(store, "run", "async-inline-check", "--all-files", "--verbose")
    assert check.returncode == 1, check.stdout
    assert "app.py:12:12: SAI001" in check.stdout
    assert "Found 1 finding (1 fixable with `async-inline fix`)." in check.stdout

    fix = pre_commit(store, "run", "async-inline-fix", "--all-files", "--verbose")
    assert fix.returncode == 1, fix.stdout
    assert "files were modified by this hook" in fix.stdout
    assert "Fixed 1 finding in 1 file." in fix.stdout
    changed = git("diff", "--name-only").decode().split()
    assert changed == ["app.py"]
    assert b"128_000" in (repository / "app.py").read_bytes()

    git("add", ".")
    for hook in ("async-inline-check", "async-inline-fix"):
        again = pre_commit(store, "run", hook, "--all-files", "--verbose")
        assert again.returncode == 0, again.stdout
        # The three files of the right types, one of them excluded.
        assert "No findings in 2 files." in again.stdout


def test_the_hook_for_manifests_runs(
    repository: Path, hooks: tuple[Path, str], store: Path
) -> None:
    place, revision = hooks
    (repository / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {place}\n  rev: {revision}\n  hooks:\n  - id: async-inline-manifests\n"
    )
    (repository / "requirements.txt").write_text("boto3==1.34.0\n")
    (repository / "uv.lock").write_text('[[package]]\nname = "boto3"\nversion = "1.44.0"\n')
    (repository / "app.py").write_bytes(LEGACY)
    git("add", ".")
    fix = pre_commit(store, "run", "async-inline-manifests", "--all-files", "--verbose")
    assert fix.returncode == 1, fix.stdout
    assert "Fixed 1 finding in 1 file." in fix.stdout
    assert (repository / "requirements.txt").read_text() == "boto3==1.43.29\n"
    git("add", ".")
    again = pre_commit(store, "run", "async-inline-manifests", "--all-files", "--verbose")
    assert again.returncode == 0, again.stdout
    assert (repository / "app.py").read_bytes() == LEGACY
