"""What leads to a call: the places that name its function or class, and what stands for these."""

from __future__ import annotations

from collections.abc import Container, Iterator

import libcst as cst

from codemod.classes import accesses, ancestry, owner_of
from codemod.facts import Facts
from codemod.functions import imported_sites, sites
from codemod.references import same_value
from codemod.syntax import callee

#: How many places are looked at for one function.
_MOST = 500

Route = cst.FunctionDef | cst.Lambda


class Routes:
    """Answers where functions, lambdas and methods that make a call are named."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._index = facts.index

    def around(self, node: cst.CSTNode) -> Route | None:
        """Return the function or lambda around a call."""
        for above in self._index.ancestors(node):
            if isinstance(above, (cst.FunctionDef, cst.Lambda)):
                return above
        return None

    def mentions(self, route: Route, *, with_class: bool) -> Iterator[cst.BaseExpression]:
        """Yield the places that name a function, by another name as well, or its class."""
        queue = [*self._named(route, with_class=with_class)]
        seen = set(queue)
        for one in queue:
            yield one
            for further in self.further(one) if len(seen) < _MOST else ():
                if further not in seen:
                    seen.add(further)
                    queue.append(further)

    def _named(self, route: Route, *, with_class: bool) -> Iterator[cst.BaseExpression]:
        if isinstance(route, cst.Lambda):
            yield route
            return
        yield from sites(self._facts, route)
        yield from self._registered(route)
        owner = owner_of(self._facts, route)
        if owner is not None and with_class:
            yield from self._made(owner)

    def ways_to(self, route: Route, sending: Container[cst.CSTNode]) -> list[cst.BaseExpression]:
        """Return the places that a function without a body is reached by, but for itself.

        Args:
            route: The function.
            sending: The functions that send a body: one may override it, and fall back on it.
        """
        if isinstance(route, cst.Lambda):
            return [route]
        owner = owner_of(self._facts, route)
        made = [*self._made(owner)] if owner is not None else []
        found: list[cst.BaseExpression] = []
        if owner is not None and not made:
            found = [one for one in self._overriding(route, owner) if self._in(one, sending)]
        found = found or [*sites(self._facts, route)] or made
        return [one for one in found if not self._index.inside(one, route)]

    def _in(self, node: cst.CSTNode, functions: Container[cst.CSTNode]) -> bool:
        return self._index.function(node) in functions

    def further(self, value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
        """Yield what stands for a value by way of one name, attribute, parameter or field."""
        yield from same_value(self._facts, value)
        arg = self._index.parent[value]
        call = self._index.parent[arg] if isinstance(arg, cst.Arg) else None
        if isinstance(arg, cst.Arg) and isinstance(call, cst.Call):
            target = self._facts.definitions.target(call.func)
            if target is not None and isinstance(target.node, cst.ClassDef):
                yield from self._as_member(target.node, call, arg)

    def _as_member(
        self, made: cst.ClassDef, call: cst.Call, arg: cst.Arg
    ) -> Iterator[cst.BaseExpression]:
        """Yield where a class reads what it is made with."""
        for function in self._index.defined_functions.get("__init__", ()):
            if owner_of(self._facts, function) is not made:
                continue
            params = [*function.params.params[1:], *function.params.kwonly_params]
            param = _param_for(params, call, arg)
            bound = self._facts.definitions.walk(function).bindings
            for one in bound[param.name.value] if param is not None else ():
                if one.node is param:
                    yield from self._facts.definitions.reads(one)
            return
        if arg.keyword is not None:  # a data class
            yield from accesses(self._facts, arg.keyword.value).on_self[made]

    def decorating(self, route: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
        """Yield where the decorators of a function read what they decorate."""
        for decorator in route.decorators:
            target = self._facts.definitions.target(decorator.decorator)
            made = target.node if target is not None else None
            if isinstance(made, cst.FunctionDef) and made.params.params:
                param = made.params.params[0]
                yield from self._facts.definitions.readers(param.name.value).get(param, ())

    def _made(self, owner: cst.ClassDef) -> Iterator[cst.BaseExpression]:
        """Yield where objects of a class are made, or the class is named for that."""
        readers = self._facts.definitions.readers(owner.name.value).get(owner, ())
        home = self._index.module_of(owner)
        imported = imported_sites(self._facts, home, owner.name.value, owner)
        for read in (*readers, *imported):
            above = self._index.parent[read]
            is_base = isinstance(above, cst.Arg) and isinstance(
                self._index.parent[above], cst.ClassDef
            )
            if is_base or read is owner.name or self._index.inside(read, owner):
                continue
            if not any(isinstance(one, cst.Annotation) for one in self._index.ancestors(read)):
                yield above if isinstance(above, cst.Call) and above.func is read else read

    def _overriding(
        self, route: cst.FunctionDef, owner: cst.ClassDef
    ) -> Iterator[cst.BaseExpression]:
        """Yield where methods that override one call that of the base class."""
        for access in self._index.attributes.get(route.name.value, ()):
            own = self._index.class_of(access)
            if own is None or own is owner or owner not in ancestry(self._facts, own):
                continue
            if callee(access.value) == "super":
                yield access

    def _registered(self, route: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
        """Yield the places that name the function which another one is registered for."""
        for decorator in route.decorators:
            made = decorator.decorator
            made = made.func if isinstance(made, cst.Call) else made
            if isinstance(made, cst.Attribute) and made.attr.value == "register":
                target = self._facts.definitions.target(made.value)
                if target is not None and isinstance(target.node, cst.FunctionDef):
                    yield from sites(self._facts, target.node)


def _param_for(params: list[cst.Param], call: cst.Call, arg: cst.Arg) -> cst.Param | None:
    if arg.keyword is not None:
        return next((one for one in params if one.name.value == arg.keyword.value), None)
    place = call.args.index(arg)
    if any(one.star or one.keyword is not None for one in call.args[: place + 1]):
        return None
    return params[place] if place < len(params) else None
