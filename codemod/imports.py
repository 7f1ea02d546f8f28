"""Imports that new code needs: what they are, and where they go among those of a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import libcst as cst

from codemod.edits import Replacement
from codemod.syntax import dotted

_Edits = dict[cst.CSTNode, Replacement]


@dataclass(frozen=True, slots=True, order=True)
class Needed:
    """A name that is to be imported: ``import module`` or ``from module import name``."""

    module: str
    name: str = ""

    def statement(self) -> cst.SimpleStatementLine:
        """Return the import."""
        module = cst.parse_expression(self.module)
        assert isinstance(module, (cst.Name, cst.Attribute))
        if not self.name:
            return cst.SimpleStatementLine([cst.Import([cst.ImportAlias(module)])])
        alias = cst.ImportAlias(cst.Name(self.name))
        return cst.SimpleStatementLine([cst.ImportFrom(module, [alias])])


def is_standard(module: str) -> bool:
    """Tell whether a module belongs to the standard library, which is always there."""
    return module.partition(".")[0] in sys.stdlib_module_names


def top_imports(module: cst.Module) -> list[cst.SimpleStatementLine]:
    """Return the imports at the top of a file that others may stand next to."""
    found: list[cst.SimpleStatementLine] = []
    for statement in module.body:
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
            break
        small = statement.body[0]
        if isinstance(small, (cst.Import, cst.ImportFrom)):
            if _module_of(statement) != "__future__":
                found.append(statement)
        elif found or not isinstance(small, cst.Expr):
            break
    return found


def add_imports(module: cst.Module, needed: Iterable[Needed], edits: _Edits) -> None:
    """Add to the edits of a module what imports the names, sorted in among those that are there."""
    existing = top_imports(module)
    standard = [line for line in existing if is_standard(_module_of(line))]
    above: dict[cst.SimpleStatementLine, list[cst.SimpleStatementLine]] = {}
    below: dict[cst.SimpleStatementLine, list[cst.SimpleStatementLine]] = {}
    for made in sorted((one.statement() for one in set(needed)), key=_order):
        before = [line for line in standard if _order(line) < _order(made)]
        if before:
            below.setdefault(before[-1], []).append(made)
        else:
            above.setdefault((standard or existing)[0], []).append(made)
    for anchor in dict.fromkeys((*above, *below)):
        now = list(edits.get(anchor, [anchor]))
        place = next(number for number, one in enumerate(now) if one is anchor)
        group = [*above.get(anchor, ()), anchor, *below.get(anchor, ())]
        if group[0] is not anchor:
            # The comments and blank lines above stay there; other people's modules keep apart.
            blank = [] if standard else [cst.EmptyLine(indent=False)]
            group[0] = group[0].with_changes(leading_lines=anchor.leading_lines)
            group[group.index(anchor)] = anchor.with_changes(leading_lines=blank)
        now[place : place + 1] = group
        edits[anchor] = now


def _module_of(line: cst.SimpleStatementLine) -> str:
    small = line.body[0]
    if isinstance(small, cst.ImportFrom):
        return "." * len(small.relative) + (dotted(small.module) or "" if small.module else "")
    assert isinstance(small, cst.Import)
    return dotted(small.names[0].name) or ""


def _order(line: cst.SimpleStatementLine) -> tuple[bool, str]:
    """``import x`` stands before ``from x import y``, each sorted by module."""
    return isinstance(line.body[0], cst.ImportFrom), _module_of(line)
