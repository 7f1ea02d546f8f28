"""Breaks new lines that are longer than the lines of the file, as Black does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import cast

import libcst as cst

from codemod.edits import Replacement, substitute
from codemod.index import Index
from codemod.nodes import has_pragma, with_lines

#: The lengths that people set their formatters to.
_WIDTHS = (79, 88, 100, 120)
_TAB = 4
_BARE = cst.SimpleWhitespace("")


def width_of(text: str) -> int | None:
    """Return how long the lines of a file may be, as far as they tell; ``None`` for any length.

    Comments and addresses do not count: no formatter breaks them.
    """
    lengths = [
        len(line.expandtabs(_TAB))
        for line in re.split(r"\r\n?|\n", text)
        if "://" not in line and not line.lstrip().startswith("#")
    ]
    longest = max(lengths, default=0)
    if longest <= _WIDTHS[0] and sum(length > 70 for length in lengths) < 5:
        return _WIDTHS[1]  # so few may be short by chance
    return next((width for width in _WIDTHS if longest <= width), None)


def wrapped(
    index: Index, anchor: cst.CSTNode, statements: Iterable[cst.CSTNode], width: int
) -> list[cst.CSTNode]:
    """Return the statements that take the place of another one, with their long lines broken."""
    module = index.module_of(anchor)
    indents = [
        above.indent if above.indent is not None else module.default_indent
        for above in index.ancestors(anchor)
        if isinstance(above, cst.IndentedBlock)
    ]
    wrapping = _Wrapping(module, width)
    return [
        wrapping.fit(one, indents)
        if isinstance(one, cst.BaseStatement) and not _stays(index, anchor, one)
        else one
        for one in statements
    ]


def _stays(index: Index, anchor: cst.CSTNode, statement: cst.BaseStatement) -> bool:
    """Tell whether a statement is written as it was before, and as deep."""
    if statement in index.parent:
        return True
    bare = [
        with_lines(one, ()) for one in (anchor, statement) if isinstance(one, cst.BaseStatement)
    ]
    return len(bare) == 2 and bare[0].deep_equals(bare[1])


def wrapped_parameters(
    index: Index, function: cst.FunctionDef, params: cst.Parameters, width: int
) -> dict[cst.CSTNode, Replacement]:
    """Return the edits that give a function other parameters, broken if they are too long."""
    now = function.with_changes(params=params)
    broken = wrapped_signature(index, function, now, width)
    if broken is now:
        return {function.params: [params]}
    return {
        function.whitespace_before_params: [broken.whitespace_before_params],
        function.params: [broken.params],
    }


def wrapped_signature(
    index: Index, place: cst.CSTNode, function: cst.FunctionDef, width: int
) -> cst.FunctionDef:
    """Return a function with its parameters on lines of their own, if they are too long for one.

    Args:
        index: The modules.
        place: A function where this one is to stand.
        function: The function.
        width: How long a line may be.
    """
    module = index.module_of(place)
    bare = function.with_changes(
        body=cst.SimpleStatementSuite([cst.Pass()]), decorators=(), leading_lines=()
    )
    code = module.code_for_node(bare).rstrip()
    column = sum(
        _length(above.indent if above.indent is not None else module.default_indent)
        for above in index.ancestors(place)
        if isinstance(above, cst.IndentedBlock)
    )
    if "\n" in code or column + len(code) - len(" pass") <= width:
        return function
    inner, outer = _brackets(module)
    line = module.code_for_node(function.params)
    one_each = _length(module.default_indent) + column + len(line) > width
    params = _broken_parameters(function.params, inner, outer, one_each=one_each)
    return function.with_changes(whitespace_before_params=inner, params=params)


def _broken_parameters(
    params: cst.Parameters,
    inner: cst.ParenthesizedWhitespace,
    outer: cst.ParenthesizedWhitespace,
    *,
    one_each: bool,
) -> cst.Parameters:
    """Return parameters on a line of their own, or each on one."""
    between = cst.Comma(whitespace_after=inner if one_each else cst.SimpleWhitespace(" "))
    changes: dict[str, object] = {
        name: [
            one.with_changes(comma=between, whitespace_after_param=_BARE)
            for one in getattr(params, name)
        ]
        for name in ("posonly_params", "params", "kwonly_params")
    }
    for name in ("star_arg", "posonly_ind", "star_kwarg"):
        mark = getattr(params, name)
        if isinstance(mark, (cst.ParamStar, cst.ParamSlash, cst.Param)):
            changes[name] = mark.with_changes(comma=between)
    end: dict[str, object] = (
        {"comma": cst.Comma(whitespace_after=outer)}
        if one_each
        else {"comma": cst.MaybeSentinel.DEFAULT, "whitespace_after_param": outer}
    )
    last = changes.get("star_kwarg")
    if isinstance(last, cst.Param):
        changes["star_kwarg"] = last.with_changes(**end)
        return params.with_changes(**changes)
    group = next(
        name for name in ("kwonly_params", "params", "posonly_params") if getattr(params, name)
    )
    every = cast(list[cst.Param], changes[group])
    every[-1] = every[-1].with_changes(**end)
    return params.with_changes(**changes)


def _brackets(
    module: cst.Module,
) -> tuple[cst.ParenthesizedWhitespace, cst.ParenthesizedWhitespace]:
    """Return what stands behind an opening bracket and in front of a closing one."""
    inner = cst.ParenthesizedWhitespace(
        indent=True, last_line=cst.SimpleWhitespace(module.default_indent)
    )
    return inner, cst.ParenthesizedWhitespace(indent=True, last_line=_BARE)


class _Wrapping:
    def __init__(self, module: cst.Module, width: int) -> None:
        self._module = module
        self._width = width

    def fit(self, statement: cst.BaseStatement, indents: Sequence[str]) -> cst.BaseStatement:
        if isinstance(statement, cst.SimpleStatementLine):
            return self._line(statement, sum(map(_length, indents)))
        if not isinstance(statement, (cst.If, cst.With, cst.For)):
            return statement
        changes: dict[str, cst.CSTNode] = {}
        if isinstance(statement.body, cst.IndentedBlock):
            changes["body"] = self._block(statement.body, indents)
        other = None if isinstance(statement, cst.With) else statement.orelse
        if isinstance(other, cst.Else) and isinstance(other.body, cst.IndentedBlock):
            changes["orelse"] = other.with_changes(body=self._block(other.body, indents))
        return statement.with_changes(**changes)

    def _block(self, block: cst.IndentedBlock, indents: Sequence[str]) -> cst.IndentedBlock:
        own = block.indent if block.indent is not None else self._module.default_indent
        return block.with_changes(body=[self.fit(one, [own, *indents]) for one in block.body])

    def _line(self, line: cst.SimpleStatementLine, column: int) -> cst.SimpleStatementLine:
        bare = line.with_changes(leading_lines=(), trailing_whitespace=cst.TrailingWhitespace())
        code = self._module.code_for_node(bare).rstrip()
        if len(line.body) != 1 or self._fits(bare, column):
            return line
        if has_pragma(line):  # which may be about any part of it
            return line
        small = line.body[0]
        if (
            isinstance(small, cst.Assign)
            and isinstance(small.value, cst.IfExp)
            and "\n" not in code
        ):
            return self._choice(line, small, small.value, column)
        call = _longest_call(small, self._module)
        if call is None or any("\n" in self._module.code_for_node(arg.value) for arg in call.args):
            return line
        if "\n" in code and isinstance(call.args[0].comma, cst.Comma):
            if isinstance(call.args[0].comma.whitespace_after, cst.ParenthesizedWhitespace):
                return line  # it is broken as far as it can be
        changed = line
        for one_each in (False, True) if _may_be_one_each(call) else (False,):
            broken = _broken(call, self._module, one_each=one_each)
            changed = substitute(line, {call: [broken]})
            if self._fits(changed, column):
                break
        return changed

    def _choice(
        self, line: cst.SimpleStatementLine, small: cst.Assign, choice: cst.IfExp, column: int
    ) -> cst.SimpleStatementLine:
        changed = line
        for one_each in (False, True):
            broken = _broken_choice(choice, self._module, one_each=one_each)
            changed = line.with_changes(body=[small.with_changes(value=broken)])
            if self._fits(changed, column):
                break
        return changed

    def _fits(self, line: cst.SimpleStatementLine, indent: int) -> bool:
        column = indent
        rendered = self._module.code_for_node(line.with_changes(leading_lines=()))
        for part in rendered.split("\n"):
            if column + _length(part.rstrip()) > self._width:
                return False
            # What follows a backslash has all of its indent in itself.
            column = 0 if part.rstrip().endswith("\\") else indent
        return True


def _may_be_one_each(call: cst.Call) -> bool:
    """Tell whether there is a comma to break a line at; ``f(x for x in y,)`` is no Python."""
    return len(call.args) > 1


def _length(indent: str) -> int:
    return len(indent.expandtabs(_TAB))


def _longest_call(small: cst.BaseSmallStatement, module: cst.Module) -> cst.Call | None:
    """Return the call to break: of those in a chain the one with the most in its brackets."""
    node = getattr(small, "value", None)
    best: tuple[int, cst.Call] | None = None
    while node is not None:
        if isinstance(node, cst.Call):
            size = sum(len(module.code_for_node(arg)) for arg in node.args)
            if node.args and (best is None or size > best[0]):
                best = size, node
            node = node.func
        elif isinstance(node, (cst.Attribute, cst.Subscript)):
            node = node.value
        elif isinstance(node, cst.Await):
            node = node.expression
        else:
            break
    return best[1] if best is not None else None


def _broken_choice(choice: cst.IfExp, module: cst.Module, *, one_each: bool) -> cst.IfExp:
    """Return ``a if test else b`` in brackets, on a line of its own or on three."""
    if choice.lpar:
        return choice
    inner, outer = _brackets(module)
    return choice.with_changes(
        lpar=[cst.LeftParen(whitespace_after=inner)],
        rpar=[cst.RightParen(whitespace_before=outer)],
        whitespace_before_if=inner if one_each else choice.whitespace_before_if,
        whitespace_before_else=inner if one_each else choice.whitespace_before_else,
    )


def _broken(call: cst.Call, module: cst.Module, *, one_each: bool) -> cst.Call:
    """Return a call with its arguments on a line of their own, or each on one."""
    inner, outer = _brackets(module)
    between = cst.Comma(whitespace_after=inner if one_each else cst.SimpleWhitespace(" "))
    args = [arg.with_changes(comma=between, whitespace_after_arg=_BARE) for arg in call.args]
    if one_each:
        args[-1] = args[-1].with_changes(comma=cst.Comma(whitespace_after=outer))
    else:
        end = cst.MaybeSentinel.DEFAULT
        args[-1] = args[-1].with_changes(comma=end, whitespace_after_arg=outer)
    return call.with_changes(args=args, whitespace_before_args=inner)
