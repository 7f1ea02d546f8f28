"""Reading cells with magics as Python."""

from __future__ import annotations

from itertools import count

import pytest

from codemod.magics import Reading, read_cell


def reading(source: str) -> Reading:
    numbers = count(1)
    return read_cell(source, lambda: f"m{next(numbers)}")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("%pip install boto3", "m1()", id="a line magic"),
        pytest.param("!ls -l it's", "m1()", id="a shell command with a quote"),
        pytest.param("!!ls\nx = (1", None, id="the rest is no Python"),
        pytest.param("pip install -U boto3", "m1()", id="a magic without its sign"),
        pytest.param("cd ~/data\nx = 1", "m1()\nx = 1", id="another one"),
        pytest.param("!a \\\n  b \\\n  c\nx = 1", "m1()\nm2()\nm3()\nx = 1", id="three lines"),
        pytest.param("!a \\", "m1()", id="nothing continues the line"),
        pytest.param("x = !ls {folder} $name", "x = m1(folder, name)", id="its lines are bound"),
        pytest.param("a, *b = %sx ls", "a, *b = m1()", id="several names are bound"),
        pytest.param("x.y[0] = !ls", "x.y[0] = m1()", id="an item is bound"),
        pytest.param("x + 1 = !ls", None, id="no target"),
        pytest.param("x = y != z\n!ls", "x = y != z\nm1()", id="a comparison"),
        pytest.param("x = 5 %y\n!ls", "x = 5 %y\nm1()", id="a remainder"),
        pytest.param("if x:\n  !ls\nelse:\n\t%cd a", "if x:\n  m1()\nelse:\n\tm2()", id="blocks"),
        pytest.param("uri?\n??uri\na.b??  # help", "m1()\nm2()\nm3()", id="help"),
        pytest.param("%who\nx = '''\n%a\n!b\n'''", "m1()\nx = '''\n%a\n!b\n'''", id="a string"),
        pytest.param("x = (a\n%b\n)\n%who", "x = (a\n%b\n)\nm1()", id="brackets"),
        pytest.param("x = a \\\n%b\n%who", "x = a \\\n%b\nm1()", id="a continued line"),
        pytest.param("# it's\n%who", "# it's\nm1()", id="a comment"),
        pytest.param("%time f(uri)", "m1(f, uri)", id="names in an expression"),
        pytest.param("%time x = f(uri)", "x = m1(f, uri)", id="a timed assignment"),
        pytest.param("%cd a\r\nx = 1\r\n", "m1()\r\nx = 1\r\n", id="carriage returns"),
        pytest.param("%%time\nx = 1;", "m1()\nx = 1;", id="a cell magic"),
        pytest.param("\n%%capture out\n%%time\n!a", "\nm1(out)\nm2()\nm3()", id="two cell magics"),
        pytest.param("await f()\n!a", "await f()\nm1()", id="await"),
    ],
)
def test_magics_are_masked_line_for_line(source: str, expected: str | None) -> None:
    found = reading(source)
    assert (found.left_out is None) == (expected is not None)
    if expected is not None:
        assert found.text == expected
        assert found.text.count("\n") == source.count("\n")
        restored = found.text
        for mask in found.masks:
            assert restored.count(mask.line) == 1
            restored = restored.replace(mask.line, mask.original)
        assert restored == source


@pytest.mark.parametrize(
    "source",
    ["", "\n", "# only a comment", "x = 1", "x = '''\n!a\n'''", "%%no".replace("%", "#"), "x;"],
)
def test_what_is_python_stays_as_it_is(source: str) -> None:
    assert reading(source) == Reading(source)


@pytest.mark.parametrize(
    ("source", "text", "is_remarkable"),
    [
        pytest.param("%%bash\necho $uri", "", False, id="shell"),
        pytest.param('%%bash -s "$uri" {key}\necho $1', "m1(uri, key)", False, id="its arguments"),
        pytest.param("%%html\n<p>{uri}", "", False, id="markup"),
        pytest.param("%%writefile a.py\nuri = 1", "", False, id="a file"),
        pytest.param("%%!\nls", "", False, id="no name"),
        pytest.param("%%mystery\nselect {uri}, $key", "m1(uri, key)", True, id="unknown"),
        pytest.param("%%timeit\nput(uri)", "m1(put, uri)", True, id="names of its own"),
        pytest.param("print 'x', uri", "m1(print, x, uri)", True, id="Python 2"),
        pytest.param("key = 1\nx += !", "key = x = m1(key, x)", True, id="names are bound"),
        pytest.param("x = '\ud800'", "x = m1(x)", True, id="half a character"),
        pytest.param("x = '\0'", "x = m1(x)", True, id="a NUL"),
    ],
)
def test_what_is_no_python_is_left_out(source: str, text: str, is_remarkable: bool) -> None:
    found = reading(source)
    assert found.left_out is not None
    assert (found.text, found.is_remarkable) == (text, is_remarkable)
