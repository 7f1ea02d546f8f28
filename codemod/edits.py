"""Replacing nodes by identity, rebuilding only what lies above them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import libcst as cst

from codemod.index import Index
from codemod.syntax import child_fields, children

#: What comes in the place of a node; nothing at all removes it.
Replacement = Sequence[cst.CSTNode]
Edits = Mapping[cst.CSTNode, Replacement]
_Node = TypeVar("_Node", bound=cst.CSTNode)


def apply(index: Index, root: _Node, edits: Edits) -> _Node:
    """Return a tree with some of its nodes replaced; the rest of the nodes is shared.

    A LibCST transformer would visit every node of the file for the same result.
    """
    above = {parent for node in edits for parent in index.ancestors(node)}
    return _rebuild(root, edits, above)


def _rebuild(node: _Node, edits: Edits, above: set[cst.CSTNode]) -> _Node:
    if node not in above:
        return node
    changes: dict[str, object] = {}
    names = child_fields(type(node))
    if isinstance(node, cst.FunctionDef):  # the only whitespace that is ever replaced
        names = (*names, "whitespace_before_params")
    for name in names:
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            if value in edits:
                (changes[name],) = edits[value]
            elif value in above:
                changes[name] = _rebuild(value, edits, above)
        elif isinstance(value, (tuple, list)) and any(
            one in edits or one in above for one in value
        ):
            changed: list[cst.CSTNode] = []
            for one in value:
                if one in edits:
                    changed.extend(edits[one])
                else:
                    changed.append(_rebuild(one, edits, above))
            changes[name] = changed
    return node.with_changes(**changes)


def substitute(root: _Node, edits: Edits) -> _Node:
    """Return a small tree with some of its nodes replaced, wherever it comes from.

    Unlike :func:`apply` this needs no index: the tree may be made of parts of several others.
    """
    above: set[cst.CSTNode] = set()
    _mark(root, edits, above)
    return _rebuild(root, edits, above)


def _mark(node: cst.CSTNode, edits: Edits, above: set[cst.CSTNode]) -> bool:
    found = [child in edits or _mark(child, edits, above) for child in children(node)]
    if any(found):
        above.add(node)
        return True
    return False
