"""Every requirement of the SDK gets one verdict: high enough, to be raised, or by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.version import Version

from codemod.manifests import sdk
from codemod.manifests.requirement import Hindrance, Requirement
from codemod.manifests.sdk import FLOOR, PACKAGES, normalised
from codemod.manifests.specifiers import (
    Dialect,
    Enough,
    Excluded,
    Raised,
    Unclear,
    admits_from,
    lowest_admitted,
    parse,
    raise_specifier,
)
from codemod.rules import REASONS


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``text[start:end]`` by ``new``."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Low:
    """A requirement that lets in an SDK without ``Body``.

    Exactly one of ``edit``, which raises it, and ``reason``, a slug of SAI011, is there.
    """

    requirement: Requirement
    message: str
    edit: Edit | None = None
    reason: str | None = None


def judge(text: str, requirements: Iterable[Requirement]) -> tuple[Low, ...]:
    """Return those of the requirements in ``text`` that are below the floor, in their order."""
    found = sorted(requirements, key=lambda requirement: requirement.start)
    has_floor = any(normalised(requirement.name) in ("boto3", "botocore") for requirement in found)
    return tuple(low for one in found for low in _judge(text, one, has_floor=has_floor))


def apply(text: str, lows: Iterable[Low]) -> str:
    """Return ``text`` with all requirements raised that can be."""
    edits = (low.edit for low in lows if low.edit is not None)
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


def _judge(text: str, requirement: Requirement, *, has_floor: bool) -> Iterator[Low]:
    if normalised(requirement.name) not in PACKAGES:
        yield from _conflict(text, requirement, has_floor=has_floor)
        return
    start, end = requirement.specifier
    specifier = text[start:end]
    if requirement.version is not None and Version(requirement.version) >= Version(FLOOR):
        return
    outcome = raise_specifier(specifier, requirement.dialect)
    if isinstance(outcome, Enough):
        return
    what = f"{_what(text, requirement)} lets in an SDK without Body"
    hindrance = requirement.hindrance or _hindrance(requirement, outcome)
    if hindrance is not None:
        yield Low(requirement, _refused(what, hindrance), reason=hindrance.reason)
        return
    assert isinstance(outcome, Raised)
    yield Low(
        requirement,
        f"{what}; raise it to {outcome.text}",
        edit=_edit(text, requirement, outcome.text),
    )


def _edit(text: str, requirement: Requirement, raised: str) -> Edit:
    start, end = requirement.specifier
    if requirement.quote is None or not any(sign in raised for sign in "<>!*^ "):
        return Edit(start, end, raised)
    before, after = text[requirement.start : start], text[end : requirement.end]
    quoted = f"{requirement.quote}{before}{raised}{after}{requirement.quote}"
    return Edit(requirement.start, requirement.end, quoted)


def _hindrance(requirement: Requirement, outcome: object) -> Hindrance | None:
    name = normalised(requirement.name)
    if isinstance(outcome, Excluded):
        edit = f"raise or drop `{outcome.clause}` and admit {FLOOR}, such as `{name}>={FLOOR}`"
        return Hindrance("upper-bound", edit, outcome.clause)
    if isinstance(outcome, Unclear):
        return Hindrance("specifier-unclear", f"write `{name}>={FLOOR}`", outcome.detail)
    return None


def _refused(what: str, hindrance: Hindrance) -> str:
    title = REASONS[hindrance.reason].title
    if hindrance.detail:
        title = title.format(detail=hindrance.detail)
    title = title.replace(" ({detail})", "")
    return f"{what}, and {title}; by hand: {hindrance.by_hand}"


def _what(text: str, requirement: Requirement) -> str:
    start, end = requirement.specifier
    if requirement.version is not None:
        return f"{requirement.name} {requirement.version}"
    if start == end and requirement.hindrance is not None:
        return requirement.name
    specifier = " ".join(text[start:end].split())
    if specifier in ("", "*"):
        return f"{requirement.name} without a version"
    blank = "" if specifier[0] in "<>=!~" and requirement.dialect is not Dialect.POETRY else " "
    return f"{requirement.name}{blank}{specifier}"


def _conflict(text: str, requirement: Requirement, *, has_floor: bool) -> Iterator[Low]:
    """Look at the packages that demand a botocore of their own choice."""
    start, end = requirement.specifier
    clauses = parse(text[start:end], requirement.dialect)
    lowest = None if isinstance(clauses, Unclear) else lowest_admitted(clauses)
    if requirement.version is not None:
        lowest = Version(requirement.version)
    if normalised(requirement.name) == sdk.AIOBOTO3:
        if lowest is None or lowest <= Version(sdk.LAST_AIOBOTO3):
            yield _low_conflict(
                text,
                requirement,
                f"pins botocore below {FLOOR} in every release up to {sdk.LAST_AIOBOTO3}",
                f"replace it by `aiobotocore>={sdk.FIRST_AIOBOTOCORE_THAT_GUARANTEES}`",
            )
        return
    if lowest is not None and lowest >= Version(sdk.FIRST_AIOBOTOCORE_THAT_GUARANTEES):
        return
    versions = (
        f"{sdk.FIRST_AIOBOTOCORE_THAT_GUARANTEES} and newer demand it, and"
        f" {sdk.FIRST_AIOBOTOCORE_THAT_ALLOWS} and 3.9 allow it"
    )
    by_hand = f"write `aiobotocore>={sdk.FIRST_AIOBOTOCORE_THAT_GUARANTEES}` ({versions})"
    if isinstance(clauses, Unclear) or requirement.version is not None:
        yield _low_conflict(text, requirement, f"may keep botocore below {FLOOR}", by_hand)
    elif not admits_from(clauses, f"{sdk.FIRST_AIOBOTOCORE_THAT_ALLOWS}.0"):
        yield _low_conflict(text, requirement, f"keeps botocore below {FLOOR}", by_hand)
    elif not has_floor:
        why = f"lets in a botocore below {FLOOR}, and nothing else here demands a newer one"
        yield _low_conflict(text, requirement, why, by_hand)


def _low_conflict(text: str, requirement: Requirement, why: str, by_hand: str) -> Low:
    message = f"{_what(text, requirement)} {why}; by hand: {by_hand}"
    return Low(requirement, message, reason="sdk-conflict")
