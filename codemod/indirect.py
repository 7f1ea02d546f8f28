"""Calls whose object is uploaded by a function that is not simply called.

A pool or ``map`` calls it, a task awaits it, it is looked up in a table, given as an argument,
hidden in a lambda, or is a method of an object that may be another one. Nothing of this is
rewritten. It is said, so that nobody takes such a call for one without an upload.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from codemod.calls import LegacyCall
from codemod.classes import class_of, is_instance, owner_of
from codemod.clients import Role
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.near import Near, is_uri_of, names_key, uri_of
from codemod.provenance import behind, parts_of
from codemod.refusals import Refusal
from codemod.syntax import last_name, names_in, unwrap_await
from codemod.template import KEY_OF, Hole, contains, literal, part_of_uri
from codemod.transfers import Upload


class Claim(NamedTuple):
    """An upload that a call seems to invoke, and why that cannot be followed."""

    upload: Upload
    refusal: Refusal


def claimed(facts: Facts, near: Near, call: LegacyCall) -> Claim | None:
    """Return the upload that the URI of a call comes from in a roundabout way, if one does."""
    if facts.index.function(call.location) is not facts.index.function(call.invocation.carrier):
        return None  # the function that is called here makes the URI, and is looked at itself
    for node, handed in behind(facts, call.location):
        for part in parts_of(facts, node):
            claim = _made_here(facts, near, part) or _made_in_function(facts, near, part)
            claim = claim or (_named_there(facts, near, part) if handed is not None else None)
            if claim is not None and handed is not None:
                refusal = Refusal("helper-as-value", handed, last_name(handed) or "")
                return claim._replace(refusal=refusal)
            if claim is not None:
                return claim
    return _called_aside(facts, near, call)


def _made_here(facts: Facts, near: Near, part: cst.BaseExpression) -> Claim | None:
    """Return an upload that is the very expression, if that gives the URI or something with it."""
    upload = near.made_at(part)
    if upload is None or not (upload.returns_uri or upload.via is not None):
        return None
    if upload.via is not None and upload.via.returns == "nothing":
        return None
    if isinstance(facts.index.parent[upload.uploading], cst.Assign):
        return Claim(upload, Refusal("uri-unproven", upload.uploading))
    unlock = "assign what the upload returns to a variable before the call"
    return Claim(upload, Refusal("upload-in-expression", upload.uploading, unlock=unlock))


def _named_there(facts: Facts, near: Near, part: cst.BaseExpression) -> Claim | None:
    """Return an upload of the object that an expression names, in the function it stands in."""
    for upload in near.within(facts.index.function(part)):
        if is_uri_of(facts, part, upload):
            return Claim(upload, Refusal("uri-unproven", part))
    return None


# -- functions that upload -----------------------------------------------------------------


def _made_in_function(facts: Facts, near: Near, part: cst.BaseExpression) -> Claim | None:
    """Return the upload of a function that an expression names, if the function gives its URI."""
    for function, reason in _functions(facts, near, part):
        for upload in near.within(function):
            if _gives(facts, function, upload):
                return Claim(upload, Refusal(reason, part, last_name(part) or ""))
    return None


def _functions(
    facts: Facts, near: Near, part: cst.BaseExpression
) -> Iterator[tuple[cst.FunctionDef, str]]:
    """Yield the functions that upload and that an expression may mean, and what is unclear."""
    index = facts.index
    if not isinstance(part, (cst.Name, cst.Attribute)):
        return
    above = index.parent[part]
    if isinstance(above, cst.Call) and above.func is part and near.made_at(above) is not None:
        return  # it is followed
    for candidate in facts.definitions.candidates(part):
        for origin in candidate.origins():
            if isinstance(origin.node, cst.FunctionDef):
                yield origin.node, _reason(origin.node)
    if not isinstance(part, cst.Attribute):
        return
    for function in index.defined_functions.get(part.attr.value, ()):
        owner = owner_of(facts, function)
        if owner is None or function not in near.functions:
            continue
        if is_instance(facts, part.value, owner):
            yield function, _reason(function)
        elif _may_be_any(facts, part.value):
            yield function, "helper-overridden"


def _reason(function: cst.FunctionDef) -> str:
    return "helper-decorated" if function.decorators else "helper-as-value"


def _may_be_any(facts: Facts, receiver: cst.BaseExpression) -> bool:
    """Tell whether nothing says what an object is."""
    if class_of(facts, receiver) is not None or facts.definitions.origin(receiver) is not None:
        return False
    return facts.clients.receiver(receiver).role is Role.UNKNOWN


def _gives(facts: Facts, function: cst.FunctionDef, upload: Upload) -> bool:
    """Tell whether a function returns or yields the URI or the key of what it uploads."""
    for node in facts.index.exits[function]:
        if node.value is None or isinstance(node.value, cst.From):
            continue
        for value, _ in behind(facts, node.value):
            for part in parts_of(facts, value):
                if unwrap_await(part) is unwrap_await(upload.uploading):
                    return upload.via is not None and upload.via.returns != "nothing"
                if is_uri_of(facts, part, upload) or names_key(facts, part, upload):
                    return True
    return False


# -- functions that only upload ------------------------------------------------------------


def _called_aside(facts: Facts, near: Near, call: LegacyCall) -> Claim | None:
    """Return an upload before the call by a function that gets the key and need not return it."""
    index = facts.index
    function = index.function(call.invocation.carrier)
    key = _behind_key(facts, call)
    if not key:
        return None
    before = index.order[index.statement(call.invocation.carrier)]
    for part, upload in _aside(facts, near, function):
        statement = index.statement(part)
        if index.order[statement] >= before or not isinstance(statement, cst.SimpleStatementLine):
            continue
        gets_key = any(facts.definitions.of(name) in key for name in names_in(statement))
        if gets_key and _is_told_key(upload):
            return Claim(upload, Refusal("helper-as-value", part, last_name(part) or ""))
    return None


def _is_told_key(upload: Upload) -> bool:
    """Tell whether the key of an upload depends on what its function is given."""
    for piece in upload.uri if upload.key is None else upload.key:
        found = piece.key[1:] if isinstance(piece, Hole) else ()
        for one in found[1] if len(found) > 1 and isinstance(found[1], tuple) else found:
            if isinstance(one, Definition) and isinstance(one.node, cst.Param):
                return True
    return False


def _behind_key(facts: Facts, call: LegacyCall) -> set[Definition]:
    """Return the variables of a function that the key in the URI of a call is made of."""
    key = part_of_uri(uri_of(facts, call), KEY_OF)
    function = facts.index.function(call.invocation.carrier)
    found = set()
    for name in names_in(facts.definitions.resolve(call.location)):
        definition, value = facts.definitions.of(name), facts.templates.of(name)
        is_local = definition.node is not None and facts.index.function(definition.node) is function
        if is_local and literal(value) is None and contains(key, value):
            found.add(definition)
    return found


def _aside(
    facts: Facts, near: Near, function: cst.CSTNode
) -> Iterator[tuple[cst.BaseExpression, Upload]]:
    """Yield where a function mentions others that upload, without simply calling them."""
    index = facts.index
    for other in near.functions:
        if not isinstance(other, cst.FunctionDef):
            continue
        named = other.name.value
        for part in (*index.names.get(named, ()), *index.attributes.get(named, ())):
            if index.function(part) is function and part is not other.name:
                if any(found is other for found, _ in _functions(facts, near, part)):
                    yield part, near.within(other)[0]
    for hidden, upload in near.hidden:
        assign = index.parent[hidden]
        target = assign.targets[0].target if isinstance(assign, cst.Assign) else None
        named = target.value if isinstance(target, cst.Name) else ""
        for part in (*index.names.get(named, ()), *index.attributes.get(named, ())):
            meant = facts.definitions.target(part) if index.function(part) is function else None
            if meant is not None and meant.value is hidden:
                yield part, upload
