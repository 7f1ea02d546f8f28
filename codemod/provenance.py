"""What a value may be made from: through variables, loops, collections, pools and parameters.

This follows much more than can be proven, to explain a call that nothing is rewritten for.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import libcst as cst

from codemod.classes import class_of, own_stores
from codemod.definitions import Definition, Kind
from codemod.dictionaries import collected
from codemod.facts import Facts
from codemod.functions import bound_arguments, sites
from codemod.index import Index
from codemod.invocations import invocations
from codemod.pipelines import called_before
from codemod.references import uses
from codemod.syntax import (
    callee,
    children,
    descendants,
    dict_items,
    is_self,
    last_name,
    subscript_key,
)

#: How many expressions are looked at for one value.
_MOST = 100
#: Parameters with what somebody outside of the program asks for: two functions get two of them.
_REQUEST = re.compile(r"event|request|message|body|record|payload|args|kw", re.IGNORECASE)
#: Methods that put something into a list or a queue.
_COLLECTING = ("append", "appendleft", "add", "put", "put_nowait", "extend", "insert")
#: Functions that give what they are given, or what a function makes of that.
_CARRIERS = frozenset(
    "list tuple set sorted reversed enumerate zip iter next dict str chain from_iterable islice map"
    " filter starmap gather wait wait_for shield create_task ensure_future as_completed run"
    " run_until_complete submit to_thread run_in_executor run_sync apply apply_async map_async imap"
    " imap_unordered starmap_async partial delayed get pop join format".split()
)

#: An expression, and the function that was handed to something else on the way to it, if one was.
Step = tuple[cst.BaseExpression, cst.CSTNode | None]
_Put = tuple[cst.Name | cst.Attribute, cst.BaseExpression]


class Provenance:
    """Answers for some modules what values may be made from."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._puts: dict[str, dict[cst.CSTNode, list[_Put]]] = {}
        self._attribute_puts: dict[str, dict[cst.CSTNode | None, list[cst.BaseExpression]]] = {}
        self._items_by_name: dict[
            str, defaultdict[str | int | None, list[tuple[cst.CSTNode, cst.BaseExpression]]]
        ] = {}
        self._given: dict[Definition, list[Step]] = {}
        self._dictionaries: dict[
            cst.BaseExpression, dict[str | int | None, list[cst.BaseExpression]] | None
        ] = {}

    def behind(self, value: cst.BaseExpression) -> Iterator[Step]:
        """Yield the expressions that a value may be made from, the nearest first, and itself."""
        queue: list[Step] = [(value, None)]
        seen = {value}
        for node, handed in queue:
            yield node, handed
            for part in self.parts_of(node):
                for other, through in self._behind_part(part):
                    if other not in seen and len(seen) < _MOST:
                        seen.add(other)
                        queue.append((other, through or handed))

    def parts_of(self, node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
        """Yield an expression and its parts, without those that only decide or are left out.

        Nor are the variables that some function is given: what it returns need not be made from
        them. A function among its arguments, or what one returns, is likely to be behind it.
        """
        stack: list[cst.CSTNode] = [node]
        while stack:
            current = stack.pop()
            if isinstance(current, cst.BaseExpression):
                yield current
            stack.extend(reversed(list(self._below(current))))

    def _below(self, node: cst.CSTNode) -> Iterable[cst.CSTNode]:
        if isinstance(node, cst.IfExp):
            return (node.body, node.orelse)
        if isinstance(node, cst.BaseSimpleComp):
            return (node.elt,)
        if isinstance(node, cst.Subscript):
            items = self._items(node)
            if items is not None:
                return items
        below = children(node)
        if not isinstance(node, cst.Call) or callee(node) in _CARRIERS:
            return below
        return (
            one
            for one in below
            if not isinstance(one, cst.Arg)
            or isinstance(one.value, (cst.Await, cst.Call))
            or is_function(self._facts, one.value)
        )

    def _items(self, node: cst.Subscript) -> list[cst.BaseExpression] | None:
        """Return what ``job["uri"]`` or ``pair[0]`` may be, if it shows where that was put."""
        key = subscript_key(node)
        if key is None or not isinstance(node.value, cst.Name):
            return None
        found: list[cst.BaseExpression] = []
        for origin in self._facts.definitions.of(node.value).origins():
            made = origin.value if origin.kind is Kind.ASSIGNED else None
            if isinstance(made, (cst.Tuple, cst.List)) and isinstance(key, int):
                if key < len(made.elements):
                    found.append(made.elements[key].value)
                continue
            items = self._items_of(made) if made is not None else None
            if items is None:
                return None
            found.extend(items.get(key, ()))
        for collection, value in self._put_where(node.value):
            holder = self._facts.index.parent[collection]
            if not isinstance(holder, cst.Subscript) or subscript_key(holder) in (key, None):
                found.append(value)
        return found

    def _items_of(
        self, made: cst.BaseExpression
    ) -> dict[str | int | None, list[cst.BaseExpression]] | None:
        """Return the values of a dictionary by their key, if all keys are plain strings."""
        if made not in self._dictionaries:
            items = dict_items(made)
            values: dict[str | int | None, list[cst.BaseExpression]] = defaultdict(list)
            for name, value, _ in items or ():
                values[name].append(value)
            self._dictionaries[made] = None if items is None or None in values else values
        return self._dictionaries[made]

    def _behind_part(self, part: cst.BaseExpression) -> Iterator[Step]:
        if isinstance(part, (cst.Name, cst.Attribute)):
            for candidate in self._facts.definitions.candidates(part):
                for origin in candidate.origins():
                    yield from self._behind_definition(origin)
        if isinstance(part, cst.Name):
            yield from ((value, None) for value in self.put_into(part))
        elif isinstance(part, cst.Subscript):
            yield from ((value, None) for value in self._put_by_others(part))
        elif isinstance(part, cst.Attribute):
            if is_self(part.value):
                yield from self._behind_attribute(part)
            else:
                yield from ((value, None) for value in self._stored_for(part))

    def _put_by_others(self, part: cst.Subscript) -> Iterator[cst.BaseExpression]:
        """Yield what other functions put where one reads ``state["uri"]``, or give it back as.

        They get the same dictionary, as the name of their parameter says.
        """
        key, holder, index = subscript_key(part), part.value, self._facts.index
        if not isinstance(key, str) or not isinstance(holder, cst.Name):
            return
        definition = self._facts.definitions.of(holder)
        if not isinstance(definition.node, cst.Param) or _REQUEST.search(holder.value):
            return
        here = index.function(part)
        for function, value in self._items_given(holder)[key]:
            if function is not here:
                yield value

    def _items_given(
        self, holder: cst.Name
    ) -> defaultdict[str | int | None, list[tuple[cst.CSTNode, cst.BaseExpression]]]:
        """Return what functions with such a parameter put into it, or give back, by the key."""
        index, name = self._facts.index, holder.value
        if name in self._items_by_name:
            return self._items_by_name[name]
        found = self._items_by_name[name] = defaultdict(list)
        next(self._put_where(holder), None)
        for function, made in self._puts[name].items():
            for collection, value in made if _takes(function, name) else ():
                item = index.parent[collection]
                if isinstance(item, cst.Subscript):
                    found[subscript_key(item)].append((function, value))
        for function, exits in index.exits.items():
            for leaving in exits if _takes(function, name) else ():
                items = dict_items(leaving.value) if leaving.value is not None else None
                for key, value, _ in items or ():
                    found[key].append((function, value))
        return found

    def _behind_attribute(self, part: cst.Attribute) -> Iterator[Step]:
        index, name = self._facts.index, part.attr.value
        owner = index.class_of(part)
        yield from ((stored, None) for _, stored in own_stores(self._facts, part))
        if name not in self._attribute_puts:
            found = self._attribute_puts[name] = defaultdict(list)
            for other in index.attributes.get(name, ()):
                if is_self(other.value):
                    found[index.class_of(other)].extend(_put_by(self._facts, other))
        yield from ((value, None) for value in self._attribute_puts[name].get(owner, ()))

    def _stored_for(self, part: cst.Attribute) -> Iterator[cst.BaseExpression]:
        """Yield what an attribute of another object is given: in its class, or by its name."""
        index = self._facts.index
        owner = class_behind(self._facts, part.value)
        named = part.value.value if isinstance(part.value, cst.Name) else None
        for target, value in index.attribute_stores.get(part.attr.value, ()):
            if value is None:
                continue
            if is_self(target.value):
                if owner is not None and index.class_of(target) is owner:
                    yield value
            elif isinstance(target.value, cst.Name) and target.value.value == named:
                yield value

    def _behind_definition(self, definition: Definition) -> Iterator[Step]:
        if definition.value is not None:
            yield taken_from(self._facts, definition.node, definition.value), None
        if definition.kind is Kind.WITH and definition.value is not None:
            owner = _class_made(self._facts, definition.value)
            yield from ((value, None) for value in _entered(self._facts, owner))
        if definition.kind is Kind.AUGMENTED:
            for source in definition.sources:
                yield from ((one.value, None) for one in source.origins() if one.value is not None)
        if isinstance(definition.node, cst.Param):
            if definition not in self._given:
                self._given[definition] = list(_given_for(self._facts, definition, definition.node))
            yield from self._given[definition]

    def put_into(self, name: cst.Name) -> Iterator[cst.BaseExpression]:
        """Yield what is put into a collection by its methods and by assigning items."""
        yield from (value for _, value in self._put_where(name))

    def _put_where(self, name: cst.Name) -> Iterator[_Put]:
        index, text = self._facts.index, name.value
        if text not in self._puts:
            found = self._puts[text] = defaultdict(list)
            for other in index.names.get(text, ()):
                for value in _put_by(self._facts, other):
                    found[index.function(other)].append((other, value))
        puts = self._puts[text]
        if not puts:
            return
        here, definition = index.function(name), self._facts.definitions.of(name)
        yield from puts.get(here, ())
        if isinstance(definition.node, cst.Param):  # the same queue, as its name says
            for function, made in itertools.islice(puts.items(), _MOST):
                params = function.params if isinstance(function, cst.FunctionDef) else None
                if params is not None and any(one.name.value == text for one in params.params):
                    yield from (one for one in made if function is not here and _is_put(index, one))
        elif definition.kind in (Kind.IMPORTED, Kind.OUTSIDE):
            target = self._facts.definitions.target
            shared = target(name)
            for one in itertools.chain.from_iterable(puts.values()) if shared is not None else ():
                if index.function(one[0]) is not here and target(one[0]) is shared:
                    yield one
        elif definition.node is not None and isinstance(
            index.function(definition.node), cst.Module
        ):
            for function, made in puts.items():
                if function is not here:
                    of = self._facts.definitions.of
                    yield from (
                        one
                        for one in made
                        if isinstance(one[0], cst.Name) and of(one[0]) is definition
                    )


def class_behind(facts: Facts, node: cst.BaseExpression) -> cst.ClassDef | None:
    """Return the class that an object is likely to be of."""
    if not isinstance(node, cst.Name):
        return class_of(facts, node)
    definition = facts.definitions.of(node)
    is_known = definition.kind in (Kind.ASSIGNED, Kind.WITH) and definition.value is not None
    return _class_made(facts, definition.value) if is_known else None  # type: ignore[arg-type]


def _class_made(facts: Facts, value: cst.BaseExpression) -> cst.ClassDef | None:
    target = facts.definitions.target(value.func) if isinstance(value, cst.Call) else None
    made = target.node if target is not None else None
    return made if isinstance(made, cst.ClassDef) else None


def _entered(facts: Facts, owner: cst.ClassDef | None) -> Iterator[cst.BaseExpression]:
    """Yield what ``with`` gives of an object."""
    for name in ("__enter__", "__aenter__") if owner is not None else ():
        for function in facts.index.defined_functions.get(name, ()):
            if facts.index.class_of(function) is owner:
                exits = facts.index.exits[function]
                yield from (one.value for one in exits if isinstance(one.value, cst.BaseExpression))


def taken_from(
    facts: Facts, target: cst.CSTNode | None, value: cst.BaseExpression
) -> cst.BaseExpression:
    """Return what a name gets of a value that is unpacked, as far as that shows."""
    place = facts.index.place_in_tuple(target) if target is not None else None
    if place is None:
        return value
    if isinstance(value, cst.Tuple) and place < len(value.elements):
        return value.elements[place].value
    args = value.args if isinstance(value, cst.Call) else ()
    if any(arg.star or arg.keyword is not None for arg in args):
        return value
    if callee(value) == "zip" and place < len(args):
        return args[place].value
    if callee(value) == "enumerate" and place == 1 and args:
        return args[0].value
    return value


def _put_by(facts: Facts, collection: cst.Name | cst.Attribute) -> Iterator[cst.BaseExpression]:
    """Yield what one mention of a collection puts into it."""
    index = facts.index
    holder = index.parent[collection]
    call = index.parent.get(holder)
    if isinstance(holder, cst.Attribute) and isinstance(call, cst.Call):
        if call.func is holder and holder.attr.value in _COLLECTING:
            yield from (arg.value for arg in call.args)
    target = index.parent.get(holder)
    assign = index.parent.get(target) if isinstance(target, cst.AssignTarget) else None
    if isinstance(holder, cst.Subscript) and isinstance(assign, cst.Assign):
        yield assign.value


# -- parameters ----------------------------------------------------------------------------


def _given_for(facts: Facts, definition: Definition, param: cst.Param) -> Iterator[Step]:
    """Yield what a parameter may be given where its function is not simply called.

    Where it is, the call is followed by others; it only tells which functions are given.
    """
    if param.default is not None:
        yield param.default, None
    function = facts.index.parent[facts.index.parent[param]]
    if isinstance(function, cst.Lambda):
        for use in uses(facts, function):
            yield from ((value, use.by) for value in meant_for(param, function, use.args))
    elif isinstance(function, cst.FunctionDef):
        for func in sites(facts, function):
            calls = invocations(facts.definitions, func)
            for call in calls:
                bound = bound_arguments(facts, function, func, call.args) or {}
                value = bound.get(definition)
                if value is not None and is_function(facts, value):
                    yield value, None
            for use in uses(facts, func, as_task=True) if not calls else ():
                name = callee(use.call) or ""
                rows = _in_rows(facts, param, function, use.args) if "starmap" in name else ()
                packs = name in ("apply", "apply_async")
                given = list(rows) or list(meant_for(param, function, use.args, packs=packs))
                on = use.call.func
                if not use.args and use.by is not on and isinstance(on, cst.Attribute):
                    given = [on.value]  # ``uris.apply(invoke)``
                yield from ((value, use.by) for value in given)
            if not calls:
                yield from ((value, func) for value in called_before(facts, func))
        yield from _by_fixture(facts, param, function)
        for decorator in function.decorators:
            for args in _decorated_with(facts, decorator):
                wrapped = meant_for(param, function, args)
                yield from ((value, decorator.decorator) for value in wrapped)


def _by_fixture(facts: Facts, param: cst.Param, function: cst.FunctionDef) -> Iterator[Step]:
    """Yield what a test, or a fixture, gets from the fixture of the name of a parameter."""
    if not function.name.value.startswith("test") and not _is_fixture(function):
        return
    for fixture in facts.index.defined_functions.get(param.name.value, ()):
        for leaving in facts.index.exits[fixture] if _is_fixture(fixture) else ():
            if isinstance(leaving.value, cst.BaseExpression):
                yield leaving.value, param.name


def _is_fixture(function: cst.FunctionDef) -> bool:
    made = (one.decorator for one in function.decorators)
    named = (last_name(one.func if isinstance(one, cst.Call) else one) for one in made)
    return any(one is not None and one.endswith("fixture") for one in named)


def is_function(facts: Facts, node: cst.BaseExpression) -> bool:
    """Tell whether an expression is a function or a method, and not what one returns."""
    if isinstance(node, cst.Attribute):
        return node.attr.value in facts.index.defined_functions
    if isinstance(node, cst.Name):
        found = facts.definitions.candidates(node)
        return any(isinstance(one.node, cst.FunctionDef) for one in found)
    return isinstance(node, cst.Lambda)


def _takes(function: cst.CSTNode, name: str) -> bool:
    """Tell whether a function has a parameter of a name."""
    return isinstance(function, cst.FunctionDef) and any(
        one.name.value == name for one in function.params.params
    )


def _is_put(index: Index, put: _Put) -> bool:
    """Tell whether a method puts a value somewhere: what an item is, depends on its key."""
    return isinstance(index.parent[put[0]], cst.Attribute)


def _in_rows(
    facts: Facts, param: cst.Param, function: cst.FunctionDef, args: Sequence[cst.Arg]
) -> Iterator[cst.BaseExpression]:
    """Yield what a parameter gets of the rows that ``starmap`` goes through."""
    for arg in args:
        for row in collected(facts, arg.value):
            if isinstance(row, (cst.Tuple, cst.List)):
                cells = [cst.Arg(element.value) for element in row.elements]
                yield from meant_for(param, function, cells)


def meant_for(
    param: cst.Param,
    function: cst.FunctionDef | cst.Lambda,
    args: Sequence[cst.Arg],
    *,
    packs: bool = False,
) -> Iterator[cst.BaseExpression]:
    """Yield what a parameter gets of what is given along with a function; perhaps all of it.

    Args:
        param: The parameter.
        function: Its function.
        args: What is given.
        packs: Whether the positional arguments come in one sequence.
    """
    params = [*function.params.posonly_params, *function.params.params]
    if params and params[0].name.value in ("self", "cls"):
        params = params[1:]
    place = params.index(param) if param in params else None
    named = {arg.keyword.value: arg.value for arg in args if arg.keyword is not None}
    positional = [arg.value for arg in args if arg.keyword is None]
    if packs and positional and isinstance(positional[0], (cst.Tuple, cst.List)):
        positional = [one.value for one in positional[0].elements]
    packed = [
        value
        for name, value in named.items()
        if name.endswith("args") and isinstance(value, (cst.Tuple, cst.List, cst.Dict))
    ]
    if param.name.value in named:
        yield named[param.name.value]
    elif packed:
        for value in packed:
            if isinstance(value, cst.Dict):
                items = dict_items(value) or ()
                yield from (item for name, item, _ in items if name in (param.name.value, None))
            elif place is not None and place < len(value.elements):
                yield value.elements[place].value
    elif not any(arg.star for arg in args) and place is not None and place < len(positional):
        yield positional[place]
    else:
        yield from (arg.value for arg in args)


def _decorated_with(facts: Facts, decorator: cst.Decorator) -> Iterator[Sequence[cst.Arg]]:
    """Yield what a decorator of these files gives to the function that it is put on."""
    made = decorator.decorator
    target = facts.definitions.target(made.func if isinstance(made, cst.Call) else made)
    outer = target.node if target is not None else None
    if not isinstance(outer, cst.FunctionDef):
        return
    for part in descendants(outer.body):
        if isinstance(part, cst.Call) and isinstance(part.func, cst.Name):
            if isinstance(facts.definitions.of(part.func).node, cst.Param):
                yield part.args
