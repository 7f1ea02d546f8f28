"""What goes where in the rewritten code: which form, and what moves with the upload."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from codemod.assignments import targets
from codemod.facts import Facts
from codemod.stand_ins import StandIn
from codemod.tree import LineOrCompound
from codemod.visibility import Fate, Visibility


class Form(enum.Enum):
    """The shapes that rewritten code has."""

    BRANCH = "branch"
    EARLY = "early"
    REQUEST = "request"


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the parts of one rewrite go.

    Attributes:
        form: Whether the call stands in both branches of the guard, is returned in front of code
            that stays as it is, or takes a dictionary.
        uploading: The statement that uploads; the guard takes its place.
        announcing: Log lines before it that say that something is going to be uploaded.
        attached: Statements after it that only make sense if something was uploaded.
        hoisted: Assignments that move in front of the guard because both routes need them.
        dropped: Assignments that nothing reads any more.
        late: Assignments after the upload that make the URI of what it returns.
        location: What ``InputLocation`` gets on the S3 route of the request form.
        location_is_result: Whether ``location`` is only known after the upload.
        default_before: The ``try`` or ``with`` that may swallow an upload error; the S3 route is
            then chosen in front of it, so that the dictionary is always there.
        stand_ins: What the inline route gives to names that the upload binds.
        told: Those of the attached statements that tell of these, and stand on both routes.
    """

    form: Form
    uploading: LineOrCompound
    announcing: tuple[LineOrCompound, ...] = ()
    attached: tuple[LineOrCompound, ...] = ()
    hoisted: tuple[cst.SimpleStatementLine, ...] = ()
    dropped: tuple[cst.SimpleStatementLine, ...] = ()
    late: tuple[cst.SimpleStatementLine, ...] = ()
    location: cst.BaseExpression | None = None
    location_is_result: bool = False
    default_before: cst.BaseCompoundStatement | None = None
    stand_ins: tuple[StandIn, ...] = ()
    told: tuple[LineOrCompound, ...] = ()


def fates_left(
    seen: Visibility, layout: Layout, facts: Facts
) -> list[tuple[Fate, cst.CSTNode, str]]:
    """Return the uses of the object that stay outside of the S3 route."""
    return [
        (use.fate, use.node, use.what)
        for use in seen.uses
        if not any(facts.index.inside(use.node, statement) for statement in layout.attached)
    ]


def gone(facts: Facts, layout: Layout) -> Iterator[cst.Name]:
    """Yield the variables of a module that get a value on the S3 route only."""
    if isinstance(facts.index.function(layout.uploading), cst.Module):
        for one in (layout.uploading, *layout.attached, *layout.late, *layout.dropped):
            yield from targets(one)
