"""Decides on the form of a rewrite and on what moves where, or says what stands against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import libcst as cst

from codemod import effects
from codemod.assignments import (
    binds_outside,
    is_plain_assignment,
    may_come_first,
)
from codemod.attachments import (
    announced_before,
    asked_for,
    attached_to,
    checks_upload,
    left_behind,
    told_on_both,
)
from codemod.calls import LegacyCall
from codemod.early import returning_early
from codemod.facts import Facts
from codemod.inputs import METHOD, Style
from codemod.layout import Form, Layout
from codemod.near import needs_upload
from codemod.pairing import Candidate
from codemod.quiet import noticed_part
from codemod.refusals import Refusal
from codemod.request_form import hoist_refusal, in_request_form, made_of_result
from codemod.structure import is_always_run, is_loop
from codemod.syntax import children, descendants, names_in, target_names
from codemod.tree import LineOrCompound
from codemod.visibility import Visibility


def arrange(facts: Facts, candidate: Candidate, seen: Visibility) -> Layout | Refusal:
    """Decide on the form of a rewrite, or say what stands against any."""
    index = facts.index
    uploading = index.statement(candidate.upload.uploading)
    if candidate.is_nested:
        return _nested(facts, candidate, seen, uploading)
    early = returning_early(facts, candidate, seen)
    if early is not None:
        return early
    refusal = _place_refusal(facts, candidate, seen, uploading)
    if refusal is not None:
        return refusal
    attached = attached_to(facts, candidate, seen, uploading)
    needed = left_behind(facts, candidate, seen, attached)
    if isinstance(needed, Refusal):
        return needed
    layout: Layout | Refusal | None = None
    if _fits_branch(facts, candidate, attached):
        layout = _branch(facts, candidate, seen, uploading, attached)
    if layout is None:
        layout = in_request_form(facts, candidate, seen, uploading, attached)
    if isinstance(layout, Refusal):
        return layout
    told = told_on_both(facts, candidate, layout.attached)
    return replace(layout, stand_ins=needed, told=told)


def _nested(
    facts: Facts, candidate: Candidate, seen: Visibility, uploading: LineOrCompound
) -> Layout | Refusal:
    """Lay out ``invoke(InputLocation=upload(data))``: a branch each, of the one statement.

    The payload is made before everything else in it, which must not do anything.
    """
    index, call, whole = facts.index, candidate.calls[0], candidate.upload.uploading
    refusal = Refusal(
        "upload-in-expression",
        whole,
        unlock="assign what the upload returns to a variable before the call",
    )
    if not isinstance(uploading, cst.SimpleStatementLine) or len(uploading.body) != 1:
        return refusal
    if call.style not in (Style.KEYWORD, Style.FUNCTION) or facts.cells.shows(uploading):
        return refusal
    if isinstance(index.parent.get(index.block(uploading)), cst.ClassDef):
        return Refusal("class-body", whole)
    if index.is_deferred(call.invocation.whole, index.function(whole)):
        return Refusal(
            "call-deferred", call.invocation.carrier, unlock="call outside of the lambda"
        )
    if any(index.is_comprehension(above) for above in _up_to(facts, call, uploading)):
        return refusal
    if any(one.through is not None and one.through.keeps_location for one in call.inward()):
        return Refusal("upload-response-used", call.invocation.carrier)
    choices = (cst.IfExp, cst.BooleanOperation, cst.Comparison, cst.NamedExpr)
    if any(isinstance(above, choices) for above in _up_to(facts, call, uploading)):
        return refusal
    if _has_effects(facts, candidate) or _is_used_up(facts, candidate, uploading):
        return refusal
    others = [call.invocation.receiver, *(arg.value for arg in call.invocation.args)]
    if not _is_quiet_around(facts, call.invocation.whole, uploading) or any(
        noticed_part(facts, one, whole) is not None for one in others
    ):
        return refusal
    asked = asked_for(facts, candidate, seen)
    if asked is not None:
        return asked
    return Layout(Form.BRANCH, uploading, announced_before(facts, candidate, seen, uploading))


def _is_quiet_around(facts: Facts, call: cst.CSTNode, statement: cst.CSTNode) -> bool:
    """Tell whether what stands beside a call in its statement, and may run before it, is quiet.

    What the result is given to runs after it, as ``append`` in ``found.append(invoke(…))``.
    """
    below = call
    for above in facts.index.ancestors(call):
        if above is statement:
            break
        if any(
            one is not below and noticed_part(facts, one) is not None for one in children(above)
        ):
            return False
        below = above
    return True


def _has_effects(facts: Facts, candidate: Candidate) -> bool:
    """Tell whether making the payload does anything that the rest of the statement may notice."""
    upload = candidate.upload
    if upload.prepared or any(split.changes for split in upload.splits()):
        return True
    values = [candidate.payload.node, *(arg.value for arg in upload.invocation.args)]
    return any(noticed_part(facts, one) is not None for one in values if one in facts.index.parent)


def _is_used_up(facts: Facts, candidate: Candidate, statement: cst.CSTNode) -> bool:
    """Tell whether the rest of a statement may use up an iterator that the upload is given."""
    index, of, whole = facts.index, facts.definitions.of, candidate.upload.uploading
    given = {of(name) for arg in candidate.upload.invocation.args for name in names_in(arg.value)}
    return any(
        isinstance(part, (cst.Call, cst.StarredElement, cst.Arg))
        and not index.inside(part, whole)
        and not index.inside(whole, part)
        and effects.empties(part)
        and any(of(name) in given for name in names_in(part))
        for part in descendants(statement)
    )


def _place_refusal(
    facts: Facts, candidate: Candidate, seen: Visibility, uploading: LineOrCompound
) -> Refusal | None:
    """Refuse an upload that the guard cannot take the place of, or that may not be made at all."""
    is_check = isinstance(uploading, cst.If) and checks_upload(facts, candidate, seen, uploading)
    refusal = None if is_check else _expression_refusal(facts, candidate, uploading)
    return refusal or _path_refusal(facts, candidate, uploading)


def _expression_refusal(
    facts: Facts, candidate: Candidate, uploading: LineOrCompound
) -> Refusal | None:
    index = facts.index
    whole = candidate.upload.uploading
    in_expression = Refusal(
        "upload-in-expression", whole, unlock="make the upload a statement of its own"
    )
    if not isinstance(uploading, cst.SimpleStatementLine) and not any(
        isinstance(above, cst.SimpleStatementSuite) for above in index.ancestors(whole)
    ):
        return in_expression
    if not isinstance(uploading, cst.SimpleStatementLine) or len(uploading.body) != 1:
        return Refusal("shared-line", whole, unlock="give the upload a line of its own")
    small = uploading.body[0]
    if not isinstance(small, (cst.Expr, cst.Assign, cst.AnnAssign)) or small.value is not whole:
        return in_expression
    return None if _binds_only_names(small) else Refusal("upload-response-used", small)


def _path_refusal(facts: Facts, candidate: Candidate, uploading: LineOrCompound) -> Refusal | None:
    index, whole = facts.index, candidate.upload.uploading
    if isinstance(index.parent.get(index.block(uploading)), cst.ClassDef):
        return Refusal("class-body", whole)
    for reach in candidate.spans:
        for step in reach.down_to_first:
            if is_loop(step):
                return Refusal(
                    "upload-in-loop",
                    step.statement,
                    unlock="call in the same loop in which the object is uploaded",
                )
            if not is_always_run(step):
                return Refusal(
                    "upload-conditional",
                    step.statement,
                    unlock="upload and call in the same branch",
                )
    for call in candidate.calls:
        if index.is_deferred(call.invocation.whole, index.function(whole)):
            return Refusal(
                "call-deferred", call.invocation.carrier, unlock="call outside of the lambda"
            )
    return None


def _binds_only_names(small: cst.Expr | cst.Assign | cst.AnnAssign) -> bool:
    """Tell whether nothing but names keeps what the upload returns."""
    if isinstance(small, cst.Assign):
        targets = [target.target for target in small.targets]
        return all(
            isinstance(target, (cst.Name, cst.Tuple, cst.List))
            and (
                isinstance(target, cst.Name)
                or len(list(target_names(target))) == len(target.elements)
            )
            for target in targets
        )
    return isinstance(small, cst.Expr) or isinstance(small.target, cst.Name)


def _fits_branch(facts: Facts, candidate: Candidate, attached: tuple[LineOrCompound, ...]) -> bool:
    if len(candidate.calls) != 1:
        return False
    call, reach = candidate.calls[0], candidate.spans[0]
    if call.style not in (Style.KEYWORD, Style.FUNCTION) or not reach.is_flat:
        return False
    if not isinstance(reach.last, cst.SimpleStatementLine) or len(reach.last.body) != 1:
        return False
    parts = descendants(reach.last)
    if sum(isinstance(part, cst.Attribute) and part.attr.value == METHOD for part in parts) > 1:
        return False
    if not facts.cells.same(reach.first, reach.last) or facts.cells.shows(reach.last):
        return False
    if any(facts.index.is_comprehension(above) for above in _up_to(facts, call, reach.last)):
        return False
    return all(
        statement in attached or is_plain_assignment(facts, statement)
        for statement in reach.between
    )


def _up_to(facts: Facts, call: LegacyCall, statement: cst.CSTNode) -> Iterable[cst.CSTNode]:
    for above in facts.index.ancestors(call.invocation.carrier):
        if above is statement:
            return
        yield above


def _branch(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    uploading: LineOrCompound,
    attached: tuple[LineOrCompound, ...],
) -> Layout | Refusal | None:
    """Lay out the branch form; ``None`` if an assignment would move that may fail."""
    reach, call = candidate.spans[0], candidate.calls[0]
    plain = [one for one in reach.between if one not in attached]
    staying: set[cst.CSTNode] = {*attached, *plain}
    if call.through is None or needs_upload(facts, call.location, candidate.upload):
        staying.add(call.entry)  # the inline route has nothing to put there
    is_global = isinstance(facts.index.function(uploading), cst.Module)
    late = made_of_result(facts, candidate, plain)
    hoisted: set[LineOrCompound] = set()
    for statement in reversed(plain):  # what a hoisted assignment reads comes before it
        if (is_global and statement not in late) or binds_outside(facts, statement, staying):
            hoisted.add(statement)
            staying.discard(statement)
    ordered = tuple(one for one in plain if one in hoisted)
    kept = tuple(one for one in reach.between if one not in hoisted)
    if not all(may_come_first(facts, one) for one in ordered):
        return None
    refusal = hoist_refusal(facts, candidate, uploading, ordered)  # type: ignore[arg-type]
    if refusal is not None:
        return refusal
    announcing = announced_before(facts, candidate, seen, uploading)
    return Layout(Form.BRANCH, uploading, announcing, kept, ordered)  # type: ignore[arg-type]
