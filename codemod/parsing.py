"""Source to syntax trees, as sentences where that cannot be."""

from __future__ import annotations

import ast
import warnings

import libcst as cst

TOO_DEEP = "is nested too deeply to be parsed"
#: Levels of syntax that are read; LibCST walks its trees by recursion, several frames a level.
_MAX_DEPTH = 400


def plain_nodes(content: bytes | str) -> list[ast.AST] | str | None:
    """Return the nodes of Python's own syntax tree, the module first, one level after the other.

    ``ast`` costs a tenth of LibCST. What it cannot parse, such as a newer syntax, may still be
    something for LibCST: that gives ``None``. But what is nested too deeply must not come to
    LibCST's parser, which overflows the stack of the process: that gives a sentence.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(content)
        except (RecursionError, MemoryError):
            return TOO_DEEP
        except SyntaxError as error:
            return TOO_DEEP if "too many nested" in str(error) else None
        except ValueError:
            return None
    every: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    for _ in range(_MAX_DEPTH):
        every.extend(level)
        level = [below for node in level for below in ast.iter_child_nodes(node)]
        if not level:
            return every
    return TOO_DEEP


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
