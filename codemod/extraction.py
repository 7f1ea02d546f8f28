"""Takes the making of the payload out of a function that uploads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import libcst as cst

from codemod.arguments import keyword_argument, with_last, without_comment
from codemod.classes import owner_of
from codemod.edits import Replacement, apply, substitute
from codemod.facts import Facts
from codemod.idiom import Idiom
from codemod.index import Index
from codemod.nodes import assign, blank_lines, encoded, from_comment, leading_lines, with_lines
from codemod.parameters import with_body
from codemod.payload import Form
from codemod.redent import redented
from codemod.syntax import callee, dotted
from codemod.transfers import Extraction, Split, Upload
from codemod.wrapping import wrapped, wrapped_parameters, wrapped_signature


def extract(facts: Facts, split: Split, width: int | None) -> dict[cst.CSTNode, Replacement]:
    """Return the edits that put a function with the making of the payload in front of another.

    The function gets an optional keyword with the payload and makes it only if there is none.

    Args:
        facts: The modules.
        split: What moves.
        width: How long the lines of the file may be, ``None`` for any length.
    """
    function, parts = split.function, split.extraction
    edits = _with_parameter(facts, split, width)
    if parts is not None:
        _take_out(facts, split, parts, edits)
    if split.handed_to is not None:
        last = split.handed_to.args[-1]
        added = keyword_argument(split.inner_body, cst.Name(split.body))
        edits[last] = with_last(split.handed_to.carrier, last, added)
    if width is not None:
        for anchor, new in edits.items():
            if isinstance(anchor, cst.BaseStatement):
                edits[anchor] = wrapped(facts.index, anchor, new, width)
    changed = _without_gap(function, apply(facts.index, function, edits))
    if parts is None or split.maker.exists:
        return {function: [changed]}
    maker = _maker(facts, split, parts)
    if width is not None:
        maker = wrapped_signature(facts.index, function, maker, width)
    lines = leading_lines(function)
    around = blank_lines(lines)
    is_first = facts.index.position(function) == 0 or facts.cells.is_notebook
    gap = (cst.EmptyLine(indent=False),) * (1 if owner_of(facts, function) is not None else 2)
    section, own = _section_above(lines)
    changed = changed.with_changes(leading_lines=[*(around if not is_first else gap), *own])
    return {function: [with_lines(maker, section), changed]}


def _section_above(
    lines: Sequence[cst.EmptyLine],
) -> tuple[Sequence[cst.EmptyLine], Sequence[cst.EmptyLine]]:
    """Return what stands above a function for all that follows, and what for itself only."""
    blank = [place for place, line in enumerate(lines) if line.comment is None]
    end = blank[-1] + 1 if blank else 0
    return lines[:end], lines[end:]


def _without_gap(before: cst.FunctionDef, after: cst.FunctionDef) -> cst.FunctionDef:
    """Return a function without the blank lines in front of what is its first statement now."""
    body = after.body
    assert isinstance(body, cst.IndentedBlock)
    place = 1 if before.get_docstring() is not None else 0
    first = body.body[place]
    old = cast(cst.IndentedBlock, before.body).body[place]
    lines = from_comment(leading_lines(first))
    if first is old or place or lines == tuple(leading_lines(first)):
        return after
    bare = with_lines(first, lines)
    return after.with_changes(body=body.with_changes(body=[bare, *body.body[1:]]))


# -- the function that makes the payload ---------------------------------------------------


def _maker(facts: Facts, split: Split, parts: Extraction) -> cst.FunctionDef:
    function = split.function
    body = function.body
    assert isinstance(body, cst.IndentedBlock)
    statements: list[cst.BaseStatement] = [*parts.statements]
    result = parts.result
    if parts.result is not parts.payload and statements and _is_rewinding(statements[-1]):
        statements.pop()
    last = statements[-1] if statements else None
    if last is not None and _only_gives(last, result):
        assert isinstance(last, cst.SimpleStatementLine)
        small = cast(cst.Assign, last.body[0])
        result = redented(facts.index, small.value, len("return "))
        statements.pop()
    elif result is parts.payload:
        result = redented(facts.index, result, len("return "))
    if parts.is_text:
        idiom = Idiom(facts.index, facts.index.statement(parts.payload), [function])
        result = encoded(result, idiom.string("utf-8"))
    returned = cst.SimpleStatementLine([cst.Return(result)])
    if last is not None and not (statements and statements[-1] is last):
        returned = returned.with_changes(leading_lines=leading_lines(last))
    statements.append(returned)
    statements[0] = with_lines(statements[0], from_comment(leading_lines(statements[0])))
    if function.get_docstring() is not None:
        text = f'"""Return the payload that ``{function.name.value}`` uploads."""'
        docstring = cst.SimpleStatementLine([cst.Expr(cst.SimpleString(text))])
        statements.insert(0, docstring)
    is_typed = function.returns is not None and split.form is Form.BYTES
    return cst.FunctionDef(
        cst.Name(split.maker.name),
        _parameters(function, split),
        body.with_changes(body=statements, footer=(), header=cst.TrailingWhitespace()),
        decorators=[
            one.with_changes(leading_lines=())
            for one in function.decorators
            if dotted(one.decorator) in ("staticmethod", "classmethod")
        ],
        returns=cst.Annotation(cst.Name("bytes")) if is_typed else None,
        asynchronous=cst.Asynchronous() if split.maker.is_async else None,
    )


def _only_gives(statement: cst.BaseStatement, result: cst.BaseExpression) -> bool:
    """Tell whether a statement only gives the variable its value that is returned."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    return (
        isinstance(small, cst.Assign)
        and len(small.targets) == 1
        and isinstance(result, cst.Name)
        and isinstance(small.targets[0].target, cst.Name)
        and small.targets[0].target.value == result.value
        and statement.trailing_whitespace.comment is None
    )


def _is_rewinding(statement: cst.BaseStatement) -> bool:
    """Tell whether a statement is ``buffer.seek(0)``, which says nothing to ``getvalue``."""
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and len(statement.body) == 1
        and isinstance(statement.body[0], cst.Expr)
        and callee(statement.body[0].value) == "seek"
    )


def _parameters(function: cst.FunctionDef, split: Split) -> cst.Parameters:
    """Return ``self`` and those of the parameters that are needed, on one line."""

    def kept(params: Sequence[cst.Param]) -> list[cst.Param]:
        bare = cst.SimpleWhitespace("")
        return [
            one.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_param=bare)
            for one in params
            if one in split.maker.arguments or one.name.value == split.own
        ]

    given = function.params
    keyword_only = kept(given.kwonly_params)
    return cst.Parameters(
        params=[*kept(given.posonly_params), *kept(given.params)],
        star_arg=cst.ParamStar() if keyword_only else cst.MaybeSentinel.DEFAULT,
        kwonly_params=keyword_only,
    )


# -- the function that uploads -------------------------------------------------------------


def _with_parameter(
    facts: Facts, split: Split, width: int | None
) -> dict[cst.CSTNode, Replacement]:
    params = with_body(facts, split.function, split.body)
    if width is None:
        return {split.function.params: [params]}
    return wrapped_parameters(facts.index, split.function, params, width)


def _take_out(
    facts: Facts, split: Split, parts: Extraction, edits: dict[cst.CSTNode, Replacement]
) -> None:
    """Add the edits of the statements of the function that uploads."""
    index, function = facts.index, split.function
    body, made = cst.Name(split.body), _call_of_maker(split)
    if not parts.keeps_name:
        put = body if parts.handle is None else cst.Call(parts.handle, [cst.Arg(body)])
        edits[parts.payload] = [put]
    new = _made_if_missing(split, parts, body, made, function)
    for statement in parts.statements:
        edits[statement] = ()
    if parts.statements:
        anchor = parts.statements[-1]
        first = leading_lines(parts.statements[0])
        edits[anchor] = [with_lines(new, blank_lines(first))]
        return
    statement = index.statement(parts.payload)
    inner: dict[cst.CSTNode, Replacement] = {}
    if parts.payload in edits:
        inner[parts.payload] = edits.pop(parts.payload)
    changed = apply(index, statement, inner)
    edits[statement] = [
        with_lines(new, leading_lines(statement)),
        with_lines(cast(cst.BaseStatement, changed), ()),
    ]


def _made_if_missing(
    split: Split,
    parts: Extraction,
    body: cst.Name,
    made: cst.BaseExpression,
    function: cst.FunctionDef,
) -> cst.BaseStatement:
    """Return ``if body is None: body = maker(…)``, or its like for a variable that is read."""
    test = cst.Comparison(body, [cst.ComparisonTarget(cst.Is(), cst.Name("None"))])
    if parts.keeps_name and cast(cst.Name, parts.payload).value != split.body:
        name = cast(cst.Name, parts.payload).value
        return assign(name, cst.IfExp(test=test, body=made, orelse=body))
    block = cast(cst.IndentedBlock, function.body)
    return cst.If(
        test,
        block.with_changes(
            body=[assign(split.body, made)], footer=(), header=cst.TrailingWhitespace()
        ),
    )


def _call_of_maker(split: Split) -> cst.BaseExpression:
    keyword_only = split.function.params.kwonly_params
    args = [
        keyword_argument(one.name.value, cst.Name(one.name.value))
        if one in keyword_only
        else cst.Arg(cst.Name(one.name.value))
        for one in split.maker.arguments
    ]
    maker: cst.BaseExpression = cst.Name(split.maker.name)
    if split.own is not None:
        maker = cst.Attribute(cst.Name(split.own), cst.Name(split.maker.name))
    call = cst.Call(maker, args)
    return cst.Await(call) if split.maker.is_async else call


# -- the modules of the callers ------------------------------------------------------------


def name_makers(
    index: Index,
    uploads: Iterable[Upload],
    widths: Mapping[cst.Module, int | None],
    edits: dict[cst.CSTNode, Replacement],
) -> None:
    """Add the functions that make payloads to the imports of those that upload.

    Args:
        index: The modules.
        uploads: The calls of functions that are split.
        widths: How long the lines of each module may be.
        edits: All other edits, which may put something beside the imports.
    """
    wanted: dict[cst.ImportFrom, set[str]] = {}
    for upload in uploads:
        via = upload.via
        if via is not None and via.split is not None and via.importing is not None:
            wanted.setdefault(via.importing, set()).add(via.split.maker.name)
    for node, names in wanted.items():
        statement = index.statement(node)
        width = widths.get(index.module_of(node))
        inner: dict[cst.CSTNode, Replacement] = {node: [_importing(index, node, names, width)]}
        now = cast(Sequence[cst.BaseStatement], edits.get(statement, [statement]))
        edits[statement] = [substitute(one, inner) for one in now]


def _alike(name: str) -> tuple[int, str]:
    return 0, name.lower()


def _by_kind(name: str) -> tuple[int, str]:
    """Sort constants before classes before everything else, as isort does."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name.lower()


def _importing(
    index: Index, node: cst.ImportFrom, names: Iterable[str], width: int | None
) -> cst.ImportFrom:
    """Return an import with further names, sorted in if the others are sorted."""
    assert not isinstance(node.names, cst.ImportStar)
    aliases = list(node.names)
    apart: cst.BaseParenthesizableWhitespace = cst.SimpleWhitespace(" ")
    if isinstance(node.lpar, cst.LeftParen):
        if isinstance(node.lpar.whitespace_after, cst.ParenthesizedWhitespace):
            apart = node.lpar.whitespace_after
    between = next(
        (one.comma for one in aliases[:-1] if isinstance(one.comma, cst.Comma)),
        cst.Comma(whitespace_after=apart),
    )
    old, end = aliases[-1], aliases[-1].comma
    known = [dotted(one.name) or "" for one in aliases]
    order = next((key for key in (_by_kind, _alike) if known == sorted(known, key=key)), None)
    for name in sorted(names):
        place = len(known)
        if order is not None:
            place = sum(order(other) < order(name) for other in known)
        known.insert(place, name)
        aliases.insert(place, cst.ImportAlias(cst.Name(name), comma=without_comment(between)))
    aliases = [
        one.with_changes(comma=without_comment(between)) if one is old else one for one in aliases
    ]
    aliases[-1] = aliases[-1].with_changes(comma=end)
    extended = node.with_changes(names=aliases)
    module = index.module_of(node)
    code = module.code_for_node(extended)
    if width is None or "\n" in code or len(code) <= width or node.lpar is not None:
        return extended
    inner = cst.ParenthesizedWhitespace(
        indent=True, last_line=cst.SimpleWhitespace(module.default_indent)
    )
    comma = cst.Comma(whitespace_after=inner)
    outer = cst.Comma(whitespace_after=cst.ParenthesizedWhitespace(indent=True))
    aliases = [one.with_changes(comma=comma) for one in aliases]
    aliases[-1] = aliases[-1].with_changes(comma=outer)
    return extended.with_changes(
        names=aliases, lpar=cst.LeftParen(whitespace_after=inner), rpar=cst.RightParen()
    )
