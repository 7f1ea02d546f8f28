"""Look-ups that may fail, as ``event["id"]`` does: leaving them out would hide a bad request.

So may ``int(number)`` of what a function is given.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator
from typing import TypeGuard

import libcst as cst

from codemod.definitions import Kind
from codemod.facts import Facts
from codemod.syntax import (
    callee,
    children,
    descendants,
    dict_items,
    integer_value,
    is_self,
    names_in,
    string_value,
    subscript_key,
)
from codemod.template import source

Lookup = cst.Subscript | cst.Call

#: What turns text into a number, if it is one.
_CONVERSIONS = ("int", "float")
#: Functions and methods whose result has a first and a last item, whatever they are given.
_HAVE_ENDS = frozenset("split rsplit splitlines".split())
#: Those whose result has all the items that anybody asks for.
_HAVE_ALL = frozenset("partition rpartition splitext guess_type urlparse urlsplit".split())
#: Expressions of which a part may not be evaluated, and statements of which none is.
_PERHAPS = (
    cst.IfExp,
    cst.BooleanOperation,
    cst.Lambda,
    cst.BaseComp,
    cst.BaseCompoundStatement,
    cst.Annotation,
    cst.AssignTarget,
)


def failing_lookup(
    facts: Facts, node: cst.CSTNode, done: Collection[cst.CSTNode] = ()
) -> Lookup | None:
    """Return the first look-up in a piece of code that may fail for what its function is given.

    Args:
        facts: The modules.
        node: The code.
        done: Code that is evaluated all the same. The look-ups in it are not missed, nor others
            that mean the same.
    """
    failing = list(_failing(facts, node))
    if not failing:
        return None
    left_out = set(done)
    known = {_meant(facts, one) for part in done for one in _certain(part)}
    for one in failing:
        if not facts.index.within(one, left_out) and _meant(facts, one) not in known:
            return one
    return None


def _failing(facts: Facts, node: cst.CSTNode) -> Iterator[Lookup]:
    for one in filter(_is_lookup, descendants(node)):
        if _may_fail(facts, one) if isinstance(one, cst.Subscript) else _is_given_to(facts, one):
            yield one


def _is_lookup(node: cst.CSTNode) -> TypeGuard[Lookup]:
    if isinstance(node, cst.Call):
        return isinstance(node.func, cst.Name) and node.func.value in _CONVERSIONS
    return isinstance(node, cst.Subscript)


def _is_given_to(facts: Facts, conversion: cst.Call) -> bool:
    """Tell whether a function turns what it is given itself into a number, which may be none."""
    value = conversion.args[0].value if len(conversion.args) == 1 else None
    param = facts.definitions.of(value).node if isinstance(value, cst.Name) else None
    if not isinstance(param, cst.Param):
        return False
    said = param.annotation.annotation if param.annotation is not None else None
    return not isinstance(said, cst.Name) or said.value not in _CONVERSIONS


def _meant(facts: Facts, lookup: Lookup) -> tuple[object, ...]:
    return source(lookup), *map(facts.definitions.of, names_in(lookup))


def lookup_left_out(
    facts: Facts, argument: cst.BaseExpression, made: Container[cst.CSTNode] = ()
) -> Lookup | None:
    """Return a look-up in an argument that may fail, and that nothing before it has made.

    Args:
        facts: The modules.
        argument: The argument.
        made: Parts of it, or what it is a part of, that are evaluated all the same.
    """
    for one in _failing(facts, argument):
        if not facts.index.within(one, made) and not _is_made_before(facts, one):
            return one
    return None


def _is_made_before(facts: Facts, lookup: Lookup) -> bool:
    """Tell whether code that has certainly run before makes the same look-up."""
    index = facts.index
    function, statement = index.function(lookup), index.statement(lookup)
    found = facts.lookups.get(function)
    if found is None:
        found = facts.lookups[function] = {}
        for one in descendants(function):
            if _is_lookup(one) and _is_certain(facts, one):
                found.setdefault(_meant(facts, one), []).append(index.statement(one))
    return any(
        index.order[one] < index.order[statement] and index.inside(statement, index.block(one))
        for one in found.get(_meant(facts, lookup), ())
    )


def _is_certain(facts: Facts, lookup: Lookup) -> bool:
    """Tell whether a look-up is made whenever its statement runs."""
    below: cst.CSTNode = lookup
    for above in facts.index.ancestors(lookup):
        if isinstance(above, (cst.If, cst.While)):
            is_elif = isinstance(facts.index.parent[above], cst.If)
            return below is above.test and not is_elif
        if isinstance(above, (cst.BaseCompoundStatement, cst.Module)):
            return False
        if isinstance(above, _PERHAPS):
            return False
        if isinstance(above, cst.SimpleStatementLine):
            return True
        below = above
    return False


def _certain(node: cst.CSTNode) -> Iterator[Lookup]:
    stack = [node]
    while stack:
        current = stack.pop()
        if _is_lookup(current):
            yield current
        stack.extend(one for one in children(current) if not isinstance(one, _PERHAPS))


def _may_fail(facts: Facts, lookup: cst.Subscript) -> bool:
    above = facts.index.parent[lookup]
    if isinstance(above, (cst.AssignTarget, cst.Annotation)):
        return False
    if any(isinstance(one.slice, cst.Slice) for one in lookup.slice):
        return False
    if not any(_is_given(facts, name) for name in names_in(lookup)):
        return False  # settings, which are there for all requests or for none
    made, key = facts.definitions.resolve(lookup.value), subscript_key(lookup)
    if isinstance(made, cst.Call):
        name = callee(made)
        if name in _HAVE_ALL or (name in _HAVE_ENDS and _is_end(lookup)):
            return False
    if key is not None and key in {name for name, _, _ in dict_items(made) or ()}:
        return False
    return not _is_asked_for(facts, lookup, key)


def _is_end(lookup: cst.Subscript) -> bool:
    """Tell whether a look-up takes the first or the last item."""
    index = lookup.slice[0].slice
    value = index.value if isinstance(index, cst.Index) else None
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus):
        return integer_value(value.expression) == 1
    return integer_value(value) == 0


def _is_asked_for(facts: Facts, lookup: cst.Subscript, key: str | int | None) -> bool:
    """Tell whether the function also asks whether the item is there: ``"id" in event``."""
    function = facts.index.function(lookup)
    asked = facts.asked_for.get(function)
    if asked is None:
        asked = facts.asked_for[function] = {
            string_value(one.left) if isinstance(one, cst.Comparison) else _got(one)
            for one in descendants(function)
            if isinstance(one, (cst.Comparison, cst.Call))
        } - {None}
    return key in asked


def _got(call: cst.Call) -> str | None:
    is_get = callee(call) == "get" and bool(call.args)
    return string_value(call.args[0].value) if is_get else None


def _is_given(facts: Facts, name: cst.Name) -> bool:
    """Tell whether a name stands for something that a function is given, or has made of that."""
    definition = facts.definitions.of(name)
    if is_self(name) or definition.kind in (Kind.OUTSIDE, Kind.IMPORTED):
        return False
    node = definition.node
    return node is None or not isinstance(facts.index.function(node), cst.Module)
