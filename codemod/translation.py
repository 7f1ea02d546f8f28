"""What the expressions of a function mean to one of its callers."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from codemod import effects
from codemod.definitions import Definition, Kind
from codemod.edits import Replacement, substitute
from codemod.facts import Facts
from codemod.fallbacks import fallback_of
from codemod.functions import Bindings
from codemod.imports import Needed, is_standard, top_imports
from codemod.quoting import spliced, within_strings
from codemod.syntax import descendants, dotted, is_none, names_in
from codemod.template import (
    BUCKET_OF,
    KEY_OF,
    REST_OF,
    Hole,
    Template,
    normal,
    part_of_uri,
    rest_of,
)


@dataclass(frozen=True, slots=True, eq=False)
class Translation:
    """Puts a function's expressions into the words of one of its callers.

    Attributes:
        facts: The modules.
        function: The function.
        call: The call of it.
        bound: What the call gives for the parameters.
        as_it_is: The parameter whose argument may be taken whatever it does, for it is nothing but
            the payload.
        named: Parameters whose arguments get a name; those are added that must have one because
            they do something, or give another value the second time.
        needed: What the module of the caller must import for the expressions that were taken.
        fresh: Whether a value that differs each time will do, as that of ``uuid4()``.
        nonempty: The strings that must have text in them for a template to be right.
    """

    facts: Facts
    function: cst.FunctionDef
    call: cst.Call
    bound: Bindings
    as_it_is: Definition | None = None
    named: dict[Definition, cst.Name] = field(default_factory=dict)
    needed: set[Needed] = field(default_factory=set)
    fresh: bool = False
    nonempty: set[Template] = field(default_factory=set)

    def template(self, template: Template) -> Template:
        """Translate the template of a string; what the function makes up anew is its own."""
        pieces: list[str | Hole] = []
        for piece in template:
            if isinstance(piece, str):
                pieces.append(piece)
            else:
                pieces.extend(self._hole(piece))
        return normal(pieces)

    def _hole(self, hole: Hole) -> Template:
        kind = hole.key[0]
        chosen = self._chosen(hole)
        if chosen is not None:
            return chosen
        if kind == "definition":
            definition = hole.key[1]
            assert isinstance(definition, Definition)
            if definition in self.bound:
                value = self.bound[definition]
                template = self.facts.templates.of(value)
                is_default = self.facts.index.inside(value, self.function.params)
                return self.template(template) if is_default else template
            if not self._is_local(definition):
                theirs = self._theirs(definition)
                return (Hole(("definition", theirs), theirs.name, hole.node),)
        elif kind == "expression":
            _, spelled, names, states = hole.key
            assert isinstance(names, tuple)
            assert isinstance(states, tuple)
            translated = tuple(self._definition(name) for name in names)
            if None not in translated and not any(
                part is not None for state in states for part in state
            ):
                key = ("expression", self._spelled(str(spelled), names), translated, states)
                return (Hole(key, hole.text, hole.node),)
        elif kind == "imported":
            return (hole,)
        elif kind in (BUCKET_OF, KEY_OF):
            uri = hole.key[1]
            assert isinstance(uri, tuple)
            return part_of_uri(self.template(uri), str(kind), hole.text)
        elif kind == REST_OF:
            _, uri, prefix, anywhere = hole.key
            assert isinstance(uri, tuple)
            assert isinstance(prefix, tuple)
            told = self.template(uri), self.template(prefix)
            return rest_of(*told, anywhere=bool(anywhere), text=hole.text)
        elif kind in ("basename", "default bucket"):
            inner = hole.key[1]
            assert isinstance(inner, tuple)
            return (Hole((kind, self.template(inner)), hole.text, hole.node),)
        return (Hole(("call", self.call, hole.key), hole.text, self.call),)

    def _chosen(self, hole: Hole) -> Template | None:
        """Return what a parameter is that gets another value where it is given none.

        A caller that gives one which may be ``None`` names no object by it. One that gives ``0``
        may: where that counts as nothing, it must be text for certain.
        """
        found = fallback_of(self.facts, hole)
        value = self.bound.get(found.parameter) if found is not None else None
        if found is None or value is None:
            return None
        if is_none(self.facts.definitions.resolve(value)):
            return self.template(self.facts.templates.of(found.value))
        template = self.facts.templates.of(value)
        if self.facts.index.inside(value, self.function.params):  # a default
            template = self.template(template)
        if found.is_for_any:
            self.nonempty.add(template)
        return template

    def _spelled(self, spelled: str, names: tuple[Definition, ...]) -> str:
        """Spell ``client.bucket`` as the caller does, whatever the function calls its ``self``."""
        for name in names:
            value = self.bound.get(name)
            if isinstance(value, cst.Name):
                own, theirs = f"Name(id='{name.name}'", f"Name(id='{value.value}'"
                spelled = spelled.replace(own, theirs)
        return spelled

    def _definition(self, definition: Definition) -> Definition | None:
        value = self.bound.get(definition)
        if isinstance(value, cst.Name):
            return self.facts.definitions.of(value)
        if value is not None or self._is_local(definition):
            return None
        return self._theirs(definition)

    def _theirs(self, definition: Definition) -> Definition:
        """Return what the caller's module calls by the same name and takes from the same place.

        What it does not know stays the definition of the function's own module.
        """
        index = self.facts.index
        home, other = index.module_of(self.function), index.module_of(self.call)
        if home is other:
            return definition
        name = definition.name
        if index.linked.starred(home, name) or index.linked.starred(other, name):
            return definition
        if definition.kind is Kind.OUTSIDE:
            theirs = self.facts.definitions.free(name, self.call)
            return theirs if theirs.kind is Kind.OUTSIDE else definition
        if definition.kind is not Kind.IMPORTED:
            return definition
        bound = self.facts.definitions.walk(other).bindings.get(name, ())
        if len(bound) != 1 or bound[0].kind is not Kind.IMPORTED:
            return definition
        is_same = self._absolute(home, name) == self._absolute(other, name)
        return bound[0] if is_same else definition

    def _absolute(self, module: cst.Module, name: str) -> object:
        """Return where a module imports a name from, comparable between modules."""
        linked = self.facts.index.linked(module, name)
        if linked is not None:
            return linked
        origin = self.facts.index.imported(module).get(name)
        return origin if origin is None or not origin.startswith(".") else (module, origin)

    def _is_local(self, definition: Definition) -> bool:
        walk = self.facts.definitions.walk(self.function)
        return definition.kind is Kind.UNBOUND or definition.name in walk.local

    def expression(self, node: cst.BaseExpression) -> cst.BaseExpression | None:
        """Translate an expression; ``None`` if the caller cannot have the same value."""
        if isinstance(node, cst.Name):
            return self._name(node)
        if any(
            isinstance(part, (cst.Await, cst.Yield, cst.NamedExpr, cst.Lambda))
            or self._means_other_things(part)
            or self.facts.index.is_comprehension(part)
            or (isinstance(part, cst.Call) and not self._only_computes(part))
            for part in descendants(node)
        ):
            return None
        edits: dict[cst.CSTNode, Replacement] = {}
        for name in names_in(node):
            taken = self._name(name)
            if taken is None:
                return None
            if taken is not name:
                place, new = put_in(node, name, taken)
                if new is None:
                    return None
                edits[place] = new
        return substitute(node, edits) if edits else node

    def _only_computes(self, call: cst.Call) -> bool:
        is_known = effects.is_stable_call(call) or (self.fresh and effects.is_fresh_call(call))
        return is_known and is_what_it_seems(self.facts, call)

    def _means_other_things(self, node: cst.CSTNode) -> bool:
        """Tell whether a name depends on where it stands, or is code of these modules."""
        if isinstance(node, cst.Attribute):
            name = node.attr.value
            return _is_private(name) or name in self.facts.index.defined_functions
        return isinstance(node, cst.Name) and node.value.startswith("__")

    def _name(self, name: cst.Name) -> cst.BaseExpression | None:
        if name not in self.facts.index.parent:  # made up by a fix of the function itself
            return None
        definition = self.facts.definitions.of(name)
        value = self.bound.get(definition)
        if value is not None:
            if self.facts.index.inside(value, self.function.params):  # a default
                return self.expression(value)
            is_named = definition in self.named
            if not is_named and (definition is self.as_it_is or _is_short(value)):
                return value
            return self._name_of(definition)
        if not self._is_local(definition):
            if self._imports_it(definition) or self._can_import(definition):
                return name
            theirs = self._theirs(definition)
            if theirs is not self.facts.definitions.free(name.value, self.call):
                return None
            if theirs is not definition and not is_there(self.facts, theirs, self.call):
                return None
            caller = self.facts.definitions.walk(self.facts.index.function(self.call))
            is_module = isinstance(self.facts.index.function(self.call), cst.Module)
            return name if is_module or name.value not in caller.local else None
        if definition.kind is Kind.ASSIGNED and definition.value is not None:
            return self.expression(definition.value)
        return None

    def argument(self, definition: Definition) -> cst.BaseExpression | None:
        """Return an argument that is needed in two places, by name if it is more than one.

        ``None`` stands for the default of the parameter.
        """
        value = self.bound[definition]
        if self.facts.index.inside(value, self.function.params):
            return None
        if definition not in self.named and _is_plain(value):
            return value
        return self._name_of(definition)

    def _name_of(self, definition: Definition) -> cst.Name | None:
        """Give an argument a name; what a method is called on is none."""
        if not any(arg.value is self.bound[definition] for arg in self.call.args):
            return None
        return self.named.setdefault(definition, cst.Name(definition.name))

    def _can_import(self, definition: Definition) -> bool:
        """Tell whether the caller's module can import a name of the standard library likewise."""
        index, name = self.facts.index, definition.name
        home, other = index.module_of(self.function), index.module_of(self.call)
        if home is other or definition.kind is not Kind.IMPORTED or definition.node is None:
            return False
        statement = index.statement(definition.node)
        origin = index.imported(home).get(name)
        if origin is None or not is_standard(origin) or self.facts.cells.is_notebook:
            return False
        if not isinstance(index.parent[statement], cst.Module) or not top_imports(other):
            return False
        if any(index.module_of(one) is other for one in index.names.get(name, ())):
            return False
        if index.linked.starred(home, name) or index.linked.starred(other, name):
            return False
        module, _, last = origin.rpartition(".")
        if isinstance(definition.node, cst.ImportFrom) and last == name:
            self.needed.add(Needed(module, last))
        elif isinstance(definition.node, cst.Import) and origin == name:
            self.needed.add(Needed(origin))
        else:
            return False
        return True

    def _imports_it(self, definition: Definition) -> bool:
        """Tell whether the calling function imports the same under the same name before."""
        index, definitions = self.facts.index, self.facts.definitions
        bound = definitions.walk(index.function(self.call)).bindings.get(definition.name, ())
        if len(bound) != 1 or {definition.kind, bound[0].kind} != {Kind.IMPORTED}:
            return False
        name, calling = definition.name, index.statement(self.call)
        assert bound[0].node is not None
        importing = index.statement(bound[0].node)
        ours, theirs = index.module_of(self.function), index.module_of(self.call)
        return (
            self._absolute(ours, name) == self._absolute(theirs, name)
            and definitions.known_before(bound[0], calling)
            and index.inside(calling, index.block(importing))
        )


def is_there(facts: Facts, definition: Definition, call: cst.CSTNode) -> bool:
    """Tell whether a name of a module is certain to be bound when the module calls something."""
    if definition.kind is Kind.OUTSIDE:
        return True
    index = facts.index
    assert definition.node is not None
    statement = index.statement(definition.node)
    return (
        isinstance(index.parent[statement], cst.Module)
        and index.order[statement] < index.order[facts.cells.top(call)]
    )


def is_what_it_seems(facts: Facts, call: cst.Call) -> bool:
    """Tell whether a function that is known by its name is the one that everybody knows."""
    func = call.func
    origin = facts.definitions.origin(func)
    if isinstance(func, cst.Name):
        if facts.definitions.of(func).kind is Kind.OUTSIDE:
            return True
        return origin is not None and effects.is_known_function(origin)
    assert isinstance(func, cst.Attribute)
    if facts.definitions.is_namesake(call):
        return False
    if not effects.is_ambiguous(func.attr.value):
        return True
    if origin is not None and effects.is_known_function(origin):
        return True
    receiver = facts.definitions.resolve(func.value)
    if isinstance(receiver, cst.Name):
        return facts.definitions.of(receiver).kind is not Kind.IMPORTED
    return not isinstance(receiver, cst.Call) or effects.unstable_part(receiver) is None


def _is_private(name: str) -> bool:
    """Tell whether a class would make another name of one that stands in it."""
    return name.startswith("__") and not name.endswith("__")


def _is_short(node: cst.BaseExpression) -> bool:
    """Tell whether an expression may stand in two places: it does nothing and is easily read."""
    return not any(isinstance(part, _LONG) for part in descendants(node))


#: Calls, displays and the like: who needs one of them twice gives it a name.
_LONG = (
    cst.Await,
    cst.Yield,
    cst.NamedExpr,
    cst.Lambda,
    cst.Call,
    cst.Dict,
    cst.List,
    cst.Set,
    cst.ListComp,
    cst.SetComp,
    cst.DictComp,
    cst.GeneratorExp,
    cst.FormattedString,
)


def _is_plain(node: cst.BaseExpression) -> bool:
    """Tell whether an expression is the same thing each time: a name, its attribute, a literal."""
    literals = (cst.SimpleString, cst.Integer, cst.Float)
    return dotted(node) is not None or isinstance(node, literals)


def put_in(
    node: cst.BaseExpression, name: cst.Name, taken: cst.BaseExpression
) -> tuple[cst.CSTNode, Replacement | None]:
    """Return what to replace in an expression, and by what, for a name to become another thing."""
    strings = [
        part
        for part in descendants(node)
        if isinstance(part, cst.FormattedString) and any(one is name for one in descendants(part))
    ]
    for string in strings[-1:]:
        for hole in string.parts:
            if isinstance(hole, cst.FormattedStringExpression) and hole.expression is name:
                parts = spliced(string, hole, taken) if len(strings) == 1 else None
                if parts is not None:
                    return hole, parts
    free = within_strings(strings, _in_brackets(taken))
    return name, None if free is None else [free]


def _in_brackets(node: cst.BaseExpression) -> cst.BaseExpression:
    """Keep an argument together that comes to stand within a larger expression."""
    loose = (
        cst.BinaryOperation,
        cst.BooleanOperation,
        cst.Comparison,
        cst.IfExp,
        cst.UnaryOperation,
        cst.Lambda,
    )
    if isinstance(node, loose) and not node.lpar:
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return node
