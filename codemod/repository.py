"""The modules of a repository: where an import leads, without importing or running anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

import libcst as cst

from codemod.outlines import Outline, outline
from codemod.parsing import parse
from codemod.source import read

#: What marks the folder that holds all the modules that import each other.
_MARKS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg")
#: Folders beside which, or in which, packages lie.
_SOURCE_FOLDERS = ("", "src", "lib", "python")
#: How many modules an import may be handed through, and a call by functions of several modules.
_DEPTH = 6
#: A module that is larger is no helper, but generated or data.
_MOST_BYTES = 2_000_000

#: A module and what is left of a dotted name once it is found: ``storage.py``, ``("upload",)``.
Resolved = tuple[str, tuple[str, ...]]


class Repository:
    """Resolves imports to files, and reads each of them at most once.

    ``contents`` holds files that are not, or not yet, as they are on disk.
    """

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        self._contents = dict(contents or {})
        self._outlines: dict[str, Outline | None] = {}
        self._modules: dict[str, cst.Module | None] = {}
        self._is_file: dict[str, bool] = {}
        self._roots: dict[str, str] = {}
        self._imported: dict[str, frozenset[str]] = {}

    def holding(self, contents: Mapping[str, bytes]) -> Repository:
        """Return the repository as it is when some files hold something else."""
        if not contents:
            return self
        other = Repository({**self._contents, **contents})
        other._roots = self._roots
        other._outlines = {p: one for p, one in self._outlines.items() if p not in contents}
        other._modules = {p: one for p, one in self._modules.items() if p not in contents}
        return other

    # -- files -----------------------------------------------------------------------------

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
            return read(path) if os.path.getsize(path) <= _MOST_BYTES else None
        except OSError:
            return None

    def module(self, path: str) -> cst.Module | None:
        """Return the syntax of a module, ``None`` if it cannot be parsed."""
        if path not in self._modules:
            content = self.content(path)
            outlined = self.outline(path)
            parsed = parse(content) if content is not None and outlined is not None else None
            self._modules[path] = None if isinstance(parsed, str) else parsed
        return self._modules[path]

    def outline(self, path: str) -> Outline | None:
        """Return the outline of a module, ``None`` if there is none."""
        if path not in self._outlines:
            content = self.content(path)
            self._outlines[path] = None if content is None else outline(content)
        return self._outlines[path]

    def _exists(self, path: str) -> bool:
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

    # -- imports ---------------------------------------------------------------------------

    def resolve(self, path: str, origin: str, depth: int = _DEPTH) -> Resolved | None:
        """Return the module that binds a dotted name, as an import in a file means it.

        Args:
            path: The file that imports.
            origin: The dotted name; a relative one begins with dots.
            depth: How many modules the name may still be handed on by.

        Returns:
            The file and the rest of the name, empty for the module itself. ``None`` if the file
            is not in the repository, or if there are several it could be.
        """
        if depth < 0:
            return None
        level = len(origin) - len(origin.lstrip("."))
        parts = tuple(part for part in origin[level:].split(".") if part)
        found: dict[str, Resolved] = {}
        for folder in self._folders(path, level, parts):
            one = self._below(folder, parts, depth)
            package = os.path.join(folder, "__init__.py")
            if level and parts and os.path.normpath(path) != os.path.normpath(package):
                if self._exists(package):
                    one = self._exported(package, parts, depth) or one
            if one is not None:
                found.setdefault(os.path.realpath(one[0]), one)
        if len(found) != 1:
            return None
        return next(iter(found.values()))

    def named(self, path: str, name: str) -> Resolved | None:
        """Return the module that binds a dotted name which a file got by an import."""
        outlined = self.outline(path)
        if outlined is None:
            return None
        first, _, rest = name.partition(".")
        origins = outlined.imports.get(first)
        if origins is not None:
            return self._imported_as(path, origins, (rest,) if rest else (), _DEPTH)
        if outlined.stars and first not in outlined.bound:
            return self._exported(path, tuple(name.split(".")), _DEPTH)
        return None

    def _imported_as(
        self, path: str, origins: set[str], rest: tuple[str, ...], depth: int
    ) -> Resolved | None:
        """Return where an import leads; of several, as in ``except ImportError``, all the same."""
        found = {self.resolve(path, ".".join((origin, *rest)), depth - 1) for origin in origins} - {
            None
        }
        return found.pop() if len(found) == 1 else None

    def _folders(self, path: str, level: int, parts: tuple[str, ...]) -> Iterator[str]:
        """Yield the folders in which Python may look for an import."""
        folder = os.path.dirname(path)
        if level:
            for _ in range(level - 1):
                folder = _above(folder)
            yield folder
            return
        if not parts or parts[0] in sys.stdlib_module_names:
            return
        root = self.root(path)
        while True:
            for name in _SOURCE_FOLDERS:
                yield os.path.join(folder, name) if name else folder
            if os.path.abspath(folder) == root:
                return
            folder = _above(folder)

    def _below(self, folder: str, parts: tuple[str, ...], depth: int) -> Resolved | None:
        for position, part in enumerate(parts):
            package = os.path.join(folder, part, "__init__.py")
            module = os.path.join(folder, f"{part}.py")
            rest = parts[position + 1 :]
            if self._exists(package):
                here = self._exported(package, rest, depth)
                if here is not None:
                    return here
                folder = os.path.join(folder, part)
            elif self._exists(module):
                return self._exported(module, rest, depth)
            elif os.path.isdir(os.path.join(folder, part)):
                folder = os.path.join(folder, part)
            else:
                return None
        package = os.path.join(folder, "__init__.py")
        return (package, ()) if self._exists(package) else None

    def _exported(self, path: str, rest: tuple[str, ...], depth: int) -> Resolved | None:
        """Return where a name of a module is bound: there, or where that imports it from."""
        path = os.path.normpath(path).replace(os.sep, "/")
        if not rest:
            return None if os.path.basename(path) == "__init__.py" else (path, ())
        outlined = self.outline(path)
        if outlined is None:
            return None
        name = rest[0]
        origins = outlined.imports.get(name)
        if name in outlined.bound:
            return (path, rest) if origins is None else None
        if origins is not None:
            return self._imported_as(path, origins, rest[1:], depth)
        found = {
            one
            for star in outlined.stars
            if (one := self.resolve(path, _joined(star, rest), depth - 1)) is not None
        }
        return found.pop() if len(found) == 1 and not name.startswith("_") else None

    def imported(self, path: str) -> frozenset[str]:
        """Return the files that bind what a file imports and mentions."""
        found = self._imported.get(path)
        if found is None:
            found = self._imported[path] = frozenset(self._imports(path))
        return found

    def between(self, path: str, wanted: str) -> list[str]:
        """Return the modules through which a file may get something that another one binds."""
        return [
            one
            for one in sorted(self.imported(path))
            if one not in (path, wanted) and wanted in self._mentioned(one)
        ]

    def _mentioned(self, path: str) -> set[str]:
        outlined = self.outline(path)
        mentions = outlined.mentions[""] if outlined is not None else ()
        resolved = (self.named(path, mention) for mention in mentions)
        return {one[0] for one in resolved if one is not None}

    def _imports(self, path: str) -> Iterator[str]:
        outlined = self.outline(path)
        if outlined is None:
            return
        for star in outlined.stars:
            resolved = self.resolve(path, star)
            if resolved is not None:
                yield resolved[0]
        for mention in outlined.mentions[""]:
            resolved = self.named(path, mention)
            if resolved is None:
                continue
            yield resolved[0]
            # What another module makes of something that it imports itself, such as an instance.
            inner = self.outline(resolved[0])
            for deeper in inner.mentions.get(resolved[1][0], ()) if inner and resolved[1] else ():
                made_of = self.named(resolved[0], deeper)
                if made_of is not None:
                    yield made_of[0]

    # -- what to read ----------------------------------------------------------------------

    def uploading(self, path: str, source: bytes | str | None = None) -> list[str]:
        """Return the modules with functions through which a module may upload, itself left out.

        Args:
            path: The module.
            source: Its text, where that is not what the file holds.
        """
        if source is not None:
            self._outlines[path] = outline(source)
        found: dict[str, None] = {}
        self._reaches(path, "", _DEPTH, {}, found)
        found.pop(path, None)
        return list(found)

    def _reaches(
        self,
        path: str,
        name: str,
        depth: int,
        known: dict[tuple[str, str], bool],
        found: dict[str, None],
    ) -> bool:
        """Tell whether a name of a module may upload; the modules on the way go into ``found``."""
        if (path, name) in known:
            return known[path, name]
        known[path, name] = False
        outlined = self.outline(path)
        if outlined is None or depth < 0:
            return False
        reaches = name in outlined.uploading
        for mention in sorted(outlined.mentions.get(name, ())):
            first = mention.partition(".")[0]
            if first in outlined.bound and first not in outlined.imports:
                into = bool(name) and self._reaches(path, first, depth, known, found)
            else:
                target = self.named(path, mention)
                into = (
                    target is not None
                    and bool(target[1])
                    and self._reaches(target[0], target[1][0], depth - 1, known, found)
                )
            reaches = reaches or into
        if reaches:
            found[path] = None
        known[path, name] = reaches
        return reaches


def _above(folder: str) -> str:
    if os.path.basename(folder) in ("", os.curdir, os.pardir):
        return os.path.join(folder, os.pardir)
    return os.path.dirname(folder)


def _root(folder: str) -> str:
    marked = ""
    current = folder
    while True:
        if any(os.path.exists(os.path.join(current, mark)) for mark in _MARKS):
            marked = current
            if any(os.path.exists(os.path.join(current, mark)) for mark in _MARKS[:2]):
                return marked
        above = os.path.dirname(current)
        if above == current:
            break
        current = above
    if marked:
        return marked
    here = os.path.abspath(os.curdir)
    return here if folder == here or folder.startswith(here + os.sep) else folder


def _joined(prefix: str, rest: tuple[str, ...]) -> str:
    name = ".".join(rest)
    return f"{prefix}{name}" if prefix.endswith(".") else f"{prefix}.{name}"
