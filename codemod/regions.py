"""What running a region of code may change: names, attributes, contents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import libcst as cst

from codemod import effects
from codemod.index import Index
from codemod.syntax import children, descendants, last_name, root_name, target_names

#: The types of nodes that may change anything.
_CHANGING = frozenset(
    {
        cst.FunctionDef,
        cst.ClassDef,
        cst.Assign,
        cst.AnnAssign,
        cst.AugAssign,
        cst.For,
        cst.NamedExpr,
        cst.Del,
        cst.AsName,
        cst.Import,
        cst.ImportFrom,
        cst.With,
        cst.Call,
        cst.MatchAs,
        cst.MatchStar,
        cst.MatchMapping,
    }
)
#: Functions that look at the variables of the one that calls them, or may.
LOOKING_AROUND = frozenset("locals vars globals dir eval exec".split())


def changed_keys(index: Index, nodes: Iterable[cst.CSTNode]) -> set[str]:
    """Return every key of an environment that running some code may change."""
    changed: set[str] = set()
    for node in _changing(nodes):
        if isinstance(node, cst.Call):
            changed.update(effects.changed_by_call(node))
            changed.update(changed_by_others(index, node))
            continue
        if isinstance(node, cst.With):
            changed.update(changed_at_exit(index))
            continue
        changed.update(_bound(node))
        for target in _targets(node):
            changed.update(_behind(target))
    return changed


def bound_names(index: Index, nodes: Iterable[cst.CSTNode]) -> set[str]:
    """Return the names that some code binds."""
    skipped = frozenset() if index.binds_in_expressions else _EXPRESSIONS
    return {
        name
        for node in _changing(nodes, skipped)
        if not isinstance(node, cst.Call)
        for name in _bound(node)
    }


def _kinds_of(base: type[cst.CSTNode]) -> Iterator[type[cst.CSTNode]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds_of(kind)


_EXPRESSIONS = frozenset(_kinds_of(cst.BaseExpression))  # type: ignore[type-abstract]


def _changing(
    nodes: Iterable[cst.CSTNode], skipped: Collection[type[cst.CSTNode]] = ()
) -> Iterator[cst.CSTNode]:
    """Yield the nodes that may change anything, those in functions left out."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind in skipped:
            continue
        if kind not in _CHANGING:  # most by far, and asking for classes takes long
            stack.extend(children(node))
            continue
        yield node
        if isinstance(node, cst.FunctionDef):
            stack.extend(node.decorators)
        elif isinstance(node, cst.ClassDef):
            stack.append(node.body)
        else:
            stack.extend(children(node))


def _bound(node: cst.CSTNode) -> Iterator[str]:
    """Yield the names that a single node binds."""
    if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
        yield node.name.value
    elif isinstance(node, (cst.Import, cst.ImportFrom)):
        yield from imported_names(node)
    elif isinstance(node, (cst.MatchAs, cst.MatchStar)):
        if node.name is not None:
            yield node.name.value
    elif isinstance(node, cst.MatchMapping):
        if node.rest is not None:
            yield node.rest.value
    else:
        for target in _targets(node):
            yield from (name.value for name in target_names(target))


def _targets(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield what a node gives a value to, however it is written."""
    if isinstance(node, cst.Assign):
        yield from (one.target for one in node.targets)
    elif isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.For, cst.NamedExpr, cst.Del)):
        yield node.target
    elif isinstance(node, cst.AsName):
        yield node.name


def _behind(target: cst.CSTNode) -> Iterator[str]:
    """Yield the keys of attributes and contents that a target stores."""
    for node in descendants(target):
        if isinstance(node, cst.Attribute):
            yield f".{node.attr.value}"
        elif isinstance(node, cst.Subscript):
            root = root_name(node)
            if root is not None:
                yield f"{root.value}[]"


def changed_by_others(index: Index, call: cst.Call) -> Iterator[str]:
    """Yield the keys of what the functions may change that a call may lead to."""
    is_own = last_name(call.func) in index.defined_functions
    if is_own:
        yield "()"
    given = (last_name(arg.value) in index.defined_functions for arg in call.args)
    if is_own or effects.runs_what_it_has(call) or any(given) or _calls_lambda(index, call):
        yield "(*)"


def _calls_lambda(index: Index, call: cst.Call) -> bool:
    return isinstance(call.func, cst.Name) and call.func.value in index.lambdas


def changed_at_exit(index: Index) -> Iterator[str]:
    """Yield the keys of what the end of a ``with`` block may change."""
    if index.defined_functions.keys() & {"__exit__", "__aexit__"}:
        yield from ("()", "(*)")


def imported_names(node: cst.Import | cst.ImportFrom) -> Iterator[str]:
    """Yield the names that an import binds."""
    if isinstance(node.names, cst.ImportStar):
        return
    for alias in node.names:
        if alias.asname is not None:
            for name in target_names(alias.asname.name):
                yield name.value
        else:
            top = root_name(alias.name)
            assert top is not None
            yield top.value
