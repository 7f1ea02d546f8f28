"""Where an import leads in a repository, without importing or running anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

import libcst as cst

from codemod.modules import Modules
from codemod.outlines import Origin

#: What changes where Python looks first, so that nobody knows what an import finds.
_PATH_CHANGES = frozenset({"sys.path.insert", "site.addsitedir", "os.chdir"})
#: Folders beside which, or in which, packages lie.
_SOURCE_FOLDERS = ("", "src", "lib", "python")
#: A module and what is left of a dotted name once it is found: ``storage.py``, ``("upload",)``.
Resolved = tuple[str, tuple[str, ...]]


class Repository(Modules):
    """Resolves imports to files."""

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        super().__init__(contents)
        self._imported: dict[str, frozenset[str]] = {}
        self._places: dict[tuple[str, str], str | None] = {}
        self._exports: dict[tuple[str, tuple[str, ...]], Resolved | None] = {}
        self._starred: dict[tuple[str, str], bool] = {}

    def holding(
        self, contents: Mapping[str, bytes], modules: Mapping[str, cst.Module] | None = None
    ) -> Repository:
        """Return the repository as it is when some files hold something else.

        Args:
            contents: What they hold.
            modules: The trees of that, where they are known.
        """
        if not contents:
            return self
        other = Repository({**self._contents, **contents})
        other._roots = self._roots
        other._outlines = {p: one for p, one in self._outlines.items() if p not in contents}
        other._joined = {p: one for p, one in self._joined.items() if p not in contents}
        other._modules = {p: one for p, one in self._modules.items() if p not in contents}
        other._modules.update(modules or {})
        return other

    def named(self, path: str, name: str) -> Resolved | None:
        """Return the module that binds a dotted name which a file got by an import.

        Returns:
            The file and the rest of the name, empty for a module itself. ``None`` if the name is
            not from the repository, or if there are several things that it could be.
        """
        outlined = self.outline(path)
        if outlined is None:
            return None
        first, *rest = name.split(".")
        origins = outlined.imports.get(first)
        if origins is None:
            return self._from_stars(path, (first, *rest)) if first not in outlined.bound else None
        if self.starred(path, first):
            return None
        return self._from(path, origins, tuple(rest))

    def dotted(self, path: str, name: str) -> Resolved | None:
        """Return what a dotted name means that begins with a module, as in ``patch("a.b", …)``."""
        first, *rest = name.split(".")
        return self._origin(path, Origin(first), tuple(rest))

    def module_named(self, path: str, module: str) -> str | None:
        """Return the file of a module that a file imports, with dots in front if relative."""
        found = self._origin(path, Origin(module), ())
        return found[0] if found is not None and not found[1] else None

    def starred(self, path: str, name: str) -> bool:
        """Tell whether ``from … import *`` in a file may bind a name."""
        known = (path, name)
        if known not in self._starred:
            self._starred[known] = False  # for those that import each other
            outlined = self.outline(path)
            self._starred[known] = outlined is not None and any(
                self._may_export(path, star, name) for star in outlined.stars
            )
        return self._starred[known]

    def _may_export(self, path: str, star: str, name: str) -> bool:
        if name.startswith("_"):
            return False
        module = self._origin(path, Origin(star), ())
        outlined = self.outline(module[0]) if module is not None else None
        if module is None or outlined is None:
            return True
        return name in outlined.bound | outlined.exported or self.starred(module[0], name)

    def _from(self, path: str, origins: set[Origin], rest: tuple[str, ...]) -> Resolved | None:
        """Return where an import leads; of several, as in ``except ImportError``, all the same."""
        found = {self._origin(path, origin, rest) for origin in origins} - {None}
        return found.pop() if len(found) == 1 else None

    def _from_stars(self, path: str, names: tuple[str, ...]) -> Resolved | None:
        outlined = self.outline(path)
        assert outlined is not None
        if not all(self._origin(path, Origin(star), ()) for star in outlined.stars):
            return None  # one of them may bind anything
        found = {
            self._origin(path, Origin(star, names[0]), names[1:]) for star in outlined.stars
        } - {None}
        return found.pop() if len(found) == 1 and not names[0].startswith("_") else None

    def _origin(self, path: str, origin: Origin, rest: tuple[str, ...]) -> Resolved | None:
        names = (*((origin.name,) if origin.name else ()), *rest)
        known = (path, origin.module)
        if known not in self._places:
            self._places[known] = self._find(path, origin.module)
        place = self._places[known]
        return self._member(path, place, names) if place is not None else None

    def _find(self, path: str, module: str) -> str | None:
        """Return the file of a module, or the folder of a package, that a file imports."""
        level = len(module) - len(module.lstrip("."))
        parts = [part for part in module[level:].split(".") if part]
        places: dict[str, str] = {}
        for folder in self._folders(path, level, parts):
            place = self._place(folder, parts)
            if place is not None:
                places.setdefault(os.path.realpath(place), place)
        return next(iter(places.values())) if len(places) == 1 else None

    def _folders(self, path: str, level: int, parts: list[str]) -> Iterator[str]:
        """Yield the folders in which Python may look for an import."""
        folder = os.path.dirname(path)
        if level:
            for _ in range(level - 1):
                folder = _above(folder)
            yield folder
            return
        if not parts or parts[0] in sys.stdlib_module_names:
            return
        outlined = self.outline(path)
        if outlined is not None and _changes_path(outlined.mentions[""]):
            return
        yield from self.source_folders(path)

    def source_folders(self, path: str) -> Iterator[str]:
        """Yield the folders of the repository that Python may look through for a file's imports."""
        folder, root = os.path.dirname(path), self.root(path)
        while True:
            for name in _SOURCE_FOLDERS:
                yield os.path.join(folder, name) if name else folder
            if os.path.abspath(folder) == root:
                return
            folder = _above(folder)

    def _place(self, folder: str, parts: list[str]) -> str | None:
        """Return the file of a module, or the folder of a package."""
        place = folder or os.curdir
        for position, part in enumerate(parts):
            package, module = os.path.join(place, part), os.path.join(place, f"{part}.py")
            if self.exists(module) and not self.exists(os.path.join(package, "__init__.py")):
                return self.plain(module) if position == len(parts) - 1 else None
            if not os.path.isdir(package):
                return None
            place = package
        return place

    def _member(self, path: str, place: str, names: tuple[str, ...]) -> Resolved | None:
        """Return what a module or package, and then dotted names, stand for."""
        while os.path.isdir(place):
            package = self.plain(os.path.join(place, "__init__.py"))
            is_there = self.exists(package)
            if not names:
                return (package, ()) if is_there else None
            exported = None
            if is_there and package != path:
                exported = self._exported(package, names)
            inner = self._place(place, [names[0]])
            if exported is not None:
                same = inner is not None and self._member(path, inner, names[1:]) == exported
                return exported if inner is None or same else None
            if inner is None:
                return None
            place, names = inner, names[1:]
        return self._exported(place, names) if names else (place, ())

    def _exported(self, path: str, names: tuple[str, ...]) -> Resolved | None:
        """Return where a name of a module is bound: there, or where that imports it from."""
        known = (path, names)
        if known not in self._exports:
            self._exports[known] = None  # for modules that import each other
            self._exports[known] = self._binding(path, names)
        return self._exports[known]

    def _binding(self, path: str, names: tuple[str, ...]) -> Resolved | None:
        outlined = self.outline(path)
        if outlined is None:
            return None
        name = names[0]
        if name in outlined.bound:
            return (path, names) if name not in outlined.exported else None
        if name in outlined.exported:
            if self.starred(path, name):
                return None
            return self._from(path, outlined.imports[name], names[1:])
        return self._from_stars(path, names)

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
            resolved = self._origin(path, Origin(star), ())
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


def _changes_path(mentions: set[str]) -> bool:
    """Tell whether a module puts anything in front of what Python looks through."""
    changes = "sys.path" in mentions and "sys.path.append" not in mentions
    return changes or not _PATH_CHANGES.isdisjoint(mentions)


def _above(folder: str) -> str:
    if os.path.basename(folder) in ("", os.curdir, os.pardir):
        return os.path.join(folder, os.pardir)
    return os.path.dirname(folder)
