"""What a value may be made from: through variables, loops, collections, pools and parameters.

This follows much more than can be proven, to explain a call that nothing is rewritten for.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.functions import bound_arguments, sites
from codemod.invocations import invocations
from codemod.syntax import callee, children, is_self

#: How many expressions are looked at for one value.
_MOST = 100
#: Methods that put something into a list or a queue.
COLLECTING = ("append", "appendleft", "add", "put", "put_nowait", "extend", "insert")
#: Functions that give what they are given, or what a function makes of that.
_CARRIERS = frozenset(
    "list tuple set sorted reversed enumerate zip iter next dict str chain from_iterable islice map"
    " filter starmap gather wait wait_for shield create_task ensure_future as_completed run"
    " run_until_complete submit to_thread run_in_executor run_sync apply apply_async map_async imap"
    " imap_unordered starmap_async partial delayed get pop join format".split()
)

#: An expression, and the function that was handed to something else on the way to it, if one was.
Step = tuple[cst.BaseExpression, cst.CSTNode | None]


def behind(facts: Facts, value: cst.BaseExpression) -> Iterator[Step]:
    """Yield the expressions that a value may be made from, the nearest first, itself included."""
    queue: list[Step] = [(value, None)]
    seen = {value}
    for node, handed in queue:
        yield node, handed
        for part in parts_of(facts, node):
            for other, through in _behind_part(facts, part):
                if other not in seen and len(seen) < _MOST:
                    seen.add(other)
                    queue.append((other, through or handed))


def parts_of(facts: Facts, node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield an expression and its parts, without the variables that some function is given.

    What that function returns need not be made from them, but a function among its arguments, or
    what one returns, is likely to be behind it.
    """
    stack: list[cst.CSTNode] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.BaseExpression):
            yield current
        below = list(children(current))
        if isinstance(current, cst.Call) and callee(current) not in _CARRIERS:
            below = [
                one
                for one in below
                if not isinstance(one, cst.Arg)
                or isinstance(one.value, (cst.Await, cst.Call))
                or is_function(facts, one.value)
            ]
        stack.extend(reversed(below))


def _behind_part(facts: Facts, part: cst.BaseExpression) -> Iterator[Step]:
    if isinstance(part, (cst.Name, cst.Attribute)):
        for candidate in facts.definitions.candidates(part):
            for origin in candidate.origins():
                yield from _behind_definition(facts, origin)
    if isinstance(part, cst.Name):
        for value in put_into(facts, part):
            yield value, None
    elif isinstance(part, cst.Attribute) and is_self(part.value):
        owner = facts.index.class_of(part)
        for target, stored in facts.index.attribute_stores.get(part.attr.value, ()):
            if stored is not None and facts.index.class_of(target) is owner is not None:
                yield stored, None
        for other in facts.index.attributes[part.attr.value]:
            if is_self(other.value) and facts.index.class_of(other) is owner:
                yield from ((value, None) for value in _put_by(facts, other))


def _behind_definition(facts: Facts, definition: Definition) -> Iterator[Step]:
    if definition.value is not None:
        yield taken_from(facts, definition.node, definition.value), None
    if definition.kind is Kind.AUGMENTED:
        for source in definition.sources:
            yield from ((one.value, None) for one in source.origins() if one.value is not None)
    if isinstance(definition.node, cst.Param):
        yield from _given_for(facts, definition, definition.node)


def taken_from(
    facts: Facts, target: cst.CSTNode | None, value: cst.BaseExpression
) -> cst.BaseExpression:
    """Return what a name gets of a value that is unpacked, as far as that shows."""
    place = facts.index.place_in_tuple(target) if target is not None else None
    if place is None:
        return value
    if isinstance(value, cst.Tuple) and place < len(value.elements):
        return value.elements[place].value
    args = value.args if isinstance(value, cst.Call) else ()
    if any(arg.star or arg.keyword is not None for arg in args):
        return value
    if callee(value) == "zip" and place < len(args):
        return args[place].value
    if callee(value) == "enumerate" and place == 1 and args:
        return args[0].value
    return value


def put_into(facts: Facts, name: cst.Name) -> Iterator[cst.BaseExpression]:
    """Yield what is put into a collection by its methods and by assigning items."""
    definition = facts.definitions.of(name)
    is_shared = definition.node is not None and isinstance(
        facts.index.function(definition.node), cst.Module
    )
    for other in facts.index.names.get(name.value, ()):
        if facts.index.function(other) is facts.index.function(name) or (
            is_shared and facts.definitions.of(other) is definition
        ):
            yield from _put_by(facts, other)


def _put_by(facts: Facts, collection: cst.Name | cst.Attribute) -> Iterator[cst.BaseExpression]:
    """Yield what one mention of a collection puts into it."""
    index = facts.index
    holder = index.parent[collection]
    call = index.parent.get(holder)
    if isinstance(holder, cst.Attribute) and isinstance(call, cst.Call):
        if call.func is holder and holder.attr.value in COLLECTING:
            yield from (arg.value for arg in call.args)
    target = index.parent.get(holder)
    assign = index.parent.get(target) if isinstance(target, cst.AssignTarget) else None
    if isinstance(holder, cst.Subscript) and isinstance(assign, cst.Assign):
        yield assign.value


# -- parameters ----------------------------------------------------------------------------


def _given_for(facts: Facts, definition: Definition, param: cst.Param) -> Iterator[Step]:
    """Yield what a parameter may be given where its function is not simply called.

    Where it is, the call is followed by others; it only tells which functions are given.
    """
    if param.default is not None:
        yield param.default, None
    function = facts.index.parent[facts.index.parent[param]]
    if isinstance(function, cst.Lambda):
        yield from _given_to_lambda(facts, function)
    elif isinstance(function, cst.FunctionDef):
        for func in sites(facts, function):
            calls = invocations(facts.definitions, func)
            for call in calls:
                bound = bound_arguments(facts, function, func, call.args) or {}
                value = bound.get(definition)
                if value is not None and is_function(facts, value):
                    yield value, None
            if not calls:
                yield from _given_with(facts, func)


def is_function(facts: Facts, node: cst.BaseExpression) -> bool:
    """Tell whether an expression is a function or a method, and not what one returns."""
    if isinstance(node, cst.Attribute):
        return node.attr.value in facts.index.defined_functions
    if isinstance(node, cst.Name):
        found = facts.definitions.candidates(node)
        return any(isinstance(one.node, cst.FunctionDef) for one in found)
    return isinstance(node, cst.Lambda)


def _given_with(facts: Facts, func: cst.BaseExpression) -> Iterator[Step]:
    """Yield what is given to a pool or a thread along with a function."""
    above = facts.index.parent[func]
    call = facts.index.parent[above]
    if isinstance(above, cst.Arg) and isinstance(call, cst.Call):
        yield from ((arg.value, func) for arg in call.args if arg is not above)


def _given_to_lambda(facts: Facts, function: cst.Lambda) -> Iterator[Step]:
    yield from _given_with(facts, function)
    assign = facts.index.parent[function]
    if isinstance(assign, cst.Assign) and isinstance(assign.targets[0].target, cst.Name):
        for name in facts.index.names[assign.targets[0].target.value]:
            call = facts.index.parent[name]
            if facts.definitions.of(name).value is function and isinstance(call, cst.Call):
                yield from ((arg.value, name) for arg in call.args)
