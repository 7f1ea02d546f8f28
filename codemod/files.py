"""Which files to look into: enumerate, drop the ignored, keep those that mention the call."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from codemod.folders import compile_globs, is_code, list_files
from codemod.manifests.names import is_manifest
from codemod.model import FileResult
from codemod.scan import NotAFileError, scan
from codemod.source import reason

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

#: What a listed name may turn out to be without anything being wrong.
_NOTHING = frozenset({errno.EISDIR, errno.ELOOP, errno.ENOENT, errno.ENOTDIR})


class Excludes(NamedTuple):
    """The globs of ``--exclude``, relative to the folder ``root``."""

    root: str
    spec: GitIgnoreSpec

    @classmethod
    def from_globs(cls, root: str, globs: Sequence[str]) -> Excludes:
        """Compile ``globs``, which are written as in a .gitignore file.

        Raises:
            ValueError: If one of them is no such glob.
        """
        return cls(root, compile_globs(globs))

    def matching(self, paths: Iterable[str]) -> set[str]:
        """Return those of ``paths``, each relative to the working directory, that match."""
        here = os.path.relpath(os.curdir, self.root)
        return {
            path
            for path in paths
            if self.spec.match_file(os.path.normpath(os.path.join(here, path)))
        }


class Selection(NamedTuple):
    """The files to process, sorted.

    ``checked`` is the number of Python files and notebooks that were searched, ``errors`` are the
    paths that could not be. ``manifests`` are those that were named: no folder was searched for
    them.
    """

    paths: tuple[str, ...]
    checked: int
    errors: tuple[FileResult, ...] = ()
    manifests: tuple[str, ...] = ()


def find(
    paths: Sequence[str],
    excludes: Excludes | None = None,
    *,
    force_exclude: bool = False,
    jobs: int | None = None,
) -> Selection:
    """Find the files below ``paths`` that mention the call.

    Args:
        paths: Files, which are taken whatever they are called and whatever ignores them, and
            folders, which are searched for Python files and notebooks that git does not ignore.
        excludes: What to leave out of the folders.
        force_exclude: Whether to leave it out of the files named by ``paths`` as well.
        jobs: The most processes to use, by default one for each available processor.
    """
    named: set[str] = set()
    listed: set[str] = set()
    errors: list[FileResult] = []
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            errors.append(FileResult(relative(path), error=reason(error)))
            continue
        if is_folder:
            found, failed = list_files(relative(path))
            listed.update(found)
            errors += (
                FileResult(relative(error.filename), error=reason(error))
                for error in failed
                if not _is_nothing(error)
            )
        else:
            named.add(relative(path))
    if excludes is not None:
        listed -= excludes.matching(listed)
        if force_exclude:
            named -= excludes.matching(named)
    manifests = {path for path in named if is_manifest(path) and not path.endswith(".ipynb")}
    named -= {path for path in manifests if not is_code(path)}

    searched = sorted(named | listed)
    seen = scan(searched, jobs)
    errors += (
        FileResult(path, error=reason(error))
        for path, error in seen.unread
        if path in named or not _is_nothing(error)
    )
    checked = len(searched) - len(seen.unread)
    return Selection(
        without_aliases(seen.mentioning), checked, tuple(errors), without_aliases(manifests)
    )


def find_manifests(paths: Sequence[str], excludes: Excludes | None = None) -> tuple[str, ...]:
    """Return the manifests in the folders among ``paths`` that git does not ignore.

    What could not be searched is not said again: :func:`find` has done so.
    """
    listed: set[str] = set()
    for path in paths:
        if os.path.isdir(path):
            found, _ = list_files(relative(path), is_manifest)
            listed.update(name for name in found if os.path.isfile(name))
    if excludes is not None:
        listed -= excludes.matching(listed)
    return without_aliases(listed)


def relative(path: str) -> str:
    """Return ``path`` relative to the working directory, with ``/``: the form of every report."""
    if os.path.isabs(path):
        with contextlib.suppress(ValueError):  # on another drive of Windows
            path = os.path.relpath(path)
    elif path and os.pardir not in path.split(os.sep):
        # Behind a symbolic link, `link/..` is another folder than it looks: left as it is.
        path = os.path.normpath(path)
    return path.replace(os.sep, "/")


def _is_nothing(error: OSError) -> bool:
    """Whether a listed name stands for no file: deleted, vanished, a broken or a folder's link."""
    return isinstance(error, NotAFileError) or error.errno in _NOTHING


def without_aliases(paths: Iterable[str]) -> tuple[str, ...]:
    """Keep one path a file: a symbolic link and its target must not both be rewritten."""
    files: dict[str, str] = {}
    for path in sorted(paths, key=lambda path: (os.path.islink(path), path)):
        files.setdefault(os.path.realpath(path), path)
    return tuple(sorted(files.values()))
