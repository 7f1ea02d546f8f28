"""Functions that do nothing but put together text: ``def uri_of(bucket, key): return …``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from codemod import effects
from codemod.definitions import Definition, Definitions
from codemod.syntax import descendants, dotted, is_self, names_in, string_value

_PROPERTIES = ("property", "cached_property", "functools.cached_property")


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """The call of a function that only works out a value, or the read of such a property.

    Attributes:
        function: The function.
        result: What it returns.
        given: What the call gives for its parameters.
        own: What the call reads as ``self``, or what has the property.
    """

    function: cst.FunctionDef
    result: cst.BaseExpression
    given: dict[Definition, cst.BaseExpression]
    own: Definition | None = None


def formula(definitions: Definitions, node: cst.Call | cst.Attribute) -> Formula | None:
    """Return what a call or a property stands for, if all it does is work that out."""
    if isinstance(node, cst.Attribute):
        function = _property(definitions, node)
        receiver: cst.BaseExpression = node.value
    else:
        function = definitions.function_called(node)
        if function is None or function.decorators:
            return None
        receiver = node.func.value if isinstance(node.func, cst.Attribute) else node.func
    if function is None or function.asynchronous is not None:
        return None
    result = _only_result(definitions, function)
    if result is None or effects.unstable_part(result) is not None:
        return None
    is_method = definitions.index.class_of(function) is not None
    is_property = isinstance(node, cst.Attribute)  # of an object that is known
    if is_method and not (is_self(receiver) or is_property):
        return None
    if is_method and not _is_settled(definitions, result):
        return None
    if is_method and function.name.value in definitions.index.attribute_stores:
        return None  # an object may have another one
    given = _given(definitions, function, node.args if isinstance(node, cst.Call) else ())
    if given is None:
        return None
    if is_method and any(_is_changed(definitions, value) for value in given.values()):
        return None
    own = definitions.of(receiver) if is_method and isinstance(receiver, cst.Name) else None
    return Formula(function, result, given, own)


def _property(definitions: Definitions, node: cst.Attribute) -> cst.FunctionDef | None:
    index = definitions.index
    named = index.defined_functions.get(node.attr.value, [])
    if len(named) != 1 or len(named[0].decorators) != 1:
        return None
    if node.attr.value in index.attribute_stores:
        return None
    is_property = dotted(named[0].decorators[0].decorator) in _PROPERTIES
    owner = index.class_of(named[0])
    is_own = owner is not None and owner is _class_of(definitions, node.value)
    return named[0] if is_property and is_own else None


def _class_of(definitions: Definitions, node: cst.BaseExpression) -> cst.CSTNode | None:
    """Return the class of an object: of ``self``, or of one that was made in the same function."""
    if is_self(node):
        return definitions.index.class_of(node)
    made = definitions.resolve(node) if isinstance(node, cst.Name) else None
    if not isinstance(made, cst.Call):
        return None
    if definitions.index.function(made) is not definitions.index.function(node):
        return None
    target = definitions.target(made.func)
    return target.node if target is not None else None


def _only_result(definitions: Definitions, function: cst.FunctionDef) -> cst.BaseExpression | None:
    """Return the value of the one ``return`` that is all a function consists of."""
    exits = definitions.index.exits[function]
    only = exits[0] if len(exits) == 1 else None
    if not isinstance(only, cst.Return):
        return None
    if isinstance(function.body, cst.SimpleStatementSuite):
        return only.value if len(function.body.body) == 1 else None
    *before, last = function.body.body
    if not isinstance(last, cst.SimpleStatementLine) or last.body[-1] is not only:
        return None
    for line in before:
        small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        if not isinstance(small, cst.Expr) or string_value(small.value) is None:
            return None  # it is no docstring
    return only.value if len(last.body) == 1 else None


def _is_settled(definitions: Definitions, result: cst.BaseExpression) -> bool:
    """Tell whether a method reads nothing of its object that may change meanwhile."""
    index = definitions.index
    may_change = (index.late_attributes, index.late_contents, index.defined_functions)
    if (
        index.names.get("setattr")
        or "__dict__" in index.late_contents
        or any(
            isinstance(part, cst.Attribute)
            and any(part.attr.value in names for names in may_change)
            for part in descendants(result)
        )
    ):
        return False
    return not any(
        index.is_late(name.value) or definitions.is_rebound_elsewhere(definitions.of(name))
        for name in names_in(result)
    )


def _is_changed(definitions: Definitions, value: cst.BaseExpression) -> bool:
    """Tell whether a function changes the contents of what it gives a method."""
    index = definitions.index
    return isinstance(value, cst.Name) and any(
        definitions.of(one) is definitions.of(value) for one in index.changing(value.value)
    )


def _given(
    definitions: Definitions, function: cst.FunctionDef, args: Sequence[cst.Arg]
) -> dict[Definition, cst.BaseExpression] | None:
    """Match plain arguments with plain parameters."""
    params = function.params
    if isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None:
        return None
    positional = [*params.posonly_params, *params.params]
    if definitions.index.class_of(function) is not None:
        positional = positional[1:]
    values: dict[str, cst.BaseExpression] = {}
    for arg in args:
        if arg.star:
            return None
        if arg.keyword is not None:
            values[arg.keyword.value] = arg.value
        elif len(values) < len(positional):
            values[positional[len(values)].name.value] = arg.value
        else:
            return None
    found: dict[Definition, cst.BaseExpression] = {}
    for param in (*positional, *params.kwonly_params):
        value = values.pop(param.name.value, param.default)
        if value is None or (value is param.default and string_value(value) is None):
            return None
        bound = definitions.walk(function).bindings[param.name.value]
        if len(bound) != 1:
            return None
        found[bound[0]] = value
    return found if not values else None
