"""The request form of a rewrite: a dictionary holds what the call gets, chosen in front of it."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from codemod.assignments import (
    binds_outside,
    is_plain_assignment,
    may_come_first,
    targets,
)
from codemod.attachments import announced_before, binds_for, following
from codemod.calls import LegacyCall
from codemod.facts import Facts
from codemod.layout import Form, Layout
from codemod.locations import is_known, movable_chain, rebuilt, spelled_out
from codemod.lookups import lookup_left_out
from codemod.near import made_by, needs_upload
from codemod.pairing import Candidate
from codemod.payload import Form as PayloadForm
from codemod.refusals import Refusal
from codemod.syntax import descendants, names_in
from codemod.template import source
from codemod.tree import LineOrCompound
from codemod.visibility import Visibility, is_response_name


def hoist_refusal(
    facts: Facts,
    candidate: Candidate,
    uploading: LineOrCompound,
    hoisted: tuple[cst.SimpleStatementLine, ...],
) -> Refusal | None:
    """Refuse to move an assignment over an upload that reads the name or makes its value."""
    read = {name.value for name in names_in(uploading)}
    for statement in hoisted:
        for target in targets(statement):
            if target.value in read:
                return Refusal(
                    "name-rebound", statement, target.value, "use a new name for the new value"
                )
        for name in names_in(statement):
            if is_response_name(facts, name, candidate):
                return Refusal("upload-response-used", name, name.value)
    return None


def in_request_form(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    uploading: LineOrCompound,
    attached: tuple[LineOrCompound, ...],
) -> Layout | Refusal:
    """Lay out the request form, or say why the upload cannot move with what belongs to it."""
    layout = _request_form(facts, candidate, seen, uploading, attached)
    if isinstance(layout, Refusal):
        return layout
    moving = (uploading, *layout.late, *layout.hoisted, *layout.attached)
    made = {target for statement in moving for target in targets(statement)}
    for name in (name for one in layout.attached for name in names_in(one)):
        if facts.definitions.of(name).node not in made and name not in made:
            if not is_known(facts, name, uploading):
                return Refusal("uri-built-late", name)
    return layout


def _request_form(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    uploading: LineOrCompound,
    attached: tuple[LineOrCompound, ...],
) -> Layout | Refusal:
    lost = candidate.spans[0].swallowing
    swallowing = lost.statement if lost is not None else None
    if swallowing is not None and _guard_comes_first(candidate, uploading):
        swallowing = None
    call = candidate.calls[0]
    if any(one.through is not None for one in candidate.calls):
        return _through_functions(facts, candidate, seen, uploading, attached, swallowing)
    if candidate.upload.returns_uri and made_by(facts, call.location, candidate.upload):
        if swallowing is not None:
            return Refusal("upload-error-swallowed", swallowing)
        return _with_result(facts, candidate, seen, uploading, attached)
    if needs_upload(facts, call.location, candidate.upload):
        if swallowing is not None:
            return Refusal("upload-error-swallowed", swallowing)
        return _with_late_location(facts, candidate, seen, uploading, attached)
    before: LineOrCompound = swallowing if swallowing is not None else uploading
    return _with_location(facts, candidate, seen, uploading, attached, before, swallowing)


def _through_functions(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    uploading: LineOrCompound,
    attached: tuple[LineOrCompound, ...],
    swallowing: cst.BaseCompoundStatement | None,
) -> Layout | Refusal:
    """Lay out calls of functions: they get the body on top of what they get anyway."""
    for call in candidate.calls:
        if call.through is None or _depends_on_upload(facts, candidate, call):
            return Refusal("upload-response-used", call.invocation.carrier)
    return Layout(
        Form.REQUEST,
        uploading,
        announced_before(facts, candidate, seen, uploading),
        attached,
        default_before=swallowing,
    )


def _depends_on_upload(facts: Facts, candidate: Candidate, call: LegacyCall) -> bool:
    return any(needs_upload(facts, arg.value, candidate.upload) for arg in call.invocation.args)


def _guard_comes_first(candidate: Candidate, uploading: LineOrCompound) -> bool:
    """Tell whether the guard is the first thing in the ``try`` and cannot fail itself."""
    steps, payload = candidate.spans[0].down_to_first, candidate.payload
    if len(steps) != 1 or candidate.upload.returns_uri:
        return False
    return (
        payload.form is PayloadForm.BYTES
        and isinstance(payload.node, cst.Name)
        and steps[0].statement.body.body[0] is uploading
    )


def _with_result(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    uploading: LineOrCompound,
    attached: tuple[LineOrCompound, ...],
) -> Layout | Refusal:
    """Lay out an upload that returns the URI, bound to a name."""
    names = targets(uploading)
    if len(names) != 1 or not isinstance(uploading, cst.SimpleStatementLine):
        return Refusal("upload-in-expression", candidate.upload.uploading)
    dropped: list[cst.SimpleStatementLine] = []
    for call in candidate.calls:
        location = call.location
        if isinstance(location, cst.Name) and location.value != names[0].value:
            copy = facts.index.statement(facts.definitions.of(location).node or location)
            if not isinstance(copy, cst.SimpleStatementLine) or copy not in following(
                facts, candidate, uploading
            ):
                return Refusal("upload-in-expression", candidate.upload.uploading)
            dropped.append(copy)
    return Layout(
        Form.REQUEST,
        uploading,
        announced_before(facts, candidate, seen, uploading),
        attached,
        dropped=tuple(dropped),
        location=cst.Name(names[0].value),
        location_is_result=True,
    )


def made_of_result(
    facts: Facts, candidate: Candidate, statements: Iterable[LineOrCompound]
) -> list[LineOrCompound]:
    """Return the assignments among some statements that are made of what the upload returns."""
    late: list[LineOrCompound] = []
    for statement in statements:
        if any(is_response_name(facts, name, candidate) for name in names_in(statement)) or any(
            binds_for(facts, one, statement) for one in late
        ):
            late.append(statement)
    return late


def _with_late_location(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    uploading: LineOrCompound,
    attached: tuple[LineOrCompound, ...],
) -> Layout | Refusal:
    """Lay out an upload that returns the key or more, of which the code makes the URI."""
    between = following(facts, candidate, uploading)
    plain = [one for one in between if one not in attached and is_plain_assignment(facts, one)]
    entries = [call.entry for call in candidate.calls]
    late = [
        one
        for one in made_of_result(facts, candidate, plain)
        if not any(facts.index.inside(entry, one) for entry in entries)
    ]
    location = candidate.calls[0].location
    staying = {*late, *attached, *entries}
    for statement in late:
        if not may_come_first(facts, statement) or binds_outside(facts, statement, staying):
            return Refusal("uri-built-late", statement)
    made = {target for statement in (uploading, *late) for target in targets(statement)}
    for name in (name for node in (location, *late) for name in names_in(node)):
        if name not in made and facts.definitions.of(name).node not in made:
            if not is_known(facts, name, uploading):
                return Refusal("uri-built-late", name)
    for call in candidate.calls[1:]:
        if not _is_same(facts, call.location, location):
            return Refusal("uri-built-late", call.location)
    return Layout(
        Form.REQUEST,
        uploading,
        announced_before(facts, candidate, seen, uploading),
        attached,
        late=tuple(late),  # type: ignore[arg-type]
        location=location,
        location_is_result=True,
    )


def _only_for_calls(
    facts: Facts, candidate: Candidate, location: cst.BaseExpression
) -> cst.SimpleStatementLine | None:
    """Return the assignment of a name that is read by nothing but the calls, which lose it."""
    definition = facts.definitions.of(location) if isinstance(location, cst.Name) else None
    if definition is None or definition.node is None:
        return None
    line = facts.index.statement(definition.node)
    if not isinstance(line, cst.SimpleStatementLine) or not is_plain_assignment(facts, line):
        return None
    if len(targets(line)) != 1 or isinstance(facts.index.function(line), cst.Module):
        return None  # others may import the names of a module
    places = [call.location for call in candidate.calls]
    is_read = any(
        not any(facts.index.inside(name, one) for one in places)
        for name in facts.definitions.reads(definition)
    )
    return None if is_read else line


def _is_same(facts: Facts, one: cst.BaseExpression, other: cst.BaseExpression) -> bool:
    """Tell whether two expressions are spelled alike and read the same values."""
    of = facts.definitions.of
    return one.deep_equals(other) and all(
        of(mine) is of(theirs) for mine, theirs in zip(names_in(one), names_in(other), strict=True)
    )


def _is_read_again(facts: Facts, candidate: Candidate, uploading: LineOrCompound) -> bool:
    """Tell whether the URI went into a dictionary before the upload and may read otherwise now."""
    call, order = candidate.calls[0], facts.index.order
    if call.parameters is None or order[facts.index.statement(call.entry)] > order[uploading]:
        return False
    bindings = facts.definitions.walk(facts.index.function(uploading)).bindings
    return any(isinstance(part, cst.Subscript) for part in descendants(call.location)) or any(
        len(bindings.get(name.value, ())) > 1 for name in names_in(call.location)
    )


def _with_location(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    uploading: LineOrCompound,
    attached: tuple[LineOrCompound, ...],
    before: LineOrCompound,
    swallowing: cst.BaseCompoundStatement | None,
) -> Layout | Refusal:
    """Lay out an upload whose URI the code spells itself."""
    hoisted: list[cst.SimpleStatementLine] = []
    dropped: tuple[cst.SimpleStatementLine, ...] = ()
    location = candidate.calls[0].location
    if _is_read_again(facts, candidate, uploading):
        again = rebuilt(facts, candidate, before)
        if again is None:
            return Refusal("name-rebound", location, source(location))
        location = again
    elif not is_known(facts, location, before):
        moved = movable_chain(facts, location, before)
        spelled = spelled_out(facts, location, before)
        if moved is not None:
            refusal = hoist_refusal(facts, candidate, uploading, moved)
            if refusal is not None:
                return refusal
            hoisted.extend(moved)
        elif spelled is not None:
            unread = _only_for_calls(facts, candidate, location)
            dropped = () if unread is None else (unread,)
            location = spelled
        else:
            new = rebuilt(facts, candidate, before)
            if new is None:
                return Refusal(
                    "uri-built-late",
                    location,
                    unlock="build InputLocation before the upload",
                )
            location = new
    if swallowing is not None and location in facts.index.parent:
        lookup = lookup_left_out(facts, location)
        if lookup is not None:  # its error would not be handled in front of the statement
            return Refusal("upload-error-swallowed", lookup)
    return Layout(
        Form.REQUEST,
        uploading,
        announced_before(facts, candidate, seen, uploading),
        attached,
        tuple(hoisted),
        dropped,
        location=location,
        default_before=swallowing,
    )
