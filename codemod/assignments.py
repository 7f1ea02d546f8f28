"""Assignments: what they bind, who reads it, and whether they may move."""

from __future__ import annotations

from collections.abc import Container

import libcst as cst

from codemod import effects
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.structure import steps_to, swallows
from codemod.syntax import callee, descendants, target_names
from codemod.tree import LineOrCompound

_BINDING = (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For)


def targets(statement: cst.CSTNode) -> list[cst.Name]:
    found: list[cst.Name] = []
    for node in descendants(statement):
        if isinstance(node, _BINDING):
            found.extend(target_names(node.target))
    return found


def definition_at(facts: Facts, target: cst.Name) -> Definition | None:
    walk = facts.definitions.walk(facts.index.function(target))
    for definition in walk.bindings.get(target.value, ()):
        if definition.node is target:
            return definition
    return None


def is_plain_assignment(facts: Facts, statement: LineOrCompound, *, fresh: bool = False) -> bool:
    """Tell whether a statement only gives names a value that could be worked out any time.

    With ``fresh``, the value may depend on when that is, as that of ``uuid4()`` does.
    """
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    if isinstance(small, cst.Assign):
        if not all(isinstance(target.target, cst.Name) for target in small.targets):
            return False
    elif not isinstance(small, cst.AnnAssign) or not isinstance(small.target, cst.Name):
        return False
    return small.value is not None and all(
        not isinstance(node, (cst.Await, cst.Yield, cst.NamedExpr))
        and (
            not isinstance(node, cst.Call)
            or facts.templates.works_out(node)
            or effects.is_client_factory(node)
            or (_is_known(node, fresh=fresh) and not facts.definitions.is_namesake(node))
        )
        for node in descendants(small.value)
    )


def _is_known(call: cst.Call, *, fresh: bool) -> bool:
    return effects.is_stable_call(call) or (fresh and effects.is_fresh_call(call))


def binds_outside(facts: Facts, statement: LineOrCompound, within: Container[cst.CSTNode]) -> bool:
    """Tell whether a name that a statement binds is read outside of some statements."""
    for target in targets(statement):
        definition = definition_at(facts, target)
        if definition is None or target.value in facts.definitions.declared_elsewhere:
            return True
        if not all(
            facts.index.within(name, within) for name in facts.definitions.reads(definition)
        ):
            return True
    return False


def may_come_first(facts: Facts, statement: LineOrCompound) -> bool:
    """Tell whether an assignment may move over the upload.

    It must be certain to succeed, and the only one for its name: a handler around the upload may
    look at what the name was at that moment, or fail as it has no value yet.
    """
    bindings = facts.definitions.walk(facts.index.function(statement)).bindings
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    value = small.value if isinstance(small, (cst.Assign, cst.AnnAssign)) else None
    if value is None or any(len(bindings[target.value]) > 1 for target in targets(statement)):
        return False
    if any(_is_read_after_error(facts, target) for target in targets(statement)):
        return False
    return all(
        not isinstance(node, cst.Subscript)
        and (
            not isinstance(node, cst.Call)
            or effects.is_client_factory(node)
            or facts.templates.works_out(node)
            or callee(node) in ("str", "format", "join", "getenv", "get")
        )
        for node in descendants(value)
    )


def _is_read_after_error(facts: Facts, target: cst.Name) -> bool:
    """Tell whether code reads a name that also runs if a statement before its assignment fails."""
    index, definition = facts.index, definition_at(facts, target)
    reads = facts.definitions.reads(definition) if definition is not None else []
    for step in steps_to(index, index.statement(target), index.function(target)):
        statement = step.statement
        if isinstance(statement, (cst.Try, cst.TryStar)) and step.part is statement.body:
            after = [*statement.handlers, *([statement.finalbody] if statement.finalbody else [])]
            if any(index.within(read, after) for read in reads):
                return True
        if swallows(step) and not all(index.inside(read, statement) for read in reads):
            return True
    return False
