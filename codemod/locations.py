"""The URI in front of the guard: known already, moved there, spelled out or built anew."""

from __future__ import annotations

import libcst as cst

from codemod.assignments import (
    is_plain_assignment,
    may_come_first,
)
from codemod.definitions import Kind
from codemod.facts import Facts
from codemod.pairing import Candidate
from codemod.syntax import descendants, names_in
from codemod.tree import LineOrCompound


def is_known(facts: Facts, node: cst.BaseExpression, before: LineOrCompound) -> bool:
    """Tell whether an expression has its value already in front of a statement."""
    clock = facts.definitions.walk(facts.index.function(before)).clock[before]
    if any(
        (stored := facts.definitions.attribute_reads.get(part)) is not None
        and stored.made_at >= clock
        for part in descendants(node)
    ):
        return False
    return all(
        facts.definitions.of(name).kind is Kind.OUTSIDE
        or facts.index.function(facts.definitions.of(name).node or name)
        is not facts.index.function(before)
        or facts.definitions.known_before(facts.definitions.of(name), before)
        for name in names_in(node)
    )


def movable_chain(
    facts: Facts, node: cst.BaseExpression, before: LineOrCompound
) -> tuple[cst.SimpleStatementLine, ...] | None:
    """Return the plain assignments behind an expression, if all can move in front."""
    if any(part in facts.definitions.attribute_reads for part in descendants(node)):
        return None
    chain: dict[cst.SimpleStatementLine, None] = {}
    block = facts.index.block(before)
    stack = list(names_in(node))
    while stack:
        name = stack.pop()
        definition = facts.definitions.of(name)
        if is_known(facts, name, before):
            continue
        if definition.kind is not Kind.ASSIGNED or definition.node is None:
            return None
        statement = facts.index.statement(definition.node)
        if (
            not isinstance(statement, cst.SimpleStatementLine)
            or not is_plain_assignment(facts, statement)
            or not may_come_first(facts, statement)
            or facts.index.block(statement) is not block
            or not facts.cells.same(statement, before)
        ):
            return None
        chain[statement] = None
        assert definition.value is not None
        stack.extend(names_in(definition.value))
    return tuple(sorted(chain, key=facts.index.order.__getitem__))


def spelled_out(
    facts: Facts, node: cst.BaseExpression, before: LineOrCompound
) -> cst.BaseExpression | None:
    """Return what a name stands for, if that is short and known already."""
    stored = facts.definitions.attribute_reads.get(node)
    value = facts.definitions.resolve(node)
    if stored is not None and stored.value is not None:
        value = stored.value
    if value is node or not is_known(facts, value, before):
        return None
    if any(isinstance(part, cst.Call) for part in descendants(value)):
        return None
    return value


def rebuilt(
    facts: Facts, candidate: Candidate, before: LineOrCompound
) -> cst.BaseExpression | None:
    """Build the URI from the bucket and the key of the upload, if both are simple."""
    upload = candidate.upload
    parts: list[cst.BaseFormattedStringContent] = [cst.FormattedStringText("s3://")]
    for position, node in enumerate((upload.bucket_node, upload.key_node)):
        if not isinstance(node, (cst.Name, cst.Attribute)) or not is_known(facts, node, before):
            return None
        if position:
            parts.append(cst.FormattedStringText("/"))
        parts.append(cst.FormattedStringExpression(node))
    return cst.FormattedString(parts)
