"""The fixtures that are notebooks, found on disk: a folder for each case.

``before.ipynb``  a notebook as users write it
``after.ipynb``   what the tool makes of it, byte for byte; absent: it must leave the file alone
``case.toml``     the expected findings and notes, and how to run the cells (see ``tests.cases``)
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codemod.model import SERVICE_LIMIT, FileResult, Place, Settings
from codemod.process import process
from tests.cases import FIXTURES, script_of
from tests.execution import Script

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NOTHING = slice(0)
SHOW = "lambda value: None if value is None else print('Out:', value)"
UPLOADS = re.compile(r"\.(put|put_object|upload_\w+)$")

CASE_KEYS = {"unsafe", "not_run", "notes", "finding", "run"}
FINDING_KEYS = {"code", "cell", "line", "fix", "reason", "cause", "upload"}


@dataclass(frozen=True, slots=True)
class NotebookCase:
    """One fixture; places are a cell and a line in it."""

    folder: Path
    before: bytes
    after: bytes | None
    findings: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    settings: Settings
    script: Script | None
    not_run: str | None

    @property
    def name(self) -> str:
        return self.folder.name

    def processed(self, content: bytes) -> FileResult:
        return process(f"{self.name}.ipynb", content, self.settings, rewrite=True)


def discovered() -> list[NotebookCase]:
    return [load(path.parent) for path in sorted(FIXTURES.glob("*/*/before.ipynb"))]


def load(folder: Path) -> NotebookCase:
    content = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    assert set(content) <= CASE_KEYS, f"{folder.name}: unknown key"
    assert all(set(one) <= FINDING_KEYS for one in content.get("finding", ())), folder.name
    after = folder / "after.ipynb"
    return NotebookCase(
        folder,
        (folder / "before.ipynb").read_bytes(),
        after.read_bytes() if after.exists() else None,
        tuple(content.get("finding", ())),
        tuple(content.get("notes", ())),
        Settings(SERVICE_LIMIT, unsafe_fixes=content.get("unsafe", False)),
        script_of(folder, content["run"]) if "run" in content else None,
        content.get("not_run"),
    )


def place(found: Place) -> list[int | None]:
    return [found.cell, found.line]


# -- running the cells ---------------------------------------------------------------------


def code_cells(content: bytes) -> dict[int, str]:
    """The sources of the code cells by number, read in the simplest way there is."""
    cells = json.loads(content.decode("utf-8-sig"))["cells"]
    return {
        number: "".join(cell["source"])
        for number, cell in enumerate(cells, start=1)
        if cell["cell_type"] == "code"
    }


def program(content: bytes, again: slice = NOTHING) -> str:
    """The cells as one program that does what executing them, and some of them again, does."""
    cells = [as_python(source) for source in code_cells(content).values()]
    return "\n".join([*cells, *cells[again]])


def as_python(source: str) -> str:
    """What a kernel makes of a cell, with magics left out; empty if it cannot run the cell.

    What the last expression gives is shown, but for what an upload returns: nobody looks at that.
    """
    if re.match(r"\s*%%(?!time|capture)", source):
        return ""
    text = "\n".join(_without_magics(source.splitlines()))
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ""
    last = tree.body[-1] if tree.body else None
    is_shown = isinstance(last, ast.Expr) and not text.rstrip().endswith(";")
    if isinstance(last, ast.Expr) and is_shown and not _is_upload(last.value):
        last.value = ast.Call(ast.parse(SHOW, mode="eval").body, [last.value], [])
    return ast.unparse(ast.fix_missing_locations(tree))


def _is_upload(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and UPLOADS.search(ast.unparse(value.func)) is not None


def _without_magics(lines: Sequence[str]) -> Iterator[str]:
    is_continued = False
    for line in lines:
        indent, content = re.fullmatch(r"(\s*)(.*)", line).groups()  # type: ignore[union-attr]
        bound = re.match(r"(\w[\w, ]*=) *(?:!|%\w)", content)
        if is_continued or re.match(r"!|%%?\w|\?", content) or re.search(r"^[\w.]+\?+$", content):
            yield f"{indent.replace(' ', '') if is_continued else indent}pass"
            is_continued = content.endswith("\\")
        elif bound is not None:
            yield f"{indent}{bound[1]} ['shell']"
        else:
            yield line
