"""Reading notebooks and putting new sources into them, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemod.notebook import Notebook, Unread, read, with_sources
from codemod.source import is_notebook


def notebook(*sources: Any, **extra: Any) -> dict[str, Any]:
    cells = [
        {
            "cell_type": "code",
            "execution_count": number,
            "metadata": {},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources, start=1)
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **extra}


def opened(content: bytes | str) -> Notebook:
    found = read(content.encode() if isinstance(content, str) else content)
    assert isinstance(found, Notebook)
    return found


def refused(content: bytes | str) -> Unread:
    found = read(content.encode() if isinstance(content, str) else content)
    assert isinstance(found, Unread)
    return found


def changed(raw: str, source: str) -> str:
    """The JSON text of the only cell's source after it got a new one."""
    before = f'{{"cells": [{{"cell_type": "code", "source": {raw}}}]}}'
    after = with_sources(opened(before), {1: source}).decode()
    start, end = before.split(raw)
    assert after.startswith(start)
    assert after.endswith(end)
    return after[len(start) : len(after) - len(end)]


@pytest.mark.parametrize(
    ("raw", "source", "expected"),
    [
        pytest.param('"a\\nb"', "a\nc", '"a\\nc"', id="a string stays a string"),
        pytest.param('["a\\n", "b"]', "a\nc\nd", '["a\\n", "c\\n", "d"]', id="a list stays a list"),
        pytest.param('["a\\n","b"]', "a\nb\nc", '["a\\n","b\\n","c"]', id="without blanks"),
        pytest.param('[\n   "a\\n",\n   "b"\n  ]', "b", '[\n   "b"\n  ]', id="a line goes"),
        pytest.param('[\n "a"\n]', "a\nb", '[\n "a\\n",\n "b"\n]', id="one line tells the layout"),
        pytest.param('["a"]', "a\nb", '["a\\n", "b"]', id="one line on one line"),
        pytest.param("[]", "a\nb", '["a\\n", "b"]', id="an empty list"),
        pytest.param('""', "a", '"a"', id="an empty string"),
        pytest.param('["a"]', "", "[]", id="nothing is left"),
        pytest.param('["a\\n", "b\\n"]', "c\nb\n", '["c\\n", "b\\n"]', id="newline at the end"),
        pytest.param(
            '["a\\n" ,\n  "b\\n", "c"]',
            "a\nb\nx",
            '["a\\n" ,\n  "b\\n" ,\n  "x"]',
            id="an uneven layout",
        ),
        pytest.param('["a\\nb", "\\nc"]', "a\nx\nc", '["a\\n", "x\\n", "c"]', id="odd elements"),
        pytest.param(
            '["\\u00E9\\/\\n", "b"]', "é/\nc", '["\\u00E9\\/\\n", "c"]', id="escapes of kept lines"
        ),
        pytest.param(
            '["f(\\"s3:\\/\\/\\u00E9\\")"]',
            'if x:\n\tf("s3://é")',
            '["if x:\\n", "\\tf(\\"s3:\\/\\/\\u00E9\\")"]',
            id="escapes of a line that moved into a block",
        ),
        pytest.param('"\\u00e9"', "é\nü", '"\\u00e9\\n\\u00fc"', id="escaped where it was escaped"),
        pytest.param('"é"', "é\nü", '"é\\nü"', id="plain where it was plain"),
        pytest.param('"a\\u000ab"', "a\nb\nc", '"a\\u000ab\\u000ac"', id="an unusual newline"),
    ],
)
def test_a_new_source_is_written_like_the_old_one(raw: str, source: str, expected: str) -> None:
    assert changed(raw, source) == expected


def test_only_code_cells_are_found_by_their_number() -> None:
    content = notebook("a", ["b\n", "c"])
    content["cells"].insert(0, {"cell_type": "markdown", "source": "a"})
    content["cells"].insert(2, {"cell_type": "raw", "source": "b"})
    found = opened(json.dumps(content))
    assert [(cell.number, cell.source, cell.executed) for cell in found.cells] == [
        (2, "a", 1),
        (4, "b\nc", 2),
    ]


@pytest.mark.parametrize(
    "cell", ["1", "{}", '{"cell_type": "code"}', '{"cell_type": "code", "source": [1]}']
)
def test_what_is_no_cell_is_passed_over(cell: str) -> None:
    assert opened(f'{{"cells": [{cell}]}}').cells == ()


def test_the_last_of_repeated_keys_counts() -> None:
    text = '{"cells": [], "cells": [{"source": "a", "cell_type": "code", "source": "b"}]}'
    assert [cell.source for cell in opened(text).cells] == ["b"]
    assert with_sources(opened(text), {1: "c"}).decode() == text.replace('"b"', '"c"')


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"language_info": {"name": "python"}},
        {"kernelspec": {"language": "python", "name": "conda_pytorch"}},
        {"kernelspec": {"language": "R"}, "language_info": {"name": "ipython"}},
        {"language_info": "python"},
        [],
    ],
)
def test_python_is_read(metadata: Any) -> None:
    assert len(opened(json.dumps(notebook("a", metadata=metadata))).cells) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (notebook("a", metadata={"language_info": {"name": "scala"}}), "its language is scala"),
        (notebook("a", metadata={"kernelspec": {"language": "julia"}}), "its language is julia"),
        ({"worksheets": [], "nbformat": 3}, "older than version 4"),
        ({"cells": [], "nbformat": 1}, "older than version 4"),
    ],
)
def test_other_notebooks_are_skipped(content: Any, why: str) -> None:
    found = refused(json.dumps(content))
    assert not found.is_error
    assert why in found.why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not JSON"),
        (b"print(1)", "not JSON"),
        (b'{"cells": [}', "not JSON"),
        (b'{"cells": []} x', "something follows"),
        (b"[]", "no object"),
        (b"{}", "no list of cells"),
        (b'{"cells": {}}', "no list of cells"),
        (b'{"cells": ["\xff"]}', "UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_notebook_is_an_error(content: bytes, why: str) -> None:
    found = refused(content)
    assert found.is_error
    assert why in found.why


@pytest.mark.parametrize("metadata", [{"vscode": {"languageId": "sql"}}, {"kernel": "R"}])
def test_cells_in_another_language_have_no_source(metadata: Any) -> None:
    content = notebook("a", "b")
    content["cells"][0]["metadata"] = metadata
    assert [cell.source for cell in opened(json.dumps(content)).cells] == [None, "b"]


def test_notebooks_are_known_by_their_name() -> None:
    assert is_notebook("a/b.ipynb")
    assert is_notebook("A.IPYNB")
    assert not is_notebook("a.ipynb.py")


# -- any layout ----------------------------------------------------------------------------

TEXTS = st.text(st.sampled_from('ab é日😀"\\/\t#\x7f\u2028'), max_size=8)
SOURCES = st.lists(TEXTS, max_size=5).map("\n".join)
LAYOUTS = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([1, 2, 4, None, "\t"]),
        "ensure_ascii": st.booleans(),
        "separators": st.sampled_from([(",", ":"), (", ", ": "), (",", ": ")]),
        "sort_keys": st.booleans(),
    }
)
ENDS = st.sampled_from(["", "\n", "\n\n", " "])


def laid_out(document: Any, layout: dict[str, Any], end: str, *, crlf: bool, bom: bool) -> bytes:
    text = json.dumps(document, **layout) + end
    return ("\ufeff" * bom + (text.replace("\n", "\r\n") if crlf else text)).encode()


@st.composite
def notebooks(draw: st.DrawFn) -> tuple[bytes, list[str]]:
    """A notebook in any layout, with the sources of its code cells."""
    sources = draw(st.lists(SOURCES, min_size=1, max_size=4))
    written = [
        source.splitlines(keepends=True) if draw(st.booleans()) else source for source in sources
    ]
    document = notebook(*written, metadata={"x": [1.0, draw(TEXTS)], "y": {}})
    if draw(st.booleans()):
        document["cells"].append({"cell_type": "markdown", "metadata": {}, "source": draw(SOURCES)})
    crlf, bom = draw(st.booleans()), draw(st.booleans())
    return laid_out(document, draw(LAYOUTS), draw(ENDS), crlf=crlf, bom=bom), sources


@given(notebooks())
def test_no_new_sources_leave_the_bytes_as_they_are(made: tuple[bytes, list[str]]) -> None:
    content, sources = made
    found = opened(content)
    assert [cell.source for cell in found.cells] == sources
    assert with_sources(found, {}) == content
    same = {cell.number: cell.source or "" for cell in found.cells}
    rewritten = opened(with_sources(found, same))
    assert [cell.source for cell in rewritten.cells] == sources


@given(notebooks(), SOURCES, st.data())
def test_a_new_source_leaves_all_other_bytes_as_they_are(
    made: tuple[bytes, list[str]], source: str, data: st.DataObject
) -> None:
    content, sources = made
    number = data.draw(st.integers(1, len(sources)))
    before = opened(content)
    after = opened(with_sources(before, {number: source}))
    cell = before.cells[number - 1]
    rest = len(before.text) - cell.start - len(cell.raw)
    assert after.text[: cell.start] == before.text[: cell.start]
    assert after.text[len(after.text) - rest :] == before.text[len(before.text) - rest :]
    assert after.cells[number - 1].source == source
    assert after.cells[number - 1].raw.startswith("[") == cell.raw.startswith("[")


@given(st.lists(TEXTS, min_size=2, max_size=6), LAYOUTS, st.booleans())
def test_a_source_is_written_as_the_writer_of_the_file_would(
    lines: list[str], layout: dict[str, Any], crlf: bool
) -> None:
    """What was generated in one go is what comes out of changing one line of it."""
    # The file shows its way with other characters only if it has some.
    old, new = ([*lines[:-1], ending, "é"] for ending in ("old", "new"))
    before, after = (
        laid_out(notebook(source.splitlines(keepends=True)), layout, "", crlf=crlf, bom=False)
        for source in map("\n".join, (old, new))
    )
    assert with_sources(opened(before), {1: "\n".join(new)}) == after
