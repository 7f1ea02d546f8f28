"""Which files may import a module, by nothing but the text of import statements.

Finding who calls a function means looking at every file with its name. Even ``ast`` takes fifty
times as long for a file as this, and for most it says that the function is another one.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from codemod.repository import Repository

_NAMES = rb"[\w.\x80-\xff]"
#: These begin with the letters that they look for, which makes them several times faster.
_FROM = re.compile(
    rb"from\b((?:%b|[ \t\f]|\\\r?\n)+?)\bimport\b"
    rb"[ \t\f]*(\((?:#[^\r\n]*|[^)#])*\)|(?:\\\r?\n|[^\r\n;#])*)" % _NAMES
)
_IMPORT = re.compile(rb"import\b((?:\\\r?\n|[^\r\n;#])*)")
_STAR = re.compile(rb"import[ \t]*\(?[ \t]*\*")
#: What may stand in front of a statement, in the text of a notebook too.
_BEFORE = re.compile(rb"(?:^|[\r\n;:\"])[ \t\f]*\Z")
_INDENT = 200
_COMMENT = re.compile(rb"#[^\r\n]*")
_WORD = re.compile(rb"%b+|\*" % _NAMES)


class _Import(NamedTuple):
    """A module as an import names it, and what it takes of it: ``None`` for the module itself."""

    module: str
    names: tuple[str, ...] | None


class Importers:
    """The imports of the files that were taken note of."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._imports: dict[str, frozenset[_Import]] = {}
        self._folders: dict[str, list[str]] = {}
        self._entries: dict[str, frozenset[str]] = {}
        self._modules: dict[tuple[str, _Import], frozenset[str]] = {}
        self._reaching: dict[str, frozenset[str]] = {}
        #: The files that import a module, or anything in a package if that ends with a slash.
        self._direct: defaultdict[str, list[str]] = defaultdict(list)

    def take(self, path: str, content: bytes) -> None:
        """Take note of the imports of a file."""
        if path not in self._imports:
            self._imports[path] = frozenset(_imports_in(content))
            self._reaching.clear()
            for one in self._imports[path]:
                for module in self._modules_of(path, one):
                    self._direct[module].append(path)

    def of(self, module: str) -> frozenset[str]:
        """Return those of the files that may import a module, be it by way of others of them."""
        found = self._reaching.get(module)
        if found is None:
            reaching = {module}
            stack = [module]
            while stack:
                for one in self._importing(stack.pop()):
                    if one not in reaching:
                        reaching.add(one)
                        stack.append(one)
            found = self._reaching[module] = frozenset(reaching)
        return found

    def _importing(self, module: str) -> Iterator[str]:
        yield from self._direct.get(module, ())
        folder = os.path.dirname(module)
        while folder:
            yield from self._direct.get(f"{folder}/", ())
            folder = os.path.dirname(folder)
        yield from self._direct.get("/", ())

    def _modules_of(self, path: str, named: _Import) -> frozenset[str]:
        """Return all files that an import may lead to, and packages of which it may get anything.

        Which of them Python takes is not asked.
        """
        folder = os.path.dirname(path)
        found = self._modules.get((folder, named))
        if found is None:
            level = len(named.module) - len(named.module.lstrip("."))
            parts = [part for part in named.module[level:].split(".") if part]
            places: list[str] = []
            if level:
                places = [os.path.join(folder, *[os.pardir] * (level - 1))]
            elif parts and parts[0] not in sys.stdlib_module_names:
                places = self._looked_through(path)
            modules = {one for place in places for one in self._below(place, parts, named.names)}
            found = self._modules[folder, named] = frozenset(modules)
        return found

    def _looked_through(self, path: str) -> list[str]:
        folder = os.path.dirname(path)
        found = self._folders.get(folder)
        if found is None:
            found = self._folders[folder] = list(self._repository.source_folders(path))
        return found

    def _below(self, place: str, parts: list[str], names: tuple[str, ...] | None) -> Iterator[str]:
        for number, part in enumerate(parts):
            inside = self._inside(place)
            if f"{part}.py" in inside:
                yield self._repository.plain(os.path.join(place, f"{part}.py"))
            if part not in inside:
                return
            place = os.path.join(place, part)
            if number == 0 and names is None:  # the name that it binds is that of the outermost
                yield from self._package(place, everything=True)
        yield from self._package(place, everything=names is None or "*" in names)
        for name in names or ():
            if name != "*":
                yield from self._below(place, [name], ())

    def _package(self, place: str, *, everything: bool) -> Iterator[str]:
        package = self._repository.plain(place)
        within = "" if package == os.curdir else f"{package}/"
        if self._inside(place):
            yield f"{within}__init__.py"
            if everything:
                yield within or "/"

    def _inside(self, folder: str) -> frozenset[str]:
        found = self._entries.get(folder)
        if found is None:
            try:
                found = frozenset(os.listdir(folder or os.curdir))
            except OSError:
                found = frozenset()
            self._entries[folder] = found
        return found


def hands_on_everything(content: bytes) -> bool:
    """Tell whether a file may have names that do not stand in it."""
    return _STAR.search(content) is not None


def _imports_in(content: bytes) -> Iterator[_Import]:
    for match in _FROM.finditer(content):
        module = b"".join(_WORD.findall(match[1]))
        yield _Import(_text(module), tuple(map(_text, _words(match[2]))))
    for match in _IMPORT.finditer(content):
        if _BEFORE.search(content, max(0, match.start() - _INDENT), match.start()):
            yield from (_Import(_text(word), None) for word in _words(match[1]))


def _words(code: bytes) -> list[bytes]:
    return _WORD.findall(_COMMENT.sub(b"", code))


def _text(word: bytes) -> str:
    return word.decode("utf-8", "replace")
