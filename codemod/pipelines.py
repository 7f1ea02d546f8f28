"""Functions that something calls one after the other, each with what the last one gave.

They stand in a list that a loop goes through (``for step in steps: x = step(x)``), are given to
what puts functions together (``compose(upload, invoke)``), or are joined by an operator, as the
tasks of a chain are (``upload.s(payload) | invoke.s()``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import libcst as cst

from codemod.facts import Facts
from codemod.references import same_value
from codemod.syntax import callee, descendants, names_in, string_value, target_names
from codemod.template import source

#: What the names of functions and classes have in them that call others one after the other.
_IN_ORDER = re.compile(
    r"compose|pipe|chain|flow|sequen|reduce|thread_(?:first|last)", re.IGNORECASE
)
#: Methods that give a task with its arguments.
_SIGNATURES = ("s", "si", "signature", "subtask", "bind", "clone", "set")
#: Keywords, and methods, for what comes next.
_NEXT = ("link", "callback", "on_success", "on_result", "and_then", "then", "next")
#: Functions that give the items of what they are given, in order.
_SAME_ORDER = ("list", "tuple", "iter", "enumerate", "tqdm")
#: How many expressions may stand for one function, or for the list that it is in.
_MOST = 50
#: How many functions are looked at that are called before one.
_NEAR = 10


class _Step(NamedTuple):
    """What is called before a function, and what stands for the function further out."""

    before: Iterable[cst.BaseExpression] = ()
    further: cst.BaseExpression | None = None


def called_before(facts: Facts, func: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield the functions that are called before another one is with what they give.

    Args:
        facts: The modules.
        func: Where that function is mentioned, without a call of it.
    """
    value: cst.BaseExpression | None = func
    for _ in range(_MOST):
        if value is None:
            return
        step = _step(facts, value)
        yield from step.before
        value = step.further


def _step(facts: Facts, value: cst.BaseExpression) -> _Step:
    above = facts.index.parent[value]
    if isinstance(above, cst.Element):
        return _in_list(facts, above)
    if isinstance(above, cst.Arg):
        return _in_call(facts, above)
    if isinstance(above, cst.BinaryOperation):
        if isinstance(above.operator, (cst.BitOr, cst.RightShift)):
            return _Step(_joined(above.left) if above.right is value else (), above)
    elif isinstance(above, cst.Attribute) and above.attr.value in _SIGNATURES:
        made = facts.index.parent[above]
        if isinstance(made, cst.Call) and made.func is above:
            return _Step((), made)
    return _Step()


def _joined(left: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield what stands before an operator, the nearest first."""
    for _ in range(_NEAR):
        yield left.right if isinstance(left, cst.BinaryOperation) else left
        if not isinstance(left, cst.BinaryOperation):
            return
        left = left.left


def _in_list(facts: Facts, element: cst.Element) -> _Step:
    held = facts.index.parent[element]
    assert isinstance(held, (cst.Tuple, cst.List, cst.Set))
    items = [one.value for one in held.elements]
    others = [one for one in items if one is not element.value]
    if _is_called_in_order(facts, held):
        return _Step(_before(items, element.value))
    is_named = all(string_value(one) is not None for one in others)  # ("name", function)
    return _Step((), held) if is_named else _Step()


def _in_call(facts: Facts, arg: cst.Arg) -> _Step:
    call = facts.index.parent[arg]
    if not isinstance(call, cst.Call):
        return _Step()
    if _comes_next(call, arg):
        on = [call.func.value] if isinstance(call.func, cst.Attribute) else []
        return _Step((*_before([one.value for one in call.args], arg.value), *on))
    # What it makes of one thing may be the same function: ``Step(upload)``.
    return _Step((), call if len(call.args) == 1 else None)


def _before(items: list[cst.BaseExpression], last: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Return what stands before an item, the nearest first."""
    place = next(at for at, one in enumerate(items) if one is last)
    return items[max(0, place - _NEAR) : place][::-1]


def _comes_next(call: cst.Call, arg: cst.Arg) -> bool:
    """Tell whether a call is given a function to call with what another one gives."""
    if arg.keyword is not None:
        return arg.keyword.value in _NEXT
    return callee(call) in _NEXT or _IN_ORDER.search(source(call.func)) is not None


def _is_called_in_order(facts: Facts, held: cst.BaseExpression) -> bool:
    """Tell whether something calls the items of a list one after the other."""
    index = facts.index
    queue, seen = [held], {held}
    for value in queue:
        above = index.parent[value]
        if isinstance(above, cst.For) and above.iter is value and _hands_on(above):
            return True
        if isinstance(above, cst.Arg):
            call = index.parent[above]
            if isinstance(call, cst.Call) and _comes_next(call, above):
                return True
            if isinstance(call, cst.Call) and callee(call) in _SAME_ORDER:
                queue.append(call)
        for further in same_value(facts, value):
            if further not in seen and len(seen) < _MOST:
                seen.add(further)
                queue.append(further)
    return False


def _hands_on(loop: cst.For) -> bool:
    """Tell whether a loop calls what it goes through with what the last turn gave."""
    names = {one.value for one in target_names(loop.target)}
    for part in descendants(loop.body):
        if not isinstance(part, cst.Assign):
            continue
        bound = {one.value for target in part.targets for one in target_names(target.target)}
        for call in descendants(part.value):
            if isinstance(call, cst.Call) and names & {one.value for one in names_in(call.func)}:
                if any(one.value in bound for arg in call.args for one in names_in(arg.value)):
                    return True
    return False
