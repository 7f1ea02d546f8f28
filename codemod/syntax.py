"""Questions about single LibCST nodes: what a name, a literal or a chain of attributes says.

Nothing here knows about scopes or files. ``libcst.matchers`` would answer most of these too, but
importing it costs more than parsing a file of 3,000 lines.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import libcst as cst

#: The fields of a node that hold syntax, leaving out whitespace, brackets and punctuation.
_SKIPPED = (
    "lpar",
    "rpar",
    "lbracket",
    "rbracket",
    "lbrace",
    "rbrace",
    "whitespace",
    "leading",
    "colon",
    "first_colon",
    "second_colon",
    "lines_after",
    "trailing",
    "header",
    "footer",
    "comma",
    "semicolon",
    "equal",
    "dot",
    "indent",
    "encoding",
    "default_",
    "has_trailing_newline",
    "__",
    "separator",
    "operator",
    "asynchronous",
    "star",
    "posonly_ind",
    "conversion",
    "end",
)
_LEAVES = (
    cst.Name,
    cst.SimpleString,
    cst.Integer,
    cst.Float,
    cst.Imaginary,
    cst.FormattedStringText,
    cst.TemplatedStringText,
)

#: What else than nodes stands in their fields. ``isinstance`` asks the abstract base class of all
#: nodes, which takes longer than everything else here.
_NO_NODES = frozenset({type(None), str, bool, int, cst.MaybeSentinel})

_getters: dict[type, Callable[[cst.CSTNode], tuple[Any, ...]]] = {}


def child_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """Return the fields of a node type that hold syntax and not whitespace."""
    if issubclass(kind, _LEAVES):
        return ()
    return tuple(
        name
        for name in kind.__dataclass_fields__
        if name in ("star_arg", "star_kwarg") or not name.startswith(_SKIPPED)
    )


def _getter_of(kind: type[cst.CSTNode]) -> Callable[[cst.CSTNode], tuple[Any, ...]]:
    """Return what takes these fields from a node, all at once."""
    names = child_fields(kind)
    if len(names) > 1:
        return attrgetter(*names)
    (name,) = names or (None,)
    return (lambda node: (getattr(node, name),)) if name is not None else (lambda _: ())


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Return the syntactic children of a node in source order, without whitespace."""
    kind = node.__class__
    getter = _getters.get(kind)
    if getter is None:
        getter = _getters[kind] = _getter_of(kind)
    found: list[cst.CSTNode] = []
    for value in getter(node):
        of = value.__class__
        if of is list or of is tuple:
            found += value
        elif of not in _NO_NODES:
            found.append(value)
    return found


def descendants(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield a node and all syntax below it, in source order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(children(current)))


def names_in(node: cst.CSTNode) -> Iterator[cst.Name]:
    """Yield the names that an expression reads, leaving out attributes and keywords."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.Name):
            yield current
        elif isinstance(current, (cst.Attribute, cst.Arg)):
            stack.append(current.value)
        else:
            stack.extend(reversed(children(current)))


def dotted(node: cst.CSTNode) -> str | None:
    """Return ``a.b.c`` for a chain of attributes on a name, else ``None``."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    parts.append(node.value)
    return ".".join(reversed(parts))


def root_name(node: cst.CSTNode) -> cst.Name | None:
    """Return the name that a chain of attributes, subscripts and calls begins with."""
    while True:
        if isinstance(node, cst.Name):
            return node
        if isinstance(node, (cst.Attribute, cst.Subscript)):
            node = node.value
        elif isinstance(node, cst.Call):
            node = node.func
        elif isinstance(node, cst.Await):
            node = node.expression
        else:
            return None


def last_name(node: cst.CSTNode) -> str | None:
    """Return ``c`` for ``a.b.c`` and for ``c``."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    if isinstance(node, cst.Name):
        return node.value
    return None


def callee(node: cst.CSTNode) -> str | None:
    """Return the last name of what a call calls: ``put_object`` for ``s3.put_object(…)``."""
    return last_name(node.func) if isinstance(node, cst.Call) else None


def unwrap_await(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return what is awaited, or the expression itself."""
    return node.expression if isinstance(node, cst.Await) else node


def string_value(node: cst.CSTNode | None) -> str | None:
    """Return the text of a plain string literal (adjacent ones joined), else ``None``."""
    if isinstance(node, cst.SimpleString):
        text = node.value
        if text[0] in "'\"" and "\\" not in text and "\r" not in text:  # most by far
            width = 3 if text[:3] in ('"""', "'''") else 1
            return text[width:-width]
        if "b" in node.prefix:
            return None
        try:
            value = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            return None
        return value if isinstance(value, str) else None
    if isinstance(node, cst.ConcatenatedString):
        left, right = string_value(node.left), string_value(node.right)
        return left + right if left is not None and right is not None else None
    return None


def is_bytes_literal(node: cst.CSTNode) -> bool:
    """Tell whether a node is a bytes literal."""
    if isinstance(node, cst.ConcatenatedString):
        return is_bytes_literal(node.left)
    return isinstance(node, cst.SimpleString) and "b" in node.prefix


def integer_value(node: cst.CSTNode | None) -> int | None:
    """Return the value of an integer literal or a product of such, else ``None``."""
    if isinstance(node, cst.Integer):
        try:
            return node.evaluated_value
        except (SyntaxError, ValueError):  # more digits than Python reads
            return None
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
        left, right = integer_value(node.left), integer_value(node.right)
        return left * right if left is not None and right is not None else None
    return None


def is_none(node: cst.CSTNode | None) -> bool:
    """Tell whether a node is the literal ``None``."""
    return isinstance(node, cst.Name) and node.value == "None"


def is_self(node: cst.CSTNode) -> bool:
    """Tell whether a name is what methods call their object or class by."""
    return isinstance(node, cst.Name) and node.value in ("self", "cls")


def tested_for_none(test: cst.CSTNode) -> cst.Name | None:
    """Return ``name`` of ``name is None``."""
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    target = test.comparisons[0]
    is_test = isinstance(target.operator, cst.Is) and is_none(target.comparator)
    return test.left if is_test and isinstance(test.left, cst.Name) else None


def keyword(args: Sequence[cst.Arg], name: str) -> cst.Arg | None:
    """Return the argument passed by this keyword."""
    for arg in args:
        if arg.keyword is not None and arg.keyword.value == name:
            return arg
    return None


def argument(args: Sequence[cst.Arg], position: int, name: str) -> cst.Arg | None:
    """Return the argument at this position or passed by this keyword, if it is there."""
    found = keyword(args, name)
    if found is not None or position < 0 or position >= len(args):
        return found
    if any(arg.star or arg.keyword is not None for arg in args[: position + 1]):
        return None
    return args[position]


def dict_items(
    node: cst.CSTNode | None,
) -> list[tuple[str | None, cst.BaseExpression, cst.CSTNode]] | None:
    """Return the items of ``{…}`` or ``dict(…)`` as key, value and the node that holds both.

    The key is ``None`` where it is no string literal and for ``**other``. Anything but the two
    spellings of a literal dictionary gives ``None``.
    """
    items: list[tuple[str | None, cst.BaseExpression, cst.CSTNode]] = []
    if isinstance(node, cst.Dict):
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                items.append((string_value(element.key), element.value, element))
            else:
                items.append((None, element.value, element))
        return items
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "dict":
        for arg in node.args:
            items.append((arg.keyword.value if arg.keyword else None, arg.value, arg))
        return items
    return None


def subscript_key(node: cst.Subscript) -> str | int | None:
    """Return the literal text or number between the brackets of ``x[…]``."""
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    value = node.slice[0].slice.value
    text = string_value(value)
    return text if text is not None else integer_value(value)


def target_names(target: cst.CSTNode) -> Iterator[cst.Name]:
    """Yield the names that assigning to a target binds."""
    if isinstance(target, cst.Name):
        yield target
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from target_names(element.value)
    elif isinstance(target, cst.StarredElement):
        yield from target_names(target.value)


def terminates(block: cst.CSTNode) -> bool:
    """Tell whether control never runs off the end of a block: return, raise, ``sys.exit()`` …"""
    body: Sequence[cst.CSTNode] = getattr(block, "body", ())
    return bool(body) and _ends_here(body[-1])


def returns(block: cst.IndentedBlock) -> bool:
    """Tell whether the last thing that a block does is to return."""
    last = block.body[-1]
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return)


def _ends_here(statement: cst.CSTNode) -> bool:
    if isinstance(statement, cst.SimpleStatementLine):
        statement = statement.body[-1]
    if isinstance(statement, (cst.Return, cst.Raise, cst.Continue, cst.Break)):
        return True
    if isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Call):
        return dotted(statement.value.func) in EXITS
    if isinstance(statement, cst.If):
        other = statement.orelse
        if other is None or not terminates(statement.body):
            return False
        return terminates(other.body) if isinstance(other, cst.Else) else _ends_here(other)
    return isinstance(statement, cst.With) and terminates(statement.body)


#: Functions that end the program.
EXITS = ("exit", "quit", "sys.exit", "os._exit")
