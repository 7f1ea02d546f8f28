"""The payload of a function that uploads, as one of its callers has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from codemod import effects
from codemod.arguments import keyword_argument
from codemod.classes import owner_of
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.functions import Bindings
from codemod.handlers import handles_errors_of_payload
from codemod.invocations import Invocation
from codemod.makers import maker_for
from codemod.payload import Form, Payload, form_of, opened_path, payload_of, wrapped_bytes
from codemod.preparations import name_others, named_arguments
from codemod.redent import redented
from codemod.syntax import dotted, is_none, names_in
from codemod.transfers import Given, Split, Upload
from codemod.translation import Translation


@dataclass(frozen=True, slots=True, eq=False)
class Here:
    """The payload of a function that uploads, as one of its callers has it.

    Attributes:
        node: The expression.
        form: What it gives; ``None`` where it is just an argument.
        takes_bytes: Whether the function only uploads that argument.
        translation: What the expression was translated with.
        split: How the function is split for it, if it is.
        importing: The import that must also name the function that makes the payload.
        handed: The parameter that the call hands on as the payload.
    """

    node: cst.BaseExpression
    form: Form | None
    takes_bytes: bool
    translation: Translation
    split: Split | None = None
    importing: cst.ImportFrom | None = None
    handed: cst.Param | None = None


def taken_over(
    facts: Facts, function: cst.FunctionDef, inner: Upload, call: Invocation, bound: Bindings
) -> Here | None:
    """Spell the payload of an upload in a function as the caller can; ``None`` if it cannot."""
    if any(name not in facts.index.parent for name in names_in(inner.payload)):
        return None  # it is made by a function to come, or has the name of an argument
    payload = _at_its_source(facts, payload_of(facts, inner))
    only_uploaded = _only_uploaded(facts, payload.node)
    named = named_arguments(facts, bound, call, only_uploaded)
    as_it_is = only_uploaded if only_uploaded not in named else None
    translate = Translation(facts, function, call.carrier, bound, as_it_is, named)
    taken = translate.expression(payload.node)
    if taken is None or (payload.node is not taken and effects.empties(payload.node)):
        return None
    if payload.node not in facts.index.parent:  # a function in between makes it
        if handles_errors_of_payload(facts, [payload.node], [inner.uploading]):
            return None
    elif handles_errors_of_payload(facts, list(_made(facts, payload))):
        return None
    theirs = (*bound.values(), *translate.named.values())
    node = redented(facts.index, payload.node, len("body = "), moved=taken, kept=theirs)
    form = payload.form
    if isinstance(payload.node, cst.Name) and node in facts.index.parent:
        of_argument = None if inner.given is Given.BODY else form
        return Here(node, of_argument, as_it_is is not None, translate)
    if form in (Form.UNKNOWN, Form.BUFFER) and isinstance(payload.node, cst.Name):
        form = _form_of_named(facts, bound, payload.node, form)
    return Here(node, form, takes_bytes=False, translation=translate)


def _made(facts: Facts, payload: Payload) -> Iterator[cst.BaseExpression]:
    """Yield the expressions in a function that make its payload."""
    stack, seen = [payload.node], set()
    if payload.form is Form.PATH or not isinstance(payload.node, cst.Name):
        yield payload.node
    while stack:
        for name in names_in(stack.pop()):
            definition = facts.definitions.of(name)
            value = definition.value if definition.kind is Kind.ASSIGNED else None
            is_local = not isinstance(facts.index.function(name), cst.Module)
            if value is not None and is_local and value not in seen:
                seen.add(value)
                stack.append(value)
                if facts.index.function(value) is facts.index.function(name):
                    yield value


def made_by_maker(facts: Facts, split: Split, call: Invocation, bound: Bindings) -> Here | None:
    """Let the function that makes the payload do so for the caller; ``None`` if it cannot."""
    reached = maker_for(facts, split, call.func) if not isinstance(call.func, cst.Call) else None
    if reached is None or not _can_hand_over(facts, split, call, bound):
        return None
    by_param = {one.node: one for one in bound}
    wanted = [by_param[one] for one in split.maker.arguments if one in by_param]
    named = named_arguments(facts, bound, call, None)
    if split.changes and not name_others(facts, bound, call, wanted, named):
        return None
    translate = Translation(facts, split.function, call.carrier, bound, None, named)
    args: list[cst.Arg] = []
    is_complete = True
    for definition in wanted:
        value = translate.argument(definition)
        if value is None:
            is_complete = False
        elif is_complete and definition.node not in split.function.params.kwonly_params:
            args.append(cst.Arg(value))
        else:
            args.append(keyword_argument(definition.name, value))
    maker, importing = reached
    node: cst.BaseExpression = cst.Call(maker, args)
    if split.maker.is_async:
        node = cst.Await(node)
    assert isinstance(split.form, Form)
    handed = _handed_on(facts, split, call, bound)
    return Here(node, split.form, False, translate, split, importing, handed)


def _handed_on(facts: Facts, split: Split, call: Invocation, bound: Bindings) -> cst.Param | None:
    """Return the optional parameter of the calling function that a call gives as the payload."""
    value = next((value for one, value in bound.items() if one.name == split.body), None)
    if not isinstance(value, cst.Name) or value not in facts.index.parent:
        return None
    param = facts.definitions.of(value).node
    is_own = isinstance(param, cst.Param) and facts.index.inside(
        param, facts.index.function(call.carrier)
    )
    if not is_own or not isinstance(param, cst.Param) or not is_none(param.default):
        return None
    return param


def _can_hand_over(facts: Facts, split: Split, call: Invocation, bound: Bindings) -> bool:
    """Tell whether a call can be given the payload as well, and does not have one."""
    owner = owner_of(facts, split.function)
    owned_by = owner.name.value if owner is not None else ""
    if (facts.index.module_of(split.function), owned_by, split.maker.name) in facts.rebound:
        return False
    if not call.takes_keywords or call.is_indirect:
        return False
    if call.is_driven and split.maker.is_async:
        return False  # there is nothing to await it with
    if any(isinstance(arg.value, cst.GeneratorExp) and not arg.value.lpar for arg in call.args):
        return False
    for definition, value in bound.items():
        if definition.name == split.body and not facts.index.inside(value, split.function.params):
            return _handed_on(facts, split, call, bound) is not None
        is_own = owner is not None and definition.name == split.own
        if is_own and isinstance(call.func, cst.Attribute) and value is not call.func.value:
            return False  # the class is called, and the object an argument like the others
    return True


def _at_its_source(facts: Facts, payload: Payload) -> Payload:
    """Take what the function itself makes a handle of: a path, which it opens, or bytes."""
    if payload.form is not Form.HANDLE or not payload.at_start:
        return payload
    assert isinstance(payload.node, cst.Name)
    opened = facts.definitions.of(payload.node)
    if opened.value is None:
        return payload
    path, wrapped = opened_path(facts, opened.value), wrapped_bytes(facts, opened.value)
    if opened.kind is Kind.WITH and path is not None:
        return Payload(Form.PATH, path)
    is_only_read = len(facts.definitions.reads(opened)) == 1
    return Payload(Form.BYTES, wrapped) if wrapped is not None and is_only_read else payload


def _only_uploaded(facts: Facts, name: cst.BaseExpression) -> Definition | None:
    """Return the parameter that is only uploaded, so that bytes will do for it."""
    if not isinstance(name, cst.Name):
        return None
    definition = facts.definitions.of(name)
    if not isinstance(definition.node, cst.Param):
        return None
    annotation = definition.node.annotation
    if annotation is not None and dotted(annotation.annotation) != "bytes":
        return None
    return definition if len(list(facts.definitions.reads(definition))) == 1 else None


def _form_of_named(facts: Facts, bound: Bindings, name: cst.Name, otherwise: Form) -> Form:
    """Return what an argument gives that is evaluated before, where that can be told."""
    value = bound.get(facts.definitions.of(name))
    form = form_of(facts, value) if value is not None else Form.UNKNOWN
    if form is Form.TEXT and otherwise is Form.BUFFER:
        return otherwise  # which fails, as it did
    return form if form in (Form.BYTES, Form.TEXT) else otherwise
