"""How an address reads once all that is known of it is looked through, in the words of a caller.

Properties, methods and functions that make text are looked into, and what an object was made with.
Two that read alike need not be the same string: nothing is rewritten for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import libcst as cst

from codemod.classes import ancestry, likely_class
from codemod.definitions import Definition, Kind
from codemod.effects import unstable_part
from codemod.facts import Facts
from codemod.fillings import field_names
from codemod.functions import Bindings, named_parameters
from codemod.syntax import (
    callee,
    descendants,
    dict_items,
    is_self,
    names_in,
    subscript_key,
    unwrap_await,
)
from codemod.template import Hole, Template, source

#: How many expressions are looked at for one address.
_MOST = 80
#: What the environment of the process gives is the same all the time.
_ENVIRONMENT = frozenset({"os.environ", "os.environ.get", "os.getenv"})
#: Parts that are the same wherever they are spelled.
_FIXED = ("module", "imported", "environment", "unread")

#: Text, or something that is only known when the program runs.
Part = object
Spelled = tuple[Part, ...]


class Level(NamedTuple):
    """A call on the way to some code.

    Attributes:
        call: What is called, to tell it from others.
        bound: What it gives for the parameters, in the words of the caller.
        own: The object that a method belongs to.
    """

    call: cst.CSTNode
    bound: Bindings
    own: Thing | None = None


#: The calls that lead to some code, the outermost first.
Way = tuple[Level, ...]


class Thing(NamedTuple):
    """An object.

    Attributes:
        key: What tells it from others.
        made: The call that makes it, if that is known, and the way to it.
        owner: The class that it is likely to be of.
    """

    key: Part
    made: cst.Call | None = None
    way: Way = ()
    owner: cst.ClassDef | None = None


class Spelling:
    """Spells the addresses of some modules."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._left = 0
        self._members: dict[tuple[cst.ClassDef | None, str], cst.FunctionDef | None] = {}

    def of(self, address: Template, way: Way = ()) -> Spelled:
        """Return how an address reads where the first call of a way is made."""
        self._left = _MOST
        return _joined(self._pieces(address, way))

    def is_fixed(self, spelled: Spelled) -> bool:
        """Tell whether an address is the same wherever it is spelled, and a whole one."""
        text = spelled[0] if spelled else None
        if len(spelled) == 1 and isinstance(text, str) and text.count("/") <= len("//"):
            return False
        return bool(spelled) and all(
            isinstance(one, str) or (isinstance(one, tuple) and one[0] in _FIXED) for one in spelled
        )

    def thing(self, node: cst.BaseExpression) -> Thing:
        """Return the object that an expression stands for where it is."""
        self._left = _MOST
        return self._thing(node, ())

    def _thing(self, node: cst.BaseExpression, way: Way) -> Thing:
        node = unwrap_await(node)
        if isinstance(node, cst.Name):
            return self._named(node, self._facts.definitions.of(node), way)
        if isinstance(node, cst.Attribute):
            target = self._facts.definitions.target(node)
            if target is not None:
                return self._defined(target, way)
            return self._kept(self._thing(node.value, way), node.attr.value)
        if isinstance(node, cst.Call):
            return self._made(node, way, ("made", node, _calls(way)))
        return Thing(("made", node, _calls(way)))

    # -- text ------------------------------------------------------------------------------

    def _spell(self, node: cst.BaseExpression, way: Way) -> Iterator[Part]:
        yield from self._pieces(self._facts.templates.of(node), way)

    def _pieces(self, template: Template, way: Way) -> Iterator[Part]:
        for piece in template:
            self._left -= 1
            if isinstance(piece, str):
                yield piece
            elif self._left < 0:
                yield ("unknown", object())  # like no other
            else:
                yield from self._hole(piece, way)

    def _hole(self, hole: Hole, way: Way) -> Iterator[Part]:
        kind, node = hole.key[0], hole.node
        if kind == "imported":
            yield hole.key
        elif kind == "definition":
            definition = hole.key[1]
            assert isinstance(definition, Definition)
            made = self._made_elsewhere(definition)
            if made is not None:
                yield from self._spell(made, ())
            else:
                yield from self._variable(definition, way)
        elif isinstance(node, cst.Attribute):
            # In a method that was looked into for its caller, that calls the object by a name.
            names = hole.key[2] if kind == "expression" else ()
            root = names[0] if isinstance(names, tuple) and len(names) == 1 else None
            first = node.value
            if isinstance(first, cst.Name) and isinstance(root, Definition):
                thing = self._named(first, root, way)
            else:
                thing = self._thing(first, way)
            yield from self._field(thing, node)
        elif isinstance(node, cst.Call):
            yield from self._result(node, way)
        elif isinstance(node, cst.Subscript):
            yield from self._item(node, way)
        elif isinstance(node, cst.BaseExpression):
            yield self._opaque(node, way)
        else:
            yield hole.key

    def _made_elsewhere(self, definition: Definition) -> cst.BaseExpression | None:
        """Return what a name that comes from another module is given there."""
        if definition.kind not in (Kind.IMPORTED, Kind.OUTSIDE) or self._left < 0:
            return None
        definitions = self._facts.definitions
        for name in self._facts.index.names.get(definition.name, ()):
            if definitions.of(name) is definition:
                target = definitions.target(name)
                is_made = target is not None and target.kind is Kind.ASSIGNED
                return target.value if target is not None and is_made else None
        return None

    def _variable(self, definition: Definition, way: Way) -> Iterator[Part]:
        if way and definition in way[-1].bound:
            value = way[-1].bound[definition]
            yield from self._spell(value, way[:-1])
            return
        node, index = definition.node, self._facts.index
        if definition.kind is Kind.OUTSIDE:
            yield ("module", definition.name)
        elif definition.kind is Kind.IMPORTED:
            yield ("imported", definition)
        elif node is not None and isinstance(index.function(node), cst.Module):
            yield ("module", definition)
        else:
            yield ("variable", definition, _calls(way))

    def _item(self, node: cst.Subscript, way: Way) -> Iterator[Part]:
        """Yield what a dictionary of a module has under a key."""
        key, definitions = subscript_key(node), self._facts.definitions
        target = definitions.target(node.value)
        is_local = target is None or target.kind not in (Kind.IMPORTED, Kind.OUTSIDE)
        if target is not None and target.node is not None and is_local:
            is_local = not isinstance(self._facts.index.function(target.node), cst.Module)
        if key is None or is_local or definitions.origin(node.value) in _ENVIRONMENT:
            yield self._opaque(node, way)
            return
        items = dict_items(target.value) if target is not None else None
        values = [value for name, value, _ in items or () if name == key]
        if len(values) == 1 and self._left >= 0:
            yield from self._spell(values[0], ())
        else:
            yield ("module", definitions.origin(node.value) or target, key)

    def _opaque(self, node: cst.BaseExpression, way: Way) -> Part:
        asked = node.func if isinstance(node, cst.Call) else node
        asked = asked.value if isinstance(asked, cst.Subscript) else asked
        definitions = self._facts.definitions
        if definitions.origin(asked) in _ENVIRONMENT:
            return ("environment", *_texts(node))
        names = [definitions.of(name) for name in names_in(node)]
        is_outside = all(name.kind in (Kind.IMPORTED, Kind.OUTSIDE) for name in names)
        is_unread = bool(names) and is_outside and unstable_part(node) is None
        return ("unread" if is_unread else "made", node, _calls(way))

    def _result(self, node: cst.Call, way: Way) -> Iterator[Part]:
        """Yield what a call gives, if all that it does is work out text."""
        if callee(node) == "str" and len(node.args) == 1:
            thing = self._thing(node.args[0].value, way)
            function = self._member(thing, "__str__")
            if function is None:
                yield from self._spell(node.args[0].value, way)
                return
            bound: Bindings | None = {}
        else:
            thing = self._made(node, way, None)
            function = self._facts.definitions.function_called(node)
            if thing.owner is not None:  # as text
                function = self._member(thing, "__str__")
            elif isinstance(node.func, cst.Attribute):
                thing = self._thing(node.func.value, way)
                function = function or self._member(thing, node.func.attr.value)
            is_named = isinstance(node.func, (cst.Name, cst.Attribute))
            bound = None
            if thing.made is node:
                bound = {}
            elif function is not None and is_named:
                bound = named_parameters(self._facts, function, node.func, tuple(node.args))  # type: ignore[arg-type]
        result = self._only_result(function) if function is not None else None
        if result is None or bound is None or self._left < 0:
            yield self._opaque(node, way)
            return
        own = thing if thing.key is not None or thing.made is not None else None
        yield from self._spell(result, (*way, Level(node, bound, own)))

    def _only_result(self, function: cst.FunctionDef) -> cst.BaseExpression | None:
        exits = self._facts.index.exits[function]
        only = exits[0] if len(exits) == 1 else None
        return only.value if isinstance(only, cst.Return) else None

    # -- objects ---------------------------------------------------------------------------

    def _named(self, name: cst.Name, definition: Definition, way: Way) -> Thing:
        if is_self(name) and definition.name in ("self", "cls"):
            if way and way[-1].own is not None:
                return way[-1].own
            owner = self._facts.index.class_of(name)
            return Thing(("own", owner), owner=owner)
        if way and definition in way[-1].bound:
            return self._thing(way[-1].bound[definition], way[:-1])
        if definition.kind in (Kind.IMPORTED, Kind.OUTSIDE):
            target = self._facts.definitions.target(name)
            if target is not None and target is not definition:
                return self._defined(target, way)
        thing = self._defined(definition, way)
        if thing.owner is None:
            thing = thing._replace(owner=likely_class(self._facts, name))
        return thing

    def _defined(self, definition: Definition, way: Way) -> Thing:
        node, value = definition.node, definition.value
        if isinstance(node, cst.ClassDef):
            return Thing(("class", node), owner=node)
        is_shared = node is not None and isinstance(self._facts.index.function(node), cst.Module)
        way = () if is_shared else way
        key = ("shared" if is_shared else "variable", definition, _calls(way))
        value = unwrap_await(value) if value is not None else None
        self._left -= 1
        if definition.kind is not Kind.ASSIGNED or self._left < 0:
            return Thing(key)
        if isinstance(value, (cst.Name, cst.Attribute)):
            return self._thing(value, way)
        return self._made(value, way, key) if isinstance(value, cst.Call) else Thing(key)

    def _made(self, call: cst.Call, way: Way, key: Part) -> Thing:
        target = self._facts.definitions.target(call.func)
        made = target.node if target is not None else None
        if isinstance(made, cst.ClassDef):
            return Thing(key, call, way, made)
        thing = self._thing(call.func.value, way) if isinstance(call.func, cst.Attribute) else None
        function = made if isinstance(made, cst.FunctionDef) else None
        if thing is not None and function is None:
            function = self._member(thing, cst.ensure_type(call.func, cst.Attribute).attr.value)
        result = self._only_result(function) if function is not None else None
        self._left -= 1
        if function is None or result is None or self._left < 0:
            return Thing(key)
        func = call.func
        assert isinstance(func, (cst.Name, cst.Attribute))
        bound = named_parameters(self._facts, function, func, tuple(call.args)) or {}
        return self._thing(result, (*way, Level(call, bound, thing)))

    def _kept(self, thing: Thing, name: str) -> Thing:
        """Return the object that another one has as an attribute."""
        key = ("field", thing.key, name)
        self._left -= 1
        if thing.owner is None or self._left < 0:
            return Thing(key)
        found = list(self._stored(thing.owner, name))
        if len(found) != 1:
            return Thing(key)
        inner = self._thing(found[0], (*thing.way, self._inside(thing)))
        is_shared = isinstance(inner.key, tuple) and inner.key[0] == "shared"
        return inner if is_shared else inner._replace(key=key)

    def _member(self, thing: Thing, name: str) -> cst.FunctionDef | None:
        """Return a method of an object, or the one that there is of the name."""
        known = (thing.owner, name)
        if known not in self._members:
            self._members[known] = self._look_up(thing, name)
        return self._members[known]

    def _look_up(self, thing: Thing, name: str) -> cst.FunctionDef | None:
        index = self._facts.index
        named = index.defined_functions.get(name, ())
        if thing.owner is None:
            methods = [one for one in named if index.class_of(one) is not None]
            return methods[0] if len(methods) == 1 else None
        family = ancestry(self._facts, thing.owner)
        methods = [one for one in named if index.class_of(one) in family]
        own = [one for one in methods if index.class_of(one) is thing.owner]
        return next(iter(own or methods), None)

    def _stored(self, owner: cst.ClassDef, name: str) -> Iterator[cst.BaseExpression]:
        for target, value in self._facts.index.attribute_stores.get(name, ()):
            made = self._facts.index.class_of(target) if is_self(target.value) else None
            if value is not None and made in ancestry(self._facts, owner):
                yield value

    def _inside(self, thing: Thing) -> Level:
        """Return what the parameters of ``__init__`` were given for an object."""
        bound: dict[Definition, cst.BaseExpression] = {}
        init = self._member(thing, "__init__") if thing.owner is not None else None
        if init is not None and thing.made is not None:
            given = self._given(thing)
            for param in init.params.params[1:]:
                value = given.get(param.name.value, param.default)
                for definition in self._facts.definitions.walk(init).bindings[param.name.value]:
                    if value is not None and definition.node is param:
                        bound[definition] = value
        made: cst.CSTNode | None = thing.made or thing.owner
        assert made is not None
        return Level(made, bound, thing)

    def _given(self, thing: Thing) -> Mapping[str, cst.BaseExpression]:
        assert thing.made is not None
        assert thing.owner is not None
        names = field_names(self._facts, thing.owner)
        found = {}
        for place, arg in enumerate(thing.made.args):
            if arg.keyword is not None:
                found[arg.keyword.value] = arg.value
            elif not arg.star and place < len(names):
                found[names[place]] = arg.value
        return found

    def _field(self, thing: Thing, node: cst.Attribute) -> Iterator[Part]:
        """Yield what an attribute of an object reads as."""
        name = node.attr.value
        function = self._member(thing, name)
        if function is not None and function.decorators:
            result = self._only_result(function)
            if result is not None and self._left >= 0:
                yield from self._spell(result, (Level(function, {}, thing),))
                return
        spelled = self._of_maker(thing, name) if self._left >= 0 else None
        if spelled is not None:
            yield from spelled
        elif isinstance(thing.key, tuple) and thing.key[0] in ("class", "imported"):
            yield ("module", thing.key, name)
        elif self._facts.definitions.origin(node) is not None:
            yield ("imported", self._facts.definitions.origin(node))
        else:
            yield ("field", thing.key, name)

    def _of_maker(self, thing: Thing, name: str) -> Spelled | None:
        """Return what the maker or the class of an object gives for an attribute."""
        if thing.owner is None:
            return None
        stored = list(self._stored(thing.owner, name))
        if thing.made is not None and not stored:
            given = self._given(thing).get(name)
            if given is not None:
                return _joined(self._spell(given, thing.way))
        if not stored:
            values = [
                value for one in ancestry(self._facts, thing.owner) for value in _put(one, name)
            ]
            return _joined(self._spell(values[0], ())) if len(values) == 1 else None
        if len(stored) != 1:
            return None
        spelled = _joined(self._spell(stored[0], (*thing.way, self._inside(thing))))
        own = ("field", thing.key)
        is_told = all(
            isinstance(one, str)
            or (isinstance(one, tuple) and (one[0] in _FIXED or one[:2] == own))
            for one in spelled
        )
        return spelled if is_told or self._is_given(thing, stored[0]) else None

    def _is_given(self, thing: Thing, value: cst.BaseExpression) -> bool:
        """Tell whether a value is nothing but what the maker of an object gives."""
        if not isinstance(value, cst.Name):
            return False
        return self._facts.definitions.of(value) in self._inside(thing).bound


def _put(owner: cst.ClassDef, name: str) -> Iterator[cst.BaseExpression]:
    """Yield what the body of a class gives a name."""
    lines = owner.body.body if isinstance(owner.body, cst.IndentedBlock) else ()
    for line in lines:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.AnnAssign) and small.value is not None:
                if isinstance(small.target, cst.Name) and small.target.value == name:
                    yield small.value
            elif isinstance(small, cst.Assign) and len(small.targets) == 1:
                target = small.targets[0].target
                if isinstance(target, cst.Name) and target.value == name:
                    yield small.value


def _calls(way: Way) -> tuple[cst.CSTNode, ...]:
    return tuple(level.call for level in way)


def _joined(parts: Iterator[Part]) -> Spelled:
    found: list[Part] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return tuple(found)


def _texts(node: cst.BaseExpression) -> Iterator[str]:
    """Yield the texts in an expression."""
    for part in descendants(node):
        if isinstance(part, cst.SimpleString):
            yield source(part).strip("'\"")
