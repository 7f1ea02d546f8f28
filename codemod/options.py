"""What the options of an upload may be, where a dictionary of the function holds them."""

from __future__ import annotations

import libcst as cst

from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.syntax import callee, dict_items, is_none, subscript_key

#: Methods that take such a dictionary, and leave it as it is.
_UPLOADING = ("put_object", "put", "upload_file", "upload_fileobj", "upload_data")

#: Names, and what puts something there.
Held = dict[str, cst.CSTNode]


def held_names(facts: Facts, node: cst.BaseExpression) -> Held | None:
    """Return the names under which a dictionary may hold anything; ``None`` if nobody can tell."""
    if is_none(node):
        return {}
    if isinstance(node, cst.IfExp):
        return _joined(facts, (node.body, node.orelse))
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.Or):
        return _joined(facts, (node.left, node.right))
    if isinstance(node, cst.Name):
        return _held_behind(facts, node)
    items = dict_items(node)
    if items is None:
        return None
    return (
        {name: at for name, _, at in items if name} if all(name for name, _, _ in items) else None
    )


def _joined(facts: Facts, nodes: tuple[cst.BaseExpression, ...]) -> Held | None:
    found: Held = {}
    for node in nodes:
        held = held_names(facts, node)
        if held is None:
            return None
        found.update(held)
    return found


def _held_behind(facts: Facts, name: cst.Name) -> Held | None:
    """Return what a variable may hold that is made, filled and given to uploads in one function."""
    found: Held = {}
    for origin in facts.definitions.of(name).origins():
        is_local = origin.node is not None and (
            facts.index.function(origin.node) is facts.index.function(name)
        )
        if origin.kind is not Kind.ASSIGNED or origin.value is None or not is_local:
            return None
        if isinstance(origin.value, cst.Name):
            return None  # it has two names
        held, put = held_names(facts, origin.value), _put_into(facts, origin)
        if held is None or put is None:
            return None
        found.update(held | put)
    return found


def _put_into(facts: Facts, definition: Definition) -> Held | None:
    """Return what is put into a dictionary; ``None`` if it goes where anything may be."""
    found: Held = {}
    parent = facts.index.parent
    for read in facts.definitions.reads(definition):
        above: cst.CSTNode = parent[read]
        if isinstance(above, cst.Subscript) and above.value is read:
            key, target = subscript_key(above), parent[above]
            if not isinstance(target, cst.AssignTarget) or not isinstance(key, str):
                return None
            found[key] = parent[target]
            continue
        while isinstance(above, (cst.IfExp, cst.BooleanOperation, cst.UnaryOperation)):
            above = parent[above]
        call = parent[above]
        is_given = isinstance(above, cst.Arg) and isinstance(call, cst.Call)
        if not isinstance(above, cst.If) and not (is_given and callee(call) in _UPLOADING):
            return None
    return found
