"""What cells mean for a rewrite: borders, the order of execution, the constant, the report."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import libcst as cst
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from codemod.cli import cli
from codemod.facts import Facts
from codemod.model import FileResult, Report, Settings
from codemod.notebook import Notebook, read
from codemod.process import process
from codemod.report import diff
from tests.notebook_cases import code_cells
from tests.test_notebook import ENDS, LAYOUTS, laid_out

CLIENTS = 'import boto3\n\ns3 = boto3.client("s3")\nruntime = boto3.client("sagemaker-runtime")'
UPLOAD = 's3.upload_file("a.bin", "blobs", key)'
CALL = 'runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"s3://blobs/{key}")'
LIMIT = "ASYNC_INLINE_LIMIT = 128_000  # bytes"


def notebook(*sources: str, executed: tuple[int | None, ...] = ()) -> bytes:
    counts = executed or (None,) * len(sources)
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "execution_count": count, "metadata": {}, "source": source}
        for source, count in zip(sources, counts, strict=True)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode()


def result(content: bytes, *, unsafe: bool = True) -> FileResult:
    return process("a.ipynb", content, Settings(unsafe_fixes=unsafe), rewrite=True)


def reasons(*sources: str, executed: tuple[int | None, ...] = ()) -> list[str | None]:
    found = result(notebook(*sources, executed=executed))
    assert found.error is None
    return [finding.reason for finding in found.findings]


# -- the order of execution ----------------------------------------------------------------

BOUND = 'key = "a.bin"'


@pytest.mark.parametrize(
    ("executed", "reason"),
    [
        ((1, 2, 3, 4), None),
        ((None, None, None, None), None),
        ((9, 2, 3, 4), None),
        ((1, 9, 3, 4), None),
        ((1, 2, None, 4), None),
        ((1, 2, 4, 3), "cells-out-of-order"),
        ((1, 2, 3, 3), "cells-out-of-order"),
    ],
)
def test_upload_and_call_in_the_order_of_the_cells(
    executed: tuple[int | None, ...], reason: str | None
) -> None:
    assert reasons(CLIENTS, BOUND, UPLOAD, CALL, executed=executed) == [reason]


def test_a_key_that_varies_has_to_be_made_first() -> None:
    made = 'import uuid\nkey = f"{uuid.uuid4()}.bin"'
    assert reasons(CLIENTS, made, UPLOAD, CALL, executed=(1, 2, 3, 4)) == [None]
    assert reasons(CLIENTS, made, UPLOAD, CALL, executed=(1, 9, 3, 4)) == ["cells-out-of-order"]


def test_the_order_does_not_matter_within_a_cell() -> None:
    whole = f"{UPLOAD}\nresponse = {CALL}"
    assert reasons(CLIENTS, BOUND, whole, 'key = "b.bin"', executed=(4, 3, 2, 1)) == [None]


SEVERAL = ["name-bound-in-several-cells"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param([BOUND, UPLOAD, CALL, 'key = "b.bin"'], SEVERAL, id="another key"),
        pytest.param([BOUND, UPLOAD, CALL, BOUND], [None], id="the same key again"),
        pytest.param(
            ["import time\nkey = str(time.time())", UPLOAD, CALL, "key = str(time.time())"],
            SEVERAL,
            id="the same expression with another value",
        ),
        pytest.param([BOUND, UPLOAD, CALL, "for key in keys: pass"], SEVERAL, id="a loop"),
        pytest.param([BOUND, UPLOAD, CALL, "def key(): pass"], SEVERAL, id="a function"),
        pytest.param(
            [BOUND, f"path = key\n{UPLOAD.replace('key', 'path')}", CALL, 'path = "b.bin"'],
            [None],
            id="a name that the upload binds itself",
        ),
        pytest.param(
            [
                'prefix = "a"',
                'key = prefix + ".bin"\nuri = "s3://blobs/" + key',
                UPLOAD,
                CALL.replace('f"s3://blobs/{key}"', "uri"),
                'prefix = "b"',
            ],
            [None],
            id="both are made in one cell",
        ),
        pytest.param(
            [
                UPLOAD.replace("key", '"a.bin"'),
                'uri = "s3://blobs/a.bin"',
                CALL.replace('f"s3://blobs/{key}"', "uri"),
                'uri = "s3://blobs/b.bin"',
            ],
            SEVERAL,
            id="another address",
        ),
        pytest.param(
            [
                "import sagemaker\nsession = sagemaker.Session()",
                'uri = session.upload_data("a.bin", "blobs", "in")',
                CALL.replace('f"s3://blobs/{key}"', "uri"),
                'uri = session.upload_data("b.bin", "blobs", "in")',
            ],
            SEVERAL,
            id="another upload",
        ),
        pytest.param(
            [
                BOUND,
                UPLOAD,
                'arguments = {"EndpointName": "e", "InputLocation": f"s3://blobs/{key}"}',
                "runtime.invoke_endpoint_async(**arguments)",
                'arguments = {"EndpointName": "f"}',
            ],
            SEVERAL,
            id="other parameters",
        ),
        pytest.param(
            [
                'bucket = "blobs"\ndef send(key):\n    s3.upload_file("a.bin", bucket, key)',
                f"{BOUND}\nsend(key)",
                CALL,
                'bucket = "other"',
            ],
            ["uri-unproven"],
            id="another bucket for a helper",
        ),
        pytest.param(
            [
                'def send(name):\n    s3.upload_file("a.bin", "blobs", name)',
                f"{BOUND}\nsend(key)",
                CALL,
                'name = "other"',
                'name = "another"',
            ],
            [None],
            id="a parameter of a helper",
        ),
        pytest.param(
            [
                f'{BOUND}\nthing = boto3.resource("s3").Object("blobs", key)',
                'thing.put(Body=open("a.bin", "rb").read())',
                CALL,
                'thing = boto3.resource("s3").Object("blobs", "b.bin")',
            ],
            SEVERAL,
            id="another object",
        ),
    ],
)
def test_names_that_several_cells_bind(cells: list[str], expected: list[str | None]) -> None:
    assert reasons(CLIENTS, *cells) == expected


# -- the constant --------------------------------------------------------------------------


def constants(*sources: str) -> list[int]:
    """The cells that have the constant after the rewrite."""
    after = result(notebook(*sources)).after
    assert after is not None
    return [number for number, source in code_cells(after).items() if LIMIT in source]


WHOLE = f"{BOUND}\n{UPLOAD}\nresponse = {CALL}"
OTHER = WHOLE.replace("a.bin", "b.bin")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param([CLIENTS, WHOLE], [1], id="with the imports"),
        pytest.param(["import os", CLIENTS, WHOLE], [2], id="not in a cell that is not needed"),
        pytest.param([CLIENTS, "NAME = 1", WHOLE], [1], id="nor with constants that are not"),
        pytest.param(
            ["import os", CLIENTS, 'BLOBS = "blobs"', WHOLE.replace('"blobs"', "BLOBS")],
            [3],
            id="with the constants",
        ),
        pytest.param(
            ["import boto3", CLIENTS.replace("import boto3\n\n", ""), WHOLE],
            [1],
            id="with the imports that the clients need",
        ),
        pytest.param(
            [
                "import boto3",
                "def send():\n    boto3.client('s3').upload_file('a', 'b', 'c')",
                CLIENTS.replace("import boto3\n\n", ""),
                f"send()\n{CALL}".replace("blobs/{key}", "b/c"),
            ],
            [1],
            id="with the imports that a function needs",
        ),
        pytest.param(["s3, runtime = made()", WHOLE], [2], id="in front of the upload"),
        pytest.param([f"{CLIENTS}\n{WHOLE}", f"{CLIENTS}\n{OTHER}"], [1, 2], id="in both cells"),
        pytest.param([f"{CLIENTS}\n{WHOLE}\n{OTHER}"], [1], id="once in a cell"),
        pytest.param([LIMIT, CLIENTS, WHOLE], [1, 2], id="again where it was not needed"),
        pytest.param([f"{LIMIT}\n{CLIENTS}", WHOLE], [1], id="not where it is already"),
        pytest.param([f"{CLIENTS}\n{LIMIT}", "LIMIT = 1", WHOLE], [1], id="nor with another"),
    ],
)
def test_the_constant_needs_no_cell_that_was_not_needed(
    cells: list[str], expected: list[int]
) -> None:
    assert constants(*cells) == expected


# -- cells of scripts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# %%", [0, 1]),
        ("#%% Title", [0, 1]),
        ("# %% [markdown]", [0, 1]),
        ("# In[3]:", [0, 1]),
        ("# COMMAND ----------", [0, 1]),
        ("# 5 %% of it", [0, 0]),
        ("# command", [0, 0]),
    ],
)
def test_comments_mark_cells_of_scripts(comment: str, expected: list[int]) -> None:
    module = cst.parse_module(f"a = 1\n\n{comment}\nb\n")
    cells = Facts.of(module).cells
    assert [cells.of(statement) for statement in module.body] == expected
    assert not cells.is_notebook
    assert cells.shows(module.body[-1]) == (expected[-1] == 1)


# -- the report ----------------------------------------------------------------------------


def test_the_message_says_where_the_upload_is() -> None:
    (finding,) = result(notebook(CLIENTS, f"!ls\n{BOUND}\n{UPLOAD}", CALL)).findings
    assert "upload_file uploads in cell 2, line 3;" in finding.message
    assert (finding.place.cell, finding.place.line, finding.place.column) == (3, 1, 1)
    assert (finding.upload.cell, finding.upload.line) == (2, 3)


def test_a_notebook_that_is_no_json_is_an_error() -> None:
    found = result(b'{"cells": ["invoke_endpoint_async"')
    assert found.error is not None
    assert "not JSON" in found.error


@pytest.mark.parametrize("place", ["outputs", "metadata"])
def test_nothing_is_looked_at_if_no_cell_names_the_call(place: str) -> None:
    content = json.loads(notebook("this is no Python"))
    content["cells"][0][place] = ["invoke_endpoint_async"]
    assert result(json.dumps(content).encode()) == FileResult("a.ipynb")


def test_what_only_ast_can_parse_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real = cst.parse_module

    def parse(source: str, *config: cst.PartialParserConfig) -> cst.Module:
        if "newer = than_libcst" in source:
            raise cst.ParserSyntaxError("no", lines=["x"], raw_line=1, raw_column=0)
        return real(source, *config)

    monkeypatch.setattr(cst, "parse_module", parse)
    found = result(notebook(CLIENTS, "newer = than_libcst", f"{BOUND}\n{UPLOAD}", CALL))
    assert [finding.reason for finding in found.findings] == [None]
    assert [note.message for note in found.notes] == [
        "cell 2 is left out: it cannot be read as Python"
    ]


def test_blank_lines_at_the_end_stay_as_they_are() -> None:
    blank = "\n    \n  \n\t"  # LibCST keeps the last line of them
    found = result(notebook(f"{CLIENTS}{blank}", f"{BOUND}\n{UPLOAD}{blank}", f"{CALL}{blank}"))
    assert found.error is None
    assert found.after is not None
    assert all(cell.endswith(blank) for cell in code_cells(found.after).values())


def test_the_names_put_in_are_none_of_the_notebook() -> None:
    own = "__async_inline_cell_1__ = 1"
    found = result(notebook(CLIENTS, own, f"!ls\n{BOUND}\n{UPLOAD}", CALL))
    assert found.after is not None
    cells = code_cells(found.after)
    assert cells[2] == own
    assert cells[3].startswith("!ls\n")


def test_the_diff_shows_cells() -> None:
    before = notebook(CLIENTS, BOUND, UPLOAD, CALL)
    after = result(before).after
    assert after is not None
    shown = diff.render(Report((FileResult("a.ipynb", before=before, after=after),), 1)).decode()
    assert shown.splitlines()[:12] == [
        "# a.ipynb: cells of a notebook, for reading; not for `git apply`",
        "@@ cell 1, line 1 @@",
        " import boto3",
        "+",
        f"+{LIMIT}",
        " ",
        ' s3 = boto3.client("s3")',
        ' runtime = boto3.client("sagemaker-runtime")',
        "@@ cell 3, line 1 @@",
        f"-{UPLOAD}",
        '+with open("a.bin", "rb") as file:',
        "+    body = file.read(ASYNC_INLINE_LIMIT + 1)",
    ]


def test_standard_input_is_a_notebook_by_its_name() -> None:
    before = notebook(CLIENTS, BOUND, UPLOAD, CALL)
    ran = CliRunner().invoke(cli, ["fix", "-", "--stdin-filename", "x.ipynb"], input=before)
    assert ran.exit_code == 0
    assert ran.stdout_bytes == result(before).after


def test_reports_name_the_cell() -> None:
    before = notebook(CLIENTS, BOUND, UPLOAD, CALL)
    arguments = ["check", "-", "--stdin-filename", "x.ipynb", "--output-format"]
    ran = CliRunner().invoke(cli, [*arguments, "text"], input=before)
    assert ran.stdout.startswith("x.ipynb:cell 4:1:1: SAI001 ")
    found = json.loads(CliRunner().invoke(cli, [*arguments, "json"], input=before).stdout)
    assert found["findings"][0]["cell"] == 4
    assert found["findings"][0]["upload"] == {"path": "x.ipynb", "cell": 3, "line": 1}


def test_git_applies_what_is_left_of_a_diff_with_notebooks(tmp_path: Path) -> None:
    module = "\n".join([CLIENTS, BOUND, UPLOAD, CALL, ""]).encode()
    before = {"a.ipynb": notebook(CLIENTS, BOUND, UPLOAD, CALL), "b.py": module}
    before["c.ipynb"] = before["a.ipynb"]
    results = []
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
        after = process(name, content, Settings(), rewrite=True).after
        results.append(FileResult(name, before=content, after=after))
    patch = diff.render(Report(tuple(results), 3))
    subprocess.run(["git", "apply", "-p1"], cwd=tmp_path, input=patch, check=True)
    applied = {name: (tmp_path / name).read_bytes() for name in before}
    assert applied == {**before, "b.py": results[1].after or b""}


@given(LAYOUTS, ENDS, st.booleans(), st.booleans(), st.lists(st.booleans(), min_size=4, max_size=4))
def test_a_fix_changes_nothing_but_sources(
    layout: dict[str, Any], end: str, crlf: bool, bom: bool, are_lists: list[bool]
) -> None:
    document = json.loads(notebook(f"title = 'é'\n{CLIENTS}", f"%cd é\n{BOUND}", UPLOAD, CALL))
    for cell, is_list in zip(document["cells"], are_lists, strict=True):
        cell["outputs"] = [{"text": ["é\n", "1.10"], "x": 1e-7}]
        if is_list:
            cell["source"] = cell["source"].splitlines(keepends=True)
    before = laid_out(document, layout, end, crlf=crlf, bom=bom)
    after = result(before, unsafe=False).after
    assert after is not None
    assert without_sources(before) == without_sources(after)
    assert list(code_cells(after)) == [1, 2, 3, 4]
    changed = [n for n, source in code_cells(before).items() if code_cells(after)[n] != source]
    assert changed == [1, 3, 4]


def without_sources(content: bytes) -> str:
    """The text of the file without the texts of its sources, but for how these begin."""
    found = read(content)
    assert isinstance(found, Notebook)
    pieces, done = [], 0
    for cell in found.cells:
        pieces += [found.text[done : cell.start], cell.raw[0]]
        done = cell.start + len(cell.raw)
    return "".join([*pieces, found.text[done:]])
