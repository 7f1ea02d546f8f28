"""What a function of the program does with a value that it is given."""

from __future__ import annotations

import enum

import libcst as cst

from codemod import effects
from codemod.facts import Facts
from codemod.functions import bound_arguments
from codemod.quiet import grows_in_place
from codemod.syntax import descendants, names_in


class Handling(enum.Enum):
    """What becomes of an argument in a function."""

    LOGGED = "logged at most"
    RETURNED = "given back"
    KEPT = "kept, or passed on"


def handling(facts: Facts, arg: cst.Arg, call: cst.Call) -> Handling:
    """Return what the function that is called does with one of its arguments."""
    function = facts.definitions.function_called(call)
    if function is None or not isinstance(call.func, (cst.Name, cst.Attribute)):
        return Handling.KEPT
    body = list(descendants(function.body))
    if any(_may_keep(node) for node in body):
        return Handling.KEPT
    bound = bound_arguments(facts, function, call.func, tuple(call.args))
    if bound is None:  # it may be in any of them
        params = descendants(function.params)
        held = {node.name.value for node in params if isinstance(node, cst.Param)}
    else:
        held = {definition.name for definition, value in bound.items() if value is arg.value}
    if _is_kept(facts, body, held):
        return Handling.KEPT
    given_back = (node.value for node in body if isinstance(node, (cst.Return, cst.Yield)))
    if any(value is not None and _mentions(value, held) for value in given_back):
        return Handling.RETURNED
    return Handling.LOGGED


def _may_keep(node: cst.CSTNode) -> bool:
    """Tell whether a part of a function may keep or pass on anything that it can see."""
    if isinstance(node, cst.Call):
        is_harmless = (
            effects.is_log(node) or effects.is_stable_call(node) or effects.is_fresh_call(node)
        )
        return not is_harmless
    return isinstance(node, (cst.Global, cst.Nonlocal, cst.FunctionDef, cst.Lambda, cst.ClassDef))


def _is_kept(facts: Facts, body: list[cst.CSTNode], held: set[str]) -> bool:
    """Tell whether a value is put into something that may outlive the function.

    The names that get to hold it are added to those that do.
    """
    known = -1
    while known != len(held):
        known = len(held)
        for node in body:
            for target, value in _bindings(node):
                if not _mentions(value, held) and not _mentions(target, held):
                    continue
                if grows_in_place(facts, node):
                    return True
                if any(isinstance(part, (cst.Attribute, cst.Subscript)) for part in _parts(target)):
                    return True
                held.update(name.value for name in names_in(target))
    return False


def _bindings(node: cst.CSTNode) -> list[tuple[cst.BaseExpression, cst.CSTNode]]:
    """Return the targets of a statement, each with what it gets its value from."""
    if isinstance(node, cst.Assign):
        return [(target.target, node.value) for target in node.targets]
    if isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.NamedExpr)):
        return [(node.target, node.value)] if node.value is not None else []
    if isinstance(node, (cst.For, cst.CompFor)):
        return [(node.target, node.iter)]
    return []


def _parts(target: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Return the single targets of one that may be a tuple."""
    if isinstance(target, (cst.Tuple, cst.List)):
        return [part for element in target.elements for part in _parts(element.value)]
    return [target]


def _mentions(node: cst.CSTNode, names: set[str]) -> bool:
    return any(name.value in names for name in names_in(node))
