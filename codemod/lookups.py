"""Look-ups that may fail, as ``event["id"]`` does: leaving them out would hide a bad request."""

from __future__ import annotations

from collections.abc import Collection, Iterator

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
) -> cst.Subscript | None:
    """Return the first look-up in a piece of code that may fail for what its function is given.

    Args:
        facts: The modules.
        node: The code.
        done: Code that is evaluated all the same. The look-ups in it are not missed, nor others
            that mean the same.
    """
    known = {_meant(facts, one) for part in done for one in _certain(part)}
    left_out = set(done)
    for one in descendants(node):
        if not isinstance(one, cst.Subscript) or facts.index.within(one, left_out):
            continue
        if _may_fail(facts, one) and _meant(facts, one) not in known:
            return one
    return None


def _meant(facts: Facts, lookup: cst.Subscript) -> tuple[object, ...]:
    return source(lookup), *map(facts.definitions.of, names_in(lookup))


def lookup_left_out(facts: Facts, argument: cst.BaseExpression) -> cst.Subscript | None:
    """Return a look-up in an argument that may fail, and that nothing before it has made."""
    return failing_lookup(facts, argument, tuple(_before(facts, argument)))


def _before(facts: Facts, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield the code of a function that has certainly run when an expression is evaluated."""
    index = facts.index
    statement = index.statement(node)
    while True:
        block = index.block(statement)
        if not isinstance(block, cst.SimpleStatementSuite):
            yield from block.body[: index.position(statement)]
        above = index.parent.get(block)
        if above is None or isinstance(above, (cst.FunctionDef, cst.ClassDef)):
            return
        statement = index.statement(block)
        if isinstance(statement, (cst.If, cst.While)):
            yield statement.test


def _certain(node: cst.CSTNode) -> Iterator[cst.Subscript]:
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.Subscript):
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
    asking = (cst.Comparison, cst.Call)
    return isinstance(key, str) and any(
        (string_value(one.left) if isinstance(one, cst.Comparison) else _got(one)) == key
        for one in descendants(facts.index.function(lookup))
        if isinstance(one, asking)
    )


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
