"""What goes where in the rewritten code: which form, and what moves with the upload.

This is the part of the judgement that looks at statements; it builds no nodes.
"""

from __future__ import annotations

import enum
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

import libcst as cst

from codemod import effects
from codemod.announcements import announces_upload
from codemod.calls import METHOD, LegacyCall, Style
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.index import LineOrCompound
from codemod.pairing import Candidate, made_by
from codemod.payload import Form as PayloadForm
from codemod.refusals import Refusal
from codemod.structure import is_always_run, is_loop, swallows
from codemod.syntax import callee, descendants, names_in, target_names, unwrap_await
from codemod.visibility import Fate, Visibility, is_response_name


class Form(enum.Enum):
    """The two shapes that rewritten code has."""

    BRANCH = "branch"
    REQUEST = "request"


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the parts of one rewrite go.

    Attributes:
        form: Whether the call stands in both branches of the guard or takes a dictionary.
        uploading: The statement that uploads; the guard takes its place.
        announcing: Log lines before it that say that something is going to be uploaded.
        attached: Statements after it that only make sense if something was uploaded.
        hoisted: Assignments that move in front of the guard because both routes need them.
        dropped: Assignments that nothing reads any more.
        location: What ``InputLocation`` gets on the S3 route of the request form.
        location_is_result: Whether ``location`` is only known after the upload.
        default_before: The ``try`` or ``with`` that may swallow an upload error; the S3 route is
            then chosen in front of it, so that the dictionary is always there.
    """

    form: Form
    uploading: cst.SimpleStatementLine
    announcing: tuple[LineOrCompound, ...] = ()
    attached: tuple[LineOrCompound, ...] = ()
    hoisted: tuple[cst.SimpleStatementLine, ...] = ()
    dropped: tuple[cst.SimpleStatementLine, ...] = ()
    location: cst.BaseExpression | None = None
    location_is_result: bool = False
    default_before: cst.BaseCompoundStatement | None = None


def arrange(facts: Facts, candidate: Candidate, seen: Visibility) -> Layout | Refusal:
    """Decide on the form of a rewrite, or say what stands against any."""
    index = facts.index
    uploading = index.statement(candidate.upload.uploading)
    refusal = _place_refusal(facts, candidate, uploading)
    if refusal is not None:
        return refusal
    assert isinstance(uploading, cst.SimpleStatementLine)
    attached = _attached(facts, candidate, seen, uploading)
    refusal = _left_behind(facts, candidate, seen, attached)
    if refusal is not None:
        return refusal
    if _fits_branch(facts, candidate, attached):
        layout = _branch(facts, candidate, seen, uploading, attached)
        if layout is not None:
            return layout
    return _request(facts, candidate, seen, uploading, attached)


# -- where the upload and the calls stand --------------------------------------------------


def _place_refusal(
    facts: Facts, candidate: Candidate, uploading: LineOrCompound
) -> Refusal | None:
    index = facts.index
    whole = candidate.upload.uploading
    if not isinstance(uploading, cst.SimpleStatementLine) or len(uploading.body) != 1:
        return Refusal(
            "shared-line", whole, unlock="give the upload a line of its own"
        )
    small = uploading.body[0]
    if not isinstance(small, (cst.Expr, cst.Assign, cst.AnnAssign)) or small.value is not whole:
        return Refusal(
            "upload-in-expression", whole, unlock="make the upload a statement of its own"
        )
    if not _binds_only_names(small):
        return Refusal("upload-response-used", small)
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
            isinstance(target, (cst.Name, cst.Tuple))
            and (not isinstance(target, cst.Tuple) or len(list(target_names(target))) == len(target.elements))
            for target in targets
        )
    return isinstance(small, cst.Expr) or isinstance(small.target, cst.Name)


# -- what belongs to the upload ------------------------------------------------------------


def _following(facts: Facts, candidate: Candidate, statement: LineOrCompound) -> Sequence[LineOrCompound]:
    """Return the statements after the upload in its own block and cell, up to the first call."""
    body: list[LineOrCompound] = list(facts.index.block(statement).body)  # type: ignore[arg-type]
    start = body.index(statement) + 1
    lasts = {reach.last for reach in candidate.spans}
    found = []
    for one in body[start:]:
        if one in lasts or not facts.cells.same(one, statement):
            break
        found.append(one)
    return found


def _announcing(
    facts: Facts, candidate: Candidate, seen: Visibility, uploading: cst.SimpleStatementLine
) -> tuple[LineOrCompound, ...]:
    """Return the "uploading …" log lines before the upload, with only assignments between."""
    body: list[LineOrCompound] = list(facts.index.block(uploading).body)  # type: ignore[arg-type]
    about = _about(facts, candidate, seen)
    found: list[LineOrCompound] = []
    bound: set[str] = set()
    for statement in reversed(body[: body.index(uploading)]):
        if not facts.cells.same(statement, uploading):
            break
        if announces_upload(facts, statement, about):
            if bound.intersection(name.value for name in names_in(statement)):
                break
            found.append(statement)
        elif _is_plain_assignment(statement, fresh=True):
            bound.update(name.value for name in _targets(statement))
        else:
            break
    return tuple(reversed(found))


def _about(facts: Facts, candidate: Candidate, seen: Visibility) -> set[Definition]:
    """Return what a log line about the upload may mention: the key, the URI, the payload."""
    payload = candidate.payload.node
    if payload not in facts.index.parent:
        return set(seen.behind)
    return seen.behind | {facts.definitions.of(name) for name in names_in(payload)}


def _attached(
    facts: Facts, candidate: Candidate, seen: Visibility, uploading: cst.SimpleStatementLine
) -> tuple[LineOrCompound, ...]:
    found: list[LineOrCompound] = []
    for statement in _following(facts, candidate, uploading):
        if _belongs_to_upload(facts, candidate, seen, statement, found):
            found.append(statement)
        elif not _is_plain_assignment(statement):
            break
    return tuple(found)


def _belongs_to_upload(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    statement: LineOrCompound,
    before: list[LineOrCompound],
) -> bool:
    if announces_upload(facts, statement, _about(facts, candidate, seen)):
        return True
    if any(
        use.fate is Fate.WAITED_FOR and facts.index.inside(use.node, statement)
        for use in seen.uses
    ):
        return isinstance(statement, cst.SimpleStatementLine)
    if _is_existence_check(facts, seen, statement):
        return True
    reads_response = any(
        is_response_name(facts, name, candidate) for name in names_in(statement)
    ) or any(_binds_for(facts, one, statement) for one in before)
    return reads_response and _only_checks(facts, statement) and not _binds_outside(
        facts, statement, (*before, statement)
    )


def _is_existence_check(facts: Facts, seen: Visibility, statement: LineOrCompound) -> bool:
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


def _binds_for(facts: Facts, earlier: LineOrCompound, statement: LineOrCompound) -> bool:
    """Tell whether a statement reads a name that an earlier one of the S3 route binds."""
    bound = set(_targets(earlier))
    return any(
        (node := facts.definitions.of(name).node) is not None and node in bound
        for name in names_in(statement)
    )


def _targets(statement: cst.CSTNode) -> list[cst.Name]:
    found: list[cst.Name] = []
    for node in descendants(statement):
        if isinstance(node, cst.AssignTarget):
            found.extend(target_names(node.target))
        elif isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For)):
            found.extend(target_names(node.target))
    return found


def _only_checks(facts: Facts, statement: LineOrCompound) -> bool:
    """Tell whether a statement does no more than look at a value, log, raise or return."""
    for node in descendants(statement):
        if isinstance(node, (cst.For, cst.While, cst.With, cst.FunctionDef, cst.Del, cst.Await)):
            return False
        if isinstance(node, cst.Call) and not (
            effects.is_log(node)
            or effects.is_stable_call(node)
            or _is_raised(facts, node)
            or effects.is_exit(node)
        ):
            return False
        if isinstance(node, cst.AssignTarget) and not isinstance(node.target, cst.Name):
            return False
    return True


def _is_raised(facts: Facts, call: cst.Call) -> bool:
    return isinstance(facts.index.parent[call], cst.Raise)


def _binds_outside(
    facts: Facts, statement: LineOrCompound, within: Container[cst.CSTNode]
) -> bool:
    """Tell whether a name that a statement binds is read outside of some statements."""
    for target in _targets(statement):
        definition = _definition_at(facts, target)
        if definition is None or target.value in facts.definitions.declared_elsewhere:
            return True
        if not all(
            facts.index.within(name, within) for name in facts.definitions.reads(definition)
        ):
            return True
    return False


def _definition_at(facts: Facts, target: cst.Name) -> Definition | None:
    walk = facts.definitions.walk(facts.index.function(target))
    for definition in walk.bindings.get(target.value, ()):
        if definition.node is target:
            return definition
    return None


def _is_plain_assignment(statement: LineOrCompound, *, fresh: bool = False) -> bool:
    """Tell whether a statement only gives names a value that could be worked out any time.

    With ``fresh``, the value may depend on when that is, as that of ``uuid4()`` does.
    """
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    if isinstance(small, cst.Assign):
        if not all(isinstance(target.target, cst.Name) for target in small.targets):
            return False
    elif not isinstance(small, cst.AnnAssign) or not isinstance(small.target, cst.Name):
        return False
    return small.value is not None and all(
        not isinstance(node, (cst.Await, cst.Yield, cst.NamedExpr))
        and (
            not isinstance(node, cst.Call)
            or effects.is_stable_call(node)
            or effects.is_client_factory(node)
            or (fresh and effects.is_fresh_call(node))
        )
        for node in descendants(small.value)
    )


def _left_behind(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    attached: tuple[LineOrCompound, ...],
) -> Refusal | None:
    """Refuse if something that needs the uploaded object stays outside of the S3 route."""
    index = facts.index

    def moves(node: cst.CSTNode) -> bool:
        return any(index.inside(node, statement) for statement in attached)

    here = index.function(candidate.upload.uploading)
    for use in seen.uses:
        if use.fate is Fate.WAITED_FOR and not moves(use.node):
            return Refusal("object-waited-for", use.node)
        if use.fate is Fate.READ and not moves(use.node) and index.function(use.node) is here:
            return Refusal("object-read-back", use.node)
    allowed_locations = tuple(
        call.location
        for call in candidate.calls
        if call.through is None or not call.through.keeps_location
    )
    small = index.statement(candidate.upload.uploading).body[0]  # type: ignore[index]
    for target in _targets(small):
        definition = _definition_at(facts, target)
        if definition is None or target.value in facts.definitions.declared_elsewhere:
            return Refusal("upload-response-used", small, target.value)
        for name in facts.definitions.reads(definition):
            if moves(name) or any(index.inside(name, place) for place in allowed_locations):
                continue
            if _only_feeds(facts, name, candidate, attached):
                continue
            return Refusal("upload-response-used", name, target.value)
    return None


def _only_feeds(
    facts: Facts,
    name: cst.Name,
    candidate: Candidate,
    attached: tuple[LineOrCompound, ...],
) -> bool:
    """Tell whether a read only hands the value to another name of the call's location."""
    statement = facts.index.statement(name)
    if not candidate.upload.returns_uri or not _is_plain_assignment(statement):
        return False
    allowed = (*attached, *(call.location for call in candidate.calls if call.through is None))
    for target in _targets(statement):
        definition = _definition_at(facts, target)
        if definition is None or any(
            not any(facts.index.inside(read, one) for one in allowed)
            for read in facts.definitions.reads(definition)
        ):
            return False
    return statement in _following(
        facts, candidate, facts.index.statement(candidate.upload.uploading)
    )


# -- the branch form -----------------------------------------------------------------------


def _fits_branch(
    facts: Facts, candidate: Candidate, attached: tuple[LineOrCompound, ...]
) -> bool:
    if len(candidate.calls) != 1:
        return False
    call, reach = candidate.calls[0], candidate.spans[0]
    if call.style not in (Style.KEYWORD, Style.FUNCTION) or not reach.is_flat:
        return False
    if not isinstance(reach.last, cst.SimpleStatementLine) or len(reach.last.body) != 1:
        return False
    others = facts.index.attributes.get(METHOD, ())
    if sum(facts.index.inside(func, reach.last) for func in others) > 1:
        return False
    if not facts.cells.same(reach.first, reach.last) or facts.cells.shows(reach.last):
        return False
    if any(
        facts.index.is_comprehension(above) for above in _up_to(facts, call, reach.last)
    ):
        return False
    return all(
        statement in attached or _is_plain_assignment(statement) for statement in reach.between
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
    uploading: cst.SimpleStatementLine,
    attached: tuple[LineOrCompound, ...],
) -> Layout | Refusal | None:
    """Lay out the branch form; ``None`` if an assignment would move that may fail."""
    reach, call = candidate.spans[0], candidate.calls[0]
    plain = [one for one in reach.between if one not in attached]
    staying: set[cst.CSTNode] = {*attached, *plain}
    if call.through is None:
        staying.add(call.entry)
    is_global = isinstance(facts.index.function(uploading), cst.Module)
    hoisted: set[LineOrCompound] = set()
    for statement in reversed(plain):  # what a hoisted assignment reads comes before it
        reads_response = any(
            is_response_name(facts, name, candidate) for name in names_in(statement)
        )
        if (is_global and not reads_response) or _binds_outside(facts, statement, staying):
            hoisted.add(statement)
            staying.discard(statement)
    ordered = tuple(one for one in plain if one in hoisted)
    kept = tuple(one for one in reach.between if one not in hoisted)
    if not all(_may_come_first(facts, one) for one in ordered):
        return None
    refusal = _hoist_refusal(facts, candidate, uploading, ordered)  # type: ignore[arg-type]
    if refusal is not None:
        return refusal
    announcing = _announcing(facts, candidate, seen, uploading)
    return Layout(Form.BRANCH, uploading, announcing, kept, ordered)  # type: ignore[arg-type]


def _may_come_first(facts: Facts, statement: LineOrCompound) -> bool:
    """Tell whether an assignment may move over the upload.

    It must be certain to succeed, and the only one for its name: a handler around the upload may
    look at what the name was at that moment.
    """
    bindings = facts.definitions.walk(facts.index.function(statement)).bindings
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    value = small.value if isinstance(small, (cst.Assign, cst.AnnAssign)) else None
    if value is None or any(len(bindings[target.value]) > 1 for target in _targets(statement)):
        return False
    return all(
        not isinstance(node, cst.Subscript)
        and (
            not isinstance(node, cst.Call)
            or effects.is_client_factory(node)
            or callee(node) in ("str", "format", "join", "getenv", "get")
        )
        for node in descendants(value)
    )


def _hoist_refusal(
    facts: Facts,
    candidate: Candidate,
    uploading: cst.SimpleStatementLine,
    hoisted: tuple[cst.SimpleStatementLine, ...],
) -> Refusal | None:
    """Refuse to move an assignment over an upload that reads the name or makes its value."""
    read = {name.value for name in names_in(uploading)}
    for statement in hoisted:
        for target in _targets(statement):
            if target.value in read:
                return Refusal(
                    "name-rebound", statement, target.value, "use a new name for the new value"
                )
        for name in names_in(statement):
            if is_response_name(facts, name, candidate):
                return Refusal("upload-response-used", name, name.value)
    return None


# -- the request form ----------------------------------------------------------------------


def _request(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    uploading: cst.SimpleStatementLine,
    attached: tuple[LineOrCompound, ...],
) -> Layout | Refusal:
    swallowing = next(
        (step.statement for step in candidate.spans[0].down_to_first if swallows(step)), None
    )
    if swallowing is not None and _guard_comes_first(candidate, uploading):
        swallowing = None
    call = candidate.calls[0]
    if any(one.through is not None for one in candidate.calls):
        return _through_functions(facts, candidate, seen, uploading, attached, swallowing)
    if candidate.upload.returns_uri and made_by(facts, call.location, candidate.upload):
        if swallowing is not None:
            return Refusal("upload-error-swallowed", swallowing)
        return _with_result(facts, candidate, seen, uploading, attached)
    before: LineOrCompound = swallowing if swallowing is not None else uploading
    return _with_location(facts, candidate, seen, uploading, attached, before, swallowing)


def _through_functions(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    uploading: cst.SimpleStatementLine,
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
        _announcing(facts, candidate, seen, uploading),
        attached,
        default_before=swallowing,
    )


def _depends_on_upload(facts: Facts, candidate: Candidate, call: LegacyCall) -> bool:
    return any(
        is_response_name(facts, name, candidate) or made_by(facts, name, candidate.upload)
        for arg in call.invocation.args
        for name in names_in(arg)
    )


def _guard_comes_first(candidate: Candidate, uploading: cst.SimpleStatementLine) -> bool:
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
    uploading: cst.SimpleStatementLine,
    attached: tuple[LineOrCompound, ...],
) -> Layout | Refusal:
    """Lay out an upload that returns the URI, bound to a name."""
    small = uploading.body[0]
    names = _targets(small)
    if len(names) != 1:
        return Refusal("upload-in-expression", candidate.upload.uploading)
    dropped: list[cst.SimpleStatementLine] = []
    for call in candidate.calls:
        location = call.location
        if isinstance(location, cst.Name) and location.value != names[0].value:
            copy = facts.index.statement(facts.definitions.of(location).node or location)
            if not isinstance(copy, cst.SimpleStatementLine) or copy not in _following(
                facts, candidate, uploading
            ):
                return Refusal("upload-in-expression", candidate.upload.uploading)
            dropped.append(copy)
    return Layout(
        Form.REQUEST,
        uploading,
        _announcing(facts, candidate, seen, uploading),
        attached,
        dropped=tuple(dropped),
        location=cst.Name(names[0].value),
        location_is_result=True,
    )


def _with_location(
    facts: Facts,
    candidate: Candidate,
    seen: Visibility,
    uploading: cst.SimpleStatementLine,
    attached: tuple[LineOrCompound, ...],
    before: LineOrCompound,
    swallowing: cst.BaseCompoundStatement | None,
) -> Layout | Refusal:
    """Lay out an upload whose URI the code spells itself."""
    hoisted: list[cst.SimpleStatementLine] = []
    dropped: list[cst.SimpleStatementLine] = []
    location = candidate.calls[0].location
    if not _is_known(facts, location, before):
        moved = _movable_chain(facts, candidate, location, before)
        spelled = _spelled_out(facts, candidate, location, before)
        if moved is not None:
            refusal = _hoist_refusal(facts, candidate, uploading, moved)
            if refusal is not None:
                return refusal
            hoisted.extend(moved)
        elif spelled is not None:
            location = spelled
        else:
            rebuilt = _rebuilt(facts, candidate, before)
            if rebuilt is None:
                return Refusal(
                    "uri-built-late",
                    location,
                    unlock="build InputLocation before the upload",
                )
            location = rebuilt
    return Layout(
        Form.REQUEST,
        uploading,
        _announcing(facts, candidate, seen, uploading),
        attached,
        tuple(hoisted),
        tuple(dropped),
        location,
        default_before=swallowing,
    )


def _is_known(facts: Facts, node: cst.BaseExpression, before: LineOrCompound) -> bool:
    """Tell whether an expression has its value already in front of a statement."""
    clock = facts.definitions.walk(facts.index.function(before)).clock[before]
    if any(
        (stored := facts.definitions.attribute_reads.get(part)) is not None
        and stored.made_at >= clock
        for part in descendants(node)
    ):
        return False
    return all(
        facts.definitions.of(name).kind is Kind.OUTSIDE
        or facts.index.function(facts.definitions.of(name).node or name)
        is not facts.index.function(before)
        or facts.definitions.known_before(facts.definitions.of(name), before)
        for name in names_in(node)
    )


def _movable_chain(
    facts: Facts, candidate: Candidate, node: cst.BaseExpression, before: LineOrCompound
) -> tuple[cst.SimpleStatementLine, ...] | None:
    """Return the plain assignments behind an expression, if all can move in front."""
    if any(part in facts.definitions.attribute_reads for part in descendants(node)):
        return None
    chain: dict[cst.SimpleStatementLine, None] = {}
    block = facts.index.block(before)
    stack = [name for name in names_in(node)]
    while stack:
        name = stack.pop()
        definition = facts.definitions.of(name)
        if _is_known(facts, name, before):
            continue
        if definition.kind is not Kind.ASSIGNED or definition.node is None:
            return None
        statement = facts.index.statement(definition.node)
        if (
            not isinstance(statement, cst.SimpleStatementLine)
            or not _is_plain_assignment(statement)
            or not _may_come_first(facts, statement)
            or facts.index.block(statement) is not block
            or not facts.cells.same(statement, before)
        ):
            return None
        chain[statement] = None
        assert definition.value is not None
        stack.extend(names_in(definition.value))
    return tuple(sorted(chain, key=facts.index.order.__getitem__))


def _spelled_out(
    facts: Facts, candidate: Candidate, node: cst.BaseExpression, before: LineOrCompound
) -> cst.BaseExpression | None:
    """Return what a name stands for, if that is short and known already."""
    stored = facts.definitions.attribute_reads.get(node)
    value = facts.definitions.resolve(node)
    if stored is not None and stored.value is not None:
        value = stored.value
    if value is node or not _is_known(facts, value, before):
        return None
    if any(isinstance(part, cst.Call) for part in descendants(value)):
        return None
    return value


def _rebuilt(
    facts: Facts, candidate: Candidate, before: LineOrCompound
) -> cst.BaseExpression | None:
    """Build the URI from the bucket and the key of the upload, if both are simple."""
    upload = candidate.upload
    parts: list[cst.BaseFormattedStringContent] = [cst.FormattedStringText("s3://")]
    for position, node in enumerate((upload.bucket_node, upload.key_node)):
        if not isinstance(node, (cst.Name, cst.Attribute)) or not _is_known(facts, node, before):
            return None
        if position:
            parts.append(cst.FormattedStringText("/"))
        parts.append(cst.FormattedStringExpression(node))
    return cst.FormattedString(parts)


def fates_left(seen: Visibility, layout: Layout, facts: Facts) -> list[tuple[Fate, cst.CSTNode, str]]:
    """Return the uses of the object that stay outside of the S3 route."""
    return [
        (use.fate, use.node, use.what)
        for use in seen.uses
        if not any(facts.index.inside(use.node, statement) for statement in layout.attached)
    ]
