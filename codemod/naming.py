"""Names for what the rewritten code needs, and the place of the limit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import libcst as cst

from codemod.cell_order import module_bindings, needed_cells
from codemod.definitions import Kind
from codemod.effects import is_stable_call
from codemod.facts import Facts
from codemod.model import SERVICE_LIMIT
from codemod.names import free_name, names_in_function
from codemod.syntax import integer_value

LIMIT = "ASYNC_INLINE_LIMIT"
_LIMIT_ALTERNATIVES = (LIMIT, "SAGEMAKER_ASYNC_INLINE_LIMIT", "ASYNC_INLINE_LIMIT_BYTES")
_MEANS_LIMIT = re.compile(r"(?=.*(INLINE|BODY|PAYLOAD|ASYNC))(?=.*(LIMIT|MAX|BYTES|SIZE))")
_CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True, eq=False)
class LimitPlace:
    """Where the constant goes: after a statement, or first of all.

    ``is_group`` tells that the statement is a constant, too, ``opens_cell`` that it only marks the
    beginning of a cell.
    """

    after: cst.CSTNode | None
    is_group: bool = False
    opens_cell: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LimitConstant:
    """The constant with the limit: its name and where it is missing."""

    name: str
    places: tuple[LimitPlace, ...] = ()


def names_seen_from(facts: Facts, node: cst.CSTNode) -> set[str]:
    """Return the names that code in the function of a node uses or could collide with."""
    function = facts.index.function(node)
    if isinstance(function, cst.Module):
        return set(facts.index.identifiers[function])
    return names_in_function(function)


def limit_constant(facts: Facts, users: Sequence[cst.CSTNode]) -> LimitConstant:
    """Find the constant with the limit, or decide on its name and place.

    Args:
        facts: The module.
        users: The top-level statements that are rewritten or hold rewritten code, in order.
    """
    if facts.cells.is_notebook:
        return _limit_in_cells(facts, users)
    existing = _existing(facts, users[0])
    if existing is not None:
        return LimitConstant(existing)
    module = facts.index.module_of(users[0])
    name = free_name(facts.index.identifiers[module], *_LIMIT_ALTERNATIVES)
    place = _place(module.body, users[0]) or LimitPlace(None)
    return LimitConstant(name, (place,))


def _limit_in_cells(facts: Facts, users: Sequence[cst.CSTNode]) -> LimitConstant:
    """Give each user the constant without making it depend on a cell that it did not need before.

    Usually all need the cell with the imports, and one constant there serves them.
    """
    cells = facts.cells
    taken = facts.index.identifiers[facts.index.module]
    name = _existing_in_cells(facts) or free_name(taken, *_LIMIT_ALTERNATIVES)
    order = facts.index.order
    bound = [one.node for one in module_bindings(facts, name) if one.node is not None]
    served = {cells.of(node) for node in bound}
    places: list[LimitPlace] = []
    for user in users:
        own, needed = cells.of(user), needed_cells(facts, user)
        above = [node for node in bound if order[cells.top(node)] < order[user]]
        here = {cells.of(node) for node in (*above, *(one.after for one in places)) if node}
        if served & needed or own in here:
            continue
        place = _place_in_cells(facts, sorted({*needed, own}), user)
        assert place.after is not None
        places.append(place)
        served.add(cells.of(place.after))
    return LimitConstant(name, tuple(places))


def _existing_in_cells(facts: Facts) -> str | None:
    for name in facts.definitions.walk(facts.index.module).bindings:
        bound = module_bindings(facts, name)
        values = {integer_value(one.value) for one in bound if one.kind is Kind.ASSIGNED}
        if len(values) != 1 or not _CONSTANT.fullmatch(name):
            continue
        if all(one.kind is Kind.ASSIGNED for one in bound) and _is_limit(name, values.pop()):
            return name
    return None


def _place_in_cells(facts: Facts, numbers: Iterable[int], before: cst.CSTNode) -> LimitPlace:
    found = [
        place
        for number in numbers
        if (place := _place(list(facts.cells.statements(number)), before)) is not None
    ]
    groups = [place for place in found if place.is_group]
    for place in (*groups, *found):
        return place
    return LimitPlace(facts.cells.border(facts.cells.of(before)), opens_cell=True)


def _is_limit(name: str, value: int | None) -> bool:
    """Tell whether a constant is a limit for inline payloads, and not just the same number."""
    if value is None:
        return False
    if name == LIMIT:
        return 0 < value <= SERVICE_LIMIT
    return value == SERVICE_LIMIT and _MEANS_LIMIT.search(name) is not None


def _existing(facts: Facts, before: cst.CSTNode) -> str | None:
    index = facts.index
    if LIMIT in index.imported(before):
        return LIMIT
    walk = facts.definitions.walk(index.module_of(before))
    for name, definitions in walk.bindings.items():
        if len(definitions) != 1 or definitions[0].kind is not Kind.ASSIGNED:
            continue
        value, node = integer_value(definitions[0].value), definitions[0].node
        if node is None or not _CONSTANT.fullmatch(name) or not _is_limit(name, value):
            continue
        if name in facts.definitions.declared_elsewhere or _is_shadowed(facts, name):
            continue
        statement = index.statement(node)
        is_certain = isinstance(index.parent[statement], cst.Module)
        if is_certain and index.order[statement] < index.order[before]:
            return name
    return None


def _is_shadowed(facts: Facts, name: str) -> bool:
    functions = {facts.index.function(read) for read in facts.index.names[name]}
    return any(
        name in facts.definitions.walk(function).local
        for function in functions
        if isinstance(function, cst.FunctionDef)
    )


def _place(body: Sequence[cst.CSTNode], before: cst.CSTNode) -> LimitPlace | None:
    """Return the statement to go after: the last of the first constants, else the last import.

    Only what runs before any function is defined is looked at, so nothing can need the constant
    earlier than it is bound.
    """
    last_import: cst.CSTNode | None = None
    last_constant: cst.CSTNode | None = None
    for statement in body:
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
        return LimitPlace(last_constant, is_group=True)
    return LimitPlace(last_import) if last_import is not None else None


def _is_import(statement: cst.CSTNode) -> bool:
    if isinstance(statement, cst.SimpleStatementLine):
        return all(isinstance(small, (cst.Import, cst.ImportFrom)) for small in statement.body)
    if isinstance(statement, cst.Try):
        return any(_is_import(inner) for inner in statement.body.body)
    if isinstance(statement, cst.If):
        return bool(statement.body.body) and all(_is_import(inner) for inner in statement.body.body)
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
