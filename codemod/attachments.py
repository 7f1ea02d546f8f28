"""The statements around an upload that only make sense if something was uploaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import cast

import libcst as cst

from codemod import effects
from codemod.announcements import announces_upload, is_log_line
from codemod.assignments import (
    binds_outside,
    definition_at,
    is_plain_assignment,
    targets,
)
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.lookups import failing_lookup
from codemod.outcomes import gives_up_only_after_failure
from codemod.pairing import Candidate
from codemod.refusals import Refusal
from codemod.stand_ins import StandIn, is_known_without, overwritten, stand_in
from codemod.syntax import descendants, names_in, terminates, unwrap_await
from codemod.tree import LineOrCompound
from codemod.visibility import Fate, Visibility, is_response_name


def following(
    facts: Facts, candidate: Candidate, statement: LineOrCompound
) -> Sequence[LineOrCompound]:
    """Return the statements after the upload in its own block and cell, up to the first call."""
    body = cast(Sequence[LineOrCompound], facts.index.block(statement).body)
    lasts = {reach.last for reach in candidate.spans}
    found: list[LineOrCompound] = []
    for position in range(facts.index.position(statement) + 1, len(body)):
        one = body[position]
        if one in lasts or not facts.cells.same(one, statement):
            break
        found.append(one)
    return found


def announced_before(
    facts: Facts, candidate: Candidate, seen: Visibility, uploading: LineOrCompound
) -> tuple[LineOrCompound, ...]:
    """Return the "uploading …" log lines before the upload, with only assignments between."""
    about = _about(facts, candidate, seen)
    found: list[LineOrCompound] = []
    bound: set[str] = set()
    for statement in _backwards(facts, uploading):
        if not facts.cells.same(statement, uploading):
            break
        if announces_upload(facts, statement, about):
            if bound.intersection(name.value for name in names_in(statement)):
                break
            is_beside = facts.index.block(statement) is facts.index.block(uploading)
            if not is_beside and failing_lookup(facts, statement) is not None:
                break  # a handler may take the error for one of the upload
            found.append(statement)
        elif is_plain_assignment(facts, statement, fresh=True):
            bound.update(name.value for name in targets(statement))
        else:
            break
    return tuple(reversed(found))


def _backwards(facts: Facts, statement: LineOrCompound) -> Iterator[LineOrCompound]:
    """Yield the statements before one, the last one first: also those before a ``try`` around it.

    Nothing but them runs before it in there.
    """
    index = facts.index
    while True:
        block = index.block(statement)
        body = cast(Sequence[LineOrCompound], block.body)
        yield from reversed(body[: index.position(statement)])
        around = index.parent.get(block)
        if not isinstance(around, cst.Try) or around.body is not block:
            return
        statement = around


def _about(facts: Facts, candidate: Candidate, seen: Visibility) -> set[Definition]:
    """Return what a log line about the upload may mention: the key, the URI, the payload."""
    payload = candidate.payload.node
    if payload not in facts.index.parent:
        return set(seen.behind)
    return seen.behind | {facts.definitions.of(name) for name in names_in(payload)}


def attached_to(
    facts: Facts, candidate: Candidate, seen: Visibility, uploading: LineOrCompound
) -> tuple[LineOrCompound, ...]:
    found: list[LineOrCompound] = []
    steps: list[LineOrCompound] = []
    asides: list[LineOrCompound] = []
    for statement in following(facts, candidate, uploading):
        if is_plain_assignment(facts, statement) and any(
            definition_at(facts, target) in seen.behind for target in targets(statement)
        ):
            if _reads_response(facts, candidate, statement, steps):
                steps.append(statement)  # towards the URI
        elif belongs_to_upload(facts, candidate, seen, statement, [*steps, *found]):
            found.append(statement)
        elif not is_plain_assignment(facts, statement, fresh=True):
            break
        else:
            asides.append(statement)
    if not all(is_plain_assignment(facts, one) for one in asides):
        found = _with_times(facts, found, asides)
    # What is bound from the upload's response must not be needed anywhere else.
    while (leak := _first_leak(facts, found)) is not None:
        found = found[:leak]
    told = told_on_both(facts, candidate, found)
    while found and found[-1] in told:
        found.pop()
    return tuple(found)


def told_on_both(
    facts: Facts, candidate: Candidate, attached: Sequence[LineOrCompound]
) -> tuple[LineOrCompound, ...]:
    """Return the log lines that tell of the upload's result what is known without it as well."""
    bound = targets(facts.index.statement(candidate.upload.uploading))
    return tuple(
        one
        for one in attached
        if is_log_line(one) and is_known_without(facts, candidate, one, bound)
    )


def _with_times(
    facts: Facts, found: list[LineOrCompound], asides: list[LineOrCompound]
) -> list[LineOrCompound]:
    """Return the statements with those that measure what they tell, ``elapsed = time() - start``.

    A line that tells what others read as well stays where it is.
    """
    staying: set[LineOrCompound] = set()
    while needed := [
        one
        for one in asides
        if one not in found and any(binds_for(facts, one, reader) for reader in found)
    ]:
        last = needed[-1]
        if last not in staying and not binds_outside(facts, last, {*found, last}):
            found = [*found, last]
            continue
        staying.add(last)
        staying.update(one for one in found if binds_for(facts, last, one))
        found = [one for one in found if one not in staying]
    return sorted(found, key=facts.index.order.__getitem__)


def _first_leak(facts: Facts, found: list[LineOrCompound]) -> int | None:
    """Return where a statement gives a value to what others read as well."""
    within = set(found)
    return next(
        (
            position
            for position, statement in enumerate(found)
            if binds_outside(facts, statement, within)
        ),
        None,
    )


def _reads_response(
    facts: Facts, candidate: Candidate, statement: LineOrCompound, before: list[LineOrCompound]
) -> bool:
    """Tell whether a statement looks at what the upload returned, or at what was made of it."""
    return any(is_response_name(facts, name, candidate) for name in names_in(statement)) or any(
        one is not statement and binds_for(facts, one, statement) for one in before
    )


def belongs_to_upload(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    statement: LineOrCompound,
    before: list[LineOrCompound],
) -> bool:
    """Tell whether a statement after the upload only makes sense if something was uploaded.

    ``before`` are assignments above that may hold what the upload returned.
    """
    if facts.cells.shows(statement) and effects.impure_part(statement) is None:
        return False  # it would be seen no more in a branch
    about = _about(facts, candidate, seen)
    if announces_upload(facts, statement, about) or _only_announces(facts, statement, about):
        return True
    if any(
        use.fate is Fate.WAITED_FOR and facts.index.inside(use.node, statement) for use in seen.uses
    ):
        return isinstance(statement, cst.SimpleStatementLine)
    if _is_existence_check(seen, statement):
        return True
    if not _reads_response(facts, candidate, statement, before):
        return False
    return is_log_line(statement) or (
        gives_up_only_after_failure(facts, candidate, statement)
        and _only_checks(facts, statement, about)
    )


def checks_upload(facts: Facts, candidate: Candidate, seen: Visibility, statement: cst.If) -> bool:
    """Tell whether a statement is ``if not upload(…):`` above nothing but giving up."""
    return (
        statement.orelse is None
        and isinstance(facts.index.parent[statement], (cst.Module, cst.IndentedBlock))
        and isinstance(statement.body, cst.IndentedBlock)
        and gives_up_only_after_failure(facts, candidate, statement)
        and _only_checks(facts, statement, _about(facts, candidate, seen), statement.test)
    )


def _is_existence_check(seen: Visibility, statement: LineOrCompound) -> bool:
    """``s3.head_object(…)`` or ``waiter = s3.get_waiter("object_exists")`` right after."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    if isinstance(small, cst.Expr):
        return any(
            use.fate is Fate.READ
            and use.node is unwrap_await(small.value)
            and use.what == "head_object"
            for use in seen.uses
        )
    if isinstance(small, cst.Assign) and isinstance(small.value, cst.Call):
        made = small.value.func
        return (
            isinstance(made, cst.Attribute)
            and made.attr.value == "get_waiter"
            and any(use.fate is Fate.WAITED_FOR for use in seen.uses)
        )
    return False


def binds_for(facts: Facts, earlier: LineOrCompound, statement: LineOrCompound) -> bool:
    """Tell whether a statement reads a name that an earlier one of the S3 route binds."""
    bound = set(targets(earlier))
    return any(
        (node := facts.definitions.of(name).node) is not None and node in bound
        for name in names_in(statement)
    )


def _only_announces(facts: Facts, statement: LineOrCompound, about: Collection[Definition]) -> bool:
    """``if verbose: print("uploaded")`` goes with the upload as a whole."""
    return (
        isinstance(statement, cst.If)
        and statement.orelse is None
        and effects.unstable_part(statement.test) is None
        and all(announces_upload(facts, one, about) for one in statement.body.body)
    )


def _only_checks(
    facts: Facts,
    statement: LineOrCompound,
    about: Collection[Definition],
    test: cst.CSTNode | None = None,
) -> bool:
    """Tell whether a statement does no more than look at a value, raise or return.

    It may log what is about the upload, and why it gives up, and do anything in a ``test``.
    """
    for node in descendants(statement):
        if test is not None and facts.index.inside(node, test):
            continue
        if isinstance(node, (cst.For, cst.While, cst.With, cst.FunctionDef, cst.Del, cst.Await)):
            return False
        if isinstance(node, cst.Call) and not (
            _may_be_logged(facts, node, statement, about)
            or effects.is_stable_call(node)
            or _is_raised(facts, node)
            or effects.is_exit(node)
        ):
            return False
        if isinstance(node, cst.AssignTarget) and not isinstance(node.target, cst.Name):
            return False
    return True


def _may_be_logged(
    facts: Facts, call: cst.Call, check: LineOrCompound, about: Collection[Definition]
) -> bool:
    if not effects.is_log(call):
        return False
    line = facts.index.statement(call)
    gives_up = line is not check and terminates(facts.index.block(line))
    return gives_up or announces_upload(facts, line, about)


def _is_raised(facts: Facts, call: cst.Call) -> bool:
    return isinstance(facts.index.parent[call], cst.Raise)


def left_behind(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    attached: tuple[LineOrCompound, ...],
) -> Refusal | tuple[StandIn, ...]:
    """Refuse if something that needs the uploaded object stays outside of the S3 route.

    Return what the names get on the inline route that the upload binds and that are needed there.
    """
    index = facts.index
    told = told_on_both(facts, candidate, attached)

    def moves(node: cst.CSTNode, *, for_good: bool = False) -> bool:
        return any(
            index.inside(node, statement)
            for statement in attached
            if not for_good or statement not in told
        )

    asked = asked_for(facts, candidate, seen, attached)
    if asked is not None:
        return asked
    allowed_locations = tuple(
        call.location
        for call in candidate.calls
        if not any(one.through is not None and one.through.keeps_location for one in call.inward())
    )
    uploading = index.statement(candidate.upload.uploading)
    given: list[StandIn] = []
    for target in targets(uploading):
        definition = definition_at(facts, target)
        if definition is None or target.value in facts.definitions.declared_elsewhere:
            return Refusal("upload-response-used", uploading, target.value)
        needed = [
            name
            for name in facts.definitions.reads(definition)
            if not moves(name, for_good=True)
            and not any(index.inside(name, place) for place in allowed_locations)
            and not _only_feeds(facts, name, candidate, attached, allowed_locations)
        ]
        if needed:
            known = stand_in(facts, candidate, target, needed)
            if known is None:
                return Refusal("upload-response-used", needed[0], target.value)
            given.append(known)
    hidden = overwritten(candidate, given)
    if hidden is not None:
        return Refusal("upload-response-used", hidden, hidden.value)
    return tuple(given)


def asked_for(
    facts: Facts, candidate: Candidate, seen: Visibility, attached: tuple[LineOrCompound, ...] = ()
) -> Refusal | None:
    """Refuse if something outside of the S3 route waits for the object or reads it."""
    index = facts.index
    here = index.function(candidate.upload.uploading)
    for use in seen.uses:
        if any(index.inside(use.node, statement) for statement in attached):
            continue
        if use.fate is Fate.WAITED_FOR:
            return Refusal("object-waited-for", use.node)
        if use.fate is Fate.READ and index.function(use.node) is here:
            return Refusal("object-read-back", use.node)
    return None


def _only_feeds(
    facts: Facts,
    name: cst.Name,
    candidate: Candidate,
    attached: tuple[LineOrCompound, ...],
    locations: tuple[cst.BaseExpression, ...],
) -> bool:
    """Tell whether a read only hands the value to other names, and they to the call's location."""
    allowed = (*attached, *locations)
    near = following(facts, candidate, facts.index.statement(candidate.upload.uploading))
    stack, seen = [name], {name}
    while stack:
        statement = facts.index.statement(stack.pop())
        if statement not in near or not is_plain_assignment(facts, statement):
            return False
        for target in targets(statement):
            definition = definition_at(facts, target)
            if definition is None or target.value in facts.definitions.declared_elsewhere:
                return False
            for read in facts.definitions.reads(definition):
                if read not in seen and not any(facts.index.inside(read, one) for one in allowed):
                    seen.add(read)
                    stack.append(read)
    return True
