"""``setup.py``: literal lists that are given to ``setup()``; it is never run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from codemod.manifests.requirement import Hindrance, Requirement, pep508
from codemod.manifests.sdk import FLOOR, normalised
from codemod.manifests.specifiers import Enough, raise_specifier

_LISTS = frozenset({"install_requires", "setup_requires", "tests_require"})
_EXTRAS = "extras_require"
_LITERAL = re.compile(r"[rRuU]?(?P<quote>\"\"\"|'''|\"|')(?P<inner>.*)(?P=quote)", re.DOTALL)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
#: An encoding that one of the first two lines declares.
_DECLARED = re.compile(r"(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n?|\n))?[ \t\f]*#[^\r\n]*?coding[:=]")
#: What stands for the bytes of another encoding; none of them is in a requirement.
_BYTES = re.compile("[\udc80-\udcff]")


class NotPythonError(ValueError):
    """The text cannot be parsed; the message says where."""


def find(text: str) -> Iterator[Requirement]:
    """Yield the requirements in ``text`` that concern the SDK.

    Raises:
        NotPythonError: If ``text`` cannot be parsed.
    """
    if _DECLARED.match(text):
        text = _BYTES.sub("?", text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            raise NotPythonError(f"cannot be parsed: line {error.lineno}: {error.msg}") from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise NotPythonError(f"cannot be parsed: {error}") from error
    assigned = _assigned(tree)
    offsets = _line_offsets(text)
    seen: set[ast.Constant] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_setup(node.func):
            for string in _strings_given(node, assigned):
                if string not in seen:
                    seen.add(string)
                    yield from _requirement(text, offsets, string)


def _is_setup(function: ast.expr) -> bool:
    return (isinstance(function, ast.Name) and function.id == "setup") or (
        isinstance(function, ast.Attribute) and function.attr == "setup"
    )


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what the names of the module are bound to, those that are bound once."""
    found: dict[str, ast.expr] = {}
    again: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    again.update({target.id} & found.keys())
                    found[target.id] = node.value
    return {name: value for name, value in found.items() if name not in again}


def _strings_given(call: ast.Call, assigned: dict[str, ast.expr]) -> Iterator[ast.Constant]:
    for keyword in call.keywords:
        value = _resolved(keyword.value, assigned)
        if keyword.arg in _LISTS:
            yield from _strings(value, assigned)
        elif keyword.arg == _EXTRAS and isinstance(value, ast.Dict):
            for extra in value.values:
                yield from _strings(_resolved(extra, assigned), assigned)


def _resolved(value: ast.expr, assigned: dict[str, ast.expr]) -> ast.expr:
    return assigned.get(value.id, value) if isinstance(value, ast.Name) else value


def _strings(value: ast.expr, assigned: dict[str, ast.expr]) -> Iterator[ast.Constant]:
    """Yield the strings of a literal list, of several that are added, or of one in a string."""
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        for item in value.elts:
            inner = item.value if isinstance(item, ast.Starred) else item
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield inner
            elif isinstance(item, ast.Starred):
                yield from _strings(_resolved(inner, assigned), {})
    elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        for side in (value.left, value.right):
            yield from _strings(_resolved(side, assigned), {})
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value


def _line_offsets(text: str) -> list[int]:
    return [match.start() for match in _LINE.finditer(text)]


def _requirement(text: str, offsets: list[int], node: ast.Constant) -> Iterator[Requirement]:
    assert isinstance(node.value, str)
    read = pep508(node.value, 0, len(node.value))
    if read is None:
        return
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = _offset(text, offsets, node.lineno, node.col_offset)
    end = _offset(text, offsets, node.end_lineno, node.end_col_offset)
    literal = _LITERAL.fullmatch(text, start, end)
    if literal is not None and literal["inner"] == node.value:
        found = pep508(text, *literal.span("inner"))
        assert found is not None
        yield found
        return
    if isinstance(raise_specifier(node.value[slice(*read.specifier)], read.dialect), Enough):
        return
    edit = f"write `{normalised(read.name)}>={FLOOR}` as one plain string"
    hindrance = Hindrance("specifier-unclear", edit, "a string in several parts or with escapes")
    yield Requirement(read.name, start, end, (start, start), hindrance=hindrance)


def _offset(text: str, offsets: list[int], line: int, column: int) -> int:
    """Return the offset of a place as ``ast`` tells it: columns count bytes of UTF-8."""
    start = offsets[line - 1]
    return start + len(text[start : start + column].encode()[:column].decode())
