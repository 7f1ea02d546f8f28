"""Functions that send a body or a URI, whichever their callers give them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from codemod.facts import Facts
from codemod.functions import bound_arguments
from codemod.invocations import Invocation
from codemod.sizes import Sizes
from codemod.syntax import is_none, names_in


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """What decides in such a function.

    Attributes:
        function: The function.
        body: The parameters that the body is made of.
        location: Those that the URI is made of.
        asks_for_body: Whether it is only asked if there is a body, and not if there is a URI.
    """

    function: cst.FunctionDef
    body: frozenset[cst.Param]
    location: frozenset[cst.Param]
    asks_for_body: bool

    def sends_body(self, facts: Facts, call: Invocation) -> bool:
        """Tell whether a call of the function makes it send a body, at least if that is small."""
        if not isinstance(call.func, (cst.Name, cst.Attribute)):
            return False
        bound = bound_arguments(facts, self.function, call.func, call.args) or {}
        given = {
            definition.node: value
            for definition, value in bound.items()
            if not is_none(value) and not facts.index.inside(value, self.function)
        }
        bodies = [given[one] for one in self.body if one in given]
        locations = [given[one] for one in self.location if one in given]
        if not bodies or not locations or self.asks_for_body:
            return bool(bodies)
        sizes = Sizes(facts)
        return any(sizes.tells(one, is_value=True) for one in (*bodies, *locations))


def either(
    facts: Facts,
    call: cst.Call,
    location: cst.BaseExpression,
    bodies: Iterable[cst.BaseExpression],
) -> Either | None:
    """Return how the function around a call comes to send a URI, and not one of the bodies."""
    function = facts.index.function(call)
    if not isinstance(function, cst.FunctionDef):
        return None
    sent = {param for body in bodies for param in _parameters(facts, function, body)}
    named = set(_parameters(facts, function, location))
    body, uri = frozenset(sent - named), frozenset(named - sent)
    tested = {param for param in body | uri if _is_tested(facts, function, param)}
    if not body or not uri or not tested:
        return None
    return Either(function, body, uri, tested.isdisjoint(uri))


def is_written_by_us(facts: Facts, chosen: Either, entry: cst.CSTNode) -> bool:
    """Tell whether a URI may stand in a choice that this tool wrote, which is followed further."""
    choice = facts.index.parent[facts.index.parent[entry]]
    optional = chosen.function.params.kwonly_params
    return isinstance(choice, cst.IfExp) and any(one in chosen.body for one in optional)


def is_given(facts: Facts, value: cst.BaseExpression) -> bool:
    """Tell whether a value is a parameter of the function around it, and nothing else."""
    if not isinstance(value, cst.Name):
        return False
    definition = facts.definitions.of(value)
    return isinstance(definition.node, cst.Param) and definition.name not in ("self", "cls")


def _parameters(
    facts: Facts, function: cst.FunctionDef, value: cst.BaseExpression
) -> Iterator[cst.Param]:
    for name in names_in(facts.definitions.resolve(value)):
        node = facts.definitions.of(name).node
        if isinstance(node, cst.Param) and facts.index.function(node) is function:
            if node.name.value not in ("self", "cls"):
                yield node


def _is_tested(facts: Facts, function: cst.FunctionDef, param: cst.Param) -> bool:
    """Tell whether something depends on whether there is a value for a parameter."""
    bound = facts.definitions.walk(function).bindings.get(param.name.value, ())
    given = next((one for one in bound if one.node is param), None)
    for read in facts.definitions.reads(given) if given is not None else ():
        below: cst.CSTNode = read
        for above in facts.index.ancestors(read):
            if isinstance(above, (cst.If, cst.IfExp)) and above.test is below:
                return True
            if isinstance(above, cst.Comparison):
                if above.left is not below or not is_none(above.comparisons[0].comparator):
                    break
            elif not isinstance(above, (cst.UnaryOperation, cst.BooleanOperation)):
                break
            below = above
    return False
