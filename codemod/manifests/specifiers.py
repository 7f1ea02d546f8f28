"""Raise one version specifier to the floor, and keep the rest of it as it is written.

What a clause means: PEP 440, Poetry's "Dependency specification" and conda's "Package match
specifications".
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from packaging.version import Version

from codemod.manifests.sdk import FLOOR


class Dialect(enum.Enum):
    """Whose rules a specifier follows."""

    PEP440 = "PEP 440"
    POETRY = "Poetry"
    CONDA = "conda"


class Shape(enum.Enum):
    """What a clause does to the range of versions."""

    OPEN = "a lower bound"
    PIN = "one version"
    SERIES = "a lower bound and an upper one that follows from it"
    BOUND = "an upper bound or an exclusion"
    ANY = "nothing"


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause, such as ``>= 1.34``, with its offsets in the specifier.

    ``lower`` is the lowest version it admits, or for ``>`` the one it is greater than; ``upper``
    is what all versions of a series are below.
    """

    operator: str
    gap: str
    version: str
    start: int
    end: int
    shape: Shape
    lower: Version | None = None
    upper: Version | None = None

    def admits(self, version: Version) -> bool:
        """Whether ``version``, a final release, is within the clause."""
        if self.shape is Shape.ANY:
            return True
        if self.shape is Shape.SERIES:
            assert self.lower is not None
            assert self.upper is not None
            return self.lower <= version < self.upper
        star = self.version.endswith(".*")
        stated = Version(self.version.removesuffix(".*"))
        if self.operator == "!=" and star:
            return version.release[: len(stated.release)] != stated.release
        return {
            ">=": version >= stated,
            ">": version > stated,
            "<=": version <= stated,
            "<": version < stated,
            "!=": version != stated,
        }.get(self.operator, version == stated)


@dataclass(frozen=True, slots=True)
class Enough:
    """No version below the floor is admitted."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The specifier with the floor in it."""

    text: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """The specifier cannot be understood; ``detail`` says what stands in the way."""

    detail: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """The clause that rules out the floor and everything above."""

    clause: str


Outcome = Enough | Raised | Unclear | Excluded

_CLAUSE = re.compile(
    r"(?P<operator>===|~=|==|!=|<=|>=|<|>|\^|~|=)?(?P<gap>\s*)(?P<version>[\w.+*!-]+)"
)
_PLAIN_OPERATORS = frozenset({"==", "!=", "<=", ">=", "<", ">", "~="})
_OPERATORS = {
    Dialect.PEP440: _PLAIN_OPERATORS | {"==="},
    Dialect.POETRY: _PLAIN_OPERATORS | {"", "=", "^", "~"},
    Dialect.CONDA: _PLAIN_OPERATORS | {"", "="},
}
_SEPARATOR = {
    Dialect.PEP440: re.compile(r"\s*,\s*"),
    Dialect.POETRY: re.compile(r"\s*,\s*|\s+"),
    Dialect.CONDA: re.compile(r"\s*,\s*"),
}


def raise_specifier(specifier: str, dialect: Dialect, floor: str = FLOOR) -> Outcome:
    """Make ``specifier`` admit no version below ``floor``.

    Args:
        specifier: The text after the package's name, such as ``>=1.34, <2``; empty for any
            version. Blanks around it are kept.
        dialect: Whose rules it follows.
        floor: The lowest version to admit, with three components.

    Returns:
        ``Raised`` with one clause replaced or added and all others as they were, or why nothing
        has to be or can be done.
    """
    if any(sign in specifier for sign in "|$`{"):
        return _alternatives(specifier, dialect, floor)
    clauses = parse(specifier, dialect)
    if isinstance(clauses, Unclear):
        return clauses
    lowest = Version(floor)
    if any(clause.lower is not None and clause.lower >= lowest for clause in clauses):
        return Enough()
    raised = _raised(specifier, clauses, dialect, floor)
    if isinstance(raised, Raised):
        now = parse(raised.text, dialect)
        assert not isinstance(now, Unclear), raised.text
        if not admits_from(now, floor):
            return Excluded(_culprit(now, raised.text, floor))
    return raised


def parse(specifier: str, dialect: Dialect) -> tuple[Clause, ...] | Unclear:
    """Take a specifier apart."""
    clauses: list[Clause] = []
    position, end = len(specifier) - len(specifier.lstrip()), len(specifier.rstrip())
    while position < end:
        if clauses:
            separator = _SEPARATOR[dialect].match(specifier, position, end)
            if separator is None:
                return Unclear(specifier.strip())
            position = separator.end()
            if position == end:
                break
        match = _CLAUSE.match(specifier, position, end)
        clause = _clause(match, dialect) if match else None
        if clause is None:
            return Unclear(specifier.strip())
        clauses.append(clause)
        position = clause.end
    return tuple(clauses)


def admits_from(clauses: tuple[Clause, ...], floor: str) -> bool:
    """Whether any final release from ``floor`` on is within all of ``clauses``."""
    return any(
        all(clause.admits(version) for clause in clauses) for version in _candidates(clauses, floor)
    )


def lowest_admitted(clauses: tuple[Clause, ...]) -> Version | None:
    """Return the highest of the lower bounds, ``None`` if there is none."""
    return max((c.lower for c in clauses if c.lower is not None), default=None)


def _alternatives(specifier: str, dialect: Dialect, floor: str) -> Outcome:
    """Accept alternatives and nothing else: which of them to raise is not ours to say."""
    parts = re.split(r"\|\|?", specifier)
    outcomes = [
        Unclear(part) if re.search(r"[$`{]", part) else raise_specifier(part, dialect, floor)
        for part in parts
    ]
    if all(isinstance(outcome, Enough) for outcome in outcomes):
        return Enough()
    return Unclear(specifier.strip())


def _clause(match: re.Match[str], dialect: Dialect) -> Clause | None:
    operator, gap, version = match["operator"] or "", match["gap"], match["version"]
    start, end = match.span()
    if version == "*" and operator in ("", "==") and not gap:
        return Clause(operator, gap, version, start, end, Shape.ANY)
    if operator not in _OPERATORS[dialect]:
        return None
    star = version.endswith(".*")
    try:
        stated = Version(version.removesuffix(".*"))
    except ValueError:  # no version, or one with more digits than Python reads
        return None
    if stated.local or (star and operator in ("~=", "~", "^", "<", "<=", ">", ">=", "===")):
        return None
    shape, lower, upper = _meaning(operator, stated, star=star, dialect=dialect)
    if shape is None:
        return None
    return Clause(operator, gap, version, start, end, shape, lower, upper)


def _meaning(
    operator: str, stated: Version, *, star: bool, dialect: Dialect
) -> tuple[Shape | None, Version | None, Version | None]:
    release = stated.release
    match operator:
        case "!=" | "<" | "<=":
            return Shape.BOUND, None, None
        case ">=" | ">":
            return Shape.OPEN, stated, None
        case "~=":
            kept = release[:-1]
            return (Shape.SERIES, stated, _next(kept)) if kept else (None, None, None)
        case "~":
            return Shape.SERIES, stated, _next(release[:2])
        case "^":
            first = next((i for i, part in enumerate(release) if part), len(release) - 1)
            return Shape.SERIES, stated, _next(release[: first + 1])
    if star or (operator == "=" and dialect is Dialect.CONDA):
        return Shape.SERIES, stated, _next(release)
    return Shape.PIN, stated, None


def _next(release: tuple[int, ...]) -> Version:
    return Version(".".join(map(str, (*release[:-1], release[-1] + 1))))


def _raised(
    specifier: str, clauses: tuple[Clause, ...], dialect: Dialect, floor: str
) -> Raised | Unclear:
    lowest = Version(floor)
    capped = [c for c in clauses if c.shape is Shape.PIN or (c.upper and c.upper <= lowest)]
    wide = [c for c in clauses if c.upper is not None and c.upper > lowest]
    if len(capped) > 1:
        return Unclear(specifier.strip())
    for group in (capped, _of(clauses, Shape.OPEN), wide, _of(clauses, Shape.ANY)):
        if group:
            chosen = max(group, key=lambda clause: clause.lower or lowest)
            written = _replacement(chosen, clauses, dialect, floor)
            return Raised(specifier[: chosen.start] + written + specifier[chosen.end :])
    if not clauses:
        return Raised(f">={floor}{specifier}")
    # Only bounds and exclusions: the floor comes first, spaced as they are.
    first = clauses[0]
    added = f">={first.gap}{floor}{_comma(clauses)}"
    return Raised(specifier[: first.start] + added + specifier[first.start :])


def _of(clauses: tuple[Clause, ...], shape: Shape) -> list[Clause]:
    return [clause for clause in clauses if clause.shape is shape]


def _comma(clauses: tuple[Clause, ...]) -> str:
    spaced = clauses[0].gap or any(b.start - a.end > 1 for a, b in pairwise(clauses))
    return ", " if spaced else ","


def _replacement(clause: Clause, clauses: tuple[Clause, ...], dialect: Dialect, floor: str) -> str:
    if clause.shape in (Shape.OPEN, Shape.ANY):
        return f">={clause.gap}{floor}"
    if clause.shape is Shape.PIN:
        return f"{clause.operator}{clause.gap}{floor}"
    assert clause.upper is not None
    operator = clause.operator
    if clause.version.endswith(".*"):
        operator = {Dialect.PEP440: "~=", Dialect.POETRY: "~", Dialect.CONDA: "="}[dialect]
    written = f"{operator}{clause.gap}{floor}"
    now = parse(written, dialect)
    assert not isinstance(now, Unclear)
    if clause.upper <= Version(floor) or now[0].upper == clause.upper:
        return written
    return f">={clause.gap}{floor}{_comma(clauses)}<{clause.gap}{clause.upper}"


def _culprit(clauses: tuple[Clause, ...], text: str, floor: str) -> str:
    lowest = Version(floor)
    bounds = (clause for clause in clauses if clause.shape is Shape.BOUND)
    return next(text[clause.start : clause.end] for clause in bounds if not clause.admits(lowest))


def _candidates(clauses: tuple[Clause, ...], floor: str) -> Iterator[Version]:
    """Yield a version between any two places where the clauses could change their mind."""
    major, minor, patch = Version(floor).release[:3]
    yield Version(floor)
    yield from (Version(f"{major}.{minor}.{patch + step}") for step in range(1, len(clauses) + 2))
    yield from (Version(f"{major}.{minor + step}.0") for step in range(1, len(clauses) + 2))
    yield from (Version(f"{major + step}.0.0") for step in range(1, len(clauses) + 2))
    for clause in clauses:
        stated = clause.version.removesuffix(".*")
        if stated != "*" and Version(stated) >= Version(floor):
            yield Version(stated)
            yield _next(Version(stated).release)
