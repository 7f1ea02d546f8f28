"""Whether making the payload can be taken out of a function that uploads.

A payload that is made by statements, or of things that only the function's own module has, cannot
be spelled by a caller. The function is then split: one function makes the payload, and the one that
uploads takes it as an optional keyword, so that its other callers go on as before.
"""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from codemod.classes import is_static, owner_of
from codemod.definitions import Kind
from codemod.facts import Facts
from codemod.makers import existing_maker, made_if_missing, maker_name, plain_params, same_default
from codemod.names import body_parameter
from codemod.payload import Form, form_of, payload_of
from codemod.slices import Slice
from codemod.structure import steps_to
from codemod.syntax import (
    callee,
    descendants,
    dotted,
    is_none,
    names_in,
    unwrap_await,
)
from codemod.transfers import Extraction, Given, Maker, Split, Upload, Via


def split_of(facts: Facts, function: cst.FunctionDef, upload: Upload) -> Split | None:
    """Return how to split a function that makes an upload; ``None`` if that cannot be done."""
    if not _may_be_split(facts, function):
        return None
    if upload.via is not None:
        return _handing_on(facts, function, upload, upload.via)
    made = made_if_missing(facts, upload)
    if made is not None:
        return _done(facts, function, upload, *made)
    taken = _taken(facts, upload)
    if taken is None:
        return None
    node, result, form, handle = taken
    moving = Slice(facts, function, upload, node)
    own = _own(facts, function)
    maker = existing_maker(facts, function, node)
    if maker is not None and moving.may_come_first():
        parts = Extraction((), node, node, is_text=False, handle=handle, keeps_name=False)
        body = body_parameter(function)
        return Split(function, maker, own, body, form, (node,), True, parts)
    keeps_name = moving.is_read_by_rest()
    if keeps_name and (form is not Form.BYTES or result is not node):
        return None
    if not moving.can_move() or (handle is not None and _is_local(facts, function, handle)):
        return None
    arguments = tuple(one for one in moving.parameters() if one.name.value != own)
    if not all(one.default is None or _is_literal(one.default) for one in arguments):
        return None  # it would be evaluated twice
    new = Maker(maker_name(facts, function), arguments, moving.is_async())
    return Split(
        function,
        new,
        own,
        "body" if _is_local_body(facts, node) else body_parameter(function),
        Form.UNKNOWN if form is Form.UNKNOWN else Form.BYTES,
        (*moving.moving, node),
        moving.changes_something(),
        Extraction(moving.moving, node, result, form is Form.TEXT, handle, keeps_name),
    )


def _handing_on(facts: Facts, function: cst.FunctionDef, upload: Upload, via: Via) -> Split | None:
    """Let a function that calls one that is split hand the payload on to it."""
    inner, call = via.split, unwrap_await(upload.payload)
    if inner is None or upload.problem is not None or upload.prepared:
        return None
    if not _on_same_object(facts, function, inner.function, upload):
        return None
    statement = facts.index.statement(upload.invocation.carrier)
    if any(
        isinstance(step.statement, (cst.Try, cst.TryStar))
        for step in steps_to(facts.index, statement, function)
    ):
        return None
    if owner_of(facts, inner.function) is not owner_of(facts, function):
        return None
    if facts.index.module_of(inner.function) is not facts.index.module_of(function):
        return None
    if inner.changes and not _begins_with(facts, function, upload):
        return None
    assert isinstance(call, cst.Call)
    params = {one.name.value: one for one in plain_params(function)}
    arguments = []
    for taken, arg in zip(inner.maker.arguments, call.args, strict=False):
        own = params.get(arg.value.value) if isinstance(arg.value, cst.Name) else None
        if own is None or arg.keyword is not None or own.name.value != taken.name.value:
            return None
        if facts.definitions.of(cst.ensure_type(arg.value, cst.Name)).node is not own:
            return None
        if not same_default(own, taken):
            return None
        arguments.append(own)
    maker = replace(inner.maker, arguments=tuple(arguments))
    body = via.handed.name.value if via.handed is not None else body_parameter(function)
    handed_to = upload.invocation if via.handed is None else None
    own_name = _own(facts, function)
    form = inner.form
    return Split(
        function,
        maker,
        own_name,
        body,
        form,
        (),
        inner.changes,
        handed_to=handed_to,
        inner_body=inner.body,
    )


def _on_same_object(
    facts: Facts, function: cst.FunctionDef, inner: cst.FunctionDef, upload: Upload
) -> bool:
    """Tell whether a method calls another one of its own object, and both are bound alike."""
    func, own = upload.invocation.func, _own(facts, function)
    if own is None:
        return isinstance(func, cst.Name)
    kinds = [sorted(dotted(one.decorator) or "" for one in f.decorators) for f in (function, inner)]
    return (
        isinstance(func, cst.Attribute)
        and isinstance(func.value, cst.Name)
        and func.value.value == own
        and kinds[0] == kinds[1]
    )


def _begins_with(facts: Facts, function: cst.FunctionDef, upload: Upload) -> bool:
    """Tell whether a function does nothing before it hands its parameters to another."""
    statement = facts.index.statement(upload.invocation.carrier)
    first = 1 if function.get_docstring() is not None else 0
    is_first = facts.index.block(statement) is function.body
    return (
        is_first
        and facts.index.position(statement) == first
        and all(
            isinstance(arg.value, (cst.Name, cst.SimpleString)) for arg in upload.invocation.args
        )
    )


def _is_literal(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.UnaryOperation):
        node = node.expression
    return isinstance(node, (cst.Name, cst.SimpleString, cst.Integer, cst.Float, cst.Attribute))


def _taken(
    facts: Facts, upload: Upload
) -> tuple[cst.BaseExpression, cst.BaseExpression, Form, cst.BaseExpression | None] | None:
    """Return the payload, what a maker would return, what that is, and what makes a file of it."""
    payload = payload_of(facts, upload)
    node, form = payload.node, payload.form
    if form is Form.HANDLE and payload.at_start and isinstance(node, cst.Name):
        opened = facts.definitions.of(node)
        made = opened.value if opened.kind is Kind.ASSIGNED else None
        if not isinstance(made, cst.Call) or callee(made) != "BytesIO":
            return None
        whole = cst.Call(cst.Attribute(cst.Name(node.value), cst.Name("getvalue")))
        return node, whole, form, made.func if upload.given is Given.HANDLE else None
    if form is Form.BYTES and upload.given is not Given.PATH:
        return node, node, form, None
    is_plain = form in (Form.TEXT, Form.UNKNOWN) and upload.given is Given.BODY
    return (node, node, form, None) if is_plain else None


def _may_be_split(facts: Facts, function: cst.FunctionDef) -> bool:
    """Tell whether a function stands where another one can stand beside it, and runs as one."""
    index = facts.index
    owner = index.class_of(function)
    return (
        isinstance(function.body, cst.IndentedBlock)
        and function.type_parameters is None
        and isinstance(index.function(function), cst.Module)
        and (owner is None or (owner_of(facts, function) is owner and not index.class_of(owner)))
        and not any(isinstance(part, cst.Yield) for part in descendants(function.body))
    )


def _is_local(facts: Facts, function: cst.FunctionDef, node: cst.BaseExpression) -> bool:
    return any(name.value in facts.definitions.walk(function).local for name in names_in(node))


def _is_local_body(facts: Facts, payload: cst.BaseExpression) -> bool:
    """Tell whether a local variable holds the payload that is called as the keyword would be."""
    if not isinstance(payload, cst.Name) or payload.value != "body":
        return False
    return all(one.kind is Kind.ASSIGNED for one in facts.definitions.of(payload).origins())


def _own(facts: Facts, function: cst.FunctionDef) -> str | None:
    """Return what a method calls its object or class by: a static one, by its name."""
    owner = owner_of(facts, function)
    if owner is None:
        return None
    if is_static(function):
        return owner.name.value
    params = [*function.params.posonly_params, *function.params.params]
    return params[0].name.value if params else owner.name.value


# -- functions that are split already ------------------------------------------------------


def _done(
    facts: Facts,
    function: cst.FunctionDef,
    upload: Upload,
    payload: cst.Name,
    body: str,
    value: cst.BaseExpression,
    statement: cst.CSTNode,
) -> Split | None:
    """Take ``if body is None: body = maker(…)`` before an upload for what it is."""
    params = (*function.params.params, *function.params.kwonly_params)
    param = next((one for one in params if one.name.value == body), None)
    maker = existing_maker(facts, function, value)
    if param is None or not is_none(param.default) or maker is None:
        return None
    moving = Slice(facts, function, upload, value)
    reads = [name for name in names_in(function.body) if name.value == body]
    elsewhere = [name for name in reads if name is not payload]
    if not all(facts.index.inside(name, statement) for name in elsewhere):
        return None
    if not moving.may_come_first():
        return None
    form = form_of(facts, unwrap_await(value))
    form = form if form in (Form.BYTES, Form.TEXT) else Form.UNKNOWN
    return Split(function, maker, _own(facts, function), body, form, (statement,), True)
