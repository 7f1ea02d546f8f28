"""Calls of methods that are not proven to be calls of them, and what keeps a method for others.

Something else may call the method, or it is fetched or called by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from codemod.facts import Facts
from codemod.invocations import Invocation, invocations
from codemod.references import same_value, uses
from codemod.refusals import Refusal
from codemod.syntax import callee, dict_items, is_self, unwrap_await
from codemod.template import source

_FETCHING = ("getattr", "attrgetter", "hasattr")
#: Functions that are told the name of a method and do not run it.
_TELLING = re.compile(
    "assert|expect|verify|mock|patch|stub|spy|log|metric|trace|span|debug|info|warn|print|response",
    re.IGNORECASE,
)


def called_otherwise(facts: Facts, method: str) -> Iterator[Invocation]:
    """Yield the calls of a method that are not proven to be calls of it.

    It may be fetched by its name, as in ``getattr(s3, "put_object")``.
    """
    index = facts.index
    known: set[cst.CSTNode] = set()
    for func in (*index.attributes.get(method, ()), *_fetched(facts, method)):
        above = index.parent[func]
        if isinstance(func, cst.Attribute):
            if isinstance(above, cst.Call) and above.func is func:
                continue
            for one in invocations(facts.definitions, func):
                known.update((one.carrier, unwrap_await(one.whole)))
        for use in uses(facts, func):
            if use.call not in known:
                known.add(use.call)
                above = index.parent[use.call]
                whole = above if isinstance(above, cst.Await) else use.call
                is_awaited = whole is above
                on = func.args[0].value if isinstance(func, cst.Call) else func.value
                is_handed = use.call.func is not use.by
                yield Invocation(
                    func,
                    use.call,
                    tuple(_unpacked(use.args)) if is_handed else use.args,
                    whole,
                    is_awaited,
                    False,
                    by=use.by,
                    named=method,
                    on=on,
                )
    yield from _by_name(facts, method)


def _unpacked(args: tuple[cst.Arg, ...]) -> Iterator[cst.Arg]:
    """Yield the arguments that a thread or a pool gives to what it calls."""
    for arg in args:
        named = arg.keyword.value if arg.keyword is not None else ""
        items = dict_items(arg.value)
        if items is not None and named in ("", "kwargs", "kwds"):
            for name, value, _ in items:
                if name is not None:
                    yield cst.Arg(value, keyword=cst.Name(name))
        elif isinstance(arg.value, (cst.Tuple, cst.List)) and named in ("", "args"):
            yield from (cst.Arg(one.value) for one in arg.value.elements)
        else:
            yield arg


def _fetched(facts: Facts, method: str) -> Iterator[cst.Call]:
    """Yield what gets a method by its name: ``getattr(s3, "put_object")`` and the like."""
    index = facts.index
    for above, call in _told(facts, method):
        if callee(call) == "getattr" and len(call.args) in (2, 3) and call.args[1] is above:
            yield call
        elif callee(call) == "attrgetter" and call.args[0] is above:
            for value in (call, *same_value(facts, call)):
                getting = index.parent[value]
                if isinstance(getting, cst.Call) and getting.func is value and getting.args:
                    yield getting


def _by_name(facts: Facts, method: str) -> Iterator[Invocation]:
    """Yield the calls of functions that are given the name of a method, and its arguments."""
    index = facts.index
    for above, call in _told(facts, method):
        if not isinstance(call.func, (cst.Name, cst.Attribute)):
            continue
        if callee(call) in _FETCHING or _TELLING.search(source(call.func)):
            continue
        place = call.args.index(above)
        on: cst.BaseExpression | None = call.args[place - 1].value if place else None
        outer = index.parent[call]
        if callee(call) == "methodcaller" and isinstance(outer, cst.Call) and outer.args:
            on = outer.args[0].value if outer.func is call else None
        whole = outer if isinstance(outer, cst.Await) else call
        is_awaited = whole is outer
        args = tuple(call.args[place + 1 :])
        if any(arg.keyword is not None or arg.star == "**" for arg in args):
            yield Invocation(
                call.func, call, args, whole, is_awaited, False, by=call.func, named=method, on=on
            )


def _told(facts: Facts, text: str) -> Iterator[tuple[cst.Arg, cst.Call]]:
    """Yield the calls that are given a text, or the name of one, and with which argument."""
    index = facts.index
    for node in index.strings.get(text, ()):
        for value in (node, *same_value(facts, node)):
            above = index.parent[value]
            call = index.parent.get(above)
            if isinstance(above, cst.Arg) and isinstance(call, cst.Call):
                yield above, call


def kept_for_others(facts: Facts, method: str) -> Iterator[cst.Name | cst.Attribute]:
    """Yield what holds a method, or a lambda that calls it, where other modules may get at it."""
    index = facts.index
    for func in (*index.attributes.get(method, ()), *_fetched(facts, method)):
        if index.module_of(func) is not index.module:
            continue
        above = index.parent[func]
        is_called = isinstance(above, cst.Call) and above.func is func
        is_hidden = any(isinstance(one, cst.Lambda) for one in index.ancestors(func))
        line = index.statement(func) if is_hidden or not is_called else None
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            for target in _names_bound(small):
                is_own = isinstance(target, cst.Attribute) and is_self(target.value)
                if is_own or not isinstance(index.scope(target), (cst.FunctionDef, cst.Lambda)):
                    yield target


def _names_bound(statement: cst.BaseSmallStatement) -> Iterator[cst.Name | cst.Attribute]:
    """Yield the names and attributes that an assignment gives a value."""
    stack: list[cst.CSTNode] = []
    if isinstance(statement, cst.Assign):
        stack += (one.target for one in statement.targets)
    elif isinstance(statement, cst.AnnAssign):
        stack.append(statement.target)
    while stack:
        target = stack.pop()
        if isinstance(target, (cst.Name, cst.Attribute)):
            yield target
        elif isinstance(target, (cst.Tuple, cst.List)):
            stack += (one.value for one in target.elements)


def roundabout(call: Invocation) -> Refusal | None:
    """Refuse a call of what may be something else than the method."""
    if call.by is None:
        return None
    return Refusal("helper-as-value", call.by, source(call.by))
