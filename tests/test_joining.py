"""Joining the cells of a notebook to one module, and taking the module apart again."""

from __future__ import annotations

import json

import pytest

from codemod.joining import Joined, join
from codemod.notebook import Notebook, read


def joined(*sources: str | None) -> Joined:
    cells = [
        {
            "cell_type": "code",
            "metadata": {} if source is not None else {"kernel": "R"},
            "source": source or "",
        }
        for source in sources
    ]
    notebook = read(json.dumps({"cells": cells}).encode())
    assert isinstance(notebook, Notebook)
    return join(notebook)


@pytest.mark.parametrize(
    "sources",
    [
        ["a = 1", "b = 2\n", "", "\n", "# the end"],
        ["%cd a\n!ls \\\n  b", "x = !ls\r\ny = 1\r\n", "%%bash\nls", "%%timeit\nx"],
        ["if a:\n    b\n    # comment", "# comment\nclass C:\n    pass\n\n\n", "print 1"],
        ["a\r\nb", "c\nd"],
        [None, "a\r"],
    ],
)
def test_what_is_not_changed_comes_back_unchanged(sources: list[str | None]) -> None:
    module = joined(*sources)
    assert module.divided(module.text) == {}


def test_changes_come_back_in_their_cells() -> None:
    module = joined("a = 1\n", "!ls\nb = 2", "c = 3")
    text = module.text.replace("a = 1\n", "a = 4\nd = 5\n").replace("b = 2", "b = 6")
    assert module.divided(text) == {1: "a = 4\nd = 5\n", 2: "!ls\nb = 6"}


def test_new_lines_end_as_those_of_their_cell_do() -> None:
    module = joined("a\nb", "c\r\nd")
    text = module.text.replace("b", "b\r\nb").replace("d", "d\ne")
    assert module.divided(text) == {1: "a\nb\r\nb", 2: "c\r\nd\r\ne"}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param("__async_inline_cell_2__", "gone", "apart", id="a border is gone"),
        pytest.param("__async_inline_cell_1__", "a\n__async_inline_cell_1__", "apart", id="above"),
        pytest.param("__async_inline_masked_1__()", "a", "cell 1", id="a mask is gone"),
        pytest.param("masked_1__()", "masked_1__() ", "cell 1", id="a mask is not the same"),
        pytest.param(
            "__async_inline_masked_1__()\n__async_inline_masked_2__()",
            "__async_inline_masked_2__()\n__async_inline_masked_1__()",
            "cell 1",
            id="masks are swapped",
        ),
        pytest.param("(print, x)", "(x)", "cell 2", id="a cell changes that is left out"),
    ],
)
def test_what_does_not_fit_is_refused(old: str, new: str, why: str) -> None:
    module = joined("!ls\n%cd a", "print x")
    assert old in module.text
    found = module.divided(module.text.replace(old, new))
    assert isinstance(found, str)
    assert why in found


def test_cells_that_are_no_python_are_named_only_if_they_might_be() -> None:
    module = joined("print 1", "%%bash\nls", None, "%%sparkly\nx", "a = 1\r")
    assert [note.message for note in module.notes("a.ipynb", "call")] == [
        "cell 1 is left out: it cannot be read as Python",
        "cell 4 is left out: %%sparkly is no magic that is known to run Python here",
        "cell 5 is left out: it ends with a carriage return",
    ]


def test_a_magic_that_calls_is_named() -> None:
    module = joined("a = 1\n%time call()\n")
    (note,) = module.notes("a.ipynb", "call")
    assert note.message == "call is left alone: it is called by a magic"
    assert (note.place.cell, note.place.line, note.place.end_column) == (1, 2, 13)
