"""Where a function or a bound method goes that is used as a value, and what may call it there.

It gets a name of its own, is kept on an object, is a default or a field, stands in a table, is
wrapped, or handed to something that calls it. What is found here is said, and never rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from codemod.classes import is_instance
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.functions import bound_arguments, imported_sites, sites
from codemod.syntax import (
    callee,
    integer_value,
    is_self,
    string_value,
    subscript_key,
)

#: How many expressions may stand for one function.
_MOST = 1000
#: Functions that give one that does the same as the first that they are given.
_WRAPPERS = frozenset(
    "staticmethod classmethod field Field sync_to_async async_to_sync cache lru_cache retry timed"
    " catch wrap make_async asyncify".split()
)
#: Functions that look at another one, and do not run it.
_CHECKING = re.compile("assert|expect|verify|mock|patch|stub|spy", re.IGNORECASE)
_PARTIALS = ("partial", "partialmethod")


class Use(NamedTuple):
    """A call that may run a function.

    Attributes:
        call: The call.
        args: What the function may be given by it.
        by: What stands for the function there.
    """

    call: cst.Call
    args: tuple[cst.Arg, ...]
    by: cst.BaseExpression


_Early = tuple[cst.Arg, ...]
_Value = tuple[cst.BaseExpression, _Early]


def uses(facts: Facts, func: cst.BaseExpression, *, as_task: bool = False) -> Iterator[Use]:
    """Yield the calls that may run what is a function, or a method, at one place.

    Args:
        facts: The modules.
        func: The function.
        as_task: Whether what is called on it runs it, as in ``function.delay(…)``. Of a method of
            a client that would be ``assert_called_with``.
    """
    queue: list[_Value] = [(func, ())]
    seen: set[cst.CSTNode] = {func}
    for value, early in queue:
        above = facts.index.parent[value]
        if isinstance(above, cst.Call) and above.func is value:
            yield Use(above, (*early, *above.args), value)
            continue
        if isinstance(above, cst.Attribute):  # a task: ``function.delay(…)``
            call = facts.index.parent[above]
            if isinstance(call, cst.Call) and call.func is above and as_task:
                yield Use(call, (*early, *call.args), value)
            continue
        if isinstance(above, cst.Arg):
            call = facts.index.parent[above]
            if isinstance(call, cst.Call) and not _is_wrapping(call, above):
                if _CHECKING.search(callee(call) or ""):
                    continue
                after = call.args[call.args.index(above) + 1 :]
                yield Use(call, (*early, *after), value)
        for further in _stands_for(facts, value, early):
            if further[0] not in seen and len(seen) < _MOST:
                seen.add(further[0])
                queue.append(further)


def _is_wrapping(call: cst.Call, arg: cst.Arg) -> bool:
    """Tell whether a call gives a function that does the same as its argument."""
    if callee(call) in _PARTIALS:
        return call.args[0] is arg
    return callee(call) in _WRAPPERS or isinstance(call.func, cst.Call)


def same_value(facts: Facts, value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield the expressions that are the same as another one by way of one name or the like."""
    yield from (one for one, _ in _stands_for(facts, value, ()))


def _stands_for(facts: Facts, value: cst.BaseExpression, early: _Early) -> Iterator[_Value]:
    """Yield the expressions that are the same function as another one."""
    index = facts.index
    above = index.parent[value]
    if isinstance(above, cst.Arg):
        call = index.parent[above]
        if isinstance(call, cst.Call) and _is_wrapping(call, above):
            given = tuple(call.args[1:]) if callee(call) in _PARTIALS else ()
            yield call, (*early, *given)
        elif isinstance(call, cst.Call):
            yield from ((one, early) for one in _as_parameter(facts, call, value))
    elif isinstance(above, (cst.BooleanOperation, cst.IfExp)):
        yield above, early
    elif isinstance(above, cst.Param) and above.default is value:
        yield from ((one, early) for one in _reads_of(facts, above.name, above))
    elif isinstance(above, cst.DictElement) and above.value is value:
        yield from ((one, early) for one in _looked_up(facts, above))
    elif isinstance(above, cst.Return):
        function = index.function(above)
        if isinstance(function, cst.FunctionDef):
            for func in sites(facts, function):
                call = index.parent[func]
                if isinstance(call, cst.Call) and call.func is func:
                    yield call, early
    else:
        for target in _targets(facts, value, above):
            yield from ((one, early) for one in _mentions(facts, target))


def _targets(
    facts: Facts, value: cst.BaseExpression, above: cst.CSTNode
) -> Iterator[cst.BaseExpression]:
    """Yield the names and attributes that a value is assigned to."""
    if isinstance(above, cst.Assign):
        yield from (one.target for one in above.targets)
    elif isinstance(above, (cst.AnnAssign, cst.NamedExpr)) and above.value is value:
        yield above.target
    elif isinstance(above, cst.Element):
        made = facts.index.parent[above]
        assign = facts.index.parent[made]
        if isinstance(assign, cst.Assign) and isinstance(made, (cst.Tuple, cst.List)):
            place = next(at for at, one in enumerate(made.elements) if one is above)
            for one in assign.targets:
                names = one.target
                if isinstance(names, (cst.Tuple, cst.List)):
                    if len(names.elements) == len(made.elements):
                        yield names.elements[place].value


def _mentions(facts: Facts, target: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield where the value of a name or an attribute may be read."""
    index = facts.index
    owner = index.class_of(target)
    if isinstance(target, cst.Attribute) and is_self(target.value) and owner is not None:
        yield from _reads_on(facts, target.attr.value, owner)
    elif isinstance(target, cst.Name):
        scope = index.scope(target)
        if isinstance(scope, cst.ClassDef):
            yield from _reads_on(facts, target.value, scope)
        else:
            yield from _reads_of(facts, target, target)
            if isinstance(scope, cst.Module):
                yield from imported_sites(facts, scope, target.value, target)


def _reads_on(facts: Facts, name: str, owner: cst.ClassDef) -> Iterator[cst.Attribute]:
    for access in facts.index.attributes.get(name, ()):
        if not isinstance(facts.index.parent[access], (cst.AssignTarget, cst.AnnAssign)):
            if is_instance(facts, access.value, owner):
                yield access


def _reads_of(facts: Facts, name: cst.Name, node: cst.CSTNode) -> Iterator[cst.Name]:
    definition = _definition(facts, name, node)
    if definition is not None:
        yield from facts.definitions.reads(definition)


def _definition(facts: Facts, name: cst.Name, node: cst.CSTNode) -> Definition | None:
    scope = facts.index.scope(name)
    bound = facts.definitions.walk(scope).bindings.get(name.value, ())
    return next((one for one in bound if one.node is node), None)


def _as_parameter(
    facts: Facts, call: cst.Call, value: cst.BaseExpression
) -> Iterator[cst.BaseExpression]:
    """Yield where a function that is called reads the parameter that it gets a value for."""
    function = facts.definitions.function_called(call)
    if not isinstance(call.func, (cst.Name, cst.Attribute)):
        return
    if function is None:
        yield from _of_constructor(facts, call, value)
        return
    bound = bound_arguments(facts, function, call.func, tuple(call.args))
    if bound is not None:
        for definition, given in bound.items():
            if given is value:
                yield from facts.definitions.reads(definition)
        return
    params = [*function.params.posonly_params, *function.params.params]
    place = next(at for at, arg in enumerate(call.args) if arg.value is value)
    if place < len(params) and all(arg.keyword is None for arg in call.args[: place + 1]):
        yield from _reads_of(facts, params[place].name, params[place])


def _of_constructor(
    facts: Facts, call: cst.Call, value: cst.BaseExpression
) -> Iterator[cst.BaseExpression]:
    """Yield where the ``__init__`` of a class reads the parameter that it gets a value for."""
    target = facts.definitions.target(call.func)
    for function in facts.index.defined_functions.get("__init__", ()):
        if target is None or facts.index.class_of(function) is not target.node:
            continue
        params = function.params.params[1:]
        for place, arg in enumerate(call.args):
            if arg.value is not value or arg.star:
                continue
            named = arg.keyword.value if arg.keyword is not None else None
            for at, param in enumerate(params):
                if param.name.value == named or (named is None and at == place):
                    yield from _reads_of(facts, param.name, param)


def _looked_up(facts: Facts, element: cst.DictElement) -> Iterator[cst.BaseExpression]:
    """Yield where a value is taken out of a table by its key."""
    table = facts.index.parent[element]
    assert isinstance(table, cst.Dict)
    key = _key_of(element)
    above = facts.index.parent[table]
    for target in _targets(facts, table, above):
        for read in _mentions(facts, target):
            item = facts.index.parent[read]
            if isinstance(item, cst.Subscript) and item.value is read:
                if subscript_key(item) in (key, None):
                    yield item
            elif isinstance(item, cst.Attribute) and item.attr.value == "get":
                call = facts.index.parent[item]
                if isinstance(call, cst.Call) and call.func is item:
                    yield call


def _key_of(element: cst.DictElement) -> str | int | None:
    text = string_value(element.key)
    return text if text is not None else integer_value(element.key)
