"""Names for what the rewritten code needs, and the place of the limit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import libcst as cst

from codemod.definitions import Kind
from codemod.effects import is_stable_call
from codemod.facts import Facts
from codemod.model import SERVICE_LIMIT
from codemod.syntax import descendants, integer_value

LIMIT = "ASYNC_INLINE_LIMIT"
_LIMIT_ALTERNATIVES = (LIMIT, "SAGEMAKER_ASYNC_INLINE_LIMIT", "ASYNC_INLINE_LIMIT_BYTES")
_CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True, eq=False)
class LimitConstant:
    """The constant with the limit: its name and, if it is new, the statement it goes after."""

    name: str
    is_new: bool
    after: cst.CSTNode | None = None
    follows_constant: bool = False


def free_name(taken: Iterable[str], *candidates: str) -> str:
    """Return the first candidate that is not taken, with a number if need be."""
    names = set(taken)
    for candidate in candidates:
        if candidate not in names:
            return candidate
    number = 2
    while f"{candidates[0]}_{number}" in names:
        number += 1
    return f"{candidates[0]}_{number}"


def names_seen_from(facts: Facts, node: cst.CSTNode) -> set[str]:
    """Return the names that code in the function of a node uses or could collide with."""
    function = facts.index.function(node)
    if isinstance(function, cst.Module):
        return set(facts.index.identifiers)
    return {part.value for part in descendants(function) if isinstance(part, cst.Name)}


def limit_constant(facts: Facts, before: cst.CSTNode) -> LimitConstant:
    """Find the constant with the limit, or decide on its name and place.

    Args:
        facts: The module.
        before: The first top-level statement that is rewritten or holds rewritten code.
    """
    existing = _existing(facts, before)
    if existing is not None:
        return LimitConstant(existing, is_new=False)
    name = free_name(facts.index.identifiers, *_LIMIT_ALTERNATIVES)
    after, follows_constant = _place(facts, before)
    return LimitConstant(name, is_new=True, after=after, follows_constant=follows_constant)


def _existing(facts: Facts, before: cst.CSTNode) -> str | None:
    if LIMIT in facts.index.imported:
        return LIMIT
    walk = facts.definitions.walk(facts.index.module)
    order = facts.index.order
    for name, definitions in walk.bindings.items():
        if len(definitions) != 1 or definitions[0].kind is not Kind.ASSIGNED:
            continue
        value = integer_value(definitions[0].value)
        node = definitions[0].node
        if value is None or node is None or not _CONSTANT.fullmatch(name):
            continue
        fits = value == SERVICE_LIMIT or (name == LIMIT and 0 < value <= SERVICE_LIMIT)
        if fits and order[facts.index.statement(node)] < order[before]:
            shadowed = any(
                name in facts.definitions.walk(function).local
                for function in {facts.index.function(read) for read in facts.index.names[name]}
                if isinstance(function, cst.FunctionDef)
            )
            if not shadowed:
                return name
    return None


def _place(facts: Facts, before: cst.CSTNode) -> tuple[cst.CSTNode | None, bool]:
    """Return the statement to go after: the last of the first constants, else the last import.

    Only what runs before any function is defined is looked at, so nothing can need the constant
    earlier than it is bound.
    """
    last_import: cst.CSTNode | None = None
    last_constant: cst.CSTNode | None = None
    for statement in facts.index.module.body:
        if statement is before:
            break
        if _is_constant(statement):
            last_constant = statement
        elif last_constant is not None:
            break
        elif _is_import(statement) or (last_import is None and _is_docstring(statement)):
            last_import = statement
        elif not isinstance(statement, cst.SimpleStatementLine):
            break
    if last_constant is not None:
        return last_constant, True
    return last_import, False


def _is_import(statement: cst.CSTNode) -> bool:
    if isinstance(statement, cst.SimpleStatementLine):
        return all(isinstance(small, (cst.Import, cst.ImportFrom)) for small in statement.body)
    if isinstance(statement, cst.Try):
        return any(_is_import(inner) for inner in statement.body.body)
    if isinstance(statement, cst.If):
        return bool(statement.body.body) and all(
            _is_import(inner) for inner in statement.body.body
        )
    return False


def _is_docstring(statement: cst.CSTNode) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, (cst.SimpleString, cst.ConcatenatedString))
    )


def _is_constant(statement: cst.CSTNode) -> bool:
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    if isinstance(small, cst.Assign) and len(small.targets) == 1:
        target: cst.BaseExpression = small.targets[0].target
    elif isinstance(small, cst.AnnAssign):
        target = small.target
    else:
        return False
    computed = (cst.Comparison, cst.BooleanOperation, cst.UnaryOperation, cst.Lambda)
    return (
        isinstance(target, cst.Name)
        and _CONSTANT.fullmatch(target.value) is not None
        and not isinstance(small.value, computed)
        and (not isinstance(small.value, cst.Call) or is_stable_call(small.value))
    )
