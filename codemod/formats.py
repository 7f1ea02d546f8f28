"""The text and the values that f-strings, ``%`` and ``format`` are put together from."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Sequence

import libcst as cst

from codemod.syntax import dict_items

#: Text, a value that becomes text as ``str()`` makes it, or one that is formatted otherwise.
Part = str | cst.BaseExpression | cst.FormattedStringExpression

_PERCENT_NAMED = re.compile(r"%\(([^()%]*)\)s")
_PERCENT = re.compile(r"%(?:%|s)")


def parts_of_string(node: cst.FormattedString) -> list[Part] | None:
    """Return the parts of an f-string, ``None`` if its text cannot be read."""
    parts: list[Part] = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            text = part.value.replace("{{", "{").replace("}}", "}")
            if "r" not in node.prefix and "\\" in text:
                try:
                    text = ast.literal_eval(f'"""{text}"""')
                except (SyntaxError, ValueError):
                    return None
            parts.append(text)
        else:
            assert isinstance(part, cst.FormattedStringExpression)
            is_plain = part.conversion in (None, "s") and not (part.format_spec or part.equal)
            parts.append(part.expression if is_plain else part)
    return parts


def parts_of_percent(pattern: str, given: cst.BaseExpression) -> Sequence[Part] | None:
    """Return the parts of ``pattern % given``, ``None`` if there is more to it than ``%s``."""
    if isinstance(given, cst.Dict):
        return _by_name(pattern, given)
    values = [one.value for one in given.elements] if isinstance(given, cst.Tuple) else [given]
    texts, marks = _PERCENT.split(pattern), _PERCENT.findall(pattern)
    if any("%" in text for text in texts) or marks.count("%s") != len(values):
        return None
    parts: list[Part] = [texts[0]]
    remaining = iter(values)
    for mark, text in zip(marks, texts[1:], strict=True):
        parts += ["%" if mark == "%%" else next(remaining), text]
    return parts


def _by_name(pattern: str, given: cst.Dict) -> Sequence[Part] | None:
    """Return the parts of ``"s3://%(bucket)s/%(key)s" % {…}``."""
    values = {name: value for name, value, _ in dict_items(given) or ()}
    parts: list[Part] = []
    for number, part in enumerate(_PERCENT_NAMED.split(pattern)):
        if number % 2 == 0:
            if "%" in part:
                return None
            parts.append(part)
        elif part in values and None not in values:
            parts.append(values[part])
        else:
            return None
    return parts


def parts_of_format(pattern: str, args: Sequence[cst.Arg]) -> Sequence[Part] | None:
    """Return the parts of ``pattern.format(…)``, ``None`` if anything in it has a format."""
    by_name = {arg.keyword.value: arg.value for arg in args if arg.keyword}
    by_position = [arg.value for arg in args if not arg.keyword]
    if any(arg.star for arg in args):
        return None
    parts: list[Part] = []
    automatic = 0
    try:
        fields = list(string.Formatter().parse(pattern))
    except ValueError:
        return None
    for text, name, spec, conversion in fields:
        parts.append(text)
        if name is None:
            continue
        if spec or conversion:
            return None
        if name == "":
            name, automatic = str(automatic), automatic + 1
        if name.isdigit() and int(name) < len(by_position):
            parts.append(by_position[int(name)])
        elif name in by_name:
            parts.append(by_name[name])
        else:
            return None
    return parts
