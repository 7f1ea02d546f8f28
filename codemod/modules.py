"""The modules of a repository as they are read: each of them once, as text, outline and syntax."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING

import libcst as cst

from codemod.outlines import Outline, outline
from codemod.parsing import parse
from codemod.source import is_notebook, read

if TYPE_CHECKING:
    from codemod.joining import Joined

#: What marks the folder that holds all the modules that import each other, the surest first.
_MARKS = ((".git", ".hg"), ("pyproject.toml", "setup.py", "setup.cfg"))
#: A module that is larger is no helper, but generated or data.
_MOST_BYTES = 2_000_000


class Modules:
    """Reads every file at most once.

    ``contents`` holds files that are not, or not yet, as they are on disk.
    """

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        self._contents = dict(contents or {})
        self._outlines: dict[str, Outline | None] = {}
        self._modules: dict[str, cst.Module | None] = {}
        self._joined: dict[str, Joined | None] = {}
        self._is_file: dict[str, bool] = {}
        self._roots: dict[str, str] = {}

    def take(self, path: str, source: bytes | str) -> None:
        """Take note of what a file holds that is not, or not yet, so on disk."""
        self._outlines[path] = outline(source)

    def content(self, path: str) -> bytes | None:
        """Return what a file holds, ``None`` if it cannot be read."""
        if path not in self._contents:
            found = self.glance(path)
            if found is None:
                return None
            self._contents[path] = found
        return self._contents[path]

    def glance(self, path: str) -> bytes | None:
        """Return what a file holds without keeping it, ``None`` if it cannot be read."""
        if path in self._contents:
            return self._contents[path]
        try:
            status = os.stat(path)
            is_small = stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES
            return read(path) if is_small else None
        except OSError:
            return None

    def module(self, path: str) -> cst.Module | None:
        """Return the syntax of a module, ``None`` if it cannot be parsed."""
        if path not in self._modules:
            text = self.text(path)
            outlined = self.outline(path)
            parsed = parse(text) if text is not None and outlined is not None else None
            self._modules[path] = None if isinstance(parsed, str) else parsed
        return self._modules[path]

    def outline(self, path: str) -> Outline | None:
        """Return the outline of a module, ``None`` if there is none."""
        if path not in self._outlines:
            text = self.text(path)
            self._outlines[path] = None if text is None else outline(text)
        return self._outlines[path]

    def text(self, path: str) -> bytes | str | None:
        """Return the Python of a file: what it holds, or the cells of a notebook as one module."""
        if not is_notebook(path):
            return self.content(path)
        joined = self.joined(path)
        return joined.text if joined is not None else None

    def joined(self, path: str) -> Joined | None:
        """Return a notebook as one module, ``None`` if it cannot be read as one."""
        if path not in self._joined:
            # Most runs see none.
            from codemod import notebook
            from codemod.joining import join

            content = self.content(path) if is_notebook(path) else None
            cells = notebook.read(content) if content is not None else None
            self._joined[path] = join(cells) if isinstance(cells, notebook.Notebook) else None
        return self._joined[path]

    def exists(self, path: str) -> bool:
        found = self._is_file.get(path)
        if found is None:
            found = self._is_file[path] = path in self._contents or os.path.isfile(path)
        return found

    def root(self, path: str) -> str:
        """Return the folder that holds everything a file may import, itself or one above it.

        That is the repository; outside of any, the working directory or the file's own folder.
        """
        folder = os.path.dirname(os.path.abspath(path))
        found = self._roots.get(folder)
        if found is None:
            found = self._roots[folder] = _root(folder)
        return found

    def plain(self, path: str) -> str:
        """Return a path as reports have it, so that the same file has the same."""
        path = os.path.normpath(path)
        if os.pardir in path.split(os.sep):
            path = os.path.relpath(path)
        return path.replace(os.sep, "/")


def _root(folder: str) -> str:
    above = [folder]
    while (further := os.path.dirname(above[-1])) != above[-1]:
        above.append(further)
    for marks in _MARKS:
        for one in above:
            if any(os.path.exists(os.path.join(one, mark)) for mark in marks):
                return one
    here = os.path.abspath(os.curdir)
    return here if here in above else folder
