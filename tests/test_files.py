"""The right files are found, whatever they are called and wherever they are."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codemod import folders
from codemod.files import Excludes, find
from codemod.model import FileResult
from tests.shell import MENTION, git

posix_only = pytest.mark.skipif(os.name != "posix", reason="needs what POSIX systems have")


def make(*paths: str, content: bytes = MENTION) -> None:
    for path in paths:
        parent = os.path.dirname(path)
        if parent:
            os.makedirs(parent, exist_ok=True)
        Path(path).write_bytes(content)


def found(*paths: str) -> list[str]:
    selection = find(paths or (".",))
    assert selection.errors == ()
    return list(selection.paths)


@pytest.fixture(params=["in git", "outside git"])
def anywhere(request: pytest.FixtureRequest, folder: Path) -> Path:
    if request.param == "in git":
        git("init", "--quiet")
    return folder


def test_python_files_and_notebooks_that_mention_the_call_are_found(anywhere: Path) -> None:
    make("b.py", "a/c.ipynb", "a.py")
    make("silent.py", "silent.ipynb", content=b"invoke_endpoint\n")
    make("empty.py", content=b"")
    make("stub.pyi", "text.txt", "py", "a/invoke.md")
    selection = find(["."])
    assert selection.paths == ("a.py", "a/c.ipynb", "b.py")
    assert selection.checked == 6


def test_a_folder_is_searched_from_another_one(anywhere: Path) -> None:
    make("pkg/a.py", "other/b.py")
    assert found("pkg") == ["pkg/a.py"]
    assert found(str(anywhere / "pkg")) == ["pkg/a.py"]
    os.chdir("other")
    assert found("../pkg") == ["../pkg/a.py"]
    assert found(str(anywhere / "pkg")) == ["../pkg/a.py"]


@posix_only
@pytest.mark.parametrize(
    "name",
    ["two words.py", " leading.py", "new\nline.py", "tab\t.py", "été.py", "-o.py", 'quo"te.py'],
)
def test_unusual_names_are_found(anywhere: Path, name: str) -> None:
    make(name, f" folder/{name}")
    assert found() == sorted([name, f" folder/{name}"])
    assert found(name, f" folder/{name}") == sorted([name, f" folder/{name}"])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_no_utf8_are_found(anywhere: Path) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    make(name)
    assert found() == [name]
    git_add_if_repository()
    assert found() == [name]


def git_add_if_repository() -> None:
    if os.path.exists(".git"):
        git("add", ".")


def test_tracked_and_untracked_files_are_found_and_ignored_ones_are_not(repository: Path) -> None:
    make("tracked.py", "untracked.py", "ignored.py", "generated/a.py", "tracked_though_ignored.py")
    make(".gitignore", content=b"*ignored.py\ngenerated/\n")
    git("add", "tracked.py")
    git("add", "--force", "tracked_though_ignored.py")
    assert found() == ["tracked.py", "tracked_though_ignored.py", "untracked.py"]


def test_files_named_explicitly_are_taken_whatever_they_are_called_and_ignored_by(
    anywhere: Path,
) -> None:
    make("ignored.py", "script", "node_modules/a.py")
    make(".gitignore", content=b"ignored.py\n")
    assert found("ignored.py", "script", "node_modules/a.py") == [
        "ignored.py",
        "node_modules/a.py",
        "script",
    ]


def test_a_folder_named_explicitly_is_searched_although_it_is_ignored(anywhere: Path) -> None:
    make("generated/a.py", "generated/inner/b.py")
    make(".gitignore", content=b"generated/\n")
    assert found() == []
    assert found("generated") == ["generated/a.py", "generated/inner/b.py"]


def test_folders_of_other_peoples_code_are_skipped(anywhere: Path) -> None:
    make("a.py", *(f"x/{name}/a.py" for name in folders.SKIPPED_FOLDERS - {".git"}))
    assert found() == ["a.py"]


def test_a_skipped_folder_is_searched_from_inside(anywhere: Path) -> None:
    make("site-packages/package/a.py")
    assert found("site-packages") == ["site-packages/package/a.py"]


def test_build_folders_are_skipped_unless_git_knows_better(folder: Path) -> None:
    make("build/a.py", "dist/b.py")
    assert found() == []
    git("init", "--quiet")
    assert found() == ["build/a.py", "dist/b.py"]


def test_ignore_files_count_outside_git_as_they_do_within(anywhere: Path) -> None:
    make("a.py", "top.py", "in/top.py", "in/kept.py", "in/b.py", "in/c/d.py", "in/e/f.py")
    make(".gitignore", content=b"/top.py\n*pt.py\nc/\n")
    make("in/.gitignore", content=b"!kept.py\n/b.py\ne/*\n")
    assert found() == ["a.py", "in/kept.py", "in/top.py"]


def test_a_line_of_an_ignore_file_that_makes_no_sense_is_passed_over(folder: Path) -> None:
    make("a.py", "ignored.py")
    make(".gitignore", content=b"!\nb[z-a].py\nignored.py\n")
    assert found() == ["a.py"]


def test_an_ignore_file_that_makes_no_sense_is_passed_over(folder: Path) -> None:
    make("a.py")
    make(".gitignore", content=b"!\n")
    assert found() == ["a.py"]


@pytest.fixture(params=["git is not installed", "git does not trust the repository"])
def repository_without_git(
    request: pytest.FixtureRequest, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    if request.param == "git is not installed":
        monkeypatch.setenv("PATH", "")
    else:
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    return repository


def test_a_repository_is_searched_without_git(repository_without_git: Path) -> None:
    make("a.py", "ignored.py", ".venv/b.py", "in/c.py", "in/ignored.py")
    make(".gitignore", content=b"ignored.py\n")
    assert found() == ["a.py", "in/c.py"]
    # The ignore files above the folder count as well, up to the top of the repository.
    assert found("in") == ["in/c.py"]


def test_the_variables_of_a_git_hook_do_not_lead_to_another_repository(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("a.py", "other/b.py", "other/ignored.py")
    make("other/.gitignore", content=b"ignored.py\n")
    git("init", "--quiet", folder="other")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", str(repository / ".git" / "index"))
    assert found("other") == ["other/b.py"]


def test_the_configuration_of_a_repository_starts_no_program(repository: Path) -> None:
    make("a.py")
    hook = repository / "monitor"
    hook.write_text("#!/bin/sh\ntouch started\n")
    hook.chmod(0o755)
    git("config", "core.fsmonitor", str(hook))
    assert found() == ["a.py"]
    assert not os.path.exists("started")


def test_tracked_files_that_are_deleted_are_passed_over(repository: Path) -> None:
    make("a.py", "gone.py", "folder/gone.py")
    git("add", ".")
    os.unlink("gone.py")
    os.unlink("folder/gone.py")
    os.rmdir("folder")
    assert found() == ["a.py"]


def test_files_in_conflict_are_found_once(repository: Path) -> None:
    make("a.py")
    git("add", ".")
    git("commit", "--quiet", "--message=first")
    blob = git("rev-parse", "HEAD:a.py").decode().strip()
    stages = "".join(f"100644 {blob} {stage}\ta.py\n" for stage in (1, 2, 3))
    git("rm", "--quiet", "--cached", "a.py")
    git("update-index", "--index-info", stdin=stages.encode())
    assert found() == ["a.py"]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    place = tmp_path / "library"
    place.mkdir()
    git("init", "--quiet", folder=place)
    (place / "inside.py").write_bytes(MENTION)
    git("add", ".", folder=place)
    git("commit", "--quiet", "--message=first", folder=place)
    return place


def test_submodules_are_searched(repository: Path, library: Path) -> None:
    git("submodule", "--quiet", "add", str(library), "deep/library.py")
    make("a.py", "deep/library.py/untracked.py")
    assert found() == ["a.py", "deep/library.py/inside.py", "deep/library.py/untracked.py"]


def test_submodules_that_are_not_checked_out_are_passed_over(
    repository: Path, library: Path, tmp_path: Path
) -> None:
    git("submodule", "--quiet", "add", str(library), "library")
    make("a.py")
    git("add", ".")
    git("commit", "--quiet", "--message=second")
    git("clone", "--quiet", str(repository), str(tmp_path / "clone"))
    os.chdir(tmp_path / "clone")
    assert found() == ["a.py"]
    assert found("library") == []
    os.rmdir("library")
    assert found() == ["a.py"]


def test_repositories_inside_that_are_no_submodules_are_searched(repository: Path) -> None:
    make("inner/a.py", "node_modules/b.py")
    git("init", "--quiet", folder="inner")
    git("init", "--quiet", folder="node_modules")
    assert found() == ["inner/a.py"]


@posix_only
def test_a_symbolic_link_and_its_target_are_one_file(anywhere: Path) -> None:
    make("real.py")
    os.symlink("real.py", "a_link.py")
    assert found() == ["real.py"]
    assert found("a_link.py", ".") == ["real.py"]
    assert found("a_link.py") == ["a_link.py"]
    git_add_if_repository()
    assert found() == ["real.py"]


@posix_only
def test_links_that_lead_nowhere_or_to_folders_are_passed_over(anywhere: Path) -> None:
    make("folder/a.py")
    os.symlink("gone", "broken.py")
    os.symlink("round.py", "round.py")
    os.symlink("folder", "link.py")
    os.symlink("..", "folder/up")
    assert found() == ["folder/a.py"]
    git_add_if_repository()
    assert found() == ["folder/a.py"]


@posix_only
def test_a_path_through_a_link_names_what_it_names(folder: Path) -> None:
    make("far/away/a.py", "far/b.py", "b.py")
    os.symlink("far/away", "link")
    assert found("link/../b.py") == ["link/../b.py"]


def test_a_folder_called_like_a_file_is_searched(anywhere: Path) -> None:
    make("module.py/a.py")
    assert found() == ["module.py/a.py"]


def test_files_are_found_once_however_often_they_are_named(anywhere: Path) -> None:
    make("a.py", "in/b.py")
    assert found(".", "a.py", "./a.py", "in", str(anywhere / "a.py")) == ["a.py", "in/b.py"]


def test_a_path_that_does_not_exist_is_an_error_and_others_are_found(anywhere: Path) -> None:
    make("a.py")
    selection = find(["gone.py", ".", "nowhere/"])
    assert selection.paths == ("a.py",)
    assert selection.errors == (
        FileResult("gone.py", error="No such file or directory"),
        FileResult("nowhere", error="No such file or directory"),
    )


@posix_only
def test_a_pipe_is_passed_over_and_an_error_if_it_is_named(anywhere: Path) -> None:
    os.mkfifo("pipe.py")
    assert found() == []
    assert find(["pipe.py"]).errors == (FileResult("pipe.py", error="Not a regular file"),)


@posix_only
def test_a_socket_is_passed_over_and_an_error_if_it_is_named(anywhere: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.py")
    assert found() == []
    assert find(["socket.py"]).errors == (FileResult("socket.py", error="Not a regular file"),)


def refuse(path: str, function: Callable[..., object]) -> Callable[..., object]:
    """Return ``function``, but without permission for ``path``: root would have it."""

    def refusing(name: object, *arguments: object) -> object:
        if name == path:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return function(name, *arguments)

    return refusing


def test_a_file_that_may_not_be_read_is_an_error_and_others_are_found(
    anywhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("a.py", "secret.py")
    monkeypatch.setattr(os, "open", refuse("secret.py", os.open))
    selection = find(["."])
    assert selection.paths == ("a.py",)
    assert selection.checked == 1
    assert selection.errors == (FileResult("secret.py", error="Permission denied"),)


def test_a_folder_that_may_not_be_read_is_an_error_and_others_are_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("a.py", "secret/b.py")
    secret = os.path.join(".", "secret")
    monkeypatch.setattr(os, "scandir", refuse(secret, os.scandir))
    selection = find(["."])
    assert selection.paths == ("a.py",)
    assert selection.errors == (FileResult("secret", error="Permission denied"),)


def excluded(*globs: str, root: str = ".", named: tuple[str, ...] = (".",)) -> list[str]:
    return list(find(named, Excludes.from_globs(root, globs)).paths)


def test_excluded_files_are_left_out_of_folders(anywhere: Path) -> None:
    make("a.py", "in/a.py", "in/b.py", "in/deep/c.py")
    assert excluded("a.py") == ["in/b.py", "in/deep/c.py"]
    assert excluded("/a.py") == ["in/a.py", "in/b.py", "in/deep/c.py"]
    assert excluded("in/") == ["a.py"]
    assert excluded("in/*", "!in/b.py") == ["a.py", "in/b.py"]
    assert excluded("in/**/c.py", "b*") == ["a.py", "in/a.py"]


def test_excludes_are_relative_to_the_folder_they_are_written_for(anywhere: Path) -> None:
    make("a.py", "in/a.py", "in/b.py")
    os.chdir("in")
    assert excluded("/in/a.py", root="..") == ["b.py"]
    assert excluded("/a.py", root="..") == ["a.py", "b.py"]
    assert excluded("/a.py", root="..", named=("..",)) == ["../in/a.py", "../in/b.py"]


def test_only_force_exclude_leaves_out_files_that_are_named(anywhere: Path) -> None:
    make("a.py", "in/b.py")
    excludes = Excludes.from_globs(".", ["*.py"])
    assert find(["a.py", "in"], excludes).paths == ("a.py",)
    assert find(["a.py", "in"], excludes, force_exclude=True).paths == ()
