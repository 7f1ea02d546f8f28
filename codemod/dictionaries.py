"""What a dictionary may hold: one that is merged, copied, updated, returned or kept somewhere.

Far more is followed here than can be proven, to name the calls that nothing is rewritten for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from codemod.classes import ancestry, class_of, likely_class, own_stores
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.fillings import changes, items
from codemod.functions import Bindings, bound_arguments, sites
from codemod.invocations import Invocation, invocations
from codemod.syntax import callee, dict_items, is_self
from codemod.template import Template
from codemod.translation import Translation

#: How many expressions are looked at for one dictionary.
_MOST = 60
#: Functions and methods that give what they are given or belong to, as a dictionary.
_COPIES = frozenset(
    "copy deepcopy asdict vars ChainMap OrderedDict MappingProxyType model_dump _asdict items"
    " cast to_dict".split()
)

_Through = tuple[Translation, ...]


class Entry(NamedTuple):
    """A value that a dictionary may hold under a name.

    Attributes:
        value: The value.
        node: What puts it there.
        uri: What it means where the dictionary is used, if a function makes that.
        is_aside: Whether that is done by a function that another one gives the dictionary to than
            the one that uses it: perhaps on another path.
    """

    value: cst.BaseExpression
    node: cst.CSTNode
    uri: Template | None
    is_aside: bool = False


def entries(facts: Facts, value: cst.BaseExpression, key: str) -> Iterator[Entry]:
    """Yield what a dictionary may hold under a key, the surest first."""
    here = facts.index.function(value)
    for node, through in parts(facts, value):
        for name, item, at in items(facts, node):
            if name == key:
                yield from _of_object(facts, item, through)
                is_there = bool(through) and facts.index.function(at) is through[-1].function
                ways = [through] if is_there else _ways_to(facts, at, here)
                is_aside = bool(through) and facts.index.function(through[0].call) is not here
                for one in ways:
                    yield _entry(facts, item, at, one)._replace(is_aside=is_aside)


def _of_object(facts: Facts, value: cst.BaseExpression, through: _Through) -> Iterator[Entry]:
    """Yield what an attribute may be that a method of an object puts into a dictionary."""
    method = through[0].call.func if len(through) == 1 else None
    if isinstance(method, cst.Attribute) and isinstance(value, cst.Attribute):
        if is_self(value.value):
            yield from entries(facts, method.value, value.attr.value)


def parts(facts: Facts, value: cst.BaseExpression) -> Iterator[tuple[cst.BaseExpression, _Through]]:
    """Yield the dictionaries that one is made of, itself first."""
    queue: list[tuple[cst.BaseExpression, _Through]] = [(value, ())]
    seen = {value}
    for node, through in queue:
        yield node, through
        for made, inner in _made_of(facts, node, through):
            if made not in seen and len(seen) < _MOST:
                seen.add(made)
                queue.append((made, inner))


def _ways_to(facts: Facts, node: cst.CSTNode, here: cst.CSTNode) -> list[_Through]:
    """Return how other functions come to some code, those first that one function makes itself."""
    function = facts.index.function(node)
    if function is here or not isinstance(function, cst.FunctionDef):
        return [()]
    calls = list(itertools.islice(_callers(facts, function), _MOST))
    calls.sort(key=lambda one: facts.index.function(one[0].carrier) is not here)
    ways = [(Translation(facts, function, call.carrier, bound),) for call, bound in calls]
    return [*ways] or [()]


def _entry(facts: Facts, value: cst.BaseExpression, node: cst.CSTNode, through: _Through) -> Entry:
    """Put a value into the words of those who call the functions that make the dictionary."""
    template = None
    for translation in reversed(through):
        given = _given(facts, value, translation)
        if given is not None and template is None:
            value = given
        else:
            template = facts.templates.of(value) if template is None else template
            template = translation.template(template)
    return Entry(value, node, template)


def _given(
    facts: Facts, value: cst.BaseExpression, translation: Translation
) -> cst.BaseExpression | None:
    made = facts.definitions.resolve(value)
    if not isinstance(made, cst.Name):
        return None
    return translation.bound.get(facts.definitions.of(made))


def _made_of(
    facts: Facts, node: cst.BaseExpression, through: _Through
) -> Iterator[tuple[cst.BaseExpression, _Through]]:
    """Yield the dictionaries that an expression is made of."""
    if isinstance(node, (cst.Name, cst.Attribute)):
        yield from _behind(facts, node, through)
        return
    made = [value for _, value, at in dict_items(node) or () if _is_spread(at)]
    if isinstance(node, (cst.BinaryOperation, cst.BooleanOperation)):
        made += [node.left, node.right]
    elif isinstance(node, cst.IfExp):
        made += [node.body, node.orelse]
    elif isinstance(node, (cst.NamedExpr, cst.Await)):
        made.append(node.value if isinstance(node, cst.NamedExpr) else node.expression)
    elif isinstance(node, cst.DictComp):
        made.append(node.for_in.iter)
    elif isinstance(node, cst.Call):
        function = _called(facts, node)
        if function is not None and isinstance(node.func, (cst.Name, cst.Attribute)):
            bound = bound_arguments(facts, function, node.func, tuple(node.args)) or {}
            inner = (*through, Translation(facts, function, node, bound))
            for one in facts.index.exits[function]:
                if isinstance(one, cst.Return) and one.value is not None:
                    yield one.value, inner
            return
        if callee(node) in _COPIES:
            made += [arg.value for arg in node.args]
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in (*_COPIES, "dict"):
            made.append(node.func.value)
    yield from ((one, through) for one in made)


def _called(facts: Facts, call: cst.Call) -> cst.FunctionDef | None:
    """Return the function that a call calls, or the one method that it may be."""
    function = facts.definitions.function_called(call)
    if function is not None or not isinstance(call.func, cst.Attribute):
        return function
    named = facts.index.defined_functions.get(call.func.attr.value, ())
    methods = [one for one in named if facts.index.class_of(one) is not None]
    own = facts.index.class_of(call)
    if own is not None and callee(call.func.value) == "super":
        above = ancestry(facts, own) - {own}
        methods = [one for one in methods if facts.index.class_of(one) in above]
    elif is_self(call.func.value):
        methods = [one for one in methods if facts.index.class_of(one) is own] or methods
    if len(methods) > 1:
        meant = likely_class(facts, call.func.value)
        family = ancestry(facts, meant) if meant is not None else ()
        methods = [
            one
            for one in methods
            if facts.index.class_of(one) in family or call.func in sites(facts, one)
        ]
    return methods[0] if len(methods) == 1 else None


def _is_spread(node: cst.CSTNode) -> bool:
    """Tell whether an entry is a dictionary whose entries are taken over."""
    is_argument = isinstance(node, cst.Arg) and node.keyword is None
    return is_argument or isinstance(node, cst.StarredDictElement)


def _behind(
    facts: Facts, node: cst.Name | cst.Attribute, through: _Through
) -> Iterator[tuple[cst.BaseExpression, _Through]]:
    index = facts.index
    if isinstance(node, cst.Attribute):
        if is_self(node.value):
            yield from ((value, through) for _, value in own_stores(facts, node))
        else:
            yield from ((target, through) for target in _kept_by(facts, node))
    for candidate in facts.definitions.candidates(node):
        for origin in candidate.origins():
            yield from _of_definition(facts, origin, through)
    for use in changes(facts, node):
        above = index.parent[use]
        call = index.parent.get(above)
        if isinstance(above, cst.Attribute) and above.attr.value == "update":
            if isinstance(call, cst.Call) and call.func is above:
                yield from ((arg.value, through) for arg in call.args if arg.keyword is None)
        elif isinstance(above, cst.Arg) and isinstance(call, cst.Call):
            yield from _handed_to(facts, use, call, through)


def _kept_by(facts: Facts, node: cst.Attribute) -> Iterator[cst.Attribute]:
    """Yield an attribute of another object as the methods of its class know it."""
    owner = class_of(facts, node.value)
    for target, _ in facts.index.attribute_stores.get(node.attr.value, ()):
        if is_self(target.value) and owner is facts.index.class_of(target) is not None:
            yield target


def _handed_to(
    facts: Facts, use: cst.CSTNode, call: cst.Call, through: _Through
) -> Iterator[tuple[cst.BaseExpression, _Through]]:
    """Yield a dictionary as the function knows it that it is given to, perhaps to be filled."""
    function = _called(facts, call)
    if function is None or not isinstance(call.func, (cst.Name, cst.Attribute)):
        return
    bound = bound_arguments(facts, function, call.func, tuple(call.args)) or {}
    inner = (*through, Translation(facts, function, call, bound))
    for definition, value in bound.items():
        if value is use:
            yield from ((read, inner) for read in facts.definitions.reads(definition)[:1])


def _of_definition(
    facts: Facts, definition: Definition, through: _Through
) -> Iterator[tuple[cst.BaseExpression, _Through]]:
    if isinstance(definition.node, cst.Param):
        method = through[-1].call.func if through and definition.name == "self" else None
        is_rest = is_rest_of_keywords(facts, definition)
        if through and definition in through[-1].bound:
            yield through[-1].bound[definition], through[:-1]
        elif through and is_rest:
            yield through[-1].call, through[:-1]
        elif isinstance(method, cst.Attribute):
            yield method.value, through[:-1]
        elif not through:
            yield from ((value, ()) for value in _given_by_callers(facts, definition))
            function = facts.index.function(definition.node)
            if is_rest and isinstance(function, cst.FunctionDef):
                yield from ((call.carrier, ()) for call, _ in _callers(facts, function))
        return
    if definition.kind is Kind.LOOP and definition.value is not None:
        yield from ((value, through) for value in collected(facts, definition.value))
    elif definition.value is not None:
        yield definition.value, through
    for source in definition.sources if definition.kind is Kind.AUGMENTED else ():
        yield from ((one.value, through) for one in source.origins() if one.value is not None)


def is_rest_of_keywords(facts: Facts, definition: Definition) -> bool:
    """Tell whether a parameter gets the keywords which no other one of its function is for."""
    if not isinstance(definition.node, cst.Param):
        return False
    function = facts.index.function(definition.node)
    if not isinstance(function, cst.FunctionDef):
        return False
    return function.params.star_kwarg is definition.node


def collected(
    facts: Facts, collection: cst.BaseExpression, *, is_given: bool = False
) -> Iterator[cst.BaseExpression]:
    """Yield the members of a list: those that it is made with, and those that are appended."""
    definition = facts.definitions.of(collection) if isinstance(collection, cst.Name) else None
    if definition is not None and isinstance(definition.node, cst.Param) and not is_given:
        for value in _given_by_callers(facts, definition):
            yield from collected(facts, value, is_given=True)
    made = facts.definitions.resolve(collection)
    if isinstance(made, (cst.List, cst.Tuple)):
        yield from (element.value for element in made.elements)
    elif isinstance(made, (cst.ListComp, cst.GeneratorExp)):
        yield made.elt
    elif isinstance(made, cst.Call) and not is_given:
        function = _called(facts, made)
        for leaving in facts.index.exits[function] if function is not None else ():
            if isinstance(leaving.value, cst.BaseExpression):
                if isinstance(leaving, cst.Yield):
                    yield leaving.value
                else:
                    yield from collected(facts, leaving.value, is_given=True)
    for use in changes(facts, collection):
        above = facts.index.parent[use]
        call = facts.index.parent.get(above)
        if isinstance(above, cst.Attribute) and isinstance(call, cst.Call) and call.args:
            if call.func is above and above.attr.value in ("append", "add", "put", "insert"):
                yield call.args[-1].value


def _given_by_callers(facts: Facts, definition: Definition) -> Iterator[cst.BaseExpression]:
    """Yield what the callers of a function give for a parameter."""
    assert definition.node is not None
    function = facts.index.function(definition.node)
    if isinstance(function, cst.FunctionDef):
        for _, bound in _callers(facts, function):
            if definition in bound:
                yield bound[definition]


def _callers(facts: Facts, function: cst.FunctionDef) -> Iterator[tuple[Invocation, Bindings]]:
    """Yield the calls of a function, each with what is given for the parameters."""
    for func in sites(facts, function):
        for call in invocations(facts.definitions, func):
            yield call, bound_arguments(facts, function, func, call.args) or {}
