"""A bound method and the arguments it gets, however it is called.

``s3.put_object(Body=b)``, ``await asyncio.to_thread(s3.put_object, Body=b)`` and
``await loop.run_in_executor(None, partial(s3.put_object, Body=b))`` are the same invocation, and so
is ``put(Body=b)`` after ``put = s3.put_object``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from codemod.definitions import Definition, Definitions
from codemod.index import Index
from codemod.syntax import callee, dotted


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a bound method.

    Attributes:
        func: The method, as in ``s3.put_object``, or the name of a function.
        carrier: The call node whose argument list holds the method's arguments.
        args: Those arguments, and before them what ``partial`` gave in advance.
        whole: The expression to see as the call: with ``await`` and what runs it in a thread.
        is_awaited: Whether ``whole`` has the result: it is an ``await``, or runs a coroutine.
        is_indirect: Whether another function runs the method (then it must be awaited).
        early: The call of ``partial`` that some of the arguments stand in, if there is one.
    """

    func: cst.Attribute | cst.Name
    carrier: cst.Call
    args: tuple[cst.Arg, ...]
    whole: cst.BaseExpression
    is_awaited: bool
    is_indirect: bool
    early: cst.Call | None = None

    @property
    def takes_keywords(self) -> bool:
        """Whether the argument list may hold keywords: of ``run_in_executor`` it may not."""
        return self.carrier.func is self.func or callee(self.carrier) not in _POSITIONAL

    @property
    def receiver(self) -> cst.BaseExpression:
        """What the method is called on; the function itself where there is no such thing."""
        return self.func.value if isinstance(self.func, cst.Attribute) else self.func

    @property
    def method(self) -> str:
        """The name of the method or function."""
        return self.func.attr.value if isinstance(self.func, cst.Attribute) else self.func.value


#: Functions that run a coroutine to its end, and return its result.
_DRIVERS = ("asyncio.run", "trio.run", "uvloop.run")
_DRIVER_METHODS = ("run_until_complete",)
#: Functions that hand on nothing but positional arguments.
_POSITIONAL = ("run_in_executor", "run_sync")
#: Functions that run another one, and the position of that one among their arguments.
_RUNNERS = {
    "to_thread": 0,
    "run_in_executor": 1,
    "run_sync": 0,
    "run_in_threadpool": 0,
    "submit": 0,
}


def invocation(index: Index, func: cst.Attribute | cst.Name) -> Invocation | None:
    """Return how a bound method is called; ``None`` if it is only mentioned."""
    above = index.parent[func]
    if isinstance(above, cst.Call) and above.func is func:
        return _finish(index, func, above, tuple(above.args), above, indirect=False)
    if not isinstance(above, cst.Arg):
        return None
    call = index.parent[above]
    if not isinstance(call, cst.Call):
        return None
    position = call.args.index(above)
    if callee(call) == "partial" and position == 0:
        args = tuple(call.args[1:])
        holder = index.parent[call]
        runner = index.parent.get(holder)
        if isinstance(runner, cst.Call) and _RUNNERS.get(callee(runner) or "") is not None:
            return _finish(index, func, call, args, runner, indirect=True)
        return None
    if _RUNNERS.get(callee(call) or "") == position:
        return _finish(index, func, call, tuple(call.args[position + 1 :]), call, indirect=True)
    return None


def invocations(definitions: Definitions, func: cst.Attribute | cst.Name) -> list[Invocation]:
    """Return how a bound method or a function is called, under names of its own as well."""
    call = invocation(definitions.index, func)
    return [call] if call is not None else list(_by_other_name(definitions, func))


def _by_other_name(
    definitions: Definitions, func: cst.Attribute | cst.Name
) -> Iterator[Invocation]:
    """Yield the calls of ``put`` after ``put = s3.put_object`` or ``put = partial(…)`` of it."""
    index = definitions.index
    value: cst.BaseExpression = func
    early: cst.Call | None = None
    above = index.parent[func]
    if isinstance(above, cst.Arg):
        call = index.parent[above]
        if not isinstance(call, cst.Call) or callee(call) != "partial" or call.args[0] is not above:
            return
        value, early = call, call
    definition = _named(definitions, value)
    for read in definitions.reads(definition) if definition is not None else ():
        if definitions.of(read) is not definition:
            continue
        call_of_it = invocation(index, read)
        if call_of_it is not None:
            args = _after(early, call_of_it.args) if early is not None else call_of_it.args
            if args is not None:
                yield replace(call_of_it, func=func, args=args, early=early)


def _after(early: cst.Call, args: tuple[cst.Arg, ...]) -> tuple[cst.Arg, ...] | None:
    """Return what a function gets that ``partial`` gave some arguments before."""
    given = early.args[1:]
    if any(arg.star for arg in (*given, *args)):
        return None
    again = {arg.keyword.value for arg in args if arg.keyword is not None}
    kept = [arg for arg in given if arg.keyword is None or arg.keyword.value not in again]
    return (*kept, *args)


def _named(definitions: Definitions, value: cst.BaseExpression) -> Definition | None:
    """Return the definition of the one name that a value is assigned to."""
    index = definitions.index
    assign = index.parent[value]
    if not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
        return None
    name = assign.targets[0].target
    if not isinstance(name, cst.Name):
        return None
    bound = definitions.walk(index.scope(name)).bindings.get(name.value, ())
    return next((one for one in bound if one.node is name), None)


def _is_bare(node: cst.Lambda) -> bool:
    """Tell whether a lambda has no parameters: with some, names mean something else in it."""
    params = node.params
    has_extra = isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None
    return not (params.params or params.posonly_params or params.kwonly_params or has_extra)


def _finish(
    index: Index,
    func: cst.Attribute | cst.Name,
    carrier: cst.Call,
    args: tuple[cst.Arg, ...],
    whole: cst.BaseExpression,
    *,
    indirect: bool,
) -> Invocation:
    above = index.parent[whole]
    if not indirect and isinstance(above, cst.Lambda) and above.body is whole and _is_bare(above):
        runner = index.parent.get(index.parent[above])
        if isinstance(runner, cst.Call) and (callee(runner) or "") in _RUNNERS:
            whole, indirect = runner, True
            above = index.parent[whole]
    awaited = isinstance(above, cst.Await)
    if isinstance(above, cst.Await):
        whole = above
    elif isinstance(above, cst.Arg) and not indirect:
        driver = index.parent[above]
        if isinstance(driver, cst.Call) and driver.args[0] is above and _drives(driver):
            whole, awaited, indirect = driver, True, True
    return Invocation(func, carrier, args, whole, awaited, indirect)


def _drives(call: cst.Call) -> bool:
    return dotted(call.func) in _DRIVERS or callee(call) in _DRIVER_METHODS
