"""What is put into dictionaries and lists, by what makes them and by what follows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import libcst as cst

from codemod.facts import Facts
from codemod.syntax import (
    dict_items,
    is_self,
    string_value,
    subscript_key,
)

#: In how many functions a variable of a module is looked for.
_MOST = 60

#: Methods that put something into a dictionary or a list.
_CHANGING = frozenset("update setdefault append add put insert".split())


def items(
    facts: Facts, node: cst.BaseExpression
) -> Iterator[tuple[str | None, cst.BaseExpression, cst.CSTNode]]:
    """Yield what is put under which name by an expression, or later into a variable."""
    yield from _written(facts, node)
    for use in changes(facts, node):
        yield from _done(facts, use)


def _written(
    facts: Facts, node: cst.BaseExpression
) -> Iterator[tuple[str | None, cst.BaseExpression, cst.CSTNode]]:
    """Yield what an expression itself puts under which name."""
    for name, value, at in dict_items(node) or ():
        if name is None and isinstance(at, cst.DictElement):
            name = string_value(facts.definitions.resolve(at.key))
        yield name, value, at
    if isinstance(node, (cst.List, cst.Tuple)):  # of pairs
        for element in node.elements:
            pair = element.value
            if isinstance(pair, cst.Tuple) and len(pair.elements) == 2:
                yield string_value(pair.elements[0].value), pair.elements[1].value, pair
    elif isinstance(node, cst.Call):
        yield from _fields(facts, node)


def _fields(
    facts: Facts, call: cst.Call
) -> Iterator[tuple[str | None, cst.BaseExpression, cst.CSTNode]]:
    """Yield the fields that the call of a class gives values to."""
    target = facts.definitions.target(call.func)
    made = target.node if target is not None else None
    names = field_names(facts, made) if isinstance(made, cst.ClassDef) else []
    others = dict(_aliases(made)) if isinstance(made, cst.ClassDef) else {}
    for place, arg in enumerate(call.args):
        name = arg.keyword.value if arg.keyword is not None else None
        if name is None and not arg.star and place < len(names):
            name = names[place]
        if name is not None:
            yield name, arg.value, arg
        if name in others:
            yield others[name], arg.value, arg


def field_names(facts: Facts, made: cst.ClassDef) -> list[str]:
    """Return the fields of a class in the order in which its call gives them values."""
    for function in facts.index.defined_functions.get("__init__", ()):
        if facts.index.class_of(function) is made:
            return [one.name.value for one in function.params.params[1:]]
    return [name for name, _ in _annotated(made)]


def _annotated(made: cst.ClassDef) -> Iterator[tuple[str, cst.BaseExpression | None]]:
    """Yield the fields that the body of a class annotates, with what it gives them."""
    for line in made.body.body if isinstance(made.body, cst.IndentedBlock) else ():
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
                yield small.target.value, small.value


def _aliases(made: cst.ClassDef) -> Iterator[tuple[str, str]]:
    """Yield the fields that go by another name in dictionaries: ``Field(alias="…")``."""
    for name, value in _annotated(made):
        for arg in value.args if isinstance(value, cst.Call) else ():
            if arg.keyword is not None and arg.keyword.value.endswith("alias"):
                text = string_value(arg.value)
                if text is not None:
                    yield name, text


def changes(facts: Facts, node: cst.BaseExpression) -> Iterator[cst.CSTNode]:
    """Yield the mentions of a variable in its function, or of an attribute, that may change it."""
    index = facts.index
    if isinstance(node, cst.Name):
        here, of = index.function(node), facts.definitions.of(node)
        by_function = _changed(facts, node.value)
        yield from by_function.get(here, ())
        if of.node is not None and isinstance(index.function(of.node), cst.Module):
            for function, uses in itertools.islice(by_function.items(), _MOST):
                if function is not here:
                    for use in uses:
                        if isinstance(use, cst.Name) and facts.definitions.of(use) is of:
                            yield use
    elif isinstance(node, cst.Attribute) and is_self(node.value):
        owner = index.class_of(node)
        yield from _changed(facts, f".{node.attr.value}").get(owner or index.module, ())


def _changed(facts: Facts, name: str) -> dict[cst.CSTNode, list[cst.CSTNode]]:
    """Return where a name may be changed, by function, or an attribute ``.name``, by class."""
    found = facts.changes.get(name)
    if found is None:
        index = facts.index
        found = facts.changes[name] = {}
        if name.startswith("."):
            for access in index.attributes.get(name[1:], ()):
                owner = index.class_of(access)
                if is_self(access.value) and owner is not None and _may_change(facts, access):
                    found.setdefault(owner, []).append(access)
        else:
            for one in index.names.get(name, ()):
                if _may_change(facts, one):
                    found.setdefault(index.function(one), []).append(one)
    return found


def _may_change(facts: Facts, use: cst.CSTNode) -> bool:
    above = facts.index.parent[use]
    if isinstance(above, cst.Arg):
        return not above.star
    if isinstance(above, cst.Attribute):
        return above.value is use and above.attr.value in _CHANGING
    is_item = isinstance(above, cst.Subscript) and above.value is use
    return is_item and isinstance(facts.index.parent[above], cst.AssignTarget)


def _done(
    facts: Facts, use: cst.CSTNode
) -> Iterator[tuple[str | None, cst.BaseExpression, cst.CSTNode]]:
    """Yield what one mention of a dictionary puts into it."""
    index = facts.index
    above = index.parent[use]
    if isinstance(above, cst.Subscript) and above.value is use:
        target = index.parent[above]
        assign = index.parent[target] if isinstance(target, cst.AssignTarget) else None
        if isinstance(assign, cst.Assign):
            key = subscript_key(above)
            yield (key if isinstance(key, str) else None), assign.value, assign
    elif isinstance(above, cst.Attribute):
        call = index.parent[above]
        if not isinstance(call, cst.Call) or call.func is not above:
            return
        if above.attr.value == "setdefault" and len(call.args) == 2:
            yield string_value(call.args[0].value), call.args[1].value, call
        elif above.attr.value == "update":
            for arg in call.args:
                if arg.keyword is not None:
                    yield arg.keyword.value, arg.value, arg
                else:
                    yield from _written(facts, arg.value)
