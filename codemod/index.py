"""What the code of some modules stores, binds and changes, by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from functools import cached_property

import libcst as cst

from codemod.syntax import last_name, target_names
from codemod.tree import RUNNING, Linker, Tree

#: Names whose meaning the analysis and the generated code rely on.
_WELL_KNOWN = frozenset(
    "len isinstance str bytes open repr print int float sorted list dict set tuple min max json os"
    " base64 uuid time datetime io pickle posixpath urllib hashlib random pathlib Path".split()
)

#: Nodes that bind a name that stands directly in them.
_BINDERS = (
    cst.Param,
    cst.AssignTarget,
    cst.AnnAssign,
    cst.AugAssign,
    cst.For,
    cst.CompFor,
    cst.AsName,
    cst.NamedExpr,
    cst.FunctionDef,
    cst.ClassDef,
    cst.Element,
    cst.StarredElement,
    cst.MatchAs,
    cst.MatchStar,
    cst.NameItem,
    cst.Del,
)

#: Nodes that may store into an attribute that stands directly in them.
_STORING = frozenset(
    {
        cst.AssignTarget,
        cst.AnnAssign,
        cst.AugAssign,
        cst.For,
        cst.CompFor,
        cst.Del,
        cst.AsName,
        cst.Element,
        cst.StarredElement,
    }
)

#: Methods that change what their object holds.
MUTATORS = frozenset(
    "append extend insert remove pop popitem clear update setdefault sort reverse add discard"
    " write writelines seek truncate read readline readlines close"
    " popleft appendleft extendleft rotate move_to_end subtract"
    " difference_update intersection_update symmetric_difference_update".split()
)

#: Functions that change what they are given.
_CHANGING = frozenset(
    "heappush heappop heapify heapreplace heappushpop shuffle insort insort_left insort_right"
    " next setitem delitem".split()
)


class Index(Tree):
    """Where everything is, and what happens to it."""

    def __init__(
        self, module: cst.Module, others: Sequence[cst.Module] = (), linked: Linker | None = None
    ) -> None:
        super().__init__(module, others, linked)
        self._changing: dict[str, list[cst.Name]] = {}
        self._late: dict[str, bool] = {}

    @cached_property
    def attribute_stores(self) -> dict[str, list[tuple[cst.Attribute, cst.BaseExpression | None]]]:
        """Every store to an attribute in the file: the target and, if it is plain, the value."""
        stores: dict[str, list[tuple[cst.Attribute, cst.BaseExpression | None]]] = {}
        for name, accesses in self.attributes.items():
            for access in accesses:
                above = self.parent[access]
                if type(above) not in _STORING:  # most by far
                    continue
                if isinstance(above, cst.AssignTarget):
                    assign = self.parent[above]
                    assert isinstance(assign, cst.Assign)
                    stores.setdefault(name, []).append((access, assign.value))
                elif isinstance(above, cst.AnnAssign) and above.target is access:
                    if above.value is not None:
                        stores.setdefault(name, []).append((access, above.value))
                elif isinstance(above, (cst.AugAssign, cst.For, cst.CompFor)):
                    if above.target is access:
                        stores.setdefault(name, []).append((access, None))
                elif isinstance(above, (cst.Del, cst.AsName)) or self._is_unpacked(access):
                    stores.setdefault(name, []).append((access, None))
        return stores

    def _is_unpacked(self, node: cst.CSTNode) -> bool:
        above = self.parent[node]
        if not isinstance(above, (cst.Element, cst.StarredElement)):
            return False
        while isinstance(above, (cst.Element, cst.StarredElement, cst.Tuple, cst.List)):
            above = self.parent[above]
        return isinstance(above, (cst.AssignTarget, cst.For, cst.CompFor, cst.AsName, cst.Del))

    @cached_property
    def well_known_bound(self) -> dict[cst.CSTNode, list[cst.Name]]:
        """The uses of well-known names that the file itself binds somewhere, by function."""
        found: dict[cst.CSTNode, list[cst.Name]] = defaultdict(list)
        for text in _WELL_KNOWN & self.names.keys():
            names = self.names[text]
            if any(isinstance(self.parent[name], _BINDERS) for name in names):
                for name in names:
                    found[self.function(name)].append(name)
        return found

    @cached_property
    def late_attributes(self) -> frozenset[str]:
        """Attributes that the file stores outside ``__init__``: any call may change them."""
        return frozenset(
            name
            for name, stores in self.attribute_stores.items()
            if not all(self.is_made_in(target) for target, _ in stores)
        )

    @cached_property
    def late_contents(self) -> frozenset[str]:
        """Attributes whose contents the file changes outside ``__init__``: any call may do so."""
        return frozenset(
            name
            for name, nodes in self.attributes.items()
            if any(self._changes_contents(node) and not self.is_made_in(node) for node in nodes)
        )

    def is_late(self, name: str) -> bool:
        """Tell whether a function changes the contents of a variable of that name from outside.

        Any call may do so then: ``STATE["number"] += 1`` in a function that does not bind it.
        """
        if name not in self._late:
            named, changing = self.names.get(name, ()), self.changing(name)
            binding = changing and {
                self.function(node) for node in named if self._is_bound_at(node)
            }
            self._late[name] = any(self._runs_late(node, binding) for node in changing)
        return self._late[name]

    @cached_property
    def lambdas(self) -> frozenset[str]:
        """The names that stand for a lambda somewhere."""
        return frozenset(
            name.value
            for one in self._lambdas
            if isinstance(made := self.parent[one], cst.Assign)
            for target in made.targets
            for name in target_names(target.target)
        )

    def changing(self, name: str) -> list[cst.Name]:
        """Return where the contents of variables of that name are changed."""
        if name not in self._changing:
            named = self.names.get(name, ())
            self._changing[name] = [node for node in named if self._changes_contents(node)]
        return self._changing[name]

    def _runs_late(self, node: cst.Name, binding: Container[cst.CSTNode]) -> bool:
        """Tell whether what runs a name does not bind it, and may do so more than once."""
        for above in self.ancestors(node):
            if isinstance(above, cst.Lambda):
                return True
            if type(above) in RUNNING:
                return isinstance(above, cst.FunctionDef) and above not in binding
        return False

    def _is_bound_at(self, name: cst.Name) -> bool:
        node: cst.CSTNode = name
        above = self.parent[node]
        while isinstance(above, (cst.Element, cst.StarredElement, cst.Tuple, cst.List)):
            node, above = above, self.parent[above]
        if isinstance(above, cst.Param):
            return above.name is node
        if isinstance(above, (cst.For, cst.CompFor, cst.AnnAssign, cst.NamedExpr)):
            return above.target is node
        return isinstance(above, (cst.AssignTarget, cst.AsName))

    def _changes_contents(self, node: cst.Attribute | cst.Name) -> bool:
        """Tell whether what stands around a value changes what it holds: ``x.names.pop()``."""
        inner: cst.CSTNode = node
        above = self.parent[inner]
        while isinstance(above, cst.Subscript) and above.value is inner:
            inner, above = above, self.parent[above]
        beyond = self.parent.get(above)
        if isinstance(above, cst.Attribute):
            is_called = isinstance(beyond, cst.Call) and beyond.func is above
            return is_called and above.attr.value in MUTATORS
        if isinstance(above, cst.Arg):
            return isinstance(beyond, cst.Call) and last_name(beyond.func) in _CHANGING
        if isinstance(above, (cst.AnnAssign, cst.AugAssign)):
            return above.target is inner is not node
        return inner is not node and isinstance(above, (cst.AssignTarget, cst.Del))

    def is_made_in(self, node: cst.CSTNode) -> bool:
        """Tell whether a node stands in a function that makes an object what it is."""
        function = self.function(node)
        return isinstance(function, cst.FunctionDef) and function.name.value in (
            "__init__",
            "__post_init__",
            "__new__",
            "setUp",
        )
