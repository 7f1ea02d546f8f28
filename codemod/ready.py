"""Functions that make a call and take a body already, as this tool writes them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from codemod.facts import Facts
from codemod.index import Index
from codemod.inputs import METHOD, inputs_of
from codemod.invocations import invocations
from codemod.syntax import dict_items, tested_for_none


def has_type(facts: Facts, function: cst.FunctionDef) -> bool | None:
    """Tell whether all calls of the API in a function have a ContentType; ``None`` if perhaps."""
    made = [
        call
        for func in facts.index.attributes.get(METHOD, ())
        if facts.index.function(func) is function
        for call in invocations(facts.definitions, func)
    ]
    is_typed = [("ContentType" in inputs_of(facts, call).items) for call in made]
    return True if made and all(is_typed) else None


def ready(facts: Facts) -> Iterator[tuple[cst.FunctionDef, str, cst.BaseExpression]]:
    """Yield the functions, the name of the parameter with the body, and the URI without one."""
    for function in facts.index.functions:
        for param in function.params.kwonly_params:
            location = _location_without(facts.index, function, param.name.value)
            if location is not None:
                yield function, param.name.value, location


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
