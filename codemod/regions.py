"""What running a region of code may change: names, attributes, contents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from codemod import effects
from codemod.index import Index
from codemod.syntax import children, descendants, last_name, root_name, target_names

#: The types of nodes that may change anything.
_CHANGING = frozenset(
    {
        cst.FunctionDef,
        cst.ClassDef,
        cst.Assign,
        cst.AnnAssign,
        cst.AugAssign,
        cst.For,
        cst.NamedExpr,
        cst.Del,
        cst.AsName,
        cst.Import,
        cst.ImportFrom,
        cst.Call,
        cst.MatchAs,
        cst.MatchStar,
        cst.MatchMapping,
    }
)
#: Functions that look at the variables of the one that calls them, or may.
LOOKING_AROUND = frozenset("locals vars globals dir eval exec".split())


def changed_keys(index: Index, nodes: Iterable[cst.CSTNode]) -> set[str]:
    """Return every key of an environment that running some code may change."""
    changed: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if type(node) not in _CHANGING:  # most by far, and asking for classes takes long
            stack.extend(children(node))
            continue
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            changed.add(node.name.value)
            stack.extend(node.decorators if isinstance(node, cst.FunctionDef) else [node.body])
            continue
        if isinstance(node, cst.Assign):
            for assign_target in node.targets:
                _add_target(assign_target.target, changed)
        elif isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.For, cst.NamedExpr, cst.Del)):
            _add_target(node.target, changed)
        elif isinstance(node, cst.AsName):
            _add_target(node.name, changed)
        elif isinstance(node, (cst.Import, cst.ImportFrom)):
            changed.update(imported_names(node))
        elif isinstance(node, cst.Call):
            changed.update(effects.changed_by_call(node))
            if may_store_attributes(index, node):
                changed.add("()")
        elif isinstance(node, (cst.MatchAs, cst.MatchStar)) and node.name is not None:
            changed.add(node.name.value)
        elif isinstance(node, cst.MatchMapping) and node.rest is not None:
            changed.add(node.rest.value)
        stack.extend(children(node))
    return changed


def declared_elsewhere(body: cst.CSTNode) -> set[str]:
    """Return the names that ``global`` and ``nonlocal`` statements of a body declare."""
    return {
        item.name.value
        for node in _own_nodes(body)
        if isinstance(node, (cst.Global, cst.Nonlocal))
        for item in node.names
    }


def _own_nodes(body: cst.CSTNode) -> Iterator[cst.CSTNode]:
    stack = [body]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (cst.FunctionDef, cst.BaseExpression)):
            stack.extend(children(node))


def _add_target(target: cst.CSTNode, changed: set[str]) -> None:
    for node in descendants(target):
        if isinstance(node, cst.Attribute):
            changed.add(f".{node.attr.value}")
        elif isinstance(node, cst.Subscript):
            root = root_name(node)
            if root is not None:
                changed.add(f"{root.value}[]")
    changed.update(name.value for name in target_names(target))


def may_store_attributes(index: Index, call: cst.Call) -> bool:
    """Tell whether a call may run a function of the file that stores attributes."""
    return bool(index.late_attributes and last_name(call.func) in index.defined_functions)


def imported_names(node: cst.Import | cst.ImportFrom) -> Iterator[str]:
    """Yield the names that an import binds."""
    if isinstance(node.names, cst.ImportStar):
        return
    for alias in node.names:
        if alias.asname is not None:
            for name in target_names(alias.asname.name):
                yield name.value
        else:
            top = root_name(alias.name)
            assert top is not None
            yield top.value
