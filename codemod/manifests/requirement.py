"""A requirement as a manifest writes it: where it stands and what must not be touched about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from packaging.markers import InvalidMarker, Marker

from codemod.manifests.sdk import FIRST_PYTHON, FLOOR, concerns, normalised
from codemod.manifests.specifiers import Dialect


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a requirement that should be raised is not: a reason of ``SAI011``, and what to do.

    ``by_hand`` is the exact command or edit.
    """

    reason: str
    by_hand: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement; all numbers are offsets in the text of the manifest.

    Attributes:
        name: The package's name as it is written.
        start: Where the requirement begins, for the report.
        end: Where it ends, without marker, options and comment.
        specifier: The span of the version specifier, empty where one would have to be put.
        dialect: Whose rules the specifier follows.
        hindrance: Why it is not to be raised, whatever it says.
        version: For a requirement without specifier, such as a URL, the version it leads to.
        quote: What to put around the requirement if the raised one has characters that a shell
            would interpret, and it is not in quotes yet.
        notes: What the user should know although raising it is right.
    """

    name: str
    start: int
    end: int
    specifier: tuple[int, int]
    dialect: Dialect = Dialect.PEP440
    hindrance: Hindrance | None = None
    version: str | None = None
    quote: str | None = None
    notes: tuple[str, ...] = ()


_NAME = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\s*\[[^\]]*\])?(?P<tail>.*)",
    re.DOTALL,
)
_MARKER = re.compile(r"\s*;(?P<marker>.*)", re.DOTALL)
_IN_PARENTHESES = re.compile(r"\s*\((?P<inner>[^()]*)\)\s*")
_VARIABLE = re.compile(r"[A-Za-z_]+(?=\s*(?:[<>=!~]|\bin\b|\bnot\b))")

#: The package and the version in the address of an archive or a repository.
_IN_URL = re.compile(
    r"(?:#|&)egg=(?P<egg>[\w.-]+)|/(?P<name>(?:aio)?boto(?:3|core)(?:-stubs)?)(?=[-@.#/?]|$)",
    re.IGNORECASE,
)
_URL_VERSION = re.compile(r"(?:-|@v?|/v?)(?P<version>\d+\.\d+\.\d+)(?![\d.]*\d)")
_URL = re.compile(r"\s*(?:(?:git|hg|svn|bzr)\+\w+|https?|ftp|file)://\S+")


def pep508(text: str, start: int, end: int) -> Requirement | None:
    """Read the requirement that ``text[start:end]`` holds (PEP 508, and pip's bare URLs).

    Returns:
        ``None`` if it does not concern the SDK.
    """
    written = text[start:end]
    url = _URL.match(written)
    if url is not None:
        return _bare_url(url, start)
    match = _NAME.fullmatch(written)
    if match is None or not concerns(match["name"]):
        return None
    name, tail, after = match["name"], match["tail"], start + match.start("tail")
    begin = start + match.start("name")
    if tail.lstrip().startswith("@"):
        return _direct(name, tail, begin, after)
    marker = _MARKER.search(tail)
    if marker is not None:
        tail = tail[: marker.start()]
    inner = _IN_PARENTHESES.fullmatch(tail)
    if inner is not None:
        specifier = _stripped(inner["inner"], after + inner.start("inner"))
        finish = after + len(tail.rstrip())
    else:
        specifier = _stripped(tail, after)
        finish = specifier[1]
    hindrance = None
    if marker is not None and _only_for_old_pythons(marker["marker"]):
        hindrance = too_old(marker["marker"].strip())
    return Requirement(name, begin, finish, specifier, hindrance=hindrance)


def from_url(name: str, url: str, start: int, end: int) -> Requirement:
    """Make the requirement of a package that a URL, path or repository is given for."""
    version = _URL_VERSION.search(url)
    return Requirement(
        name,
        start,
        end,
        (end, end),
        hindrance=Hindrance(
            "url-requirement",
            f"point it at version {FLOOR} or newer, or write `{name}>={FLOOR}`",
        ),
        version=version["version"] if version else None,
    )


def too_old(pythons: str) -> Hindrance:
    """Say that a requirement is only for ``pythons``, which the SDK does not run on."""
    by_hand = "drop support for those Pythons, or send nothing inline on them"
    return Hindrance("python-too-old", by_hand, pythons)


def in_environment(
    requirements: Iterable[Requirement], major: int, minor: int
) -> Iterator[Requirement]:
    """Yield the requirements of an environment, for which that may have too old a Python."""
    is_too_old = (major, minor) < FIRST_PYTHON
    for one in requirements:
        hindrance = too_old(f"Python {major}.{minor}") if is_too_old else one.hindrance
        yield replace(one, hindrance=hindrance)


def _direct(name: str, tail: str, begin: int, after: int) -> Requirement:
    """Read ``name @ URL``; a blank and a semicolon end the URL."""
    url = re.split(r"\s;", tail, maxsplit=1)[0].rstrip()
    return from_url(name, url, begin, after + len(url))


def _bare_url(url: re.Match[str], start: int) -> Requirement | None:
    address = url[0].strip()
    begin = start + url.end() - len(address)
    named = list(_IN_URL.finditer(address))
    if not named:
        return None
    name = normalised(named[-1]["egg"] or named[-1]["name"])
    return from_url(name, address, begin, begin + len(address)) if concerns(name) else None


def _stripped(written: str, offset: int) -> tuple[int, int]:
    """Return the span of ``written`` without blanks around it; all blanks are an empty one."""
    inner = written.strip()
    if not inner:
        return offset, offset
    begin = offset + len(written) - len(written.lstrip())
    return begin, begin + len(inner)


def _only_for_old_pythons(marker: str) -> bool:
    """Whether no Python that the SDK runs on is meant, as far as that can be said."""
    if not set(_VARIABLE.findall(marker)) <= {"python_version", "python_full_version", "and", "or"}:
        return False
    try:
        parsed = Marker(marker.strip())
    except InvalidMarker:
        return False
    major, minor = FIRST_PYTHON
    return not any(
        parsed.evaluate(
            {
                "python_version": f"{major}.{minor + step}",
                "python_full_version": f"{major}.{minor + step}.{patch}",
            }
        )
        for step in range(20)
        for patch in (0, 99)
    )
