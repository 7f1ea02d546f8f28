"""One walk over the statements of a scope, in the order of execution.

Where several definitions may reach, a merged one stands for them. Besides names, the environment
follows what may change behind a name: ``.attr`` for stores to an attribute of that name, ``name[]``
for what is reachable from a name, ``()`` for calls to functions of the file that store attributes,
``(*)`` for calls that may lead to any function of the file, which may change contents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import libcst as cst

from codemod import effects
from codemod.bindings import Definition, Environment, Kind, Scope
from codemod.index import Index
from codemod.regions import (
    bound_names,
    changed_at_exit,
    changed_by_others,
    changed_keys,
    imported_names,
)
from codemod.syntax import (
    children,
    descendants,
    dotted,
    last_name,
    names_in,
    root_name,
    target_names,
    terminates,
)
from codemod.tree import ScopeNode

#: How many names of one object are followed; nobody writes more.
_MOST_NAMES = 16


_COMPREHENSIONS = frozenset({cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp})


class Answers(Protocol):
    """Where a walk writes down what it finds, and asks about names from outside the scope."""

    index: Index
    states: dict[cst.CSTNode, tuple[object, ...]]
    attribute_reads: dict[cst.CSTNode, Definition]

    def record(self, name: cst.Name, definition: Definition) -> None:
        """Note that a name reads a definition."""

    def record_merge(self, merged: Definition, sources: Iterable[Definition]) -> None:
        """Note that a merged definition stands for some others."""

    def placeholder(self, scope: cst.CSTNode, name: str, kind: Kind) -> Definition:
        """Return the one definition that stands for an unknown value of a name in a scope."""

    def free(self, name: str, scope: cst.CSTNode) -> Definition:
        """Return what a name that a scope does not bind itself reads."""


def walked(owner: Answers, node: ScopeNode) -> Scope:
    """Walk over one scope and tell ``owner`` which definitions its names read."""
    walk = _Walk(owner, node)
    return Scope(walk.bindings, walk.local, walk.clock)


class _Walk:
    """A walk over a scope; it ends where it is made."""

    def __init__(self, owner: Answers, node: ScopeNode) -> None:
        self.owner = owner
        self.index = owner.index
        self.node = node
        self.bindings: defaultdict[str, list[Definition]] = defaultdict(list)
        self.created: list[tuple[str, Definition]] = []
        self.clock: dict[cst.CSTNode, int] = {}
        self.env = Environment()
        self.shared: dict[str, set[str]] = {}
        body = node.body
        self.local = bound_names(
            self.index, node.body if isinstance(node, cst.Module) else [node.body]
        )
        if isinstance(node, (cst.FunctionDef, cst.Lambda)):
            self._parameters(node.params)
        if isinstance(node, cst.FunctionDef):
            self.local -= self.index.declared.get(node, set())
        self.open = self._bound_by_others()
        if isinstance(body, cst.BaseExpression):
            self._expression(body)
        elif isinstance(node, cst.Module):
            self._statements(node.body)
        else:
            assert isinstance(body, cst.BaseSuite)
            self._statements(body.body)

    def _bound_by_others(self) -> frozenset[str]:
        """Return the names of the scope that functions inside it may bind when they are called."""
        found: set[str] = set()
        for function, names in self.index.declared.items():
            if not self.local.isdisjoint(names) and self.index.inside(function, self.node):
                found |= names & self.local
        return frozenset(found) - self.index.declared.get(self.node, set())

    # -- binding ---------------------------------------------------------------------------

    def _bind(
        self,
        name: str,
        kind: Kind,
        node: cst.CSTNode | None,
        value: cst.BaseExpression | None = None,
        sources: Iterable[Definition] = (),
    ) -> Definition:
        definition = Definition(name, kind, node, value, list(sources))
        self._set(name, definition)
        if kind is Kind.MERGED:
            self.owner.record_merge(definition, definition.sources)
        else:
            self.bindings[name].append(definition)
        return definition

    def _set(self, key: str, definition: Definition) -> None:
        definition.made_at = len(self.created)
        self.env.here[key] = definition
        self.created.append((key, definition))

    def _touch(self, key: str) -> None:
        for same in self.shared.get(key, (key,)):
            self._set(same, Definition(same, Kind.MERGED))

    def _touch_by_others(self, keys: Iterable[str]) -> None:
        """Note what functions may have changed that were perhaps called."""
        changed = list(keys)
        for key in changed:
            self._touch(key)
        for name in sorted(self.open) if changed else ():
            before = self.env.get(name)
            if before is not None:
                self._bind(name, Kind.MERGED, None, None, [before])

    def _share(self, names: Iterable[cst.CSTNode]) -> None:
        """Take names for the same object: who changes what is in it changes that of the others."""
        keys = set()
        for name in names:
            if isinstance(name, cst.Name):
                keys.add(f"{name.value}[]")
            elif isinstance(name, cst.Attribute):
                keys.add(f".{name.attr.value}")
        if len(keys) > 1:
            for key in tuple(keys):
                keys |= self.shared.get(key, set())
            if len(keys) <= _MOST_NAMES:
                self.shared.update(dict.fromkeys(keys, keys))

    def _parameters(self, params: cst.Parameters) -> None:
        every = [*params.posonly_params, *params.params, *params.kwonly_params]
        for extra in (params.star_arg, params.star_kwarg):
            if isinstance(extra, cst.Param):
                every.append(extra)
        for param in every:
            self.local.add(param.name.value)
            self._bind(param.name.value, Kind.PARAMETER, param)

    def _assign(
        self, target: cst.BaseExpression, kind: Kind, value: cst.BaseExpression | None
    ) -> None:
        if isinstance(target, cst.Name):
            self._bind(target.value, kind, target, value)
        elif isinstance(target, cst.Attribute):
            self._expression(target.value)
            key = f".{target.attr.value}"
            if kind is Kind.ASSIGNED and isinstance(target.value, cst.Name):
                self._set(key, Definition(key, kind, target, value))
            else:
                self._touch(key)
        elif isinstance(target, cst.Subscript):
            self._expression(target.value)
            for part in target.slice:
                self._expression(part)
            self._touch_contents(target.value)
        else:
            self._unpack(target, value)

    def _unpack(self, target: cst.BaseExpression, value: cst.BaseExpression | None) -> None:
        """Bind ``a, b = …``, element by element where the value is written as a tuple too."""
        if not isinstance(target, (cst.Tuple, cst.List)):
            for name in target_names(target):
                self._bind(name.value, Kind.UNPACKED, name, value)
            return
        values: Sequence[cst.BaseElement] = ()
        if isinstance(value, (cst.Tuple, cst.List)):
            values = value.elements
        plain = len(values) == len(target.elements) and not any(
            isinstance(element, cst.StarredElement) for element in (*values, *target.elements)
        )
        for position, element in enumerate(target.elements):
            if plain:
                self._assign(element.value, Kind.ASSIGNED, values[position].value)
            elif isinstance(element.value, cst.Name):
                self._bind(element.value.value, Kind.UNPACKED, element.value, value)
            else:
                self._assign(element.value, Kind.UNPACKED, value)

    def _touch_contents(self, node: cst.BaseExpression) -> None:
        root = root_name(node)
        if root is not None:
            self._touch(f"{root.value}[]")
        if isinstance(node, cst.Attribute):
            self._touch(f".{node.attr.value}")

    # -- joining ---------------------------------------------------------------------------

    def _merge_keys(self, keys: Iterable[str], since: int) -> list[Definition]:
        """Replace keys by merged definitions of what they are now and were made since."""
        made: defaultdict[str, list[Definition]] = defaultdict(list)
        for key, definition in self.created[since:]:
            made[key].append(definition)
        merged = []
        for key in keys:
            before = self.env.get(key)
            sources = ([before] if before is not None else []) + made.get(key, [])
            merged.append(self._bind(key, Kind.MERGED, None, None, sources))
        return merged

    def _join(self, base: Environment, ends: list[Environment]) -> None:
        """Continue in ``base`` after branches that ended in ``ends``."""
        self.env = base
        changed: dict[str, None] = {}
        for end in ends:
            changed.update(dict.fromkeys(end.here))
        for key in changed:
            found = [end.get(key) for end in ends]
            distinct = list(dict.fromkeys(item for item in found if item is not None))
            if len(distinct) == 1 and None not in found:
                self.env.here[key] = distinct[0]
            else:
                self._bind(key, Kind.MERGED, None, None, distinct)

    def _branch(self, base: Environment, block: cst.BaseSuite, ends: list[Environment]) -> None:
        self.env = Environment(base)
        self._statements(block.body)
        if not terminates(block):
            ends.append(self.env)
        self.env = base

    # -- statements ------------------------------------------------------------------------

    def _statements(self, body: Sequence[cst.CSTNode]) -> None:
        for statement in body:
            self.clock[statement] = len(self.created)
            if isinstance(statement, cst.SimpleStatementLine):
                for small in statement.body:
                    self._small(small)
            elif isinstance(statement, cst.BaseSmallStatement):
                self._small(statement)
            else:
                self._compound(statement)

    def _small(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.Assign):
            self._expression(node.value)
            for assign_target in node.targets:
                self._assign(assign_target.target, Kind.ASSIGNED, node.value)
            self._share([node.value, *(one.target for one in node.targets)])
        elif isinstance(node, cst.AnnAssign):
            self._expression(node.annotation)
            if node.value is not None:
                self._expression(node.value)
                self._assign(node.target, Kind.ASSIGNED, node.value)
        elif isinstance(node, cst.AugAssign):
            self._expression(node.target)
            self._expression(node.value)
            if isinstance(node.target, cst.Name):
                before = self._read(node.target)
                self._bind(node.target.value, Kind.AUGMENTED, node, node.value, [before])
            else:
                self._assign(node.target, Kind.UNPACKED, None)
        elif isinstance(node, (cst.Import, cst.ImportFrom)):
            for name in imported_names(node):
                self._bind(name, Kind.IMPORTED, node)
        elif isinstance(node, cst.Del):
            self._expression(node.target)
            for target in target_names(node.target):
                self._bind(target.value, Kind.UNBOUND, target)
            if isinstance(node.target, cst.Subscript):
                self._touch_contents(node.target.value)
        elif not isinstance(node, (cst.Global, cst.Nonlocal)):
            for child in children(node):
                self._expression(child)

    def _compound(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.If):
            self._if(node)
        elif isinstance(node, (cst.For, cst.While)):
            self._loop(node)
        elif isinstance(node, (cst.Try, cst.TryStar)):
            self._try(node)
        elif isinstance(node, cst.With):
            for item in node.items:
                self._expression(item.item)
                if item.asname is not None:
                    assert isinstance(item.asname.name, cst.BaseExpression)
                    kind = Kind.WITH if isinstance(item.asname.name, cst.Name) else Kind.UNPACKED
                    self._assign(item.asname.name, kind, item.item)
            self._statements(node.body.body)
            self._touch_by_others(changed_at_exit(self.index))
        elif isinstance(node, cst.Match):
            self._match(node)
        elif isinstance(node, cst.FunctionDef):
            for part in (*node.decorators, *_defaults(node.params)):
                self._expression(part)
            self._bind(node.name.value, Kind.DEFINED, node)
        elif isinstance(node, cst.ClassDef):
            for child in (*node.decorators, *node.bases, *node.keywords):
                self._expression(child)
            base = self.env
            self.env = Environment(base)
            outer, self.bindings = self.bindings, defaultdict(list)
            self._statements(node.body.body)
            self.env, self.bindings = base, outer
            self._bind(node.name.value, Kind.DEFINED, node)

    def _if(self, node: cst.If) -> None:
        self._expression(node.test)
        base = self.env
        ends: list[Environment] = []
        self._branch(base, node.body, ends)
        if node.orelse is None:
            ends.append(Environment(base))
        elif isinstance(node.orelse, cst.Else):
            self._branch(base, node.orelse.body, ends)
        else:
            self.env = Environment(base)
            self._if(node.orelse)
            if not terminates(cst.IndentedBlock([node.orelse])):
                ends.append(self.env)
        self._join(base, ends)

    def _loop(self, node: cst.For | cst.While) -> None:
        if isinstance(node, cst.For):
            self._expression(node.iter)
        keys = changed_keys(self.index, [node.body])
        changed = sorted(keys | self.open if keys & {"()", "(*)"} else keys)
        since = len(self.created)
        heads = self._merge_keys(changed, since)
        if isinstance(node, cst.While):
            self._expression(node.test)
        else:
            kind = Kind.LOOP if isinstance(node.target, cst.Name) else Kind.UNPACKED
            self._assign(node.target, kind, node.iter)
        inside = len(self.created)
        self._statements(node.body.body)
        made: defaultdict[str, list[Definition]] = defaultdict(list)
        for key, definition in self.created[inside:]:
            made[key].append(definition)
        for head in heads:
            added = [item for item in made.get(head.name, []) if item is not head]
            head.sources.extend(added)
            self.owner.record_merge(head, added)
        self._merge_keys(changed, inside)
        if node.orelse is not None:
            self._statements(node.orelse.body.body)

    def _try(self, node: cst.Try | cst.TryStar) -> None:
        base = self.env
        ends: list[Environment] = []
        since = len(self.created)
        self.env = Environment(base)
        self._statements(node.body.body)
        after_body = self.env
        if node.orelse is not None:
            self._statements(node.orelse.body.body)
        last = node.orelse.body if node.orelse is not None else node.body
        if not terminates(last):
            ends.append(after_body)
        body_until = len(self.created)
        changed = list(dict.fromkeys(key for key, _ in self.created[since:body_until]))
        for handler in node.handlers:
            self.env = Environment(base)
            self._merge_keys(changed, since)
            if handler.type is not None:
                self._expression(handler.type)
            if handler.name is not None:
                assert isinstance(handler.name.name, cst.Name)
                self._bind(handler.name.name.value, Kind.CAPTURED, handler)
            self._statements(handler.body.body)
            if not terminates(handler.body):
                ends.append(self.env)
        if node.finalbody is not None and not ends:
            self.env = base
            self._merge_keys(list(dict.fromkeys(key for key, _ in self.created[since:])), since)
        else:
            self._join(base, ends)
        if node.finalbody is not None:
            self._statements(node.finalbody.body.body)

    def _match(self, node: cst.Match) -> None:
        self._expression(node.subject)
        base = self.env
        ends = [Environment(base)]
        for case in node.cases:
            self.env = Environment(base)
            for part in descendants(case.pattern):
                if isinstance(part, (cst.MatchAs, cst.MatchStar)) and part.name is not None:
                    self._bind(part.name.value, Kind.CAPTURED, part)
                elif isinstance(part, cst.MatchMapping) and part.rest is not None:
                    self._bind(part.rest.value, Kind.CAPTURED, part)
                elif isinstance(part, (cst.MatchValue, cst.MatchClass)):
                    self._expression(part.value if isinstance(part, cst.MatchValue) else part.cls)
            if case.guard is not None:
                self._expression(case.guard)
            self._statements(case.body.body)
            if not terminates(case.body):
                ends.append(self.env)
        self._join(base, ends)

    # -- expressions -----------------------------------------------------------------------

    def _expression(self, node: cst.CSTNode) -> None:
        kind = type(node)
        if kind is cst.Name:
            assert isinstance(node, cst.Name)
            self.owner.record(node, self._read(node))
        elif kind is cst.Attribute or kind is cst.Subscript:
            self._chain(node)
        elif kind is cst.Arg:
            assert isinstance(node, cst.Arg)
            self._expression(node.value)
        elif kind is cst.Call:
            assert isinstance(node, cst.Call)
            self._expression(node.func)
            for arg in node.args:
                self._expression(arg.value)
            if effects.depends_on_contents(node):
                self.owner.states[node] = (
                    *(self.env.get(f"{name.value}[]") for name in names_in(node)),
                    *(self.env.get("(*)") for _ in self._late_contents_in(node)),
                )
            for key in effects.changed_by_call(node):
                self._touch(key)
            self._touch_by_others(changed_by_others(self.index, node))
        elif kind is cst.BinaryOperation:
            assert isinstance(node, cst.BinaryOperation)
            self._expression(node.left)
            self._expression(node.right)
            if effects.fills_in_items(node):
                self.owner.states[node] = (
                    *(self.env.get(f"{name.value}[]") for name in names_in(node.right)),
                    *(self.env.get("(*)") for _ in self._late_contents_in(node.right)),
                )
        elif kind is cst.NamedExpr:
            assert isinstance(node, cst.NamedExpr)
            self._expression(node.value)
            self._assign(node.target, Kind.ASSIGNED, node.value)
        elif kind in _COMPREHENSIONS:
            assert isinstance(node, (cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp))
            self._comprehension(node)
        elif kind is cst.Lambda:
            assert isinstance(node, cst.Lambda)
            self._lambda(node)
        else:
            for child in children(node):
                self._expression(child)

    def _late_contents_in(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield what stands in an expression and has its contents changed by other functions."""
        for part in descendants(node):
            if isinstance(part, cst.Attribute) and part.attr.value in self.index.late_contents:
                yield part
        yield from (name for name in names_in(node) if self.index.is_late(name.value))

    def _read(self, name: cst.Name) -> Definition:
        found = self.env.get(name.value)
        if found is not None:
            return found
        if name.value in self.local:
            return self.owner.placeholder(self.node, name.value, Kind.UNBOUND)
        return self.owner.free(name.value, self.node)

    def _chain(self, node: cst.CSTNode) -> None:
        """Read ``a.b["c"].d`` and note what its value, and any of ``a.b``, depends on besides."""
        state: list[object] = []
        begins: list[tuple[cst.CSTNode, int]] = []
        late = self.index.late_attributes
        current = node
        while isinstance(current, (cst.Attribute, cst.Subscript)):
            begins.append((current, len(state)))
            if isinstance(current, cst.Attribute):
                state.append(self.env.get(f".{current.attr.value}"))
                if current.attr.value in late:
                    state.append(self.env.get("()"))
            else:
                for item in current.slice:
                    self._expression(item)
                if last_name(current.value) in self.index.late_contents:
                    state.append(self.env.get("(*)"))
            current = current.value
        if isinstance(current, cst.Name):
            if current.value not in ("self", "cls"):
                if self.index.is_late(current.value):
                    state.append(self.env.get("(*)"))
                state.append(self.env.get(f"{current.value}[]"))
            self.owner.record(current, self._read(current))
        else:
            self._expression(current)
        for part, begin in begins:
            self.owner.states[part] = tuple(state[begin:])
        if isinstance(node, cst.Attribute):
            self._attribute_read(node)

    def _attribute_read(self, node: cst.Attribute) -> None:
        """Note what ``self.x`` reads if this scope assigned it and nothing can have changed it."""
        stored = self.env.get(f".{node.attr.value}")
        if stored is None or stored.kind is not Kind.ASSIGNED:
            return
        called = self.env.get("()")
        if called is not None and called.made_at > stored.made_at:
            if node.attr.value in self.index.late_attributes:
                return
        if stored.node is not None and dotted(stored.node) == dotted(node):
            self.owner.attribute_reads[node] = stored

    def _comprehension(
        self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp
    ) -> None:
        base = self.env
        self.env = Environment(base)
        outer, self.bindings = self.bindings, defaultdict(list)
        clause: cst.CompFor | None = node.for_in
        while clause is not None:
            self._expression(clause.iter)
            kind = Kind.LOOP if isinstance(clause.target, cst.Name) else Kind.UNPACKED
            self._assign(clause.target, kind, clause.iter)
            for condition in clause.ifs:
                self._expression(condition.test)
            clause = clause.inner_for_in
        if isinstance(node, cst.DictComp):
            self._expression(node.key)
            self._expression(node.value)
        else:
            self._expression(node.elt)
        self.env, self.bindings = base, outer

    def _lambda(self, node: cst.Lambda) -> None:
        """Read a lambda's body as if it ran where it stands, as in ``run_in_executor``."""
        base = self.env
        self.env = Environment(base)
        outer, self.bindings = self.bindings, defaultdict(list)
        for default in _defaults(node.params):
            self._expression(default)
        for param in (*node.params.params, *node.params.kwonly_params):
            self._bind(param.name.value, Kind.PARAMETER, param)
        self._expression(node.body)
        self.env, self.bindings = base, outer


def _defaults(params: cst.Parameters) -> list[cst.BaseExpression]:
    every = [*params.posonly_params, *params.params, *params.kwonly_params]
    return [param.default for param in every if param.default is not None]
