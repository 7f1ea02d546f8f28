"""Which definition each name reads: the value a variable has at a place, not just its name.

Two reads have the same value if they have the same definition (in one turn of the loops around
both). LibCST's ``ScopeProvider`` is lexical and cannot tell that.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

import libcst as cst

from codemod import effects
from codemod.bindings import Definition, Kind, Scope
from codemod.index import Index
from codemod.scopes import walked
from codemod.syntax import dotted, root_name

#: What takes the next number of a generator that the whole program shares.
_DRAWING = re.compile(r"(\w+\.)*random\.")


class Definitions:
    """Answers which definition a name reads; scopes are walked when first asked about."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.states: dict[cst.CSTNode, tuple[object, ...]] = {}
        self.attribute_reads: dict[cst.CSTNode, Definition] = {}
        self._read_by: dict[cst.Name, Definition] = {}
        self._read_at: dict[cst.Name, int] = {}
        self._reads: defaultdict[Definition, list[cst.Name]] = defaultdict(list)
        self._merged_into: defaultdict[Definition, list[Definition]] = defaultdict(list)
        self._functions_by_name: dict[str, dict[cst.CSTNode, None]] = {}
        self._readers: dict[str, defaultdict[cst.CSTNode | None, list[cst.Name]]] = {}
        self._walks: dict[cst.CSTNode, Scope] = {}
        self._placeholders: dict[tuple[cst.CSTNode, str], Definition] = {}

    @cached_property
    def declared_elsewhere(self) -> frozenset[str]:
        """Names that a ``global`` or ``nonlocal`` statement lets inner code bind."""
        return frozenset(item.name.value for node in self.index.declarations for item in node.names)

    def walk(self, scope: cst.CSTNode) -> Scope:
        """Return what a walk over a function or the module finds, made on first use."""
        found = self._walks.get(scope)
        if found is None:
            assert isinstance(scope, (cst.Module, cst.FunctionDef, cst.Lambda, cst.ClassDef))
            found = self._walks[scope] = walked(self, scope)
        return found

    def record(self, name: cst.Name, definition: Definition) -> None:
        """Note that a name reads a definition."""
        self._read_by[name] = definition
        self._read_at[name] = len(self._read_at)
        self._reads[definition].append(name)

    def record_merge(self, merged: Definition, sources: Iterable[Definition]) -> None:
        """Note that a merged definition stands for some others."""
        for source in sources:
            self._merged_into[source].append(merged)

    def placeholder(self, scope: cst.CSTNode, name: str, kind: Kind) -> Definition:
        """Return the one definition that stands for an unknown value of a name in a scope."""
        key = (scope, name)
        found = self._placeholders.get(key)
        if found is None:
            found = self._placeholders[key] = Definition(name, kind)
        return found

    def of(self, name: cst.Name) -> Definition:
        """Return the definition that a name reads."""
        found = self._read_by.get(name)
        if found is None:
            self.walk(self.index.function(name))
            found = self._read_by.get(name)
        if found is None:  # not read but bound, or in a place the walk does not look into
            found = self.placeholder(self.index.function(name), name.value, Kind.UNBOUND)
        return found

    def free(self, name: str, scope: cst.CSTNode) -> Definition:
        """Return what a name that a scope does not bind itself reads."""
        for above in self.index.ancestors(scope):
            if not isinstance(above, (cst.Module, cst.FunctionDef)):
                continue
            walk = self.walk(above)
            bound = walk.bindings.get(name)
            if not bound and name not in walk.local:
                continue
            if len(bound or ()) == 1 and name not in self.declared_elsewhere:
                assert bound is not None
                return bound[0]
            shared = self.placeholder(above, name, Kind.SHARED)
            if not shared.sources and bound:
                shared.sources = list(bound)
                self.record_merge(shared, bound)
            return shared
        return self.placeholder(self.index.module_of(scope), name, Kind.OUTSIDE)

    def origin(self, node: cst.BaseExpression) -> str | None:
        """Return the dotted name that an expression has outside of the file.

        ``dumps`` after ``from json import dumps`` is ``json.dumps``; ``None`` if the first name
        is bound by anything but an import, a built-in or an unknown outside.
        """
        name = dotted(node)
        root = root_name(node)
        if name is None or root is None:
            return None
        if not all(one.kind in (Kind.IMPORTED, Kind.OUTSIDE) for one in self.of(root).origins()):
            return None
        first, dot, rest = name.partition(".")
        return self.index.imported(root).get(first, first) + dot + rest

    def target(self, node: cst.BaseExpression) -> Definition | None:
        """Return the one definition that a name has, or an attribute of an imported module.

        What is imported from a module that is read as well leads to the definition there, if that
        is the only one.
        """
        definition = self.of(node) if isinstance(node, cst.Name) else None
        found = self.candidates(node)
        return found[0] if len(found) == 1 else definition

    def candidates(self, node: cst.BaseExpression) -> list[Definition]:
        """Return what a name, or an attribute of an imported module, may be bound to."""
        if isinstance(node, cst.Name) and not self.may_be_imported(self.of(node)):
            return [self.of(node)]
        root, name = root_name(node), dotted(node)
        if len(self.index.modules) == 1 or root is None or name is None:
            return []
        if not self.may_be_imported(self.of(root)):
            return []
        linked = self.index.linked(self.index.module_of(root), name)
        if linked is None or isinstance(linked[0], str) or len(linked[1]) != 1:
            return []
        module, bound = linked[0], linked[1][0]
        if self.index.linked.starred(module, bound):
            return []
        found = list(self.walk(module).bindings.get(bound, ()))
        shared = self.placeholder(module, bound, Kind.SHARED)
        return [*found, shared] if bound in self.declared_elsewhere else found

    def may_be_imported(self, definition: Definition) -> bool:
        """Tell whether a name certainly comes from an import, be it one of ``*``."""
        if definition.kind is Kind.OUTSIDE:
            return any("*" in self.index.all_imported(module) for module in self.index.modules)
        return all(origin.kind is Kind.IMPORTED for origin in definition.origins())

    def function_called(self, call: cst.Call) -> cst.FunctionDef | None:
        """Return the function that a call certainly calls, if it can be read."""
        func = call.func
        target = self.target(func)
        if target is not None and isinstance(target.node, cst.FunctionDef):
            return target.node
        if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name):
            owner = self.index.class_of(call)
            if func.value.value not in ("self", "cls") or owner is None:
                return None
            named = self.index.defined_functions.get(func.attr.value, [])
            if len(named) == 1 and self.index.class_of(named[0]) is owner:
                return named[0]
        return None

    def is_namesake(self, call: cst.Call) -> bool:
        """Tell whether a function only has the name of a well-known one: ``broker.quote(…)``.

        ``random`` after a ``seed`` is no source of fresh numbers either: each of them counts.
        """
        if self.index.attributes.get("seed") and _DRAWING.match(dotted(call.func) or ""):
            return True
        root = root_name(call.func)
        if root is None or not effects.is_known_by_name(call):
            return False
        kinds = {one.kind for one in self.of(root).origins()}
        if kinds <= {Kind.OUTSIDE, Kind.UNBOUND}:
            return False
        first, dot, rest = (dotted(call.func) or "").partition(".")
        origins = self.index.all_imported(root).get(first, ())
        return Kind.IMPORTED not in kinds or not any(
            effects.is_known_function(origin + dot + rest) or _is_standard(origin)
            for origin in origins
        )

    def known_before(self, definition: Definition, statement: cst.CSTNode) -> bool:
        """Tell whether a definition that is read later was already made before a statement.

        Both must belong to the scope that runs the statement; what comes from an outer scope or
        from nowhere was always there.
        """
        return definition.made_at < self.walk(self.index.function(statement)).clock[statement]

    def resolve(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Follow a name through single assignments to the expression that made its value."""
        seen: set[cst.CSTNode] = set()
        while isinstance(node, (cst.Name, cst.Attribute)) and node not in seen:
            seen.add(node)
            definition = self.target(node)
            if definition is None or definition.kind is not Kind.ASSIGNED:
                break
            if definition.value is None:
                break
            node = definition.value
        return node

    def is_constant(self, name: cst.Name, at: cst.CSTNode) -> bool:
        """Tell whether a name is a constant of its module and means the same at another place."""
        index, definition = self.index, self.of(name)
        if definition.kind is not Kind.ASSIGNED or definition.node is None:
            return False
        home = index.module_of(name)
        if index.scope(definition.node) is not home or index.module_of(at) is not home:
            return False
        if len(self.walk(home).bindings[name.value]) != 1:
            return False
        if name.value in self.declared_elsewhere or any(
            isinstance(above, (cst.For, cst.While)) for above in index.ancestors(definition.node)
        ):
            return False
        return not any(
            name.value in self.walk(above).bindings
            for above in index.ancestors(at)
            if isinstance(above, (cst.FunctionDef, cst.Lambda, cst.ClassDef))
        )

    def is_rebound_elsewhere(self, definition: Definition) -> bool:
        """Tell whether other functions may rebind a name between any two reads."""
        return definition.kind is Kind.SHARED and definition.name in self.declared_elsewhere

    def reads(self, definition: Definition) -> list[cst.Name]:
        """Return the names that may read a definition, through merges and from inner functions.

        Within one function they come in the order of execution.
        """
        if definition.kind is Kind.OUTSIDE:
            return []
        for function in self._mentioning(definition):
            self.walk(function)
        found: list[cst.Name] = []
        seen = {definition}
        stack = [definition]
        while stack:
            current = stack.pop()
            found.extend(self._reads.get(current, ()))
            for merged in self._merged_into.get(current, ()):
                if merged not in seen:
                    seen.add(merged)
                    stack.append(merged)
        found.sort(key=self._read_at.__getitem__)
        return found

    def readers(self, name: str) -> Mapping[cst.CSTNode | None, list[cst.Name]]:
        """Return the places that mention a name by the node that binds what they read."""
        found = self._readers.get(name)
        if found is None:
            found = self._readers[name] = defaultdict(list)
            for read in self.index.names.get(name, ()):
                found[self.of(read).node].append(read)
        return found

    def _mentioning(self, definition: Definition) -> Iterable[cst.CSTNode]:
        """Return the functions that may read a name from where it is defined."""
        by_function = self._functions_by_name.get(definition.name)
        if by_function is None:
            by_function = dict.fromkeys(
                self.index.function(name) for name in self.index.names.get(definition.name, ())
            )
            self._functions_by_name[definition.name] = by_function
        if definition.node is None:
            return by_function
        home = self.index.function(definition.node)
        if isinstance(home, cst.Module) or isinstance(definition.node, cst.FunctionDef):
            return by_function
        return [home, *(one for one in self._inner_functions.get(home, ()) if one in by_function)]

    @cached_property
    def _inner_functions(self) -> dict[cst.CSTNode, list[cst.FunctionDef]]:
        """The functions that are defined inside of others, at any depth."""
        found: dict[cst.CSTNode, list[cst.FunctionDef]] = defaultdict(list)
        for function in self.index.functions:
            for above in self.index.ancestors(function):
                if isinstance(above, cst.FunctionDef):
                    found[above].append(function)
        return found


def _is_standard(origin: str) -> bool:
    """Tell whether a name comes from the standard library, be it by way of ``six``."""
    return origin.partition(".")[0] in {*sys.stdlib_module_names, "six"}


__all__ = ["Definition", "Definitions", "Kind"]
