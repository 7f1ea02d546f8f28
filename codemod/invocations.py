"""A bound method and the arguments it gets, however it is called.

``s3.put_object(Body=b)``, ``await asyncio.to_thread(s3.put_object, Body=b)`` and
``await loop.run_in_executor(None, partial(s3.put_object, Body=b))`` are the same invocation.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from codemod.index import Index
from codemod.syntax import callee


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a bound method.

    Attributes:
        func: The method, as in ``s3.put_object``, or the name of a function.
        carrier: The call node whose argument list holds the method's arguments.
        args: Those arguments.
        whole: The expression to see as the call: with ``await`` and what runs it in a thread.
        is_awaited: Whether ``whole`` is an ``await``.
        is_indirect: Whether another function runs the method (then it must be awaited).
    """

    func: cst.Attribute | cst.Name
    carrier: cst.Call
    args: tuple[cst.Arg, ...]
    whole: cst.BaseExpression
    is_awaited: bool
    is_indirect: bool

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
    return Invocation(func, carrier, args, whole, awaited, indirect)
