"""Folders for the tests to work in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.shell import git


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what asks a package index, unless it is wanted."""
    if os.environ.get("ASYNC_INLINE_NETWORK"):
        return
    left_out = [item for item in items if item.get_closest_marker("network")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: an empty folder in no repository."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    # Neither what the developer nor what a git hook around the tests has set up may matter.
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return place


@pytest.fixture
def repository(folder: Path) -> Path:
    """The working directory: an empty git repository."""
    git("init", "--quiet")
    return folder
