"""What the order in which cells are executed means for a rewrite.

Whoever works in a notebook executes its cells in any order. A rewrite across cells is safe if the
URI that is invoked names the uploaded object in each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import libcst as cst

from codemod import effects
from codemod.clients import Role
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.pairing import Candidate
from codemod.refusals import Refusal
from codemod.syntax import descendants, names_in, unwrap_await
from codemod.transfers import Upload


@dataclass(slots=True, eq=False)
class _Reads:
    """What some expressions are worked out from, and in which cells.

    Attributes:
        across: The names that are bound in another cell than the one that reads them, each with
            the cells that read it.
        cells: The cells that take part.
        nodes: One read of each name in ``across``.
        varies: Whether a value differs each time its cell is executed.
    """

    across: dict[str, set[int]] = field(default_factory=dict)
    cells: set[int] = field(default_factory=set)
    nodes: dict[str, cst.Name] = field(default_factory=dict)
    varies: bool = False


def order_matters(facts: Facts, candidate: Candidate) -> Refusal | None:
    """Refuse if the call may name another object when the cells run in another order."""
    if not facts.cells.is_notebook:
        return None
    upload, call = _uploaded(facts, candidate), _invoked(facts, candidate)
    for name in {**upload.across, **call.across}:
        together = upload.across.get(name, set()) | call.across.get(name, set())
        is_agreed = name in upload.across and name in call.across and len(together) == 1
        if not is_agreed and _differs_by_cell(facts, name):
            node = call.nodes.get(name) or upload.nodes[name]
            return Refusal(
                "name-bound-in-several-cells",
                node,
                name,
                "use a name of its own for each object",
            )
    return _executed_out_of_order(facts, candidate, upload, call)


def _executed_out_of_order(
    facts: Facts, candidate: Candidate, upload: _Reads, call: _Reads
) -> Refusal | None:
    cells = facts.cells
    involved = {cells.of(candidate.upload.uploading)}
    involved.update(cells.of(one.invocation.carrier) for one in candidate.calls)
    if upload.varies or call.varies:
        involved |= upload.cells | call.cells
    executed = [
        (number, when)
        for number in sorted(involved)
        if (when := cells.executed.get(number)) is not None
    ]
    for (number, when), (later, then) in pairwise(executed):
        if then <= when:
            return Refusal(
                "cells-out-of-order",
                candidate.upload.invocation.carrier,
                f"cell {number} as [{when}], cell {later} as [{then}]",
                "restart the kernel, run all cells and save the notebook",
            )
    return None


# -- what identifies the object ------------------------------------------------------------


def _uploaded(facts: Facts, candidate: Candidate) -> _Reads:
    upload: Upload | None = candidate.upload
    nodes: list[cst.CSTNode] = []
    while upload is not None and not candidate.upload.returns_uri:
        nodes.extend(node for node in (upload.bucket_node, upload.key_node) if node is not None)
        receiver = upload.invocation.receiver
        if facts.clients.receiver(receiver).role in (Role.OBJECT, Role.BUCKET):
            nodes.append(receiver)
        if upload.via is not None:
            nodes.extend(upload.invocation.args)
        upload = upload.via.inner if upload.via is not None else None
    here = facts.cells.of(candidate.upload.uploading)
    return _reads(facts, [(name, here) for node in nodes for name in names_in(node)], candidate)


def _invoked(facts: Facts, candidate: Candidate) -> _Reads:
    names: list[tuple[cst.Name, int]] = []
    for outer in candidate.calls:
        here = facts.cells.of(outer.invocation.carrier)
        for call in outer.inward():
            names.extend((name, here) for name in names_in(call.location))
            if call.parameters is not None:
                owner = call.parameters.name
                carrier = call.invocation.carrier
                names.extend((name, here) for name in names_in(carrier) if name.value == owner)
    return _reads(facts, names, candidate)


def _reads(facts: Facts, names: list[tuple[cst.Name, int]], candidate: Candidate) -> _Reads:
    """Follow names, each given with the cell that runs the code it stands in."""
    cells, found = facts.cells, _Reads()
    seen: set[tuple[Definition, int]] = set()
    while names:
        name, runs_in = names.pop()
        is_written = name in facts.index.parent  # and not put together from a function's code
        is_in_module = is_written and isinstance(facts.index.function(name), cst.Module)
        here = cells.of(name) if is_in_module else runs_in
        found.cells.add(here)
        for origin in _origins(facts, name):
            if origin.node is None or (origin, here) in seen:
                continue
            seen.add((origin, here))
            home = cells.of(origin.node)
            if home != here and isinstance(facts.index.function(origin.node), cst.Module):
                found.across.setdefault(name.value, set()).add(here)
                found.nodes.setdefault(name.value, name)
            if origin.value is None or _is_upload(origin.value, candidate):
                continue
            if _varies(origin.value):
                found.cells.add(home)
                found.varies = True
            names.extend((one, here) for one in names_in(origin.value))
    return found


def _origins(facts: Facts, name: cst.Name) -> Iterator[Definition]:
    """Yield every definition that may have given a name its value."""
    definition = facts.definitions.of(name)
    sources = definition.sources if definition.kind is Kind.SHARED else [definition]
    for source in sources:
        yield from source.origins()


def _is_upload(value: cst.BaseExpression, candidate: Candidate) -> bool:
    return unwrap_await(value) is unwrap_await(candidate.upload.invocation.whole)


def _varies(value: cst.BaseExpression) -> bool:
    return any(
        isinstance(part, cst.Call)
        and not effects.is_stable_call(part)
        and not effects.is_client_factory(part)
        for part in descendants(value)
    )


# -- names and their cells -----------------------------------------------------------------


def module_bindings(facts: Facts, name: str) -> list[Definition]:
    """Return how the module itself binds a name."""
    return [
        definition
        for definition in facts.definitions.walk(facts.index.module).bindings.get(name, ())
        if definition.kind is not Kind.MERGED and definition.node is not None
    ]


def _homes(facts: Facts, name: str) -> set[int]:
    bound = module_bindings(facts, name)
    return {facts.cells.of(one.node) for one in bound if one.node is not None}


def _differs_by_cell(facts: Facts, name: str) -> bool:
    """Tell whether a name has another value if its cells are executed in another order."""
    if len(_homes(facts, name)) < 2:
        return False
    values = set()
    for definition in module_bindings(facts, name):
        value: cst.CSTNode | None = definition.value
        if definition.kind is Kind.IMPORTED:
            value = definition.node
        elif definition.kind is not Kind.ASSIGNED or value is None or _varies(value):  # type: ignore[arg-type]
            return True
        assert value is not None
        values.add(facts.index.module.code_for_node(value))
    return len(values) > 1


def needed_cells(facts: Facts, statement: cst.CSTNode) -> set[int]:
    """Return the cells that must have been executed before a statement of the module can run.

    A name that several cells bind proves none of them.
    """
    needed: set[int] = set()
    stack = [statement]
    while stack:
        current = stack.pop()
        for name in names_in(current):
            definition = facts.definitions.of(name)
            if not isinstance(_scope_of(facts, definition), cst.Module):
                continue
            homes = _homes(facts, name.value)
            if len(homes) == 1 and not homes & (needed | {facts.cells.of(name)}):
                needed |= homes
                stack.extend(
                    one
                    for one in facts.cells.statements(*homes)
                    if one is definition.node
                    or not isinstance(one, (cst.FunctionDef, cst.ClassDef))
                )
    return needed


def _scope_of(facts: Facts, definition: Definition) -> cst.CSTNode:
    nodes = [one.node for one in (*definition.origins(), *definition.sources) if one.node]
    return facts.index.function(nodes[0]) if nodes else facts.index.module
