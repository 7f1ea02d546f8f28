"""Source to syntax trees, as sentences where that cannot be."""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

TOO_DEEP = "is nested too deeply to be parsed"
#: Levels of syntax that are read; LibCST walks its trees by recursion, several frames a level.
_MAX_DEPTH = 400
#: Code of so few characters has fewer levels than that, whatever it is.
_SHORT = 300
#: What ends a line for Python; `splitlines` knows some more.
_NEWLINE = re.compile(rb"\r\n?|\n")
#: The encoding that one of the first two lines declares, as PEP 263 has it.
_DECLARED = re.compile(
    rb"(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n?|\n))?[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)"
)
#: Escapes, shifts and labels: what `unicode_escape`, `utf-7`, `idna` and their like take apart.
_ASCII = b"'\\n+a-..'"


_Statement = ast.stmt | ast.ExceptHandler | ast.match_case


@dataclass(frozen=True, slots=True)
class Glance:
    """What a look at Python's own syntax tree tells of a module.

    Attributes:
        mentions: Whether a name that was asked for is that of an attribute in the code, or a text
            by which one may be fetched.
        lines: The line of each statement of the module, counted from 1, those on one line included.
    """

    mentions: bool
    lines: tuple[int, ...]


def glance(content: bytes | str, name: str) -> Glance | str | None:
    """Look at a module without LibCST, which takes ten times as long.

    Args:
        content: The module.
        name: The attribute to look for.

    Returns:
        What the look tells, ``None`` for code that ``ast`` cannot parse: it may still be something
        for LibCST, such as a newer syntax. But what is nested too deeply must not come to LibCST's
        parser, which overflows the stack of the process: that gives a sentence.
    """
    odd = _odd_encoding(content) if isinstance(content, bytes) else None
    if odd is not None:
        return f"cannot be decoded: {odd}, the declared encoding, does not leave ASCII as it is"
    tree = _tree(content)
    if not isinstance(tree, ast.Module):
        return tree
    source = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    starts = [0, *(end.end() for end in _NEWLINE.finditer(source)), len(source)]
    wanted = [bisect_right(starts, at) for at in _places(source, name.encode())]
    found = False
    stack: list[tuple[_Statement, int]] = [(statement, 1) for statement in tree.body]
    while stack:
        statement, depth = stack.pop()
        if depth > _MAX_DEPTH:
            return TOO_DEEP
        blocks = [getattr(statement, field) for field in _FIELDS[type(statement)]]
        for block in blocks:
            stack += [(below, depth + 1) for below in block]
        first, last = _span(statement, blocks)
        is_short = starts[min(last, len(starts) - 1)] - starts[first - 1] <= _SHORT
        if is_short and bisect_left(wanted, first) == bisect_right(wanted, last):
            continue
        inside = _expressions(statement, depth)
        if inside is None:
            return TOO_DEEP
        found = found or any(_names(one, name) for one in inside)
    return Glance(found, tuple(statement.lineno for statement in tree.body))


def _places(source: bytes, needle: bytes) -> Iterator[int]:
    at = source.find(needle)
    while at >= 0:
        yield at
        at = source.find(needle, at + 1)


def _names(node: ast.AST, attribute: str) -> bool:
    if isinstance(node, ast.Constant):
        return node.value == attribute
    return isinstance(node, ast.Attribute) and node.attr == attribute


def _odd_encoding(content: bytes) -> str | None:
    """Return the declared encoding of a module if lines and names cannot be found in its bytes."""
    declared = _DECLARED.match(content)
    if declared is None:
        return None
    name = declared[1].decode()
    try:
        text = _ASCII.decode(name)
        return None if text == _ASCII.decode() and text.encode(name) == _ASCII else name
    except UnicodeError:
        return name
    except LookupError:  # it is unknown, or none of text; LibCST says which
        return None


def _tree(content: bytes | str) -> ast.Module | str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(content)
        except (RecursionError, MemoryError):
            return TOO_DEEP
        except SyntaxError as error:
            return TOO_DEEP if "too many nested" in str(error) else None
        except ValueError:
            return None


_BLOCKS = frozenset({"body", "orelse", "finalbody", "handlers", "cases"})
#: The fields that hold other statements, by the kind of statement.
_FIELDS: dict[type, tuple[str, ...]] = {
    kind: tuple(name for name in kind._fields if name in _BLOCKS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


def _span(statement: _Statement, blocks: list[list[_Statement]]) -> tuple[int, int]:
    """Return the first and the last line of a statement without the blocks in it."""
    first = _line(statement)
    last: int = getattr(statement, "end_lineno", None) or first
    if blocks:
        decorators = getattr(statement, "decorator_list", ())
        if decorators:
            first = min(first, *(one.lineno for one in decorators))
        if blocks[0]:
            last = max(first, _line(blocks[0][0]))
    return first, last


def _line(statement: _Statement) -> int:
    return statement.pattern.lineno if isinstance(statement, ast.match_case) else statement.lineno


def _expressions(statement: _Statement, depth: int) -> list[ast.AST] | None:
    """Return the syntax of a statement without the blocks in it, ``None`` if it is too deep."""
    level = [
        below
        for name in statement._fields
        if name not in _BLOCKS
        for below in _below(statement, name)
    ]
    every: list[ast.AST] = []
    while level:
        depth += 1
        if depth > _MAX_DEPTH:
            return None
        every += level
        level = _children(level)
    return every


def _children(nodes: list[ast.AST]) -> list[ast.AST]:
    return [below for node in nodes for name in node._fields for below in _below(node, name)]


def _below(node: ast.AST, name: str) -> Iterator[ast.AST]:
    value = getattr(node, name, None)
    if isinstance(value, ast.AST):
        yield value
    elif isinstance(value, list):
        yield from (one for one in value if isinstance(one, ast.AST))


def plain_tree(content: bytes | str) -> ast.Module | None:
    """Return Python's own syntax tree of a module, ``None`` if it cannot be parsed."""
    tree = _tree(content)
    return tree if isinstance(tree, ast.Module) else None


def nodes_in(tree: ast.AST) -> list[ast.AST] | None:
    """Return the nodes of a tree, one level after the other; ``None`` if they are too many levels.

    The first is the tree itself.
    """
    every: list[ast.AST] = []
    level = [tree]
    for _ in range(_MAX_DEPTH):
        every += level
        level = _children(level)
        if not level:
            return every
    return None


def parse(content: bytes | str) -> cst.Module | str:
    """Return LibCST's tree of a module, or a sentence that says why there is none."""
    try:
        with _made_by_the_parser():
            return cst.parse_module(content)
    except cst.ParserSyntaxError as error:
        own = f"line {error.raw_line}: {error.message}"
        return f"cannot be parsed: {_complaint(content) or own}"
    except (SyntaxError, LookupError, UnicodeError) as error:
        return f"cannot be decoded: {_complaint(content) or error}"
    except RecursionError:
        return TOO_DEEP


@contextlib.contextmanager
def _made_by_the_parser() -> Iterator[None]:
    """Take nodes as they are: those that the parser makes are valid, and there are very many.

    ``CSTNode.__post_init__`` validates every node that is made, which is an eighth of what parsing
    takes; LibCST says there that the parser need not.
    """
    validated = cst.CSTNode.__post_init__
    cst.CSTNode.__post_init__ = _taken_as_it_is  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        cst.CSTNode.__post_init__ = validated  # type: ignore[method-assign]


def _taken_as_it_is(node: cst.CSTNode) -> None:
    pass


def _complaint(content: bytes | str) -> str | None:
    """Return what Python itself has against a module: it knows the line and what is meant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(content)
        except SyntaxError as error:
            return f"line {error.lineno}: {error.msg}" if error.lineno else error.msg
        except (ValueError, RecursionError, MemoryError):
            return None
    return None
