"""The modules that must be read together with one: those through which it uploads, for one."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator

from codemod.inputs import METHOD
from codemod.repository import Repository

#: How many modules an import may be handed through, and a call by functions of several modules.
_DEPTH = 6
#: A call with a body, or what is said of one that is given a dictionary.
_SENDING = re.compile(rb"%b\b[^)]{0,500}\bBody\s*=|['\"]Body['\"]" % METHOD.encode())
_DECIDING = re.compile(_SENDING.pattern + rb"|\blen\(|\bgetsize|\bst_size\b|\bnbytes\b|\.tell\(")
#: In a folder with more modules nobody looks further.
_MOST_NEIGHBOURS = 200


def uploading(repository: Repository, path: str, source: bytes | str | None = None) -> list[str]:
    """Return the modules with functions through which a module may upload, itself left out.

    Args:
        path: The module.
        source: Its text, where that is not what the file holds.
    """
    if source is not None:
        repository.take(path, source)
    found: dict[str, None] = {}
    _reaches(repository, path, "", _DEPTH, {}, found)
    found.pop(path, None)
    return list(found)


def deciding(repository: Repository, path: str) -> list[str]:
    """Return the modules that one imports something from to send a body, or to measure it."""
    return [
        one
        for one in sorted(repository.imported(path))
        if one != path and _DECIDING.search(repository.glance(one) or b"")
    ]


def sending_in(repository: Repository, folder: str) -> list[str]:
    """Return the modules of a folder that may send a body."""
    paths = (repository.plain(os.path.join(folder, name)) for name in _modules_in(folder))
    return [path for path in paths if _may_send(repository, path)]


def _modules_in(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(name for name in names if name.endswith(".py"))[:_MOST_NEIGHBOURS]


def _may_send(repository: Repository, path: str) -> bool:
    content = repository.glance(path) or b""
    return METHOD.encode() in content and _SENDING.search(content) is not None


def with_fixtures(repository: Repository, path: str) -> Iterator[str]:
    """Yield the modules with the fixtures of a test that upload something."""
    folder, file = os.path.split(path)
    top = repository.root(path)
    while file.startswith("test_") or file.endswith("_test.py"):
        fixtures = f"{folder}/conftest.py" if folder else "conftest.py"
        outlined = repository.outline(fixtures)
        if outlined is not None and outlined.uploading:
            yield fixtures
        if os.path.abspath(folder) == top or not folder:
            return
        folder = os.path.dirname(folder)


def read_from(repository: Repository, path: str, name: str) -> list[str]:
    """Return the modules that say what happens if a file reads a dotted name that it imports.

    That is nothing, but for functions and for properties of objects.
    """
    found = repository.named(path, name)
    return _asked(repository, *found) if found is not None else []


def having(repository: Repository, path: str, members: Collection[str]) -> Iterator[str]:
    """Yield the modules of the classes with one of some members that a file mentions."""
    outlined = repository.outline(path)
    for name in sorted(outlined.mentions[""]) if outlined is not None else ():
        found = repository.named(path, name)
        other = repository.outline(found[0]) if found is not None and len(found[1]) == 1 else None
        if found is None or other is None or found[1][0] not in other.classes:
            continue
        if not other.classes[found[1][0]].bound.keys().isdisjoint(members):
            yield found[0]


def _asked(repository: Repository, path: str, names: tuple[str, ...]) -> list[str]:
    outlined = repository.outline(path)
    if outlined is None or not names:
        return []
    name, *read = names
    if not read:
        return [path] if name in outlined.functions else []
    made_of = (repository.named(path, one) for one in sorted(outlined.mentions.get(name, ())))
    places = [path, *(one[0] for one in made_of if one is not None)]
    return [one for one in dict.fromkeys(places) if _has_getter(repository, one, read)]


def _has_getter(repository: Repository, path: str, names: list[str]) -> bool:
    outlined = repository.outline(path)
    classes = outlined.classes.values() if outlined is not None else ()
    return any(not one.getters.isdisjoint(names) for one in classes)


def _reaches(
    repository: Repository,
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
    outlined = repository.outline(path)
    if outlined is None or depth < 0:
        return False
    reaches = name in outlined.uploading
    serving: list[str] = []  # what the upload needs: the parts of its URI, a client
    for mention in sorted(outlined.mentions.get(name, ())):
        first = mention.partition(".")[0]
        if first in outlined.bound and first not in outlined.imports:
            into = bool(name) and _reaches(repository, path, first, depth, known, found)
        else:
            target = repository.named(path, mention)
            into = (
                target is not None
                and bool(target[1])
                and _reaches(repository, target[0], target[1][0], depth - 1, known, found)
            )
            if target is not None and name in outlined.uploading and name:
                serving += _asked(repository, *target)
        reaches = reaches or into
    for other, made in outlined.classes.items() if name in outlined.classes else ():
        if name in made.bases:  # what is given may be one of these
            reaches = _reaches(repository, path, other, depth, known, found) or reaches
    if reaches:
        found.update(dict.fromkeys((path, *serving)))
    known[path, name] = reaches
    return reaches
