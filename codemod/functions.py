"""Functions: who calls them, and whether that is certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from codemod.classes import (
    accesses,
    changed_by_class,
    class_of,
    is_instance,
    is_static,
    leads_to,
    owner_of,
    relatives,
    stored_values,
)
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.invocations import Invocation
from codemod.refusals import Refusal
from codemod.syntax import dotted, is_self, keyword, last_name, root_name

#: What the parameters of a function are given by one call.
Bindings = Mapping[Definition, cst.BaseExpression]

_PLAIN_DECORATORS = ("staticmethod", "classmethod")
#: Decorators of libraries that call a function as it is called, again if it fails.
_RETRYING = frozenset({"tenacity.retry", "retrying.retry", "backoff.on_exception"})
#: Decorators that only tell something to type checkers.
_FOR_CHECKERS = frozenset(
    f"{module}.{name}"
    for module in ("typing", "typing_extensions")
    for name in ("final", "override", "no_type_check")
)


def sites(facts: Facts, function: cst.FunctionDef) -> tuple[cst.Name | cst.Attribute, ...]:
    """Return the places that call a function, or a method on something of its class."""
    found = facts.sites.get(function)
    if found is None:
        found = facts.sites[function] = tuple(_sites(facts, function))
    return found


def _sites(facts: Facts, function: cst.FunctionDef) -> Iterator[cst.Name | cst.Attribute]:
    owner = owner_of(facts, function)
    if owner is None:
        for read in facts.definitions.readers(function.name.value).get(function, ()):
            if read is not function.name:
                yield read
        home = facts.index.module_of(function)
        yield from imported_sites(facts, home, function.name.value, function)
        return
    found = accesses(facts, function.name.value)
    other = (one for one in found.elsewhere if is_instance(facts, one.value, owner))
    yield from sorted([*found.on_self[owner], *other], key=facts.index.order.__getitem__)


def doubtful(
    facts: Facts, function: cst.FunctionDef
) -> Iterator[tuple[cst.Name | cst.Attribute, cst.CSTNode]]:
    """Yield the places that may call a function or something else, each with what else."""
    name = function.name.value
    owner = owner_of(facts, function)
    if owner is None:
        for read, bound in _ambiguous(facts, name):
            if function in bound:
                yield read, next(one for one in bound if one is not function)
        return
    for access in accesses(facts, name).elsewhere:
        receiver = access.value
        if not isinstance(receiver, cst.Attribute) or is_instance(facts, receiver, owner):
            continue
        if class_of(facts, receiver.value) is None:
            stores = facts.index.attribute_stores.get(receiver.attr.value, ())
            values = [*(value for _, value in stores), None]
        else:
            values = stored_values(facts, receiver)
        made = [isinstance(one, cst.Call) and leads_to(facts, one.func, owner) for one in values]
        if any(made):
            other = values[made.index(False)]
            yield access, other if other is not None else receiver


def _ambiguous(facts: Facts, name: str) -> list[tuple[cst.Name | cst.Attribute, list[cst.CSTNode]]]:
    """Return the places where a name may be bound to several things, with all of these."""
    found = facts.ambiguous.get(name)
    if found is None:
        found = facts.ambiguous[name] = []
        for read in (*facts.index.names.get(name, ()), *facts.index.attributes.get(name, ())):
            bound = dict.fromkeys(
                origin.node
                for candidate in facts.definitions.candidates(read)
                for origin in candidate.origins()
                if origin.node is not None
            )
            if len(bound) > 1:
                found.append((read, list(bound)))
    return found


def imported_sites(
    facts: Facts, home: cst.Module, bound: str, node: cst.CSTNode
) -> Iterator[cst.Name | cst.Attribute]:
    """Yield where other modules read what a module binds: by its name or through the module."""
    index = facts.index
    importing: dict[str, set[cst.Module]] = {}
    for module in index.modules:
        for name, origins in index.all_imported(module).items() if module is not home else ():
            if name == "*":
                importing.setdefault(bound, set()).add(module)
            elif any(one.endswith(f".{bound}") for one in origins):
                importing.setdefault(name, set()).add(module)
    for name, modules in importing.items():
        for read in index.names.get(name, ()):
            if index.module_of(read) in modules and leads_to(facts, read, node):
                yield read
    for access in index.attributes.get(bound, ()):
        if index.module_of(access) is not home and leads_to(facts, access, node):
            yield access


def relied_on(
    facts: Facts, function: cst.FunctionDef, func: cst.BaseExpression
) -> Iterator[tuple[cst.Module, str, str]]:
    """Yield what must keep its value for a call to reach a function: module, class and name."""
    index = facts.index
    owner = owner_of(facts, function)
    yield index.module_of(function), owner.name.value if owner else "", function.name.value
    if owner is None or not isinstance(func, cst.Attribute):
        return
    receiver = func.value
    if isinstance(receiver, cst.Attribute) and is_self(receiver.value):
        own = index.class_of(receiver)
        if own is not None:
            yield index.module_of(receiver), own.name.value, receiver.attr.value
    elif is_self(receiver):
        own = index.class_of(receiver)
        if own is not None and own is not owner:
            yield index.module_of(receiver), own.name.value, function.name.value
    else:
        made = facts.definitions.resolve(receiver)
        if isinstance(made, cst.Call) and isinstance(made.func, cst.Name):
            yield index.module_of(made), "", made.func.value
        definition = facts.definitions.target(receiver)
        if definition is not None and definition.node is not None:
            if isinstance(index.function(definition.node), cst.Module):
                yield index.module_of(definition.node), "", definition.name


def patched_alias(facts: Facts, call: Invocation) -> Refusal | None:
    """Refuse if another file of the repository gives the other name of a method another value."""
    if call.alias is None:
        return None
    known = (facts.index.module_of(call.alias), "", call.alias.value)
    place = facts.rebound.get(known)
    if place is None:
        return None
    return Refusal("helper-overridden", call.alias, call.alias.value, elsewhere=place)


def alias_problem(facts: Facts, call: Invocation) -> Refusal | None:
    """Refuse a function under another name, unless that is given in the function that calls it.

    Elsewhere it may be given to something else, or what the function is taken from may change.
    """
    if call.alias is None:
        return None
    index = facts.index
    here = index.function(call.carrier)
    is_local = isinstance(here, cst.FunctionDef) and index.function(call.func) is here
    if is_local and call.early is None and isinstance(call.func, cst.Name):
        return None
    return Refusal("helper-as-value", call.alias, call.alias.value)


def rebinding_problem(
    facts: Facts, function: cst.FunctionDef, func: cst.BaseExpression
) -> Refusal | None:
    """Refuse if another file of the repository may let a call reach something else."""
    for relied in relied_on(facts, function, func):
        place = facts.rebound.get(relied)
        if place is not None:
            return Refusal("helper-overridden", func, relied[2], elsewhere=place)
    return None


def bound_arguments(
    facts: Facts,
    function: cst.FunctionDef,
    func: cst.Name | cst.Attribute,
    args: tuple[cst.Arg, ...],
) -> dict[Definition, cst.BaseExpression] | None:
    """Match the arguments of a call with the parameters; ``None`` if that is not certain."""
    if takes_anything(function) is not None:
        return None
    return named_parameters(facts, function, func, args)


def takes_anything(function: cst.FunctionDef) -> cst.Param | None:
    """Return the ``**kwargs`` or ``*args`` of a function, which may get any further argument."""
    star = function.params.star_arg
    return function.params.star_kwarg or (star if isinstance(star, cst.Param) else None)


def named_parameters(
    facts: Facts,
    function: cst.FunctionDef,
    func: cst.Name | cst.Attribute,
    args: tuple[cst.Arg, ...],
) -> dict[Definition, cst.BaseExpression] | None:
    """Match the same, leaving out what ``*args`` and ``**kwargs`` get.

    A dictionary that a call unpacks may be for the latter only if the parameters are given apart.
    """
    params = function.params
    is_open = False
    positional = [*params.posonly_params, *params.params]
    by_place = [one.name.value for one in params.posonly_params]
    values: dict[str, cst.BaseExpression] = {}
    given = list(args)
    owner = owner_of(facts, function)
    is_bound = (
        owner is not None
        and isinstance(func, cst.Attribute)
        and not is_static(function)
        and (_is_class_method(function) or not leads_to(facts, func.value, owner))
    )
    if is_bound and isinstance(func, cst.Attribute) and positional:
        values[positional.pop(0).name.value] = func.value
    for arg in given:
        if arg.star == "**" and params.star_kwarg is not None:
            is_open = True
        elif arg.star:
            return None
        elif arg.keyword is not None:
            if arg.keyword.value in (*values, *by_place):
                return None  # one of them is for ``**kwargs``, or fails
            values[arg.keyword.value] = arg.value
        elif positional:
            values[positional.pop(0).name.value] = arg.value
        elif not isinstance(params.star_arg, cst.Param):
            return None
    walk = facts.definitions.walk(function)
    found: dict[Definition, cst.BaseExpression] = {}
    for param in (*params.posonly_params, *params.params, *params.kwonly_params):
        value = values.get(param.name.value)
        if value is None:
            value = param.default
            if is_open or value is None or not _is_constant(facts, value):
                return None
        definition = next(
            (one for one in walk.bindings[param.name.value] if one.node is param), None
        )
        if definition is not None:
            found[definition] = value
    return found


def _is_constant(facts: Facts, node: cst.BaseExpression) -> bool:
    """Tell whether a default has the same value whenever it is evaluated."""
    if isinstance(node, cst.Name):
        if node.value in ("None", "True", "False"):
            return True
        definition = facts.definitions.of(node)
        kinds = (Kind.ASSIGNED, Kind.IMPORTED)
        return definition.kind in kinds and not facts.definitions.is_rebound_elsewhere(definition)
    if isinstance(node, cst.Attribute):  # of a module with settings
        root = root_name(node)
        is_stored = node.attr.value in facts.index.attribute_stores
        return root is not None and not is_stored and facts.definitions.origin(node) is not None
    return isinstance(node, (cst.SimpleString, cst.Integer, cst.Float, cst.ConcatenatedString))


def _is_class_method(function: cst.FunctionDef) -> bool:
    return any(dotted(one.decorator) == "classmethod" for one in function.decorators)


def is_tried_again(facts: Facts, function: cst.CSTNode) -> bool:
    """Tell whether a decorator of a function catches its errors, to call it again."""
    return isinstance(function, cst.FunctionDef) and any(
        _origin(facts, decorator) in _RETRYING for decorator in function.decorators
    )


def hides_errors(facts: Facts, function: cst.CSTNode) -> bool:
    """Tell whether a decorator raises an error of its own for one of a function.

    That of tenacity does, unless it is told otherwise (tenacity documentation, "Error Handling").
    """
    if not isinstance(function, cst.FunctionDef):
        return False
    for decorator in function.decorators:
        if _origin(facts, decorator) == "tenacity.retry":
            made = decorator.decorator
            told = keyword(made.args, "reraise") if isinstance(made, cst.Call) else None
            if told is None or last_name(told.value) != "True":
                return True
    return False


def retrying(facts: Facts) -> Iterator[str]:
    """Yield the names of decorators that call a function again, if they are what they seem."""
    for function in facts.index.functions:
        for decorator in function.decorators:
            if _origin(facts, decorator) in _RETRYING:
                made = decorator.decorator
                yield dotted(made.func if isinstance(made, cst.Call) else made) or ""


def _origin(facts: Facts, decorator: cst.Decorator) -> str | None:
    """Return the dotted name that a decorator has outside of the repository."""
    made = decorator.decorator
    name = made.func if isinstance(made, cst.Call) else made
    home, own = facts.index.module_of(decorator), dotted(name)
    if own is not None and facts.index.linked(home, own) is not None:
        return None
    return facts.definitions.origin(name)


def signature_problem(facts: Facts, function: cst.FunctionDef) -> Refusal | None:
    """Refuse if a call of a function may reach something else."""
    name = function.name.value
    for decorator in function.decorators:
        if dotted(decorator.decorator) not in _PLAIN_DECORATORS:
            if _origin(facts, decorator) not in _RETRYING | _FOR_CHECKERS:
                return Refusal("helper-decorated", decorator.decorator, name)
    owner = facts.index.class_of(function)
    changed = changed_by_class(facts, owner) if owner is not None else None
    if changed is not None:
        return Refusal("helper-decorated", changed, name)
    stores = facts.index.attribute_stores.get(name)
    if stores and (owner is not None or len(facts.index.modules) > 1):
        return Refusal("helper-overridden", stores[0][0], name)
    other = _other_definition(facts, function, owner)
    return Refusal("helper-overridden", other, name) if other is not None else None


def _other_definition(
    facts: Facts, function: cst.FunctionDef, owner: cst.ClassDef | None
) -> cst.CSTNode | None:
    """Return what else a name is bound to, in its module or in a class related to its own."""
    name = function.name.value
    if owner is None:
        home = facts.index.module_of(function)
        for other in facts.index.defined_functions.get(name, ()):
            if facts.index.class_of(other) is not None or other is function:
                continue
            if facts.index.module_of(other) is home:
                return other
        return None
    for made in sorted(relatives(facts, owner), key=facts.index.order.__getitem__):
        for definition in facts.definitions.walk(made).bindings.get(name, ()):
            if definition.node is not function and definition.node is not None:
                return definition.node
    return None
