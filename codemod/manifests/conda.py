"""Environments of conda: ``environment*.yml`` with its section for pip.

Read line by line, as everybody writes them; lists in brackets are not looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemod.manifests import requirements
from codemod.manifests.requirement import Hindrance, Requirement, in_environment, pep508
from codemod.manifests.sdk import FLOOR, concerns, normalised
from codemod.manifests.specifiers import Dialect

_LINE = re.compile(r"[^\r\n]+")
_KEY = re.compile(r"(?P<key>[\w-]+)\s*:")
_ITEM = re.compile(
    r"(?P<indent>[ ]*)-[ ]+(?P<quote>[\"']?)(?P<written>.*?)(?P=quote)[ \t]*(?:[ \t]#.*)?"
)
_MATCH = re.compile(
    r"(?:[^\s:]+::)?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?P<specifier>(?:[ \t=<>!~\[].*)?)"
)
_PYTHON = re.compile(r"(?:[^\s:]+::)?python[ \t]*={1,2}[ \t]*(\d)\.(\d+)(?![\d|,]).*")
_BUILD = re.compile(r"=*[ \t]*[\w.+*!]+(?:=|[ \t]+)[\w.*]+")


def find(text: str) -> Iterator[Requirement]:
    """Yield the requirements in ``text`` that concern the SDK."""
    found = _found(text)
    python = next(
        (told for start, end, _ in _items(text) if (told := _PYTHON.fullmatch(text, start, end))),
        None,
    )
    yield from found if python is None else in_environment(found, int(python[1]), int(python[2]))


def _found(text: str) -> Iterator[Requirement]:
    for start, end, for_pip in _items(text):
        requirement = pep508(text, start, end) if for_pip else _match(text, start, end)
        if requirement is not None:
            yield requirement


def includes(text: str) -> Iterator[str]:
    """Yield the paths of the lists for pip that ``text`` includes."""
    for start, end, for_pip in _items(text):
        if for_pip:
            yield from requirements.includes(text[start:end])


def _items(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield the span of each dependency, and whether it is one for pip."""
    listing, pip_indent = False, None
    for line in _LINE.finditer(text):
        key = _KEY.match(line[0])
        if key is not None:
            listing, pip_indent = key["key"] == "dependencies", None
            continue
        item = _ITEM.fullmatch(line[0])
        if not listing or item is None:
            continue
        indent = len(item["indent"])
        if pip_indent is not None and indent <= pip_indent:
            pip_indent = None
        if re.fullmatch(r"pip\s*:", item["written"]):
            pip_indent = indent
            continue
        start, end = (line.start() + offset for offset in item.span("written"))
        yield start, end, pip_indent is not None


def _match(text: str, start: int, end: int) -> Requirement | None:
    match = _MATCH.fullmatch(text, start, end)
    if match is None or not concerns(match["name"]):
        return None
    name, specifier = match["name"], match["specifier"].strip()
    hindrance = None
    if specifier.startswith("[") or _BUILD.fullmatch(specifier):
        edit = f"write `{normalised(name)}>={FLOOR}`"
        hindrance = Hindrance("specifier-unclear", edit, specifier)
    span = (match.end() - len(specifier), match.end())
    return Requirement(name, match.start("name"), end, span, Dialect.CONDA, hindrance=hindrance)
