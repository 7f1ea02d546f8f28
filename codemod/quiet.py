"""Arguments that may be left out, or evaluated again, without anybody noticing."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from codemod import effects
from codemod.clients import Role
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.regions import LOOKING_AROUND
from codemod.syntax import callee, children, descendants, dotted
from codemod.template import has_text


def noticed_part(
    facts: Facts, node: cst.CSTNode, left_out: cst.CSTNode | None = None
) -> cst.CSTNode | None:
    """Return the first part of an expression that does something besides giving a value.

    Args:
        facts: The module.
        node: The expression.
        left_out: A part of it that is not looked at.
    """
    stack = [node]
    while stack:
        current = stack.pop()
        if current is left_out:
            continue
        if isinstance(current, (cst.Await, cst.Yield, cst.NamedExpr)):
            return current
        if isinstance(current, cst.Call) and not _is_quiet_call(facts, current):
            return current
        if counts_on(facts, current):
            return current
        if isinstance(current, cst.Attribute) and not _is_quiet(facts, current.attr.value):
            if not isinstance(facts.index.parent.get(current), cst.Call):
                return current
        stack.extend(children(current))
    return None


#: What asks an object of the house for text or for an item, and by which of its methods.
_ASKING: dict[type[cst.CSTNode], frozenset[str]] = {
    cst.FormattedStringExpression: frozenset(("__format__", "__str__", "__repr__")),
    cst.Subscript: frozenset(("__getitem__",)),
    cst.BinaryOperation: frozenset(
        "__add__ __radd__ __mod__ __truediv__ __rtruediv__ __str__".split()
    ),
    cst.Call: frozenset(("__str__", "__format__", "__repr__", "__fspath__", "__iter__")),
}


def counts_on(facts: Facts, node: cst.CSTNode) -> bool:
    """Tell whether an operation may run a method of these modules that gives something else anew.

    ``f"{sequence}"`` does if its class has a ``__str__`` that counts. What only keeps a value for
    later does not matter.
    """
    return _is_counted(facts, _ASKING.get(type(node), ()))


def _is_counted(facts: Facts, methods: Iterable[str]) -> bool:
    """Tell whether a method of one of these names gives something else anew."""
    return any(
        _counts(part)
        for name in methods
        for function in facts.index.defined_functions.get(name, ())
        for part in descendants(function.body)
    )


def _counts(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Assign):
        set_now = {
            one.target.attr.value for one in node.targets if isinstance(one.target, cst.Attribute)
        }
        return any(
            isinstance(part, cst.Attribute) and part.attr.value in set_now
            for part in descendants(node.value)
        )
    if isinstance(node, cst.AugAssign):
        return _changes_object(node.target)
    return isinstance(node, (cst.Global, cst.Nonlocal)) or (
        isinstance(node, cst.Call) and effects.uses_up(node)
    )


#: Methods that run where any attribute is read.
_GETTERS = ("__get__", "__getattr__", "__getattribute__")


def asks_getter(facts: Facts, node: cst.CSTNode) -> bool:
    """Tell whether reading an attribute may run a property of these modules that does more.

    One that makes a client when it is first asked for does not.
    """
    if not isinstance(node, cst.Attribute):
        return False
    above = facts.index.parent.get(node)
    if isinstance(above, cst.Call) and above.func is node:
        return False  # a method, which is looked at as a call
    if _is_counted(facts, _GETTERS):
        return True
    named = facts.index.defined_functions.get(node.attr.value, ())
    return any(one.decorators for one in named) and not _is_quiet(facts, node.attr.value)


def makes_client(facts: Facts, call: cst.Call) -> bool:
    """Tell whether a call only makes an AWS client, perhaps in a function of its own."""
    if counts_besides(facts, call):
        return False
    if effects.is_client_factory(call):
        return True
    function = facts.definitions.function_called(call)
    if function is None or facts.clients.receiver(call).role in (Role.FOREIGN, Role.UNKNOWN):
        return False
    return all(
        effects.is_stable_call(part) or effects.is_client_factory(part) or effects.is_log(part)
        for part in descendants(function.body)
        if isinstance(part, cst.Call)
    )


def counts_besides(facts: Facts, call: cst.Call) -> bool:
    """Tell whether a function of these modules counts its calls, or keeps more than a client."""
    return _is_own(facts, call) and any(
        _counts(part) and not _keeps(part)
        for function in facts.index.defined_functions[callee(call) or ""]
        for part in descendants(function.body)
    )


def _keeps(node: cst.CSTNode) -> bool:
    """Tell whether something is only kept for later: ``made.setdefault(name, client)``."""
    is_stored = isinstance(node, cst.Call) and callee(node) in ("setdefault", "update")
    return is_stored or isinstance(node, (cst.Global, cst.Nonlocal))


def _is_own(facts: Facts, call: cst.Call) -> bool:
    """Tell whether a call may be one of a function of these modules, called ``client`` or so."""
    if callee(call) not in facts.index.defined_functions:
        return False
    if facts.definitions.origin(call.func) in ("boto3.client", "boto3.resource"):
        return False
    on = call.func.value if isinstance(call.func, cst.Attribute) else None
    return on is None or facts.clients.receiver(on).role is not Role.BOTO_SESSION


def _is_quiet(facts: Facts, name: str, above: frozenset[str] = frozenset()) -> bool:
    """Tell whether the functions of the file with a name, if any, only make or return something."""
    return name not in above and not any(
        _is_noticed(facts, part, above | {name})
        for function in facts.index.defined_functions.get(name, ())
        for part in descendants(function.body)
    )


def _is_noticed(facts: Facts, node: cst.CSTNode, above: frozenset[str]) -> bool:
    if isinstance(node, cst.Call):
        name = callee(node) or ""
        if _is_own(facts, node):
            return not _is_quiet(facts, name, above)
        return facts.definitions.is_namesake(node) or not (
            effects.is_stable_call(node)
            or effects.is_fresh_call(node)
            or effects.is_client_factory(node)
        )
    if isinstance(node, cst.Global):
        return not all(_keeps_client(facts, node, item.name.value) for item in node.names)
    if isinstance(node, cst.Assign):
        keeps_client = isinstance(node.value, cst.Call) and effects.is_client_factory(node.value)
        return not keeps_client and any(_changes_object(one.target) for one in node.targets)
    if grows_in_place(facts, node):
        return True
    if isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.For)):
        return _changes_object(node.target)
    stopping = (cst.Raise, cst.Assert)
    return isinstance(node, (cst.Nonlocal, cst.Del, cst.Await, cst.Yield, *stopping))


def _keeps_client(facts: Facts, declared: cst.Global, name: str) -> bool:
    """Tell whether a function keeps nothing in a global variable but an AWS client for itself.

    Whoever reads that apart from the function would miss it if the function were not called.
    """
    index = facts.index
    function, module = index.function(declared), index.module_of(declared)
    if name in index.attributes or not LOOKING_AROUND.isdisjoint(index.names):
        return False
    for one in index.names.get(name, ()):
        here, above = index.function(one), index.parent[one]
        assign = index.parent[above] if isinstance(above, cst.AssignTarget) else above
        if index.module_of(one) is not module or isinstance(above, cst.NameItem):
            continue
        if isinstance(assign, (cst.Assign, cst.AnnAssign)) and one is not assign.value:
            is_client = isinstance(assign.value, cst.Call) and effects.is_client_factory(
                assign.value
            )
            if here is function and not is_client:
                return False
        elif here is not function or not isinstance(above, _TESTING):
            if isinstance(here, cst.Module) or name not in facts.definitions.walk(here).local:
                return False
    return True


#: What only looks at a variable, or gives it to whoever calls.
_TESTING = (
    cst.Comparison,
    cst.ComparisonTarget,
    cst.BooleanOperation,
    cst.UnaryOperation,
    cst.If,
    cst.Return,
)


def grows_in_place(facts: Facts, node: cst.CSTNode) -> bool:
    """Tell whether ``rows += more`` may change a list that others know as well.

    A name that gets text or a number added stands for such a thing, which never changes.
    """
    if not isinstance(node, cst.AugAssign) or not isinstance(node.target, cst.Name):
        return False
    if isinstance(node.value, _NUMBERS) or has_text(facts.templates.of(node.value)):
        return False
    function = facts.index.function(node)
    bound = facts.definitions.walk(function).bindings.get(node.target.value, ())
    return any(_may_be_shared(one) for one in bound)


def _may_be_shared(definition: Definition) -> bool:
    """Tell whether a variable may stand for something that others have a name for as well."""
    node, value = definition.node, definition.value
    if isinstance(node, cst.Param):
        return node.annotation is None or dotted(node.annotation.annotation) not in _TEXT_OR_NUMBER
    if definition.kind is not Kind.ASSIGNED:
        return False
    if isinstance(value, cst.Call):
        return not (effects.is_stable_call(value) or effects.is_fresh_call(value))
    return isinstance(value, (cst.Name, cst.Attribute, cst.Subscript))


_NUMBERS = (cst.Integer, cst.Float)
_TEXT_OR_NUMBER = ("str", "bytes", "int", "float")


def _changes_object(target: cst.CSTNode) -> bool:
    return any(isinstance(part, (cst.Attribute, cst.Subscript)) for part in descendants(target))


def _is_quiet_call(facts: Facts, call: cst.Call) -> bool:
    name = callee(call) or ""
    if name in facts.index.defined_functions:
        return _is_quiet(facts, name)
    if facts.definitions.is_namesake(call):
        return False
    return (
        effects.is_stable_call(call)
        or effects.is_fresh_call(call)
        or effects.is_client_factory(call)
        or callee(call) in ("open", "BytesIO", "TransferConfig", "ProgressPercentage")
    )
