"""A module imports only from rooms above its own, so each can be read knowing only those."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import codemod

PACKAGE = Path(codemod.__file__).parent

#: Every room, from the one that imports nothing of ours down to the command line. A package is one
#: room. A new module gets its line here: below all that it imports, above all that import it.
ROOMS = (
    "model",
    "rules",
    "refusals",
    "syntax",
    "tree",
    "index",
    "edits",
    "redent",
    "cells",
    "effects",
    "bindings",
    "regions",
    "scopes",
    "definitions",
    "template",
    "cuts",
    "formats",
    "formulas",
    "evaluation",
    "clients",
    "facts",
    "structure",
    "imports",
    "arguments",
    "names",
    "quiet",
    "lookups",
    "invocations",
    "classes",
    "functions",
    "recipients",
    "quoting",
    "fallbacks",
    "translation",
    "references",
    "pipelines",
    "detours",
    "fillings",
    "dictionaries",
    "unread",
    "spellings",
    "sizes",
    "warmups",
    "either",
    "routes",
    "guards",
    "inputs",
    "calls",
    "options",
    "transfers",
    "buckets",
    "uploads",
    "commands",
    "writers",
    "payload",
    "reliance",
    "replaced",
    "near",
    "resemblance",
    "provenance",
    "echoes",
    "injected",
    "joins",
    "indirect",
    "kept",
    "misses",
    "unpaired",
    "pairing",
    "sharing",
    "operations",
    "handlers",
    "slices",
    "makers",
    "splits",
    "identity",
    "fields",
    "elsewhere",
    "visibility",
    "anyway",
    "announcements",
    "assignments",
    "stand_ins",
    "layout",
    "outcomes",
    "attachments",
    "early",
    "locations",
    "request_form",
    "arrangement",
    "cell_order",
    "proposals",
    "safety",
    "conduct",
    "preparations",
    "results",
    "takeover",
    "flows",
    "forwarding",
    "mentions",
    "ready",
    "handovers",
    "judge",
    "nodes",
    "idiom",
    "naming",
    "parameters",
    "wrapping",
    "extraction",
    "measure",
    "planner",
    "rewrite",
    "cell_source",
    "magics",
    "notebook",
    "positions",
    "splicing",
    "joining",
    "source",
    "parsing",
    "outlines",
    "modules",
    "repository",
    "reaching",
    "reading",
    "findings",
    "review",
    "process",
    "jobs",
    "manifests",
    "processors",
    "scan",
    "folders",
    "files",
    "settings",
    "report",
    "words",
    "importers",
    "callers",
    "garbage",
    "run",
    "floor",
    "live",
    "cli",
    "__main__",
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the rooms that a module imports from, each with the line, wherever in the module."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: write the import with `codemod.`"
            # `from codemod import effects` names a room, `from codemod.model import Place` none.
            module = node.module or ""
            below = [f"{module}.{alias.name}" for alias in node.names]
            names = below if module == "codemod" else [module]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "codemod" and rest and rest != "__version__":
                yield rest.partition(".")[0], node.lineno


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_from_rooms_above_its_own(path: Path) -> None:
    own = room(path)
    if own == "__init__":
        assert list(imported_rooms(path)) == []
        return
    assert own in ROOMS, f"{own} is not in ROOMS of {Path(__file__).name}: give it its place there"
    above = {*ROOMS[: ROOMS.index(own)], own}
    wrong = [
        f"{path.name}:{line} imports {name}"
        for name, line in imported_rooms(path)
        if name not in above
    ]
    assert wrong == []


def test_every_room_exists() -> None:
    assert set(ROOMS) == {room(path) for path in modules()} - {"__init__"}
