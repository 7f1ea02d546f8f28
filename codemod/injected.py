"""Objects that were passed in: whether a method called on one may be that of a class."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from codemod.classes import (
    accesses,
    ancestry,
    class_of,
    is_instance,
    leads_to,
    owner_of,
    relatives,
    stored_values,
)
from codemod.clients import Role
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.functions import bound_arguments, doubtful, sites
from codemod.invocations import invocations
from codemod.provenance import Provenance
from codemod.syntax import last_name, unwrap_await
from codemod.template import source

#: Methods of plain values and of queues: their names say nothing about what an object is.
_COMMON = frozenset(
    name for kind in (dict, list, set, str, bytes) for name in dir(kind) if not name.startswith("_")
) | {"put", "put_nowait", "get_nowait", "read", "write", "send", "recv"}
#: Methods whose names say that they make the call.
_INVOKING = re.compile("invoke|infer|endpoint|sagemaker", re.IGNORECASE)
#: How short the name of an object may be that is to say which class it is of.
_FEWEST_LETTERS = 4


class Injected:
    """Answers what a method may be that is called on an object which nobody knows."""

    def __init__(self, facts: Facts, provenance: Provenance) -> None:
        self._facts = facts
        self._provenance = provenance

    def may_upload(
        self, access: cst.Attribute, function: cst.FunctionDef, owner: cst.ClassDef
    ) -> bool:
        """Tell whether a method may be one that uploads: what it gives must still be invoked."""
        if not self._fits(access, function):
            return False
        is_uncommon = access.attr.value not in _COMMON and self._may_be_any(access.value)
        return is_uncommon or self._hints_at(access.value, owner)

    def may_invoke(
        self, access: cst.Attribute, function: cst.FunctionDef, owner: cst.ClassDef
    ) -> bool:
        """Tell whether a method may be one that makes the call. Others may get such a URI, too."""
        if not self._fits(access, function):
            return False
        named = (last_name(access.value) or "").replace("_", "").lower()
        is_named = len(named) >= _FEWEST_LETTERS and named in owner.name.value.lower()
        tells = (
            is_named
            or _INVOKING.search(access.attr.value) is not None
            or self._is_told_by_name(access, function)
        )
        return (tells and self._may_be_any(access.value)) or self._hints_at(access.value, owner)

    def _fits(self, access: cst.Attribute, function: cst.FunctionDef) -> bool:
        above = self._facts.index.parent[access]
        takes_anything = isinstance(function.params.star_kwarg, cst.Param)
        if not isinstance(above, cst.Call) or above.func is not access or takes_anything:
            return True
        return bound_arguments(self._facts, function, access, tuple(above.args)) is not None

    def _is_told_by_name(self, access: cst.Attribute, function: cst.FunctionDef) -> bool:
        """Tell whether a call names parameters of the only method that there is of this name."""
        if access.attr.value in _COMMON:
            return False
        call = self._facts.index.parent[access]
        is_named = isinstance(call, cst.Call) and any(arg.keyword is not None for arg in call.args)
        return is_named and self._facts.index.defined_functions[access.attr.value] == [function]

    def _may_be_any(self, receiver: cst.BaseExpression) -> bool:
        """Tell whether nothing says what an object is."""
        if class_of(self._facts, receiver) is not None:
            return False
        if self._facts.definitions.origin(receiver) is not None:
            return False
        # Another class may keep a client under the same name.
        own = stored_values(self._facts, receiver) if isinstance(receiver, cst.Attribute) else []
        roles = (self._facts.clients.receiver(one).role for one in (own or [receiver]) if one)
        return all(role is Role.UNKNOWN for role in roles)

    def _hints_at(self, receiver: cst.BaseExpression, owner: cst.ClassDef) -> bool:
        """Tell whether something says that an object may be of a class."""
        index = self._facts.index
        names = [one.name.value for one in ancestry(self._facts, owner)]
        for node in self._made_from(receiver):
            for part in self._provenance.parts_of(node):
                if isinstance(part, cst.Call) and leads_to(self._facts, part.func, owner):
                    return True
                if not isinstance(part, cst.Name):
                    continue
                definition = self._facts.definitions.of(part)
                param = definition.node if isinstance(definition.node, cst.Param) else None
                if param is None:
                    continue
                annotation = param.annotation
                if annotation is not None and any(name in _text(annotation) for name in names):
                    return True
                function = index.parent[index.parent[param]]
                if isinstance(function, cst.FunctionDef):
                    if self._is_given(function, definition, owner):
                        return True
        return False

    def _made_from(self, value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
        """Yield what a value may be made from, also by functions that only give it."""
        queue = [value]
        called: set[cst.CSTNode] = set()
        for one in queue:
            for node, _ in self._provenance.behind(one):
                yield node
                call = unwrap_await(node)
                if not isinstance(call, cst.Call):
                    continue
                for definition in self._facts.definitions.candidates(call.func):
                    function = definition.node
                    if isinstance(function, cst.FunctionDef) and function not in called:
                        called.add(function)
                        given = (leaving.value for leaving in self._facts.index.exits[function])
                        queue += (one for one in given if isinstance(one, cst.BaseExpression))

    def _is_given(
        self, function: cst.FunctionDef, definition: Definition, owner: cst.ClassDef
    ) -> bool:
        """Tell whether a caller of a function gives an object of a class for a parameter."""
        facts = self._facts
        for func in sites(facts, function):
            for call in invocations(facts.definitions, func):
                bound = bound_arguments(facts, function, func, call.args) or {}
                if definition in bound and is_instance(facts, bound[definition], owner):
                    return True
        return False


def perhaps_called(
    facts: Facts, injected: Injected, function: cst.FunctionDef
) -> Iterator[cst.Attribute]:
    """Yield where a method is called on an object that may be of its class.

    That is one that was passed in, or the own one in a class that is made into the same with it.
    """
    owner = owner_of(facts, function)
    if owner is None:
        return
    known = {*sites(facts, function), *(func for func, _ in doubtful(facts, function))}
    called = accesses(facts, function.name.value)
    for access in called.elsewhere:
        if access not in known and injected.may_invoke(access, function, owner):
            yield access
    family = relatives(facts, owner) if called.on_self else ()
    own = (access for made in family for access in called.on_self.get(made, ()))
    for access in dict.fromkeys(own):
        if access not in known and not facts.index.inside(access, function):
            yield access


def _text(annotation: cst.Annotation) -> str:
    """Return an annotation as it is written, quotes and all."""
    return source(annotation.annotation)
