"""Parameters that get another value where they are given none: ``if key is None: key = …``."""

from __future__ import annotations

from typing import NamedTuple

import libcst as cst

from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.syntax import tested_for_none
from codemod.template import Hole


class Fallback(NamedTuple):
    """A parameter, and what is taken where it is ``None``.

    Attributes:
        parameter: The parameter.
        value: What is taken.
        is_for_any: Whether that is taken for whatever counts as nothing, such as ``0``.
    """

    parameter: Definition
    value: cst.BaseExpression
    is_for_any: bool


def fallback_of(facts: Facts, hole: Hole) -> Fallback | None:
    """Return the parameter that a part of a string is, if that may be left out."""
    definition = hole.key[1] if hole.key[0] == "definition" else None
    if not isinstance(definition, Definition):
        return _chosen(facts, hole.node) if isinstance(hole.node, cst.CSTNode) else None
    if definition.kind is not Kind.MERGED:
        return None
    origins = definition.origins()
    given = next((one for one in origins if isinstance(one.node, cst.Param)), None)
    made = next((one for one in origins if one.kind is Kind.ASSIGNED), None)
    if given is None or made is None or made.value is None or len(origins) != 2:
        return None
    test = _test_before(facts, made)
    asked = _missing(test) if test is not None else None
    if test is None or asked is None or facts.definitions.of(asked) is not given:
        return None
    return Fallback(given, made.value, _asks_for_any(test))


def _test_before(facts: Facts, made: Definition) -> cst.BaseExpression | None:
    """Return the test that a variable is only assigned behind."""
    index = facts.index
    assert made.node is not None
    block = index.block(index.statement(made.node))
    above = index.parent.get(block)
    if not isinstance(above, cst.If) or above.body is not block or above.orelse is not None:
        return None
    return above.test


def _chosen(facts: Facts, node: cst.CSTNode) -> Fallback | None:
    """Look at ``key or …``, ``… if key is None else key`` and ``key if key else …``."""
    given: cst.BaseExpression | None = None
    name, value = None, None
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.Or):
        given = name = node.left
        value = node.right
    elif isinstance(node, cst.IfExp):
        name = _missing(node.test)
        given, value = (node.body, node.orelse) if name is None else (node.orelse, node.body)
        name = _present(node.test) if name is None else name
    if not isinstance(name, cst.Name) or not isinstance(given, cst.Name) or value is None:
        return None
    definition = facts.definitions.of(name)
    is_given = isinstance(definition.node, cst.Param) and facts.definitions.of(given) is definition
    test = node.test if isinstance(node, cst.IfExp) else node
    return Fallback(definition, value, _asks_for_any(test)) if is_given else None


def _asks_for_any(test: cst.CSTNode) -> bool:
    """Tell whether a test asks for anything but ``None``."""
    return not isinstance(test, cst.Comparison)


def _missing(test: cst.BaseExpression) -> cst.Name | None:
    """Return ``key`` of ``key is None`` and ``not key``."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return test.expression if isinstance(test.expression, cst.Name) else None
    return tested_for_none(test)


def _present(test: cst.BaseExpression) -> cst.Name | None:
    """Return ``key`` of ``key is not None`` and of ``key`` itself."""
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        target = test.comparisons[0]
        if isinstance(target.operator, cst.IsNot):
            is_same = target.with_changes(operator=cst.Is())
            return tested_for_none(test.with_changes(comparisons=[is_same]))
        return None
    return test if isinstance(test, cst.Name) else None
