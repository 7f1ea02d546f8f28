"""Classes: what they are made from, what is an instance of one, and what changes their methods."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator

import libcst as cst

from codemod.facts import Accesses, Facts
from codemod.syntax import descendants, dotted, is_self, last_name, string_value

#: Of so many values of an attribute it is asked what classes they are of.
_FEW = 4


def owner_of(facts: Facts, function: cst.FunctionDef) -> cst.ClassDef | None:
    """Return the class that a function is a method of."""
    owner = facts.index.class_of(function)
    is_method = owner is not None and facts.index.parent[facts.index.parent[function]] is owner
    return owner if is_method else None


def is_static(function: cst.FunctionDef) -> bool:
    """Tell whether a method gets no object or class."""
    return any(dotted(one.decorator) == "staticmethod" for one in function.decorators)


def leads_to(facts: Facts, node: cst.BaseExpression, made: cst.CSTNode) -> bool:
    target = facts.definitions.target(node)
    return target is not None and target.node is made


def is_instance(facts: Facts, node: cst.BaseExpression, owner: cst.ClassDef) -> bool:
    """Tell whether an expression is a class, or an instance that these files make of it."""
    if is_self(node):
        own = facts.index.class_of(node)
        return own is not None and owner in ancestry(facts, own)
    if leads_to(facts, node, owner):
        return True
    made: list[cst.BaseExpression | None]
    if isinstance(node, cst.Attribute) and facts.definitions.target(node) is None:
        made = stored_values(facts, node)
    else:
        made = [facts.definitions.resolve(node)]
    return bool(made) and all(
        isinstance(value, cst.Call) and leads_to(facts, value.func, owner) for value in made
    )


def accesses(facts: Facts, name: str) -> Accesses:
    """Return the accesses to an attribute, those on ``self`` by every class they may mean."""
    found = facts.accesses.get(name)
    if found is None:
        found = facts.accesses[name] = Accesses(defaultdict(list), [])
        for access in facts.index.attributes.get(name, ()):
            own = facts.index.class_of(access) if is_self(access.value) else None
            if own is None:
                found.elsewhere.append(access)
            for owner in ancestry(facts, own) if own is not None else ():
                found.on_self[owner].append(access)
    return found


def stored_values(facts: Facts, node: cst.Attribute) -> list[cst.BaseExpression | None]:
    """Return every value that an attribute may have been given; ``None`` for one not known."""
    stores = facts.index.attribute_stores.get(node.attr.value, [])
    own = class_of(facts, node.value)
    if own is None:
        return []
    above = ancestry(facts, own)
    values: list[cst.BaseExpression | None] = []
    is_given = False
    for target, value in stores:
        other = facts.index.class_of(target) if is_self(target.value) else None
        if other is None:
            values.append(value)
        elif other in above or own in ancestry(facts, other):
            values.append(value)
            is_given = is_given or other in above
    return values if is_given else []


def own_stores(
    facts: Facts, access: cst.Attribute
) -> Iterator[tuple[cst.Attribute, cst.BaseExpression]]:
    """Yield where an attribute of the own object gets which value, by any class of its family."""
    owner = facts.index.class_of(access)
    for target, value in facts.index.attribute_stores.get(access.attr.value, ()):
        other = facts.index.class_of(target)
        if value is None or other is None or owner is None:
            continue
        if other is owner or other in relatives(facts, owner):
            yield target, value


def class_of(facts: Facts, node: cst.BaseExpression) -> cst.ClassDef | None:
    """Return the class of these files that an object certainly is of."""
    if is_self(node):
        return facts.index.class_of(node)
    made = facts.definitions.resolve(node)
    target = facts.definitions.target(made.func) if isinstance(made, cst.Call) else None
    found = target.node if target is not None else None
    return found if isinstance(found, cst.ClassDef) else None


def likely_class(facts: Facts, node: cst.BaseExpression, steps: int = 4) -> cst.ClassDef | None:
    """Return the class that an object is likely to be of, as far as anything says so.

    That may be an annotation, or that a method of it is called, if it gives the object back.
    """
    found = class_of(facts, node)
    if found is not None or not steps:
        return found
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        return likely_class(facts, node.func.value, steps - 1)
    if isinstance(node, cst.Attribute) and is_self(node.value):
        stored = itertools.islice(own_stores(facts, node), _FEW)
        likely = (likely_class(facts, value, steps - 1) for _, value in stored)
        return next((one for one in likely if one is not None), None)
    if not isinstance(node, cst.Name):
        return None
    definition = facts.definitions.of(node)
    if isinstance(definition.node, cst.Param) and definition.node.annotation is not None:
        return _annotated(facts, definition.node.annotation)
    made = definition.value
    return likely_class(facts, made, steps - 1) if isinstance(made, cst.Call) else None


def _annotated(facts: Facts, annotation: cst.Annotation) -> cst.ClassDef | None:
    """Return the class that an annotation names, perhaps in quotes."""
    for part in descendants(annotation.annotation):
        if isinstance(part, cst.SimpleString):
            named = [one for one in facts.index.classes if one.name.value == string_value(part)]
            if len(named) == 1:
                return named[0]
        elif isinstance(part, (cst.Name, cst.Attribute)):
            target = facts.definitions.target(part)
            if target is not None and isinstance(target.node, cst.ClassDef):
                return target.node
    return None


def relatives(facts: Facts, owner: cst.ClassDef) -> set[cst.ClassDef]:
    """Return the classes that some class is made from together with this one, itself included.

    One of them may override what another defines.
    """
    if not facts.relatives:
        for made in facts.index.classes:
            family = ancestry(facts, made)
            for member in family:
                facts.relatives.setdefault(member, set()).update(family)
    return facts.relatives[owner]


def ancestry(facts: Facts, made: cst.ClassDef) -> frozenset[cst.ClassDef]:
    """Return a class and everything it is made from, as far as that was read."""
    known = facts.ancestries.get(made)
    if known is None:
        known = facts.ancestries[made] = frozenset(_made_from(facts, made))
    return known


def _made_from(facts: Facts, made: cst.ClassDef) -> set[cst.ClassDef]:
    found = {made}
    stack = [made]
    while stack:
        for base in stack.pop().bases:
            target = facts.definitions.target(base.value)
            node = target.node if target is not None else None
            if isinstance(node, cst.ClassDef) and node not in found:
                found.add(node)
                stack.append(node)
    return found


#: Decorators and metaclasses of classes that leave the methods as they are written.
_PLAIN_FOR_CLASSES = frozenset(
    "dataclass define frozen mutable s attrs final runtime_checkable total_ordering ABCMeta".split()
)


def changed_by_class(facts: Facts, owner: cst.ClassDef) -> cst.CSTNode | None:
    """Return what may make other methods of those that a class defines."""
    for made in ancestry(facts, owner):
        for decorator in made.decorators:
            called = decorator.decorator
            called = called.func if isinstance(called, cst.Call) else called
            if last_name(called) not in _PLAIN_FOR_CLASSES:
                return decorator.decorator
        for keyword in made.keywords:
            if last_name(keyword.value) not in _PLAIN_FOR_CLASSES:
                return keyword.value
        if made is not owner and "__init_subclass__" in facts.definitions.walk(made).bindings:
            return made.name
    return None
