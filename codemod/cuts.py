"""How code takes the bucket or the key out of a URI, however that is spelled."""

from __future__ import annotations

import re
from typing import NamedTuple

import libcst as cst

from codemod.definitions import Definitions, Kind
from codemod.syntax import (
    argument,
    callee,
    integer_value,
    last_name,
    string_value,
    subscript_key,
)
from codemod.template import BUCKET_OF as BUCKET
from codemod.template import KEY_OF as KEY

#: An expression for a URI, and which part of it.
Cut = tuple[cst.BaseExpression, str]

_SCHEMES = ("s3://", "://")
_PARSERS = ("urlparse", "urlsplit")
#: The places of the bucket and of the key, with a slash before it, in what those give.
_NETLOC, _PATH = 1, 2
#: An expression that takes a URI apart into its bucket and all of the rest.
_EXPRESSION = re.compile(
    r"\^?s3:(?:\\?/){2}\((?:\?P<(\w+)>)?(?:\[\^\\?/\][+*]|\.[+*]\?)\)\\?/\((?:\?P<(\w+)>)?\.[+*]\)\$?"
)
#: One that stands for everything before the key.
_START = re.compile(r"\^s3:(?:\\?/){2}(?:\[\^\\?/\][+*]|\.[+*]\?)\\?/")


class Rest(NamedTuple):
    """An expression that gives what follows a prefix of a URI.

    ``anywhere`` tells whether the prefix need not stand at the beginning, ``often`` whether it is
    taken out wherever it stands.
    """

    uri: cst.BaseExpression
    prefix: cst.BaseExpression
    anywhere: bool
    often: bool = False


def after_prefix(definitions: Definitions, node: cst.BaseExpression) -> Rest | None:
    """Return the URI and the prefix of which an expression gives the rest."""
    if isinstance(node, cst.Subscript):
        lower = _lower(node)
        if isinstance(lower, cst.Call) and callee(lower) == "len" and _is_plain(lower, 1):
            return Rest(node.value, lower.args[0].value, anywhere=False)
        made, position = definitions.resolve(node.value), _index(node)
        if position is None or (isinstance(node.value, cst.Name) and made is not node.value):
            return None  # the list may have been changed
        if callee(made) == "partition" and position in (2, -1):
            return _after(made, 1)
        if callee(made) == "split" and position in (1, -1):
            return _after(made, 2)
        return None
    if callee(node) == "removeprefix":
        return _after(node, 1, anywhere=False)
    if callee(node) == "replace" and isinstance(node, cst.Call) and len(node.args) in (2, 3):
        count = integer_value(node.args[2].value) if len(node.args) == 3 else None
        if len(node.args) == 3 and not count:
            return None  # it may be that nothing is taken out
        rest = _after(node, len(node.args), anywhere=False)
        if rest is not None and string_value(node.args[1].value) == "":
            return rest._replace(often=count != 1)
    return None


def _after(node: cst.BaseExpression, count: int, *, anywhere: bool = True) -> Rest | None:
    """Return what a method of a URI takes apart that is given the prefix first."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return None
    if callee(node) == "split":
        most = argument(node.args, 1, "maxsplit")
        if len(node.args) != count or most is None or integer_value(most.value) != 1:
            return None
        if any(arg.star for arg in node.args) or node.args[0].keyword is not None:
            return None
    elif not _is_plain(node, count):
        return None
    return Rest(node.func.value, node.args[0].value, anywhere)


def _is_plain(call: cst.Call, count: int) -> bool:
    """Tell whether a call is given so many arguments, one by one."""
    return len(call.args) == count and not any(arg.star or arg.keyword for arg in call.args)


def cut(definitions: Definitions, node: cst.BaseExpression) -> Cut | None:
    """Return the URI that an expression takes its bucket or its key from."""
    if isinstance(node, cst.Attribute) and node.attr.value == "netloc":
        uri = _parsed(definitions, node.value)
        return (uri, BUCKET) if uri is not None else None
    if isinstance(node, cst.Subscript):
        position, start = _index(node), _from(node)
        group = _of_group(definitions, node.value, subscript_key(node))
        if group is not None:
            return group
        if position is not None:
            return cut_item(definitions, node.value, position)
        if start == 1:  # parsed.path[1:]
            return _of_path(definitions, node.value)
        return None
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return None
    method, receiver = node.func.attr.value, node.func.value
    if method == "sub":
        return _cut_by_expression(definitions, node)
    if method in ("lstrip", "removeprefix") and _only_text(node) == "/":
        return _of_path(definitions, receiver)
    if method == "group" and len(node.args) == 1:
        named = node.args[0].value
        wanted = string_value(named)
        return _of_group(definitions, receiver, wanted or integer_value(named))
    if method == "join" and string_value(receiver) == "/" and len(node.args) == 1:
        return _cut_rest(definitions, node.args[0].value)
    return None


def cut_item(definitions: Definitions, node: cst.BaseExpression, position: int) -> Cut | None:
    """Return likewise what the item of a sequence was taken from, as in ``a, b = uri.split(…)``."""
    parsed = _parsed(definitions, node)
    if parsed is not None:
        return (parsed, BUCKET) if position == _NETLOC else None
    made = definitions.resolve(node)
    if not isinstance(made, cst.Call) or not isinstance(made.func, cst.Attribute):
        return None
    if isinstance(node, cst.Name) and not _keeps_items(definitions, node):
        return None
    method, receiver = made.func.attr.value, made.func.value
    if method == "groups" and not made.args:
        return _of_group(definitions, receiver, position + 1)
    separator = argument(made.args, 0, "sep")
    if separator is None or string_value(separator.value) != "/":
        return None
    bare = _without_scheme(definitions, receiver)
    if method == "partition" and bare is not None:
        return {0: (bare, BUCKET), 2: (bare, KEY)}.get(position)
    if method != "split":
        return None
    times = argument(made.args, 1, "maxsplit")
    most = integer_value(times.value) if times is not None else None
    first, uri = (0, bare) if bare is not None else (2, receiver)
    if position == first and (times is None or most == first + 1):
        return uri, BUCKET
    return (uri, KEY) if position == first + 1 and most == position else None


def _keeps_items(definitions: Definitions, name: cst.Name) -> bool:
    """Tell whether a list is only read, by its items or as a whole, where it can be seen."""
    index = definitions.index
    for read in definitions.reads(definitions.of(name)):
        above = index.parent[read]
        holder = index.parent.get(above)
        if isinstance(above, cst.Subscript) and above.value is read:
            if isinstance(holder, (cst.AssignTarget, cst.Del, cst.AugAssign)):
                return False
        elif isinstance(above, cst.Arg):
            if callee(holder) not in ("len", "join") if holder is not None else True:
                return False
        elif not (isinstance(above, cst.Assign) and above.value is read and _unpacks(above)):
            return False
    return True


def _unpacks(assign: cst.Assign) -> bool:
    return all(isinstance(one.target, (cst.Tuple, cst.List)) for one in assign.targets)


def _cut_rest(definitions: Definitions, node: cst.BaseExpression) -> Cut | None:
    """Return what ``"/".join(uri.split("/")[3:])`` is the key of."""
    taken = definitions.resolve(node)
    start = _from(taken) if isinstance(taken, cst.Subscript) else None
    if start is None:
        return None
    assert isinstance(taken, cst.Subscript)
    head = cut_item(definitions, taken.value, start - 1)
    made = definitions.resolve(taken.value)
    is_whole = isinstance(made, cst.Call) and len(made.args) == 1
    return (head[0], KEY) if head is not None and head[1] == BUCKET and is_whole else None


def _parsed(definitions: Definitions, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the URI that ``urlparse`` takes apart."""
    made = definitions.resolve(node)
    if not isinstance(made, cst.Call) or last_name(made.func) not in _PARSERS or not made.args:
        return None
    first = made.args[0]
    return first.value if not first.star and first.keyword is None else None


def _of_path(definitions: Definitions, node: cst.BaseExpression) -> Cut | None:
    """Return the URI of which something is the path, the slash in front of the key included."""
    path = definitions.resolve(node)
    parsed: cst.BaseExpression | None = None
    if isinstance(path, cst.Attribute):
        parsed = path.value if path.attr.value == "path" else None
    elif isinstance(path, cst.Subscript):
        parsed = path.value if _index(path) == _PATH else None
    elif isinstance(path, cst.Name):
        definition = definitions.of(path)
        if definition.kind is Kind.UNPACKED and definition.node is not None:
            if definitions.index.place_in_tuple(definition.node) == _PATH:
                parsed = definition.value
    uri = _parsed(definitions, parsed) if parsed is not None else None
    return (uri, KEY) if uri is not None else None


def _of_group(
    definitions: Definitions, node: cst.BaseExpression, wanted: str | int | None
) -> Cut | None:
    """Return what a group of ``re.match(r"s3://([^/]+)/(.+)", uri)`` is, by its name or number."""
    made = definitions.resolve(node)
    if wanted is None or not isinstance(made, cst.Call) or not isinstance(made.func, cst.Attribute):
        return None
    if made.func.attr.value not in ("match", "fullmatch") or any(arg.star for arg in made.args):
        return None
    given = [arg.value for arg in made.args if arg.keyword is None]
    if definitions.origin(made.func) not in ("re.match", "re.fullmatch"):
        compiled = definitions.resolve(made.func.value)
        if not isinstance(compiled, cst.Call) or definitions.origin(compiled.func) != "re.compile":
            return None
        given = [*(arg.value for arg in compiled.args), *given]
    if len(given) != 2:
        return None
    expression = _EXPRESSION.fullmatch(string_value(definitions.resolve(given[0])) or "")
    if expression is None:
        return None
    parts = {1: BUCKET, 2: KEY, expression[1]: BUCKET, expression[2]: KEY}
    return (given[1], parts[wanted]) if wanted in parts else None


def _cut_by_expression(definitions: Definitions, node: cst.Call) -> Cut | None:
    """Return what ``re.sub("^s3://[^/]+/", "", uri)`` leaves the key of."""
    if definitions.origin(node.func) != "re.sub" or not _is_plain(node, 3):
        return None
    expression, empty, uri = (arg.value for arg in node.args)
    text = string_value(definitions.resolve(expression)) or ""
    is_start = _START.fullmatch(text) is not None and string_value(empty) == ""
    return (uri, KEY) if is_start else None


def _without_scheme(
    definitions: Definitions, node: cst.BaseExpression
) -> cst.BaseExpression | None:
    """Return the URI that ``bucket/key`` is the rest of."""
    made = definitions.resolve(node)
    if isinstance(made, cst.Call) and isinstance(made.func, cst.Attribute):
        if made.func.attr.value == "removeprefix" and _only_text(made) == "s3://":
            return made.func.value
        texts = [string_value(arg.value) for arg in made.args[:2]]
        if made.func.attr.value == "replace" and texts == ["s3://", ""]:
            return made.func.value
        return None
    if not isinstance(made, cst.Subscript):
        return None
    if _from(made) == len("s3://"):
        return made.value
    inner = definitions.resolve(made.value)
    if _index(made) in (1, -1) and callee(inner) == "split" and isinstance(inner, cst.Call):
        separator = argument(inner.args, 0, "sep")
        if separator is not None and string_value(separator.value) in _SCHEMES:
            assert isinstance(inner.func, cst.Attribute)
            return inner.func.value
    return None


def _only_text(call: cst.Call) -> str | None:
    return string_value(call.args[0].value) if len(call.args) == 1 else None


def _index(node: cst.Subscript) -> int | None:
    """Return ``n`` of ``x[n]``."""
    only = node.slice[0].slice if len(node.slice) == 1 else None
    if not isinstance(only, cst.Index):
        return None
    value = only.value
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus):
        number = integer_value(value.expression)
        return -number if number is not None else None
    return integer_value(value)


def _from(node: cst.Subscript) -> int | None:
    """Return ``n`` of ``x[n:]``, which ``len("…")`` may be."""
    lower = _lower(node)
    if isinstance(lower, cst.Call) and callee(lower) == "len":
        text = _only_text(lower)
        return len(text) if text is not None else None
    return integer_value(lower)


def _lower(node: cst.Subscript) -> cst.BaseExpression | None:
    """Return what stands before the colon in ``x[n:]``."""
    only = node.slice[0].slice if len(node.slice) == 1 else None
    if not isinstance(only, cst.Slice) or only.upper is not None or only.step is not None:
        return None
    return only.lower
