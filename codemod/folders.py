"""The files of a folder, as git or its ignore files see them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SUFFIXES = (".py", ".ipynb")

#: Folders that hold other people's code or the output of tools, tracked or not.
SKIPPED_FOLDERS = frozenset(
    {
        ".eggs",
        ".git",
        ".hg",
        ".hypothesis",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        "__pycache__",
        "__pypackages__",
        "node_modules",
        "site-packages",
        "venv",
    }
)

#: Folders that are most likely built, but may be source: within git, git knows better.
BUILD_FOLDERS = frozenset({"_build", "build", "dist"})

#: A git hook runs with these set to the repository of the commit, whichever folder is asked about.
_GIT_PLACES = frozenset(
    {"GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"}
)

#: `git ls-files --stage` writes "mode object stage<TAB>name" for tracked files, else the name.
_STAGED = re.compile(rb"(?P<mode>[0-7]{6}) [0-9a-f]{40,64} [0-3]\t")
_SUBMODULE = b"160000"
#: A list of all of them at once would be most of the memory of a run.
_ENTRY = re.compile(rb"[^\0]+")


def is_code(path: str) -> bool:
    """Whether the file at ``path`` is Python or a notebook."""
    return path.endswith(SUFFIXES)


def list_files(
    folder: str, wanted: Callable[[str], bool] = is_code
) -> tuple[list[str], list[OSError]]:
    """Return the files in and below ``folder`` that are wanted and not ignored.

    Args:
        folder: The folder; the paths returned begin with it, unless it is the working directory.
        wanted: Tells by its path whether a file is wanted. In front of a path relative to the
            folder may stand something that ends in a tab.

    Returns:
        The paths, in no order and some of them perhaps gone, and the errors met, each with the
        ``filename`` of the folder that could not be read.
    """
    names = _git_names(folder, wanted)
    if names is None or (not names and _git_ignores(folder)):
        return _walk(folder, wanted)
    found: list[str] = []
    errors: list[OSError] = []
    prefix = "" if folder == os.curdir else f"{folder}/"
    for name in names:
        if not SKIPPED_FOLDERS.isdisjoint(name.split("/")):
            continue
        path = prefix + name  # the very name where nothing stands before it: there may be many
        if name.endswith("/"):
            # A submodule that is not checked out is none to git: it answers for the outer one.
            is_repository = os.path.lexists(os.path.join(path, ".git"))
            listing = list_files if is_repository else _walk
            inner_found, inner_errors = listing(path.rstrip("/"), wanted)
            found += inner_found
            errors += inner_errors
        else:
            found.append(path)
    return found, errors


def _git_names(folder: str, wanted: Callable[[str], bool]) -> list[str] | None:
    """Return the wanted files git does not ignore, and ending in ``/`` the repositories inside.

    ``None`` stands for a folder that git knows nothing about.
    """
    listing = _git(folder, "ls-files", "-z", "-co", "--stage", "--exclude-standard")
    if listing is None:
        return None
    names: list[str] = []
    for match in _ENTRY.finditer(listing):
        entry = match[0]
        if entry.startswith(_SUBMODULE) or wanted(os.fsdecode(entry)):
            staged = _STAGED.match(entry)
            name = os.fsdecode(entry[staged.end() :] if staged else entry)
            names.append(f"{name}/" if staged and staged["mode"] == _SUBMODULE else name)
        elif entry.endswith(b"/"):  # a repository that is not a submodule
            names.append(os.fsdecode(entry))
    return names


def _git_ignores(folder: str) -> bool:
    """Whether git ignores ``folder`` itself; whoever names it wants it searched all the same."""
    return _git(folder, "check-ignore", "--quiet", os.curdir) is not None


def _git(folder: str, *arguments: str) -> bytes | None:
    """Return what git writes, ``None`` if there is no git or it fails."""
    # Takes long to load, and files that are named need no git.
    import subprocess

    # The configuration of a repository from elsewhere may name a program as its file monitor.
    command = ("git", "-c", "core.fsmonitor=false", *arguments)
    environment = {name: value for name, value in os.environ.items() if name not in _GIT_PLACES}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _walk(folder: str, wanted: Callable[[str], bool]) -> tuple[list[str], list[OSError]]:
    """Do without git: honour .gitignore files and leave out what is most likely built."""
    skipped = SKIPPED_FOLDERS | BUILD_FOLDERS
    above = _rules_above(folder)
    ignoring = {folder: () if _ignored(folder, above, is_folder=True) else above}
    found: list[str] = []
    errors: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=errors.append):
        rules = ignoring.pop(parent)
        if ".gitignore" in names:
            rules += _rules(parent)
        folders[:] = [
            name
            for name in folders
            if name not in skipped
            and not _ignored(os.path.join(parent, name), rules, is_folder=True)
        ]
        ignoring.update((os.path.join(parent, name), rules) for name in folders)
        found += (
            path
            for name in names
            if wanted(path := os.path.join(parent, name))
            and not _ignored(path, rules, is_folder=False)
        )
    here = os.path.join(os.curdir, "")
    return [path.removeprefix(here).replace(os.sep, "/") for path in found], errors


#: The .gitignore files that apply to a folder, outermost first: their folder and their patterns.
_Rules = tuple[tuple[str, "GitIgnoreSpec"], ...]


def _rules(folder: str) -> _Rules:
    try:
        with open(os.path.join(folder, ".gitignore"), "rb") as file:
            lines = os.fsdecode(file.read()).splitlines()
    except OSError:
        # Git, too, goes on without an ignore file that it cannot read.
        return ()
    try:
        spec = compile_globs(lines)
    except ValueError:
        spec = compile_globs([line for line in lines if _is_glob(line)])
    return ((os.path.abspath(folder), spec),)


def _rules_above(folder: str) -> _Rules:
    """Return the rules of the folders around ``folder``, up to the root of its repository."""
    rules: _Rules = ()
    inner, outer = "", os.path.abspath(folder)
    while not os.path.exists(os.path.join(outer, ".git")):
        inner, outer = outer, os.path.dirname(outer)
        if inner == outer:
            return ()  # in no repository: nothing says that those files are meant for this folder
        rules = _rules(outer) + rules
    return rules


def _ignored(path: str, rules: _Rules, *, is_folder: bool) -> bool:
    if not rules:
        return False
    absolute = os.path.abspath(path)
    for folder, spec in reversed(rules):
        include = spec.check_file(os.path.relpath(absolute, folder) + "/" * is_folder).include
        if include is not None:
            return include
    return False


def compile_globs(globs: Sequence[str]) -> GitIgnoreSpec:
    """Compile patterns written as in a .gitignore file.

    Raises:
        ValueError: If some of them are no such patterns; it names them.
    """
    # Most runs have nothing to match, as git has done the ignoring.
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(globs)
    except (ValueError, re.error) as error:
        wrong = (repr(glob) for glob in globs if not _is_glob(glob))
        raise ValueError(f"not a pattern as in a .gitignore file: {', '.join(wrong)}") from error


def _is_glob(glob: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([glob])
    except (ValueError, re.error):
        return False
    return True
