"""The guard that returns early, in front of code that stays as it is.

That is what is left to do where the call is only made if a check of the upload has passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import libcst as cst

from codemod.assignments import is_plain_assignment, targets
from codemod.attachments import announced_before, asked_for, belongs_to_upload
from codemod.facts import Facts
from codemod.inputs import Style
from codemod.layout import Form, Layout
from codemod.near import needs_upload
from codemod.outcomes import Outcomes
from codemod.pairing import Candidate
from codemod.structure import Step
from codemod.syntax import names_in
from codemod.tree import LineOrCompound
from codemod.visibility import Visibility


def returning_early(facts: Facts, candidate: Candidate, seen: Visibility) -> Layout | None:
    """Lay out a guard that returns the call's result; ``None`` if one of the checks may do more."""
    index, upload = facts.index, candidate.upload
    uploading = index.statement(upload.uploading)
    call, reach = candidate.calls[0], candidate.spans[0]
    calling = index.statement(call.invocation.carrier)
    way = reach.down_to_last
    if len(candidate.calls) != 1 or not way or reach.down_to_first or candidate.is_nested:
        return None
    if not _only_returns(calling) or call.style not in (Style.KEYWORD, Style.FUNCTION):
        return None
    if index.is_deferred(call.invocation.whole, index.function(upload.uploading)):
        return None
    outcomes = Outcomes(facts, candidate)
    if not all(isinstance(step.statement, cst.If) and _passes(outcomes, step) for step in way):
        return None
    skipped = [*reach.between, *_inside(facts, way, calling)]
    before: list[LineOrCompound] = []
    for statement in skipped:
        if is_plain_assignment(facts, statement, fresh=True):
            before.append(statement)
        elif not belongs_to_upload(facts, candidate, seen, statement, before):
            return None
    left_out = (uploading, *skipped)
    if _reads_any(facts, candidate, calling, left_out) or _binds_for_others(facts, left_out):
        return None
    on_s3_only = (*reach.between, reach.last)
    if asked_for(facts, candidate, seen, on_s3_only) is not None:
        return None
    announcing = announced_before(facts, candidate, seen, uploading)
    return Layout(Form.EARLY, uploading, announcing, on_s3_only)


def _only_returns(calling: LineOrCompound) -> bool:
    return (
        isinstance(calling, cst.SimpleStatementLine)
        and len(calling.body) == 1
        and isinstance(calling.body[0], cst.Return)
    )


def _passes(outcomes: Outcomes, step: Step) -> bool:
    """Tell whether a check goes the way of the call wherever the upload went well."""
    check = cst.ensure_type(step.statement, cst.If)
    return outcomes.of(check.test) is (step.part is check.body)


def _inside(facts: Facts, way: Sequence[Step], calling: LineOrCompound) -> list[LineOrCompound]:
    """Return the statements before the call in the blocks that lead to it."""
    found: list[LineOrCompound] = []
    index = facts.index
    ends = [*(step.statement for step in way[1:]), calling]
    for end in ends:
        if isinstance(index.parent[end], cst.IndentedBlock):  # no `elif`
            body = cast(Sequence[LineOrCompound], index.block(end).body)
            found.extend(body[: index.position(end)])
    return found


def _reads_any(
    facts: Facts,
    candidate: Candidate,
    calling: LineOrCompound,
    left_out: Sequence[LineOrCompound],
) -> bool:
    """Tell whether the call reads what only the S3 route has, apart from the URI."""
    call = candidate.calls[0]
    has_place = call.through is not None and not needs_upload(
        facts, call.location, candidate.upload
    )
    bound = {target for statement in left_out for target in targets(statement)}
    return any(
        facts.definitions.of(name).node in bound
        for name in names_in(calling)
        if has_place or not facts.index.inside(name, call.entry)
    )


def _binds_for_others(facts: Facts, left_out: Sequence[LineOrCompound]) -> bool:
    """Tell whether functions around or inside see what the S3 route gives a name."""
    names = {target.value for statement in left_out for target in targets(statement)}
    return not names.isdisjoint(facts.definitions.declared_elsewhere)
