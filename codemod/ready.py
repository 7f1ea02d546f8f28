"""Functions that make a call and take a body already, as this tool writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from codemod.facts import Facts
from codemod.functions import bound_arguments, sites
from codemod.index import Index
from codemod.inputs import METHOD, inputs_of
from codemod.invocations import invocations
from codemod.mentions import given_for
from codemod.syntax import dict_items, is_none, keyword, tested_for_none


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A function that sends a body if it has one, and else a URI.

    Attributes:
        function: The function.
        body: The parameter with the body.
        location: The URI without one.
        has_type: Whether a ContentType is sent for certain; ``None`` if perhaps.
    """

    function: cst.FunctionDef
    body: str
    location: cst.BaseExpression
    has_type: bool | None


def ready(facts: Facts) -> Iterator[Ready]:
    """Yield the functions that choose between body and URI, and those that hand both on."""
    stack = [
        Ready(function, param.name.value, location, _has_type(facts, function))
        for function in facts.index.functions
        for param in function.params.kwonly_params
        if (location := _location_without(facts.index, function, param.name.value)) is not None
    ]
    seen = set()
    while stack:
        one = stack.pop()
        if one.function not in seen:
            seen.add(one.function)
            yield one
            stack.extend(_handing_on(facts, one))


def _handing_on(facts: Facts, inner: Ready) -> Iterator[Ready]:
    """Yield the functions that hand an optional body of their own on to another."""
    wanted = given_for(facts, inner.location)
    for func in sites(facts, inner.function):
        call, function = facts.index.parent[func], facts.index.function(func)
        if not isinstance(call, cst.Call) or not isinstance(function, cst.FunctionDef):
            continue
        given = keyword(call.args, inner.body)
        value = given.value if given is not None else None
        param = facts.definitions.of(value).node if isinstance(value, cst.Name) else None
        if param not in function.params.kwonly_params or not is_none(_default(param)):
            continue
        bound = bound_arguments(facts, inner.function, func, tuple(call.args))
        location = bound.get(wanted) if bound is not None and wanted is not None else None
        if location is not None and isinstance(param, cst.Param):
            yield Ready(function, param.name.value, location, inner.has_type)


def _default(param: cst.CSTNode | None) -> cst.BaseExpression | None:
    return param.default if isinstance(param, cst.Param) else None


def _has_type(facts: Facts, function: cst.FunctionDef) -> bool | None:
    """Tell whether all calls of the API in a function have a ContentType; ``None`` if perhaps."""
    made = [
        call
        for func in facts.index.attributes.get(METHOD, ())
        if facts.index.function(func) is function
        for call in invocations(facts.definitions, func)
    ]
    is_typed = [("ContentType" in inputs_of(facts, call).items) for call in made]
    return True if made and all(is_typed) else None


def _location_without(
    index: Index, function: cst.FunctionDef, name: str
) -> cst.BaseExpression | None:
    """Return ``uri`` of ``{"InputLocation": uri} if body is None else {"Body": body}``."""
    for read in index.names.get(name, ()):
        comparison = index.parent[read]
        chosen = index.parent.get(comparison)
        if not isinstance(chosen, cst.IfExp) or index.function(read) is not function:
            continue
        if chosen.test is not comparison or tested_for_none(comparison) is not read:
            continue
        items, body = dict_items(chosen.body), dict_items(chosen.orelse)
        if not items or not body or len(items) != 1 or len(body) != 1:
            continue
        sends_it = isinstance(body[0][1], cst.Name) and body[0][1].value == name
        if (items[0][0], body[0][0]) == ("InputLocation", "Body") and sends_it:
            return items[0][1]
    return None
