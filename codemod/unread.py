"""What other modules may tell of a dictionary: those that make it, and those that hand it on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from codemod.classes import own_stores
from codemod.dictionaries import parts
from codemod.facts import Facts
from codemod.fillings import changes
from codemod.syntax import descendants, dotted, is_self, root_name, string_value

#: How many expressions are looked at for one dictionary.
_MOST = 60


class Unread(NamedTuple):
    """A dotted name, and the module that mentions it."""

    module: cst.Module
    name: str


def unread(facts: Facts, value: cst.BaseExpression) -> Iterator[Unread]:
    """Yield the names that may tell what is in a dictionary, be they imported or not.

    Those are the functions, methods and classes that make it or are given it, and its keys.
    """
    for node, _ in parts(facts, value):
        queue: list[cst.BaseExpression] = [node]
        for use in changes(facts, node):
            call = facts.index.parent[facts.index.parent[use]]
            queue += [call] if isinstance(call, cst.Call) else []
        seen = set(queue)
        for one in queue:
            name = string_value(one) or dotted(one)
            if name is not None:
                yield Unread(facts.index.module_of(one), name)
            for further in _behind(facts, one):
                if further not in seen and len(seen) < _MOST:
                    seen.add(further)
                    queue.append(further)


def takers(facts: Facts, value: cst.BaseExpression) -> Iterator[cst.FunctionDef]:
    """Yield the functions whose callers may tell what is in a dictionary."""
    for node, _ in parts(facts, value):
        name = root_name(node)
        for origin in facts.definitions.of(name).origins() if name is not None else ():
            if isinstance(origin.node, cst.Param) and origin.name not in ("self", "cls"):
                function = facts.index.function(origin.node)
                if isinstance(function, cst.FunctionDef):
                    yield function


def _behind(facts: Facts, node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield what makes an expression: what is called, on what, of which class."""
    if isinstance(node, cst.Dict):
        yield from (one.key for one in node.elements if isinstance(one, cst.DictElement))
    elif isinstance(node, cst.Call):
        yield node.func
    elif isinstance(node, cst.Attribute):
        yield node.value
        if is_self(node.value):
            yield from (value for _, value in own_stores(facts, node))
    elif is_self(node):
        owner = facts.index.class_of(node)
        yield from (base.value for base in owner.bases) if owner is not None else ()
    elif isinstance(node, cst.Name):
        for origin in facts.definitions.of(node).origins():
            if origin.value is not None:
                yield origin.value
            if isinstance(origin.node, cst.Param) and origin.node.annotation is not None:
                yield from _named_by(origin.node.annotation)


def _named_by(annotation: cst.Annotation) -> Iterator[cst.BaseExpression]:
    """Yield the names that an annotation is made of, those in quotes as they are."""
    for part in descendants(annotation.annotation):
        if isinstance(part, (cst.Name, cst.Attribute, cst.SimpleString)):
            yield part
