"""A raised specifier admits no version below the floor and keeps every other clause."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from codemod.manifests.requirement import pep508
from codemod.manifests.sdk import FLOOR
from codemod.manifests.specifiers import (
    Dialect,
    Enough,
    Excluded,
    Outcome,
    Raised,
    Unclear,
    parse,
    raise_specifier,
)

#: Versions around the floor, and far from it.
NUMBERS = st.one_of(
    st.tuples(st.integers(0, 3)),
    st.tuples(st.integers(0, 3), st.sampled_from([0, 9, 34, 42, 43, 44, 50])),
    st.tuples(
        st.integers(0, 3), st.sampled_from([0, 34, 42, 43, 44]), st.sampled_from([0, 28, 29, 30])
    ),
)
SUFFIXES = st.sampled_from(["", "", "", "", "rc1", ".dev1", ".post1"])
BLANKS = st.sampled_from(["", "", " "])

PROBES = [
    Version(f"{major}.{minor}.{patch}{suffix}")
    for major in range(4)
    for minor in (0, 9, 10, 33, 34, 35, 42, 43, 44, 45, 50, 51)
    for patch in (0, 1, 28, 29, 30, 31)
    for suffix in ("", "rc1", ".post1")
]


@st.composite
def clauses(draw: st.DrawFn, operators: tuple[str, ...]) -> str:
    operator = draw(st.sampled_from(operators))
    number = ".".join(map(str, draw(NUMBERS)))
    if operator.rstrip("=") in ("=", "!", "") and draw(st.booleans()) and operator != "===":
        return f"{operator}{draw(BLANKS)}{number}.*"
    if operator == "~=" and "." not in number:
        number += ".0"
    return f"{operator}{draw(BLANKS)}{number}{draw(SUFFIXES)}"


@st.composite
def pep440(draw: st.DrawFn) -> str:
    written = draw(
        st.lists(clauses((">=", ">", "==", "===", "~=", "<", "<=", "!=")), max_size=4, unique=True)
    )
    comma = draw(st.sampled_from([",", ", ", " , "]))
    return draw(BLANKS) + comma.join(written) + draw(BLANKS)


def lowest(outcome: Outcome, before: str) -> str:
    return outcome.text if isinstance(outcome, Raised) else before


@given(pep440())
def test_a_raised_specifier_admits_nothing_below_the_floor(specifier: str) -> None:
    outcome = raise_specifier(specifier, Dialect.PEP440)
    assume(isinstance(outcome, (Raised, Enough)))
    admitted = SpecifierSet(lowest(outcome, specifier), prereleases=True)
    below = [probe for probe in PROBES if probe < Version(FLOOR) and probe in admitted]
    assert below == []


@given(pep440())
def test_a_raised_specifier_admits_something(specifier: str) -> None:
    outcome = raise_specifier(specifier, Dialect.PEP440)
    assume(isinstance(outcome, Raised))
    admitted = SpecifierSet(lowest(outcome, specifier))
    assert any(probe in admitted for probe in [*PROBES, Version("1.43.32"), Version("4.0")])


@given(pep440())
def test_every_other_clause_is_kept(specifier: str) -> None:
    outcome = raise_specifier(specifier, Dialect.PEP440)
    assume(isinstance(outcome, Raised))
    before = Counter(part.strip() for part in specifier.split(",") if part.strip())
    after = Counter(part.strip() for part in lowest(outcome, specifier).split(","))
    gone, added = before - after, after - before
    assert gone.total() <= 1
    assert any(part.replace(" ", "").endswith(FLOOR) for part in added)
    # Where a bound follows from the clause that was raised, it is written out.
    assert added.total() == 1 or (added.total() == 2 and any("<" in part for part in added))


WIDE = st.sampled_from(["~=1.34", "~=1.0", "==1.*", "~=1.43.0", "==1.43.*", "~=1.43.28"])


@given(WIDE, pep440())
def test_an_upper_bound_is_never_lifted(wide: str, others: str) -> None:
    specifier = f"{wide},{others}"
    outcome = raise_specifier(specifier, Dialect.PEP440)
    assume(isinstance(outcome, Raised))
    parsed = parse(specifier, Dialect.PEP440)
    assert not isinstance(parsed, Unclear)
    bounds = [c.upper for c in parsed if c.upper is not None and c.upper > Version(FLOOR)]
    after = SpecifierSet(lowest(outcome, specifier), prereleases=True)
    assert [p for p in PROBES if not p.is_prerelease and p >= min(bounds) and p in after] == []


@given(pep440())
def test_raising_twice_changes_nothing(specifier: str) -> None:
    outcome = raise_specifier(specifier, Dialect.PEP440)
    assume(isinstance(outcome, Raised))
    assert raise_specifier(lowest(outcome, specifier), Dialect.PEP440) == Enough()


@given(pep440(), st.sampled_from(["", "[crt]", " [a, b]"]), st.sampled_from(["", "; x", " ;y"]))
def test_a_requirement_is_found_in_its_text(specifier: str, extras: str, marker: str) -> None:
    text = f" boto3{extras}{specifier}{marker}"
    found = pep508(text, 0, len(text))
    assert found is not None
    assert text[slice(*found.specifier)] == specifier.strip()
    assert text[found.start : found.start + 5] == "boto3"


@st.composite
def loose(draw: st.DrawFn) -> str:
    operators = ("", "=", "==", "^", "~", ">=", ">", "<", "<=", "!=", "~=")
    written = draw(st.lists(clauses(operators), max_size=3, unique=True))
    return draw(st.sampled_from([",", ", ", " "])).join(written)


@given(loose(), st.sampled_from(list(Dialect)))
def test_other_dialects_admit_nothing_below_the_floor(specifier: str, dialect: Dialect) -> None:
    outcome = raise_specifier(specifier, dialect)
    assume(isinstance(outcome, Raised))
    parsed = parse(lowest(outcome, specifier), dialect)
    assert not isinstance(parsed, Unclear)
    finals = [probe for probe in PROBES if not probe.is_prerelease and not probe.is_postrelease]
    admitted = [p for p in finals if all(clause.admits(p) for clause in parsed)]
    assert [probe for probe in admitted if probe < Version(FLOOR)] == []
    assert raise_specifier(lowest(outcome, specifier), dialect) == Enough()


@given(st.text(max_size=20), st.sampled_from(list(Dialect)))
def test_any_text_has_an_outcome(specifier: str, dialect: Dialect) -> None:
    outcome = raise_specifier(specifier, dialect)
    assert isinstance(outcome, (Enough, Raised, Unclear, Excluded))


@pytest.mark.parametrize(
    ("dialect", "specifier", "raised"),
    [
        (Dialect.PEP440, "", ">=1.43.29"),
        (Dialect.PEP440, "*", ">=1.43.29"),
        (Dialect.PEP440, "~=1.34.0", "~=1.43.29"),
        (Dialect.PEP440, "~=1.34", ">=1.43.29,<2"),
        (Dialect.PEP440, "~=1.43.0", "~=1.43.29"),
        (Dialect.PEP440, "==1.43.*", "~=1.43.29"),
        (Dialect.PEP440, ">1.43.28", ">=1.43.29"),
        (Dialect.PEP440, "<2,!=1.40.1", ">=1.43.29,<2,!=1.40.1"),
        (Dialect.PEP440, "< 2", ">= 1.43.29, < 2"),
        (Dialect.PEP440, ">=1.20,>=1.34,", ">=1.20,>=1.43.29,"),
        (Dialect.PEP440, "<=1.43.29", ">=1.43.29,<=1.43.29"),
        (Dialect.POETRY, ">=1.34,*", ">=1.43.29,*"),
        (Dialect.POETRY, "^1.34", "^1.43.29"),
        (Dialect.POETRY, "^1", "^1.43.29"),
        (Dialect.POETRY, "^0.9", "^1.43.29"),
        (Dialect.POETRY, "~1.34", "~1.43.29"),
        (Dialect.POETRY, "~1", ">=1.43.29,<2"),
        (Dialect.POETRY, "1.34.0", "1.43.29"),
        (Dialect.POETRY, "=1.34.0", "=1.43.29"),
        (Dialect.POETRY, "1.*", ">=1.43.29,<2"),
        (Dialect.POETRY, ">=1.34 <2", ">=1.43.29 <2"),
        (Dialect.CONDA, "=1.34", "=1.43.29"),
        (Dialect.CONDA, "=1.43", ">=1.43.29,<1.44"),
        (Dialect.CONDA, "1.34", "1.43.29"),
        (Dialect.CONDA, "==1.34.*", "=1.43.29"),
    ],
)
def test_examples(dialect: Dialect, specifier: str, raised: str) -> None:
    assert raise_specifier(specifier, dialect) == Raised(raised)


@pytest.mark.parametrize(
    ("dialect", "specifier"),
    [
        (Dialect.PEP440, "1.34"),
        (Dialect.PEP440, "^1.34"),
        (Dialect.PEP440, "~=1"),
        (Dialect.PEP440, ">=1.34.*"),
        (Dialect.PEP440, ">=1.34 <2"),
        (Dialect.PEP440, "==1.34.0,~=1.34.0"),
        (Dialect.PEP440, "==1.34.0+local"),
        (Dialect.PEP440, "==$VERSION"),
        (Dialect.POETRY, "^1.34 || ^2"),
        (Dialect.POETRY, "^1.44 || ${{ version }}"),
        (Dialect.CONDA, ">=1.34|<1.20"),
        (Dialect.CONDA, "===1.34"),
        (Dialect.POETRY, "~1.*"),
    ],
)
def test_what_is_not_understood(dialect: Dialect, specifier: str) -> None:
    assert raise_specifier(specifier, dialect) == Unclear(specifier)


@pytest.mark.parametrize(
    ("specifier", "clause"),
    [
        (">=1.34,<1.35", "<1.35"),
        ("<1.43.29", "<1.43.29"),
        ("<=1.43.28", "<=1.43.28"),
        ("==1.34.0,<1.40", "<1.40"),
        ("~=1.34.0,!=1.43.*", "!=1.43.*"),
        ("==1.34.0,!=1.43.29", "!=1.43.29"),
    ],
)
def test_what_rules_out_the_floor(specifier: str, clause: str) -> None:
    assert raise_specifier(specifier, Dialect.PEP440) == Excluded(clause)


def test_alternatives_that_are_all_high_enough() -> None:
    assert raise_specifier("^1.44 || ^2", Dialect.POETRY) == Enough()


def test_the_floor_is_a_version_with_three_parts() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", FLOOR)
