"""A bound method and the arguments it gets, however it is called.

``s3.put_object(Body=b)``, ``await asyncio.to_thread(s3.put_object, Body=b)`` and
``await loop.run_in_executor(None, partial(s3.put_object, Body=b))`` are the same invocation, and so
is ``put(Body=b)`` after ``put = s3.put_object``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from codemod.definitions import Definition, Definitions, Kind
from codemod.syntax import callee, string_value


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a bound method.

    Attributes:
        func: The method, as in ``s3.put_object`` or ``getattr(s3, "put_object")``, or the name of
            a function.
        carrier: The call node whose argument list holds the method's arguments.
        args: Those arguments, and before them what ``partial`` gave in advance.
        whole: The expression to see as the call: with ``await`` and what runs it in a thread.
        is_awaited: Whether ``whole`` has the result: it is an ``await``, or runs a coroutine.
        is_indirect: Whether another function runs the method (then it must be awaited).
        is_driven: Whether it is a coroutine that ``asyncio.run`` or the like runs to its end.
        alias: The other name by which it is called, if it has one.
        early: The call of ``partial`` that some of the arguments stand in, if there is one.
        by: What stands for the method in the call, if that cannot be proven to be nothing else.
        named: The method, if another function is given its name.
        on: What that is given to call it on, if it shows.
    """

    func: cst.Attribute | cst.Name | cst.Call
    carrier: cst.Call
    args: tuple[cst.Arg, ...]
    whole: cst.BaseExpression
    is_awaited: bool
    is_indirect: bool
    is_driven: bool = False
    alias: cst.Name | None = None
    early: cst.Call | None = None
    by: cst.BaseExpression | None = None
    named: str = ""
    on: cst.BaseExpression | None = None

    @property
    def takes_keywords(self) -> bool:
        """Whether the argument list may hold keywords: of ``run_in_executor`` it may not."""
        return self.carrier.func is self.func or callee(self.carrier) not in _POSITIONAL

    @property
    def receiver(self) -> cst.BaseExpression:
        """What the method is called on; the function itself where there is no such thing."""
        if self.named:
            return self.on if self.on is not None else self.carrier
        if isinstance(self.func, cst.Call):
            return self.func.args[0].value
        return self.func.value if isinstance(self.func, cst.Attribute) else self.func

    @property
    def method(self) -> str:
        """The name of the method or function."""
        if self.named:
            return self.named
        if isinstance(self.func, cst.Call):
            return string_value(self.func.args[1].value) or ""
        return self.func.attr.value if isinstance(self.func, cst.Attribute) else self.func.value


#: Functions that run a coroutine to its end, and return its result.
_DRIVERS = ("asyncio.run", "uvloop.run")
#: Where the loops come from whose ``run_until_complete`` does the same.
_LOOPS = ("asyncio.get_event_loop", "asyncio.new_event_loop", "uvloop.new_event_loop")
#: What lets other work wait for a loop to run.
_SCHEDULING = (
    "create_task ensure_future call_soon call_soon_threadsafe call_later call_at"
    " run_coroutine_threadsafe add_reader add_writer add_signal_handler"
).split()
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


def invocations(definitions: Definitions, func: cst.Attribute | cst.Name) -> list[Invocation]:
    """Return how a bound method or a function is called, under names of its own as well.

    There is nothing to return if it is only mentioned.
    """
    call = _invocation(definitions, func)
    return [call] if call is not None else list(_by_other_name(definitions, func))


def _invocation(definitions: Definitions, func: cst.Attribute | cst.Name) -> Invocation | None:
    index = definitions.index
    above = index.parent[func]
    if isinstance(above, cst.Call) and above.func is func:
        return _finish(definitions, func, above, tuple(above.args), above, indirect=False)
    call = index.parent.get(above)
    if not isinstance(above, cst.Arg) or not isinstance(call, cst.Call):
        return None
    if _is_partial(definitions, call) and call.args[0] is above:
        holder = index.parent[call]
        runner = index.parent.get(holder)
        if not isinstance(runner, cst.Call) or _ran(definitions, runner) is not holder:
            return None
        return _finish(definitions, func, call, tuple(call.args[1:]), runner, indirect=True)
    if _ran(definitions, call) is not above:
        return None
    args = tuple(call.args[call.args.index(above) + 1 :])
    return _finish(definitions, func, call, args, call, indirect=True)


def _ran(definitions: Definitions, call: cst.CSTNode | None) -> cst.Arg | None:
    """Return the argument that a call runs as a function, if it is known to do just that."""
    position = _RUNNERS.get(callee(call) or "") if isinstance(call, cst.Call) else None
    if position is None or not isinstance(call, cst.Call) or position >= len(call.args):
        return None
    return None if _is_own(definitions, call) else call.args[position]


def _is_own(definitions: Definitions, call: cst.Call) -> bool:
    """Tell whether a call is of something that the program defines itself."""
    if definitions.function_called(call) is not None:
        return True
    receiver = call.func.value if isinstance(call.func, cst.Attribute) else call.func
    made = definitions.resolve(receiver)
    target = definitions.target(made.func if isinstance(made, cst.Call) else made)
    return target is not None and isinstance(target.node, (cst.ClassDef, cst.FunctionDef))


def _is_partial(definitions: Definitions, call: cst.Call) -> bool:
    return definitions.origin(call.func) == "functools.partial"


def _finish(
    definitions: Definitions,
    func: cst.Attribute | cst.Name,
    carrier: cst.Call,
    args: tuple[cst.Arg, ...],
    whole: cst.BaseExpression,
    *,
    indirect: bool,
) -> Invocation:
    index = definitions.index
    above = index.parent[whole]
    if not indirect and isinstance(above, cst.Lambda) and above.body is whole and _is_bare(above):
        holder = index.parent[above]
        runner = index.parent.get(holder)
        if isinstance(runner, cst.Call) and _ran(definitions, runner) is holder:
            whole, indirect = runner, True
            above = index.parent[whole]
    if isinstance(above, cst.Await):
        return Invocation(func, carrier, args, above, is_awaited=True, is_indirect=indirect)
    driver = index.parent.get(above)
    if isinstance(above, cst.Arg) and isinstance(driver, cst.Call) and not indirect:
        if _drives(definitions, driver):
            return Invocation(func, carrier, args, driver, True, False, is_driven=True)
    return Invocation(func, carrier, args, whole, is_awaited=False, is_indirect=indirect)


def _is_bare(node: cst.Lambda) -> bool:
    """Tell whether a lambda has no parameters: with some, names mean something else in it."""
    params = node.params
    has_extra = isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None
    return not (params.params or params.posonly_params or params.kwonly_params or has_extra)


def _drives(definitions: Definitions, call: cst.Call) -> bool:
    """Tell whether a call does nothing but run the one coroutine that it is given.

    A loop may have other work to do meanwhile, if anything in these files can have given it some.
    """
    index = definitions.index
    around = index.function(call)
    if len(call.args) != 1 or call.args[0].star or call.args[0].keyword is not None:
        return False
    if isinstance(around, cst.FunctionDef) and around.asynchronous is not None:
        return False
    if definitions.origin(call.func) in _DRIVERS:
        return True
    if callee(call) != "run_until_complete" or not isinstance(call.func, cst.Attribute):
        return False
    if not isinstance(call.func.value, cst.Name):
        return False
    if any(index.names.get(one) or index.attributes.get(one) for one in _SCHEDULING):
        return False
    loop = definitions.resolve(call.func.value)
    return isinstance(loop, cst.Call) and definitions.origin(loop.func) in _LOOPS


# -- under another name --------------------------------------------------------------------


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
        if not isinstance(call, cst.Call) or call.args[0] is not above:
            return
        if not _is_partial(definitions, call):
            return
        value, early = call, call
    definition = _named(definitions, value)
    reads = definitions.reads(definition) if definition is not None else []
    calls = [_invocation(definitions, read) for read in reads]
    if early is not None and None in calls:
        return  # what it passes can be changed
    for read, called in zip(reads, calls, strict=True):
        if called is None or definitions.of(read) is not definition:
            continue
        args = _after(early, called.args) if early is not None else called.args
        if args is not None:
            yield replace(called, func=func, args=args, alias=read, early=early)


def _after(early: cst.Call, args: tuple[cst.Arg, ...]) -> tuple[cst.Arg, ...] | None:
    """Return what a function gets that ``partial`` gave some arguments before."""
    given = early.args[1:]
    if any(arg.star for arg in (*given, *args)):
        return None
    again = {arg.keyword.value for arg in args if arg.keyword is not None}
    kept = [arg for arg in given if arg.keyword is None or arg.keyword.value not in again]
    return tuple(sorted((*kept, *args), key=lambda arg: arg.keyword is not None))


def _named(definitions: Definitions, value: cst.BaseExpression) -> Definition | None:
    """Return the definition of the one name that a value is assigned to."""
    assign = definitions.index.parent[value]
    if isinstance(assign, cst.Assign) and len(assign.targets) == 1:
        name = assign.targets[0].target
    elif isinstance(assign, cst.AnnAssign):
        name = assign.target
    else:
        return None
    if not isinstance(name, cst.Name):
        return None
    bound = definitions.walk(definitions.index.scope(name)).bindings.get(name.value, ())
    return next((one for one in bound if one.node is name and one.kind is Kind.ASSIGNED), None)
