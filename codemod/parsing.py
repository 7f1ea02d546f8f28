"""Source to syntax trees, as sentences where that cannot be."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import libcst as cst

TOO_DEEP = "is nested too deeply to be parsed"
#: Levels of syntax that are read; LibCST walks its trees by recursion, several frames a level.
_MAX_DEPTH = 400
#: Code of so few characters has fewer levels than that, whatever it is.
_SHORT = 300
#: What ends a line for Python; `splitlines` knows some more.
_NEWLINE = re.compile(rb"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Glance:
    """What a look at Python's own syntax tree tells of a module.

    Attributes:
        mentions: Whether a name that was asked for is that of an attribute in the code.
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
    tree = _tree(content)
    if not isinstance(tree, ast.Module):
        return tree
    source = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    lines = _NEWLINE.split(source)
    offsets = [0, *accumulate(len(line) + 1 for line in lines)]
    needle = name.encode()
    wanted = {number for number, line in enumerate(lines, start=1) if needle in line}
    found = False
    stack: list[tuple[ast.stmt | ast.ExceptHandler | ast.match_case, int]] = [
        (statement, 1) for statement in tree.body
    ]
    while stack:
        statement, depth = stack.pop()
        if depth > _MAX_DEPTH:
            return TOO_DEEP
        blocks = list(_blocks(statement))
        stack += ((below, depth + 1) for block in blocks for below in block)
        first, last = _span(statement, blocks)
        is_short = offsets[min(last, len(lines))] - offsets[first - 1] <= _SHORT
        if is_short and wanted.isdisjoint(range(first, last + 1)):
            continue
        inside = _expressions(statement, depth)
        if inside is None:
            return TOO_DEEP
        found = found or any(isinstance(x, ast.Attribute) and x.attr == name for x in inside)
    return Glance(found, tuple(statement.lineno for statement in tree.body))


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


_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def _blocks(statement: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in _BLOCKS:
        block = getattr(statement, name, None)
        if isinstance(block, list):
            yield block


def _span(statement: ast.AST, blocks: list[list[ast.stmt]]) -> tuple[int, int]:
    """Return the first and the last line of a statement without the blocks in it."""
    decorators = getattr(statement, "decorator_list", ())
    first = _line(statement)
    if decorators:
        first = min(first, *(one.lineno for one in decorators))
    last: int = getattr(statement, "end_lineno", None) or first
    if blocks and blocks[0]:
        last = max(first, _line(blocks[0][0]))
    return first, last


def _line(statement: ast.AST) -> int:
    if isinstance(statement, ast.match_case):
        return statement.pattern.lineno
    line: int = getattr(statement, "lineno", 0)
    return line


def _expressions(statement: ast.AST, depth: int) -> list[ast.AST] | None:
    """Return the syntax of a statement without the blocks in it, ``None`` if it is too deep."""
    level = [
        below
        for name in statement._fields
        if name not in _BLOCKS or not isinstance(getattr(statement, name), list)
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


def plain_nodes(content: bytes | str) -> list[ast.AST] | None:
    """Return the nodes of Python's own syntax tree, one level after the other.

    The first is the module. Code that cannot be parsed or is nested too deeply gives ``None``.
    """
    tree = _tree(content)
    if not isinstance(tree, ast.Module):
        return None
    every: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    for _ in range(_MAX_DEPTH):
        every += level
        level = _children(level)
        if not level:
            return every
    return None


def parse(content: bytes | str) -> cst.Module | str:
    """Return LibCST's tree of a module, or a sentence that says why there is none."""
    try:
        return cst.parse_module(content)
    except cst.ParserSyntaxError as error:
        return f"cannot be parsed: line {error.raw_line}: {error.message}"
    except (SyntaxError, LookupError, UnicodeDecodeError) as error:
        return f"cannot be decoded: {error}"
    except RecursionError:
        return TOO_DEEP
