"""Which lines of a program a rewrite may touch.

Where functions of the program upload or call for others, the lines are those of the function in
which the two meet, and on the way to the call those of the functions that hand the payload on.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Span = tuple[int, int]
"""A first and a last line, both inclusive and counted from 1."""

_MAY_APPEAR_ANYWHERE = re.compile(r"\s*(#.*|(import|from) .*|.*ASYNC_INLINE_LIMIT.*)?\s*")
_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)
_DEPTH = 6
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)


def stray_edits(before: str, after: str, pairs: Sequence[tuple[int, int]]) -> list[str]:
    """Changed lines that have nothing to do with the rewritten uploads and calls.

    What may change are the lines from the one to the other and, in the same functions, the
    statements that share a name with them; comments above included. The functions that make the
    call for others may get a parameter, or log less. New lines may stand only there, but for
    imports and the constant.

    Args:
        before: The program.
        after: Its rewrite.
        pairs: The first lines of each rewritten upload and of its call.

    Returns:
        Each such line, with ``-`` for one that is gone and ``+`` for one that is new.
    """
    tree = ast.parse(before)
    split = _given_keywords(tree, _parsed(after))
    met = [route for pair in pairs for route in _routes(tree, pair, split)]
    hull = {line for route in met for pair in route.pairs for line in _lines([_hull(tree, pair)])}
    connected = {
        line for route in met for pair in route.pairs for line in _lines(_connected(tree, pair))
    }
    signatures = _lines(span for route in met for span in route.signatures)
    hull |= _lines(span for _, call in pairs for span in _log_lines_behind(tree, call))
    touchable = _with_comments(hull | connected | signatures, before)
    places = _with_comments(hull | signatures | _docstring_ends(tree, signatures), before)
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    stray = []
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        gone = range(start + 1, end + 1)
        stray += [f"-{old[line - 1]}" for line in gone if line not in touchable]
        if places.isdisjoint(range(start, end + 2)) and touchable.isdisjoint(gone):
            added = new[new_start:new_end]
            stray += [f"+{line}" for line in added if not _MAY_APPEAR_ANYWHERE.fullmatch(line)]
    return stray


@dataclass(frozen=True, slots=True)
class _Route:
    """A way from an upload to a call, perhaps through functions.

    Attributes:
        pairs: The lines of the upload and the call in the function in which they meet, and each
            line twice that hands on what the call is to send.
        signatures: The heads of the functions that are handed it, and what makes the payload in
            those that are split.
    """

    pairs: tuple[tuple[int, int], ...]
    signatures: tuple[Span, ...] = ()


def _log_lines_behind(tree: ast.AST, line: int) -> Iterator[Span]:
    """Log lines of the functions that a call leads to: they may be left out if there is a body."""
    functions = {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    called: set[str] = set()
    stack = [_innermost(tree, line, (ast.stmt,))]
    while stack:
        for name in (_names(stack.pop()) & set(functions)) - called:
            called.add(name)
            stack.append(functions[name])
    for name in called:
        for statement in _statements(functions[name]):
            if isinstance(statement, ast.Expr) and _names(statement) & {"print", "log"}:
                yield _span(statement)


def _docstring_ends(tree: ast.AST, signatures: set[int]) -> set[int]:
    """The last lines of the docstrings of some functions: what is new may come after them."""
    return {
        node.body[0].end_lineno or 0
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if node.lineno in signatures and ast.get_docstring(node) is not None
    }


def _parsed(program: str) -> ast.AST:
    """The tree of a program, of none if it is no Python."""
    try:
        return ast.parse(program)
    except SyntaxError:
        return ast.Module([], [])


def _given_keywords(before: ast.AST, after: ast.AST) -> set[str]:
    """The names of the functions that take another keyword than before."""
    old, new = (
        {
            (node.name, arg.arg)
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            for arg in node.args.kwonlyargs
        }
        for tree in (before, after)
    )
    return {name for name, _ in new - old}


def _routes(tree: ast.AST, pair: tuple[int, int], split: set[str]) -> list[_Route]:
    """Find the functions in which an upload and a call meet, each reached by the fewest calls."""
    uploads: dict[tuple[int, ...], None] = {pair[:1]: None}
    calls: dict[tuple[int, ...], None] = {pair[1:]: None}
    for _ in range(_DEPTH):
        routes = [
            _Route(
                ((upload[-1], call[-1]), *((line, line) for line in call[:-1])),
                (
                    *(
                        _head(function)
                        for line in call[:-1]
                        if isinstance(function := _innermost(tree, line, _SCOPES), ast.stmt)
                    ),
                    *(
                        (function.lineno - 3, line)  # a new function may stand above
                        for line in upload[:-1]
                        if isinstance(function := _innermost(tree, line, _SCOPES), ast.stmt)
                        if getattr(function, "name", "") in split
                    ),
                ),
            )
            for upload in uploads
            for call in calls
            if _innermost(tree, upload[-1], _SCOPES) is _innermost(tree, call[-1], _SCOPES)
        ]
        if routes:
            return routes
        for ways in (uploads, calls):
            longer = [(*way, line) for way in ways for line in _callers(tree, way[-1])]
            ways.update(dict.fromkeys(longer))
    return [_Route((pair,))]


def _callers(tree: ast.AST, line: int) -> Iterator[int]:
    """The lines that name the function in which ``line`` stands, most of them to call it."""
    function = _innermost(tree, line, _SCOPES)
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and not _covers(function, node.lineno):
            if function.name == (node.id if isinstance(node, ast.Name) else node.attr):
                yield node.lineno


def _connected(tree: ast.AST, pair: tuple[int, int]) -> Iterator[Span]:
    """Statements that share a name with the upload or the call, in the same function."""
    for line in pair:
        scope = _innermost(tree, line, _SCOPES)
        names = _names(_innermost(scope, line, (ast.stmt,)))
        for statement in _statements(scope):
            if names & _names(statement, head_only=True):
                yield _head(statement)


def _lines(spans: Iterable[Span]) -> set[int]:
    return {line for first, last in spans for line in range(first, last + 1)}


def _with_comments(lines: set[int], text: str) -> set[int]:
    """``lines`` and the comments directly above them."""
    source = text.splitlines()
    found = set(lines)
    for line in sorted(lines):
        while line > 1 and source[line - 2].lstrip().startswith("#"):
            line -= 1
            found.add(line)
    return found


def _hull(tree: ast.AST, pair: tuple[int, int]) -> Span:
    """From the upload to the call, and all of a block around only one of them.

    Of one that asks in its head how the upload goes and calls inside, the head counts.
    """
    spans = [
        _head(node) if isinstance(node, _BLOCKS) and _covers(node, other) else _span(node)
        for node in ast.walk(tree)
        for line, other in (pair, pair[::-1])
        if isinstance(node, ast.stmt) and not isinstance(node, (*_SCOPES, ast.ClassDef))
        if _covers(node, line)
        if not _covers(node, other) or not isinstance(node, _BLOCKS) or line <= _head(node)[1]
    ]
    return min(first for first, _ in spans), max(last for _, last in spans)


def _innermost(tree: ast.AST, line: int, kinds: tuple[type[ast.AST], ...]) -> ast.AST:
    found = tree
    for node in ast.walk(tree):
        if isinstance(node, kinds) and not isinstance(node, ast.Module) and _covers(node, line):
            found = node
    return found


def _statements(scope: ast.AST) -> Iterator[ast.stmt]:
    for node in ast.walk(scope):
        if isinstance(node, ast.stmt) and node is not scope:
            yield node


def _names(node: ast.AST, *, head_only: bool = False) -> set[str]:
    parts: Iterable[ast.AST] = (node,)
    if head_only and isinstance(node, (*_BLOCKS, *_SCOPES, ast.ClassDef)):
        parts = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]
    return {n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)}


def _head(node: ast.stmt) -> Span:
    first, last = _span(node)
    body = getattr(node, "body", None)
    return (first, max(first, body[0].lineno - 1)) if body else (first, last)


def _covers(node: ast.AST, line: int) -> bool:
    first, last = _span(node)
    return first <= line <= last


def _span(node: ast.AST) -> Span:
    first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
    return first, last
