"""One walk over some modules: parents, scopes and the few node lists that every question asks.

LibCST's metadata providers answer the same and more, at about ten times the cost of this walk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol, cast

import libcst as cst

from codemod.syntax import callee, children, dotted, string_value, target_names

ScopeNode = cst.Module | cst.FunctionDef | cst.Lambda | cst.ClassDef
Block = cst.Module | cst.IndentedBlock | cst.SimpleStatementSuite
LineOrCompound = cst.SimpleStatementLine | cst.BaseCompoundStatement

_STATEMENTS = frozenset(
    {
        cst.SimpleStatementLine,
        cst.FunctionDef,
        cst.ClassDef,
        cst.If,
        cst.For,
        cst.While,
        cst.With,
        cst.Try,
        cst.TryStar,
        cst.Match,
    }
)
_SCOPES = (cst.Module, cst.FunctionDef, cst.Lambda, cst.ClassDef)
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
LOOPS = (cst.For, cst.While)

RUNNING = frozenset({cst.FunctionDef, cst.Module})

#: Where a module gets a dotted name from: the module that binds it, or the path of one that is not
#: read, and what is left of the name.
Linked = tuple[cst.Module | str, tuple[str, ...]]


class Linker(Protocol):
    """Resolves what the modules that are read together import from each other."""

    def __call__(self, module: cst.Module, name: str, /) -> Linked | None:
        """Return what a dotted name leads to that a module imports."""

    def starred(self, module: cst.Module, name: str, /) -> bool:
        """Tell whether ``from … import *`` in a module may bind a name."""

    def imported(self, module: cst.Module, name: str, /) -> cst.Module | str | None:
        """Return the module that a module imports by a dotted name, relative or not."""


class Unlinked:
    """Resolves nothing: what a module says of others when they are not read."""

    def __call__(self, module: cst.Module, name: str, /) -> None:
        """Lead nowhere."""

    def starred(self, module: cst.Module, name: str, /) -> bool:  # noqa: ARG002
        """Take names for what they look like."""
        return False

    def imported(self, module: cst.Module, name: str, /) -> None:
        """Lead nowhere."""


class Tree:
    """What is where in a module, and in those it is read together with.

    Attributes:
        module: The module that is looked at.
        modules: That one and the others; every node the index hands out belongs to one of them.
        linked: Resolves a dotted name that one of them imports.
        parent: The syntactic parent of every node but the module.
        order: The place of every attribute access and statement in the source.
        attributes: The attribute accesses by their last name.
        names: The names (not attributes, not keywords) by their text.
        identifiers: Every identifier of each module, whatever it stands for.
    """

    def __init__(
        self, module: cst.Module, others: Sequence[cst.Module] = (), linked: Linker | None = None
    ) -> None:
        self.module = module
        self.modules = (module, *others)
        self.linked: Linker = linked or Unlinked()
        self.parent: dict[cst.CSTNode, cst.CSTNode] = {}
        self.order: dict[cst.CSTNode, int] = {}
        self.attributes: defaultdict[str, list[cst.Attribute]] = defaultdict(list)
        self.names: defaultdict[str, list[cst.Name]] = defaultdict(list)
        self.functions: list[cst.FunctionDef] = []
        self.classes: list[cst.ClassDef] = []
        self.imports: list[cst.Import | cst.ImportFrom] = []
        self.declarations: list[cst.Global | cst.Nonlocal] = []
        self._lambdas: list[cst.Lambda] = []
        self._exits: list[cst.Return | cst.Yield] = []
        self._named: list[cst.NamedExpr] = []
        self._strings: list[cst.SimpleString] = []
        self._texts: list[cst.FormattedString | cst.BinaryOperation | cst.Call] = []
        self._blocks: list[cst.IndentedBlock] = []
        self.identifiers: dict[cst.Module, set[str]] = {}
        self._imported: dict[cst.Module, dict[str, set[str]]] = {}
        self._positions: dict[cst.CSTNode, int] = {}
        for one in self.modules:
            self._walk(one)

    def _walk(self, module: cst.Module) -> None:
        # Types are compared by identity: ``isinstance`` asks abstract base classes, and doubles
        # what this loop takes.
        parent, order = self.parent, self.order
        identifiers = self.identifiers[module] = set()
        kept: dict[type, list[Any]] = {
            cst.FunctionDef: self.functions,
            cst.ClassDef: self.classes,
            cst.Import: self.imports,
            cst.ImportFrom: self.imports,
            cst.Global: self.declarations,
            cst.Nonlocal: self.declarations,
            cst.Lambda: self._lambdas,
            cst.Return: self._exits,
            cst.Yield: self._exits,
            cst.SimpleString: self._strings,
            cst.FormattedString: self._texts,
            cst.BinaryOperation: self._texts,
            cst.Call: self._texts,
            cst.IndentedBlock: self._blocks,
            cst.NamedExpr: self._named,
        }
        stack: list[Any] = [module]
        while stack:
            node = stack.pop()
            kind = type(node)
            if kind is cst.Name:
                self.names[node.value].append(node)
                identifiers.add(node.value)
                continue
            below = children(node)
            for child in below:
                parent[child] = node
            if kind is cst.Attribute:
                order[node] = len(order)
                self.attributes[node.attr.value].append(node)
                identifiers.add(node.attr.value)
                stack.append(below[0])
                continue
            if kind is cst.Arg:
                if node.keyword is not None:
                    identifiers.add(node.keyword.value)
                stack.append(below[0])
                continue
            keep = kept.get(kind)
            if keep is not None:
                keep.append(node)
            if kind in _STATEMENTS:
                order[node] = len(order)
            below.reverse()
            stack += below

    def module_of(self, node: cst.CSTNode) -> cst.Module:
        """Return the module that a node belongs to."""
        if len(self.modules) == 1 or node is self.module:
            return self.module
        current = node
        for above in self.ancestors(node):
            current = above
        assert isinstance(current, cst.Module), "the node belongs to none of the modules"
        return current

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield the parents of a node, innermost first, up to the module."""
        parent = self.parent
        while (above := parent.get(node)) is not None:
            yield above
            node = above

    def scope(self, node: cst.CSTNode) -> ScopeNode:
        """Return the innermost function, lambda, class or module around a node.

        A decorator, a default and an annotation belong to the scope around the definition.
        """
        below = node
        for above in self.ancestors(node):
            if isinstance(above, _SCOPES):
                inside = (
                    not isinstance(above, (cst.FunctionDef, cst.ClassDef, cst.Lambda))
                    or below is above.body
                    or (isinstance(below, cst.Parameters) and self._is_parameter_name(node))
                )
                if inside:
                    return above
            below = above
        return self.module_of(node)

    def _is_parameter_name(self, node: cst.CSTNode) -> bool:
        above = self.parent[node]
        return isinstance(above, cst.Param) and above.name is node

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | cst.Module:
        """Return the function that runs a node: lambdas and classes do not count."""
        for above in self.ancestors(node):
            if type(above) in RUNNING:  # asking for classes takes twice as long
                return cast(cst.FunctionDef | cst.Module, above)
        return self.module_of(node)

    def class_of(self, node: cst.CSTNode) -> cst.ClassDef | None:
        """Return the class whose method a node stands in."""
        for above in self.ancestors(node):
            if isinstance(above, cst.ClassDef):
                return above
        return None

    def statement(self, node: cst.CSTNode) -> LineOrCompound:
        """Return the line or compound statement that an expression belongs to."""
        current: cst.CSTNode = node
        for above in self.ancestors(node):
            if isinstance(above, (cst.Module, cst.IndentedBlock)):
                break
            current = above
        assert isinstance(current, (cst.SimpleStatementLine, cst.BaseCompoundStatement))
        return current

    def block(self, statement: cst.CSTNode) -> Block:
        """Return the block that a statement stands in."""
        for above in self.ancestors(statement):
            if isinstance(above, (cst.Module, cst.IndentedBlock, cst.SimpleStatementSuite)):
                return above
        return self.module_of(statement)

    def position(self, statement: cst.CSTNode) -> int:
        """Return the place of a statement in its block."""
        found = self._positions.get(statement)
        if found is None:
            block = self.parent[statement]
            assert isinstance(block, (cst.Module, cst.IndentedBlock, cst.SimpleStatementSuite))
            self._positions.update((one, number) for number, one in enumerate(block.body))
            found = self._positions[statement]
        return found

    def place_in_tuple(self, target: cst.CSTNode) -> int | None:
        """Return which item of a sequence ``a, b = …`` gives a name, if that is certain."""
        element = self.parent[target]
        targets = self.parent[element]
        if not isinstance(targets, (cst.Tuple, cst.List)):
            return None
        place = next(number for number, one in enumerate(targets.elements) if one is element)
        if any(isinstance(one, cst.StarredElement) for one in targets.elements[: place + 1]):
            return None
        return place

    def inside(self, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
        """Tell whether a node is another one or stands below it."""
        return node is outer or any(above is outer for above in self.ancestors(node))

    def within(self, node: cst.CSTNode, outers: Container[cst.CSTNode]) -> bool:
        """Tell whether a node is one of several or stands below one of them."""
        return node in outers or any(above in outers for above in self.ancestors(node))

    def is_deferred(self, node: cst.CSTNode, within: cst.CSTNode) -> bool:
        """Tell whether a node runs later than the code around it: in a lambda or a generator."""
        for above in self.ancestors(node):
            if above is within:
                return False
            if isinstance(above, (cst.Lambda, cst.FunctionDef, cst.GeneratorExp)):
                return True
        return False

    def is_comprehension(self, node: cst.CSTNode) -> bool:
        """Tell whether a node is a comprehension or generator expression."""
        return isinstance(node, _COMPREHENSIONS)

    def imported(self, node: cst.CSTNode) -> dict[str, str]:
        """Return what the imports of a node's module bind, wherever they stand: name to origin.

        Origins are dotted; relative ones begin with dots. A name that is imported twice from
        different places is left out.
        """
        every = self.all_imported(node)
        return {name: next(iter(origins)) for name, origins in every.items() if len(origins) == 1}

    def all_imported(self, node: cst.CSTNode) -> dict[str, set[str]]:
        """Return likewise each name with all places that it may come from, ``*`` among them."""
        module = self.module_of(node)
        found = self._imported.get(module)
        if found is None:
            found = self._imported[module] = self._imports_of(module)
        return found

    def _imports_of(self, module: cst.Module) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for node in self.imports:
            if self.module_of(node) is not module:
                continue
            prefix = ""
            if isinstance(node, cst.ImportFrom):
                dots = "." * len(node.relative)
                prefix = dots + (dotted(node.module) or "" if node.module else "")
                if isinstance(node.names, cst.ImportStar):
                    found["*"].add(prefix)
                    continue
                prefix = prefix if prefix.endswith(".") else prefix + "."
            assert not isinstance(node.names, cst.ImportStar)
            for alias in node.names:
                origin = dotted(alias.name) or ""
                if alias.asname is not None:
                    for name in target_names(alias.asname.name):
                        found[name.value].add(prefix + origin)
                elif prefix:
                    found[origin].add(prefix + origin)
                else:
                    top = origin.partition(".")[0]
                    found[top].add(top)
        return found

    @cached_property
    def exits(self) -> dict[cst.CSTNode, list[cst.Return | cst.Yield]]:
        """Every ``return`` and ``yield`` by the function that it belongs to, in source order."""
        found: dict[cst.CSTNode, list[cst.Return | cst.Yield]] = defaultdict(list)
        for node in self._exits:
            found[self.function(node)].append(node)
        return found

    @cached_property
    def declared(self) -> dict[cst.CSTNode, set[str]]:
        """The names that ``global`` and ``nonlocal`` statements declare, by function."""
        found: dict[cst.CSTNode, set[str]] = defaultdict(set)
        for node in self.declarations:
            found[self.function(node)].update(item.name.value for item in node.names)
        return found

    @property
    def has_blocks(self) -> bool:
        """Whether anything in the file is indented."""
        return bool(self._blocks)

    @property
    def binds_in_expressions(self) -> bool:
        """Whether any expression gives a name a value."""
        return bool(self._named)

    @cached_property
    def strings(self) -> dict[str, list[cst.BaseExpression]]:
        """Every plain string in the file by its text."""
        found: dict[str, list[cst.BaseExpression]] = defaultdict(list)
        for node in self._strings:
            text = string_value(node)
            if text:
                found[text].append(node)
        return found

    @cached_property
    def texts(self) -> dict[cst.CSTNode, list[cst.BaseExpression]]:
        """The expressions that may put text together, none inside another one, by function."""
        found: dict[cst.CSTNode, list[cst.BaseExpression]] = defaultdict(list)
        for node in self._texts:
            if isinstance(self.parent[node], cst.BinaryOperation):
                continue
            if not isinstance(node, cst.Call) or callee(node) in ("format", "join"):
                found[self.function(node)].append(node)
        return found

    @cached_property
    def defined_functions(self) -> dict[str, list[cst.FunctionDef]]:
        """The functions and methods of the file by their bare name."""
        found: dict[str, list[cst.FunctionDef]] = defaultdict(list)
        for function in self.functions:
            found[function.name.value].append(function)
        return found
