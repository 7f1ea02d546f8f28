"""Argument lists: putting an argument in the place of another, spaced like its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from codemod.edits import Replacement
from codemod.index import Index

_BARE = cst.SimpleWhitespace("")


def starred(entry: cst.Arg, name: cst.Name) -> cst.Arg:
    """Return ``**name`` in the place of a keyword argument."""
    return entry.with_changes(
        keyword=None,
        equal=cst.MaybeSentinel.DEFAULT,
        star="**",
        value=name,
        whitespace_after_star=_BARE,
    )


def keyword_argument(name: str, value: cst.BaseExpression) -> cst.Arg:
    """Return ``name=value``."""
    equal = cst.AssignEqual(whitespace_before=_BARE, whitespace_after=_BARE)
    return cst.Arg(value, keyword=cst.Name(name), equal=equal)


def with_last(call: cst.Call, last: cst.Arg, added: cst.Arg) -> tuple[cst.Arg, cst.Arg]:
    """Return the last argument of a call, changed or not, and another one after it."""
    between = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if len(call.args) > 1 and isinstance(call.args[-2].comma, cst.Comma):
        between = without_comment(call.args[-2].comma)
    elif isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace):
        between = cst.Comma(whitespace_after=call.whitespace_before_args)
    first = last.with_changes(comma=between, whitespace_after_arg=_BARE)
    second = added.with_changes(comma=last.comma, whitespace_after_arg=last.whitespace_after_arg)
    return first, second


def without_comment(comma: cst.Comma) -> cst.Comma:
    """Return a comma without the comment that stands behind it."""
    after = comma.whitespace_after
    if isinstance(after, cst.ParenthesizedWhitespace) and after.first_line.comment is not None:
        bare = cst.TrailingWhitespace(newline=after.first_line.newline)
        return comma.with_changes(whitespace_after=after.with_changes(first_line=bare))
    return comma


def star_in_place(index: Index, entry: cst.Arg, name: cst.Name) -> dict[cst.CSTNode, Replacement]:
    """Return the edits that pass ``**name`` instead of an argument, after the keywords.

    That is where it is usually written, and the others stay on the lines on which they are. Where
    comments stand between the arguments, or another ``**`` is there already, it takes the place of
    the argument.
    """
    holder = index.parent[entry]
    if not isinstance(holder, cst.Call):
        return {entry: [starred(entry, name)]}
    args = list(holder.args)
    position = args.index(entry)
    after = args[position + 1 :]
    if not after or any(arg.star for arg in after) or "#" in index.module.code_for_node(holder):
        return {entry: [starred(entry, name)]}
    edits: dict[cst.CSTNode, Replacement] = {}
    before = args[position - 1] if position else None
    if before is not None and _breaks_line(entry) and not _breaks_line(before):
        edits[before] = [before.with_changes(comma=entry.comma)]
    last = after[-1].with_changes(
        comma=args[-2].comma, whitespace_after_arg=args[-2].whitespace_after_arg
    )
    star = starred(entry, name).with_changes(
        comma=args[-1].comma, whitespace_after_arg=args[-1].whitespace_after_arg
    )
    for slot, arg in zip(args[position:], [*after[:-1], last, star], strict=True):
        edits[slot] = [arg]
    return edits


def _breaks_line(arg: cst.Arg) -> bool:
    """Tell whether the next argument stands on another line."""
    comma = arg.comma
    return isinstance(comma, cst.Comma) and isinstance(
        comma.whitespace_after, cst.ParenthesizedWhitespace
    )


def separator(entry: cst.Arg, args: Sequence[cst.Arg]) -> cst.Comma | cst.MaybeSentinel:
    """Return the comma that stands between the arguments of a call."""
    position = args.index(entry)
    if position:
        comma = args[position - 1].comma
    elif len(args) > 1:
        comma = entry.comma
    else:
        return cst.MaybeSentinel.DEFAULT
    if isinstance(comma, cst.Comma) and "#" in cst.Module([]).code_for_node(comma):
        return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return comma


def without_remark(arg: cst.Arg) -> cst.Arg:
    """Return an argument without the comment behind it, which is about the one it replaces."""
    if isinstance(arg.comma, cst.Comma):
        return arg.with_changes(comma=without_comment(arg.comma))
    return arg
