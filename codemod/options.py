"""What the options of an upload may be, where a dictionary of the function holds them."""

from __future__ import annotations

import libcst as cst

from codemod.clients import Role
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.syntax import dict_items, is_none, subscript_key

#: Methods of clients that take such a dictionary, and leave it as it is.
_UPLOADING = ("upload_file", "upload_fileobj", "upload_data")

#: Names, and what puts something there: all that may, as any of it may be there in the end.
Held = tuple[tuple[str, cst.CSTNode], ...]


def held_names(facts: Facts, node: cst.BaseExpression) -> Held | None:
    """Return the names under which a dictionary may hold anything; ``None`` if nobody can tell."""
    if is_none(node):
        return ()
    if isinstance(node, cst.IfExp):
        return _joined(facts, (node.body, node.orelse))
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.Or):
        return _joined(facts, (node.left, node.right))
    if isinstance(node, cst.Name):
        return _held_behind(facts, node)
    items = dict_items(node)
    if items is None:
        return None
    named = tuple((name, at) for name, _, at in items if name)
    return named if len(named) == len(items) else None


def _joined(facts: Facts, nodes: tuple[cst.BaseExpression, ...]) -> Held | None:
    found: Held = ()
    for node in nodes:
        held = held_names(facts, node)
        if held is None:
            return None
        found += held
    return found


def _held_behind(facts: Facts, name: cst.Name) -> Held | None:
    """Return what a variable may hold that is made, filled and given to uploads in one function."""
    found: Held = ()
    for origin in facts.definitions.of(name).origins():
        is_local = origin.node is not None and (
            facts.index.function(origin.node) is facts.index.function(name)
        )
        if origin.kind is not Kind.ASSIGNED or origin.value is None or not is_local:
            return None
        if not has_one_name(facts, origin):
            return None
        held, put = held_names(facts, origin.value), _put_into(facts, origin)
        if held is None or put is None:
            return None
        found += held + put
    return found


def has_one_name(facts: Facts, definition: Definition) -> bool:
    """Tell whether a dictionary has the name of a variable only: not so in ``a = b = {}``."""
    made = definition.value
    above = facts.index.parent.get(made) if made is not None else None
    is_alone = not isinstance(above, cst.Assign) or len(above.targets) == 1
    return not isinstance(made, cst.Name) and is_alone


def _put_into(facts: Facts, definition: Definition) -> Held | None:
    """Return what is put into a dictionary; ``None`` if it goes where anything may be."""
    found: Held = ()
    parent = facts.index.parent
    for read in facts.definitions.reads(definition):
        above: cst.CSTNode = parent[read]
        if isinstance(above, cst.Subscript) and above.value is read:
            key, target = subscript_key(above), parent[above]
            if not isinstance(target, cst.AssignTarget) or not isinstance(key, str):
                return None
            found += ((key, parent[target]),)
            continue
        while isinstance(above, (cst.IfExp, cst.BooleanOperation, cst.UnaryOperation)):
            above = parent[above]
        if isinstance(above, cst.If):
            continue
        call = parent[above]
        if not isinstance(above, cst.Arg) or not isinstance(call, cst.Call):
            return None
        if not leaves_alone(facts, call, above):
            return None
    return found


def leaves_alone(facts: Facts, call: cst.Call, arg: cst.Arg) -> bool:
    """Tell whether a call does not change a dictionary of options that it is given."""
    if arg.star:
        return True  # it gets another one
    func = call.func
    if not isinstance(func, cst.Attribute) or func.attr.value not in _UPLOADING:
        return False
    is_own = func.attr.value in facts.index.defined_functions
    return not is_own and facts.clients.receiver(func.value).role is not Role.FOREIGN
