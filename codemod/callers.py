"""What the files of a repository do with the names that fixes rely on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from codemod.files import Excludes, relative
from codemod.folders import list_files
from codemod.importers import Importers, hands_on_everything
from codemod.model import Place, Reliance
from codemod.notebook import MOVES
from codemod.outlines import ClassOutline
from codemod.repository import Repository
from codemod.source import is_notebook
from codemod.words import Words

#: How many classes may lie between a class and one that overrides its method.
_GENERATIONS = 4

#: What stands around a name that is stored as an attribute, or written as a string of its own.
_STORED = (re.compile(rb"\.\s*\Z"), re.compile(rb"\s*(?:=(?!=)|[-+*/%&|^@]=|:[^:])"))
_WRITTEN = (re.compile(rb"['\"](?:[\w.{}]*\.)?\Z"), re.compile(rb"['\"]"))
_LETTER = re.compile(rb"\w")
#: How far in front of a name that is looked for.
_NEAR = 100
#: A name as one of many keywords.
_ONE_OF_MANY = rb"multiple\([^)]{0,500}?\b(%b)\s*="

#: A class that is made from another one.
_DERIVED = re.compile(rb"^\s*class\s+\w+\s*(?:\[.*\]\s*)?\(\s*[^)\s]", re.MULTILINE)

#: A class of a module: the path of that and the name.
_Class = tuple[str, str]


class Callers:
    """Finds callers and other values; the files of a repository are listed once."""

    def __init__(self, repository: Repository, excludes: Excludes | None) -> None:
        self._repository = repository
        self._importers = Importers(repository)
        self._excludes = excludes
        self._listed: dict[str, list[str]] = {}
        self._listed_notebooks: dict[str, list[str]] = {}
        #: What no run changes. What it does with the names counts all the same.
        self._left_out: set[str] = set()
        self._replacing: set[tuple[str, str]] = set()
        self._families: dict[_Class, frozenset[_Class]] = {}
        self._derived: dict[str, dict[_Class, list[_Class]]] = {}

    def of(
        self, reliances: Collection[Reliance]
    ) -> tuple[dict[Reliance, set[str]], dict[Reliance, Place]]:
        """Return the files that may have to change too, and what gets another value, and where."""
        partners: dict[Reliance, set[str]] = {}
        rebound: dict[Reliance, Place] = {}
        by_root: dict[str, list[Reliance]] = {}
        for one in reliances:
            by_root.setdefault(self._repository.root(one.path), []).append(one)
        for root, inside in by_root.items():
            files = sorted({*self._files(root), *(one.path for one in inside)})
            names = {one.name for one in inside} | {one.owner for one in inside if one.owner}
            mentioned = self._mentioning(names, files)
            invoked = {one.name for one in inside if one.invokes}
            cells = self._mentioning(invoked, self._notebooks(root)) if invoked else {}
            rebound.update(self._come_or_gone(inside, mentioned))
            for one in (one for one in inside if not one.goes):
                if one.changes and one.path in self._changeable(root):
                    partners[one] = {one.path}
                if one.invokes:
                    calling = [
                        *self._importing(one, mentioned.get(one.name, ())),
                        *self._in_notebooks(one, cells.get(one.name, ())),
                    ]
                    partners.setdefault(one, set()).update(calling)
                for path in mentioned.get(one.name, ()):
                    if (path, one.name) in self._replacing:
                        place = self._replaced(path, one)
                        if place is not None:
                            rebound.setdefault(one, place)
                if one.invokes and one.owner:
                    partners.setdefault(one, set()).update(self._wired(one, mentioned))
                    partners[one].update(self._made_to_upload(one, mentioned))
                if one.routes:  # tests take each of them by itself
                    found = partners.get(one, set())
                    partners[one] = {path for path in found if not _is_test(path)}
                if one.owner:
                    place = self._overridden(one, mentioned, files)
                    if place is not None:
                        rebound.setdefault(one, place)
        return partners, rebound

    # -- which files -----------------------------------------------------------------------

    def _files(self, root: str) -> list[str]:
        if root not in self._listed:
            paths = _paths(root, lambda path: path.endswith(".py"))
            if self._excludes is not None:
                self._left_out |= self._excludes.matching(paths)
            self._listed[root] = sorted(paths)
        return self._listed[root]

    def _notebooks(self, root: str) -> list[str]:
        if root not in self._listed_notebooks:
            paths = _paths(root, is_notebook)
            if self._excludes is not None:
                paths -= self._excludes.matching(paths)
            self._listed_notebooks[root] = sorted(paths)
        return self._listed_notebooks[root]

    def _changeable(self, root: str) -> set[str]:
        """Return the files that belong to the repository and are not left out."""
        return set(self._files(root)) - self._left_out

    def _mentioning(self, names: set[str], paths: Iterable[str]) -> dict[str, list[str]]:
        wanted = Words([name.encode() for name in names])
        # With \b in front it takes seven times as long.
        pattern = re.compile(rb"(?:%b)\b" % wanted.expression)
        one_of_many = re.compile(_ONE_OF_MANY % wanted.expression)
        found: dict[str, list[str]] = {}
        for path in paths:
            content = self._repository.glance(path)
            if content is None:
                continue
            if is_notebook(path):
                content = content.replace(b"\\n", b"\n")  # or the name follows a letter
            elif hands_on_everything(content):
                self._importers.take(path, content)
            if not wanted.may_be_in(content):
                continue
            there = [
                match
                for match in pattern.finditer(content)
                if not _LETTER.match(content, match.start() - 1) or not match.start()
            ]
            for name in {match[0].decode() for match in there}:
                found.setdefault(name, []).append(path)
                self._importers.take(path, content)
            replaced = {match[0] for match in there if _is_replaced(content, match)}
            replaced.update(match[1] for match in one_of_many.finditer(content))
            self._replacing.update((path, name.decode()) for name in replaced)
        return found

    def _importing(self, invoked: Reliance, mentioning: Sequence[str]) -> Iterator[str]:
        """Yield those of the files with the name of a function that import its module."""
        for path in mentioning:
            if path != invoked.path and path not in self._left_out:
                if self._imports(path, invoked.path):
                    yield path

    def _in_notebooks(self, invoked: Reliance, mentioning: Sequence[str]) -> Iterator[str]:
        """Yield the notebooks that import a function or a class and call what makes the call."""
        for path in mentioning:
            if path == invoked.path or not self._names_module(path, invoked.path):
                continue
            if MOVES.search(self._repository.glance(path) or b"") is None:
                if self._imports(path, invoked.path):
                    yield path

    def _imports(self, path: str, module: str) -> bool:
        """Tell whether a file imports a module, looking into it only if its text says it may."""
        if path not in self._importers.of(module):
            return False
        return module in self._repository.imported(path)

    def _wired(self, invoked: Reliance, mentioned: dict[str, list[str]]) -> Iterator[str]:
        """Yield the files that get an object passed in whose method they call, and who passes it.

        They need not import its class, if a third file imports both or is imported by them, or if
        they know its base.
        """
        calling = [
            path
            for path in mentioned.get(invoked.name, ())
            if path != invoked.path and path not in self._left_out
        ]
        owner = (invoked.path, invoked.owner)
        bases = {path for path, _ in self._family(owner)} - {invoked.path} if calling else set()
        for one in calling:
            if one in bases or any(self._imports(one, base) for base in bases):
                yield one
        for wiring in mentioned.get(invoked.owner, ()) if calling else ():
            if not self._imports(wiring, invoked.path):
                continue
            imported = self._repository.imported(wiring)
            reached = [
                one
                for one in calling
                if one != wiring and (one in imported or self._imports(one, wiring))
            ]
            if reached and wiring not in self._left_out:
                yield from (wiring, *reached)

    def _made_to_upload(self, invoked: Reliance, mentioned: dict[str, list[str]]) -> Iterator[str]:
        """Yield the files with a class that is made from the owner of a method, and uploads."""
        for path in mentioned.get(invoked.owner, ()):
            if path == invoked.path or path in self._left_out:
                continue
            outlined = self._repository.outline(path)
            made = self._made_from(path, (invoked.path, invoked.owner))
            if outlined is not None and any(name in outlined.uploading for _, name in made):
                yield path

    # -- what they do ----------------------------------------------------------------------

    def _taken(self, new: Reliance, mentioned: dict[str, list[str]]) -> Place | None:
        """Return where the name of a function to come means something else already, or may."""
        for path in mentioned.get(new.name, ()):
            if path != new.path:
                return self._mention(path, new.name)
        module = os.path.join(os.path.dirname(new.path), f"{new.name}.py")
        return _at(module, 1) if os.path.exists(module) else None

    def _come_or_gone(
        self, reliances: Iterable[Reliance], mentioned: dict[str, list[str]]
    ) -> dict[Reliance, Place]:
        """Return which names to come are taken, which that go are missed, and where."""
        found = {}
        for one in reliances:
            place = self._taken(one, mentioned) if one.makes else None
            place = self._missed(one, mentioned) if one.goes else place
            if place is not None:
                found[one] = place
        return found

    def _missed(self, gone: Reliance, mentioned: dict[str, list[str]]) -> Place | None:
        """Return where another file reads a variable of a module that gets no value any more."""
        for path in mentioned.get(gone.name, ()):
            if path != gone.path and self._may_read(path, gone):
                return self._mention(path, gone.name)
        return None

    def _may_read(self, path: str, variable: Reliance) -> bool:
        """Tell whether a file takes a variable of a module, or perhaps, if it cannot be read."""
        if path not in self._importers.of(variable.path):
            return False
        outlined = self._repository.outline(path)
        if outlined is None:
            return self._names_module(path, variable.path)
        for name in (*outlined.imports, *outlined.mentions[""]):
            found = self._repository.named(path, name)
            if found is not None and (found[0], *found[1][:1]) == (variable.path, variable.name):
                return True
        return False

    def _mention(self, path: str, name: str) -> Place:
        before = (self._repository.glance(path) or b"").partition(name.encode())[0]
        return _at(path, before.count(b"\n") + 1)

    def _replaced(self, path: str, relied: Reliance) -> Place | None:
        """Return where a file stores an attribute of the name, or a test puts something there.

        Stores in the module itself are seen where its code is judged.
        """
        if path not in self._importers.of(relied.path) and not self._names_dotted(path, relied):
            return None
        outlined = self._repository.outline(path)
        if outlined is None:
            return _at(path, 1) if self._names_module(path, relied.path) else None
        knows = path == relied.path or self._imports(path, relied.path)
        line = outlined.stored.get(relied.name)
        if line is not None and knows and path != relied.path:
            return _at(path, line)
        for text, line in outlined.replaced.items():
            module, _, last = text.rpartition(".")
            if last != relied.name:
                continue
            resolved = self._repository.dotted(path, text) if module else None
            if resolved[0] == relied.path if resolved is not None else knows and not module:
                return _at(path, line)
        return None

    def _names_dotted(self, path: str, relied: Reliance) -> bool:
        """Tell whether a file has a text like ``"app.storage.upload"``."""
        dotted = rb"['\"][\w.]+\.%b['\"]" % re.escape(relied.name.encode())
        return re.search(dotted, self._repository.glance(path) or b"") is not None

    def _names_module(self, path: str, module: str) -> bool:
        """Tell whether a file that cannot be read as Python may import a module."""
        folder, name = os.path.split(module.removesuffix(".py"))
        name = os.path.basename(folder) if name == "__init__" else name
        return name.encode() in (self._repository.glance(path) or b"")

    def _overridden(
        self, relied: Reliance, mentioned: dict[str, list[str]], files: list[str]
    ) -> Place | None:
        """Return where a class that is made from the owner gives the name another value."""
        owner = (relied.path, relied.owner)
        above = self._family(owner)
        named = mentioned.get(relied.name, ())
        paths = dict.fromkeys((*named, *mentioned.get(relied.owner, ())))
        for path in named:
            if self._may_derive(path, relied):
                return _at(path, 1)
        seen = {relied.owner}
        for _ in range(_GENERATIONS):
            made = [one for path in paths for one in self._made_from(path, owner)]
            for one in made:
                for member in sorted(self._family(one) - above):
                    outlined = self._class(member)
                    if outlined is not None and relied.name in outlined.bound:
                        return _at(member[0], outlined.bound[relied.name])
            further = {name for _, name in made} - seen
            if not further:
                return None
            seen |= further
            found = self._mentioning(further, files)
            paths = dict.fromkeys(path for name in found for path in found[name])
        return None

    def _may_derive(self, path: str, relied: Reliance) -> bool:
        """Tell whether a file that cannot be read as Python seems to have a class of the owner."""
        if path not in self._importers.of(relied.path):
            return False
        if self._repository.outline(path) is not None:
            return False
        content = self._repository.glance(path) or b""
        derived = rb"^\s*class\s+\w+\s*\([^)]*\b%b\b" % re.escape(relied.owner.encode())
        return re.search(derived, content, re.MULTILINE) is not None

    def _made_from(self, path: str, owner: _Class) -> Iterator[_Class]:
        if path not in self._importers.of(owner[0]):
            return
        if path not in self._derived:
            self._derived[path] = self._families_in(path)
        yield from self._derived[path].get(owner, ())

    def _families_in(self, path: str) -> dict[_Class, list[_Class]]:
        """Return the classes of a file by each of those that they are made from."""
        found: dict[_Class, list[_Class]] = {}
        if not _DERIVED.search(self._repository.glance(path) or b""):
            return found
        outlined = self._repository.outline(path)
        for name in outlined.classes if outlined is not None else ():
            for owner in self._family((path, name)) - {(path, name)}:
                found.setdefault(owner, []).append((path, name))
        return found

    def _family(self, made: _Class) -> frozenset[_Class]:
        """Return a class and those that it is made from, as far as they are in the repository."""
        found = self._families.get(made)
        if found is None:
            members = {made}
            stack = [made]
            while stack:
                path, name = stack.pop()
                outlined = self._class((path, name))
                for base in outlined.bases if outlined is not None else ():
                    one = self._base(path, base)
                    if one is not None and one not in members:
                        members.add(one)
                        stack.append(one)
            found = self._families[made] = frozenset(members)
        return found

    def _class(self, made: _Class) -> ClassOutline | None:
        outlined = self._repository.outline(made[0])
        return outlined.classes.get(made[1]) if outlined is not None else None

    def _base(self, path: str, name: str) -> _Class | None:
        outlined = self._repository.outline(path)
        assert outlined is not None
        first, _, rest = name.partition(".")
        if not rest and first in outlined.classes and first not in outlined.imports:
            return path, first
        resolved = self._repository.named(path, name)
        return (resolved[0], resolved[1][0]) if resolved and len(resolved[1]) == 1 else None


def _paths(root: str, wanted: Callable[[str], bool]) -> set[str]:
    """Return the files in and below a folder as reports have them."""
    every, _ = list_files(root, wanted)
    places: dict[str, str] = {}
    found: set[str] = set()
    for path in every:
        folder, name = os.path.split(path)
        if folder not in places:
            place = relative(folder)
            places[folder] = "" if place == os.curdir else f"{place}/"
        if not os.path.islink(path):
            found.add(places[folder] + name)
    return found


def _is_test(path: str) -> bool:
    """Tell whether a file is for tests, by its name or that of its folder."""
    folder, name = os.path.split(path)
    is_named = name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"
    return is_named or not {"test", "tests"}.isdisjoint(folder.split("/"))


def _is_replaced(content: bytes, name: re.Match[bytes]) -> bool:
    """Tell whether a name looks as if it is stored, or written where something replaces it."""
    start, end = name.span()
    return any(
        after.match(content, end) and before.search(content, max(0, start - _NEAR), start)
        for before, after in (_STORED, _WRITTEN)
    )


def _at(path: str, line: int) -> Place:
    return Place(path, line, 1, line, 1)
