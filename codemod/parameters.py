"""Gives a function of the file an optional keyword with the body of the request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import libcst as cst

from codemod.arguments import keyword_argument, star_in_place, with_last, without_comment
from codemod.calls import LegacyCall, Telling, Through
from codemod.edits import Replacement, apply
from codemod.facts import Facts
from codemod.idiom import Idiom
from codemod.names import body_parameter, free_name, names_in_function
from codemod.nodes import (
    assign,
    blank_lines,
    from_comment,
    leading_lines,
    on_one_line,
    with_lines,
)
from codemod.syntax import dotted

_SPACE = cst.SimpleWhitespace(" ")
_BARE = cst.SimpleWhitespace("")


def give_body(facts: Facts, through: Through, *, skips: bool) -> dict[cst.CSTNode, Replacement]:
    """Return the edits that let a function send a body instead of the URI it was given.

    The parameter is optional and comes by keyword only, so every other caller goes on as before.
    With ``skips``, a caller that has a body has no URI to give, and gives ``None`` for it; nor
    should there be one in a log line then.
    """
    function, calls = through.function, through.calls
    name = body_parameter(function)
    edits: dict[cst.CSTNode, Replacement] = {
        function.params: [
            with_body(facts, function, name, calls[0].location if skips and calls else None)
        ],
        **leave_out(facts, through.telling, skips=skips),
    }
    direct = [inner for inner in calls if inner.through is None]
    for inner in calls:
        if inner.through is not None:
            edits.update(_hand_on(inner, name))
    if len(direct) > 1 and _is_given(facts, direct[0].location):
        edits.update(_choose_once(facts, function, direct, name, edits))
    else:
        for inner in direct:
            edits.update(_send(facts, function, inner, name))
    return edits


def leave_out(
    facts: Facts, telling: Iterable[Telling], *, skips: bool
) -> dict[cst.CSTNode, Replacement]:
    """Return the edits that leave out log lines where there is a body, and nothing to tell.

    Without ``skips`` there is a URI to tell all the same, but it was not uploaded.
    """
    edits: dict[cst.CSTNode, Replacement] = {}
    for one in telling:
        if skips or one.announces:
            block = Idiom(facts.index, one.line, ()).block([with_lines(one.line, ())])
            lines = leading_lines(one.line)
            edits[one.line] = [cst.If(_is_missing(one.body), block, leading_lines=lines)]
    return edits


def _is_given(facts: Facts, location: cst.BaseExpression) -> bool:
    """Tell whether a URI is just a parameter, which is there from the first statement on."""
    return isinstance(location, cst.Name) and isinstance(
        facts.definitions.of(location).node, cst.Param
    )


def _choose_once(
    facts: Facts,
    function: cst.FunctionDef,
    calls: Sequence[LegacyCall],
    name: str,
    others: dict[cst.CSTNode, Replacement],
) -> dict[cst.CSTNode, Replacement]:
    """Choose what to send at the beginning of the function, for all of its calls.

    Of its ``others``, edits of the first statement become part of these.
    """
    request, chosen = _choice(facts, function, calls[0], name)
    edits = {node: others.pop(node) for node in list(others) if node is not function.params}
    for call in calls:
        statement = facts.index.statement(call.invocation.carrier)
        edits[statement] = [_starred(facts, call, request)]
    first = _first_statement(function)
    within = {node: edits.pop(node) for node in list(edits) if facts.index.inside(node, first)}
    changed = within[first][0] if first in within else apply(facts.index, first, within)
    lines = leading_lines(first)
    now = with_lines(cast(cst.BaseStatement, changed), from_comment(lines))
    edits[first] = [with_lines(assign(request, chosen), blank_lines(lines)), now]
    return edits


def _first_statement(function: cst.FunctionDef) -> cst.BaseStatement:
    """Return the first statement after the docstring."""
    body = function.body
    assert isinstance(body, cst.IndentedBlock)
    first = body.body[0]
    if len(body.body) > 1 and function.get_docstring(clean=False) is not None:
        first = body.body[1]
    return first


def _hand_on(inner: LegacyCall, name: str) -> dict[cst.CSTNode, Replacement]:
    """Pass the body on to the next function."""
    assert inner.through is not None
    taken = inner.through.has_body or body_parameter(inner.through.function)
    call = inner.invocation.carrier
    last = call.args[-1]
    return {last: with_last(call, last, keyword_argument(taken, cst.Name(name)))}


def _send(
    facts: Facts, function: cst.FunctionDef, inner: LegacyCall, name: str
) -> dict[cst.CSTNode, Replacement]:
    """Send exactly one of the body and the URI."""
    statement = facts.index.statement(inner.entry)
    request, chosen = _choice(facts, function, inner, name)
    lines = tuple(getattr(statement, "leading_lines", ()))
    if isinstance(inner.entry, cst.Assign):  # parameters["InputLocation"] = uri
        target = cst.ensure_type(inner.entry.targets[0].target, cst.Subscript)
        update = cst.Call(cst.Attribute(target.value, cst.Name("update")), [cst.Arg(chosen)])
        return {inner.entry: [cst.Expr(update)]}
    made = assign(request, chosen).with_changes(leading_lines=lines)
    return {statement: [made, with_lines(_starred(facts, inner, request), ())]}


def _choice(
    facts: Facts, function: cst.FunctionDef, inner: LegacyCall, name: str
) -> tuple[str, cst.IfExp]:
    """Return a name for what to send, and the expression that decides on it."""
    request = free_name(names_in_function(function), "request_input", "async_request_input")
    idiom = Idiom(facts.index, facts.index.statement(inner.entry), [function])
    chosen = cst.IfExp(
        test=_is_missing(name),
        body=_dictionary(idiom.string("InputLocation"), on_one_line(inner.location)),
        orelse=_dictionary(idiom.string("Body"), cst.Name(name)),
    )
    return request, chosen


def _is_missing(name: str) -> cst.Comparison:
    return cst.Comparison(cst.Name(name), [cst.ComparisonTarget(cst.Is(), cst.Name("None"))])


def _starred(facts: Facts, inner: LegacyCall, request: str) -> cst.BaseStatement:
    """Return the statement of a call, or of its dictionary, that sends what was chosen."""
    entry, chosen = inner.entry, cst.Name(request)
    edits: dict[cst.CSTNode, Replacement]
    if isinstance(entry, cst.DictElement):
        edits = {entry: [cst.StarredDictElement(chosen, comma=entry.comma)]}
    else:
        assert isinstance(entry, cst.Arg)
        edits = dict(star_in_place(facts.index, entry, chosen))
    return apply(facts.index, facts.index.statement(entry), edits)


def _dictionary(key: cst.SimpleString, value: cst.BaseExpression) -> cst.Dict:
    return cst.Dict([cst.DictElement(key, value)])


def with_body(
    facts: Facts,
    function: cst.FunctionDef,
    name: str,
    skipped: cst.BaseExpression | None = None,
) -> cst.Parameters:
    """Return the parameters of a function with an optional keyword for the body.

    A parameter that may be ``None`` where there is a body is ``skipped``.
    """
    params = function.params
    if isinstance(skipped, cst.Name):
        params = _with_optional(facts, function, facts.definitions.of(skipped).node)
    given = [*params.posonly_params, *params.params, *params.kwonly_params]
    between = without_comment(
        next(
            (param.comma for param in given if isinstance(param.comma, cst.Comma)),
            cst.Comma(whitespace_after=_SPACE),
        )
    )
    last = next(iter(reversed([*params.params, *params.kwonly_params])), None)
    end = last.comma if last is not None else cst.MaybeSentinel.DEFAULT
    behind = _with_comment_of(end, between)
    annotation = _annotation(facts, function)
    around = _BARE if annotation is None else _SPACE
    added = cst.Param(
        cst.Name(name),
        annotation=annotation,
        equal=cst.AssignEqual(whitespace_before=around, whitespace_after=around),
        default=cst.Name("None"),
        comma=without_comment(end) if isinstance(end, cst.Comma) else end,
        whitespace_after_param=last.whitespace_after_param if last is not None else _BARE,
    )
    changes: dict[str, object] = {}
    if params.kwonly_params:
        before = params.kwonly_params[-1].with_changes(comma=behind, whitespace_after_param=_BARE)
        changes["kwonly_params"] = [*params.kwonly_params[:-1], before, added]
        return params.with_changes(**changes)
    changes["kwonly_params"] = [added]
    if isinstance(params.star_arg, cst.MaybeSentinel):
        changes["star_arg"] = cst.ParamStar(comma=between)
    if params.params:
        before = params.params[-1].with_changes(comma=behind, whitespace_after_param=_BARE)
        changes["params"] = [*params.params[:-1], before]
    return params.with_changes(**changes)


def _with_comment_of(end: cst.Comma | cst.MaybeSentinel, between: cst.Comma) -> cst.Comma:
    """Return a comma as between parameters, with the comment that stood behind the last one."""
    if not isinstance(end, cst.Comma):
        return between
    after, wanted = end.whitespace_after, between.whitespace_after
    if isinstance(after, cst.ParenthesizedWhitespace):
        if isinstance(wanted, cst.ParenthesizedWhitespace):
            return between.with_changes(
                whitespace_after=wanted.with_changes(first_line=after.first_line)
            )
    return between


def _annotation(facts: Facts, function: cst.FunctionDef) -> cst.Annotation | None:
    """Annotate the parameter if the function is annotated at all.

    The first SDK with inline payloads needs Python 3.10, which knows ``bytes | None``.
    """
    given = [*function.params.params, *function.params.kwonly_params]
    if not any(param.annotation is not None for param in given):
        return None
    return cst.Annotation(_optional(facts, function, "bytes"))


def _optional(facts: Facts, function: cst.FunctionDef, name: str) -> cst.BaseExpression:
    """Return ``Optional[name]`` where the file writes that, else ``name | None``."""
    if facts.index.imported(function).get("Optional") == "typing.Optional":
        element = cst.SubscriptElement(cst.Index(cst.Name(name)))
        return cst.Subscript(cst.Name("Optional"), [element])
    return cst.BinaryOperation(cst.Name(name), cst.BitOr(), cst.Name("None"))


def _with_optional(
    facts: Facts, function: cst.FunctionDef, param: cst.CSTNode | None
) -> cst.Parameters:
    """Return the parameters with ``str`` as the type of one turned into an optional one."""

    def changed(one: cst.Param) -> cst.Param:
        annotation = one.annotation
        if one is not param or annotation is None or dotted(annotation.annotation) != "str":
            return one
        optional = annotation.with_changes(annotation=_optional(facts, function, "str"))
        return one.with_changes(annotation=optional)

    groups = ("posonly_params", "params", "kwonly_params")
    return function.params.with_changes(
        **{group: [changed(one) for one in getattr(function.params, group)] for group in groups}
    )
