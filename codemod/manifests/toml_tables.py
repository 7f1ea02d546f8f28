"""Requirements in TOML that are a table of names (Poetry, Pipenv) or an array of strings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from packaging.version import Version

from codemod.manifests.requirement import Hindrance, Requirement, from_url, pep508, too_old
from codemod.manifests.sdk import FIRST_PYTHON, FLOOR, concerns, normalised
from codemod.manifests.specifiers import (
    Dialect,
    Enough,
    Unclear,
    admits_from,
    lowest_admitted,
    parse,
    raise_specifier,
)
from codemod.manifests.toml_places import Document, Path, strings

#: What a package comes from instead of an index.
_SOURCES = ("git", "url", "path", "file", "hg", "svn")


def in_array(document: Document, text: str, path: Path) -> Iterator[Requirement]:
    """Yield the requirements of the array of PEP 508 strings at ``path``."""
    for place in strings(document, path):
        value = _at(document.content, place)
        read = pep508(value, 0, len(value))
        if read is None:
            continue
        span = document.span(place)
        if span is None:
            yield from _unreadable(read.name, value[slice(*read.specifier)], Dialect.PEP440, text)
        else:
            found = pep508(text, *span)
            assert found is not None
            yield found


def in_table(
    document: Document, text: str, path: tuple[str, ...], dialect: Dialect
) -> Iterator[Requirement]:
    """Yield the requirements of the table at ``path``, whose keys are names."""
    for name, value in document.table(*path).items():
        if not concerns(name):
            continue
        constraints = value if isinstance(value, list) else [value]
        for index, constraint in enumerate(constraints):
            place: Path = (*path, name, index) if isinstance(value, list) else (*path, name)
            yield from _constraint(document, text, place, name, constraint, dialect)


def _constraint(
    document: Document, text: str, place: Path, name: str, value: object, dialect: Dialect
) -> Iterator[Requirement]:
    source, version = None, value
    if isinstance(value, dict):
        key = next((key for key in (*_SOURCES, "version") if isinstance(value.get(key), str)), None)
        if key is None:
            return
        place, source, version = (*place, key), key if key in _SOURCES else None, value[key]
        reference = value.get("tag") or value.get("rev") or value.get("ref") or value.get("branch")
        url = f"{value[key]}@{reference}" if reference else str(value[key])
    elif not isinstance(value, str):
        return
    span = document.span(place)
    if span is None:
        yield from _unreadable(name, "" if source else str(version), dialect, text)
    elif source is not None:
        yield from_url(name, url, *span)
    else:
        requirement = Requirement(name, *span, _without_parentheses(text, *span), dialect)
        pythons = value.get("python") if isinstance(value, dict) else None
        if isinstance(pythons, str) and all_too_old(pythons):
            requirement = replace(requirement, hindrance=too_old(pythons))
        yield requirement


def all_too_old(pythons: str) -> bool:
    """Tell whether a specifier admits no Python that the SDK runs on."""
    clauses = parse(pythons, Dialect.POETRY)
    first = ".".join(map(str, (*FIRST_PYTHON, 0)))
    return not isinstance(clauses, Unclear) and not admits_from(clauses, first)


def python_note(supported: str) -> tuple[str, ...]:
    """Return a note if ``supported``, a specifier of Pythons, begins below those of the SDK."""
    clauses = parse(supported, Dialect.POETRY)
    lowest = None if isinstance(clauses, Unclear) else lowest_admitted(clauses)
    first = ".".join(map(str, FIRST_PYTHON))
    if lowest is None or lowest >= Version(first):
        return ()
    return (f"{FLOOR} runs on Python {first} and newer, and this project says {supported}",)


def _without_parentheses(text: str, start: int, end: int) -> tuple[int, int]:
    if text[start:end].startswith("(") and text[start:end].endswith(")"):
        return start + 1, end - 1
    return start, end


def _unreadable(name: str, specifier: str, dialect: Dialect, text: str) -> Iterator[Requirement]:
    """Yield the requirement of a string with escapes: its name shows where about it stands."""
    if isinstance(raise_specifier(specifier, dialect), Enough):
        return
    start = max(text.lower().find(name.lower()), 0)
    edit = f"write `{normalised(name)}>={FLOOR}` without escapes"
    hindrance = Hindrance("specifier-unclear", edit, "a string with escapes")
    yield Requirement(name, start, start + len(name), (start, start), hindrance=hindrance)


def _at(content: Any, path: Path) -> Any:
    for step in path:
        content = content[step]
    return content
