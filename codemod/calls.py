"""The calls of ``invoke_endpoint_async`` that send their input by ``InputLocation``."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import libcst as cst

from codemod.clients import INLINE_REGIONS
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.index import Index
from codemod.invocations import Invocation, invocation
from codemod.syntax import dict_items, dotted, is_none, keyword, string_value, terminates

METHOD = "invoke_endpoint_async"


class Style(enum.Enum):
    """Where ``InputLocation`` is written."""

    KEYWORD = "keyword of the call"
    DICT_ENTRY = "entry of a dict literal"
    DICT_ITEM = "item assigned to a dict"


@dataclass(frozen=True, slots=True, eq=False)
class LegacyCall:
    """A call that sends its input by S3.

    Attributes:
        invocation: The call.
        location: The expression given as ``InputLocation``.
        style: Where it is written.
        entry: The node that holds it: an ``Arg``, a ``DictElement`` or an ``Assign``.
        parameters: For the two dict styles what the variable with the parameters reads.
        parameters_made: For the two dict styles the literal that made them.
        content_type: Whether the call itself has a ``ContentType``; ``None`` if nobody can tell.
    """

    invocation: Invocation
    location: cst.BaseExpression
    style: Style
    entry: cst.CSTNode
    parameters: Definition | None = None
    parameters_made: cst.BaseExpression | None = None
    content_type: bool | None = False


@dataclass(frozen=True, slots=True)
class NotLegacy:
    """A call that is left alone without a finding, and why."""

    node: cst.CSTNode
    why: str


@dataclass(frozen=True, slots=True)
class _Given:
    """What the argument list of one call says, with dictionaries looked through."""

    items: dict[str, tuple[cst.BaseExpression, cst.CSTNode, Style]]
    parameters: Definition | None
    made: cst.BaseExpression | None
    complete: bool


def find_calls(facts: Facts) -> tuple[list[LegacyCall], list[NotLegacy]]:
    """Return every call of the API in source order: those to migrate and those to leave."""
    index = facts.index
    found: list[tuple[Invocation, _Given]] = []
    left: list[NotLegacy] = []
    for func in index.attributes.get(METHOD, ()):
        call = invocation(index, func)
        if call is None:
            left.append(NotLegacy(func, "the method is only mentioned here"))
        elif facts.clients.is_foreign(call.receiver, METHOD):
            left.append(NotLegacy(call.carrier, "the receiver is not a boto3 client"))
        else:
            found.append((call, _given(facts, call.args)))
    inline = [call for call, given in found if "Body" in given.items]
    legacy = []
    for call, given in found:
        why = _why_not(facts, call, given, inline)
        if why is not None:
            left.append(NotLegacy(call.carrier, why))
            continue
        location, entry, style = given.items["InputLocation"]
        content_type: bool | None = "ContentType" in given.items
        if not content_type and not given.complete:
            content_type = None
        legacy.append(
            LegacyCall(
                call, location, style, entry, given.parameters, given.made, content_type
            )
        )
    return legacy, left


def _why_not(
    facts: Facts, call: Invocation, given: _Given, inline: list[Invocation]
) -> str | None:
    if "Body" in given.items:
        return "the call already passes Body"
    if "InputLocation" not in given.items:
        return "no InputLocation can be seen in the arguments"
    location = given.items["InputLocation"][0]
    if is_none(location):
        return "InputLocation is None"
    region = facts.clients.receiver(call.receiver).region
    if region is not None and region not in INLINE_REGIONS:
        return f"the client's region {region} is not known to take inline payloads"
    if any(
        _guards(facts.index, one.carrier, call.carrier)
        or _guards(facts.index, call.carrier, one.carrier)
        for one in inline
    ):
        return "the call is the S3 route of code that already sends Body"
    return None


def _given(facts: Facts, args: tuple[cst.Arg, ...]) -> _Given:
    items: dict[str, tuple[cst.BaseExpression, cst.CSTNode, Style]] = {}
    parameters: Definition | None = None
    made: cst.BaseExpression | None = None
    complete = True
    for arg in args:
        if arg.keyword is not None:
            items[arg.keyword.value] = (arg.value, arg, Style.KEYWORD)
        elif arg.star == "**":
            found = _from_dict(facts, arg.value)
            if found is None:
                complete = False
                continue
            items.update(found.items)
            complete = complete and found.complete
            if "InputLocation" in found.items:
                parameters, made = found.parameters, found.made
        elif arg.star == "*":
            complete = False
    return _Given(items, parameters, made, complete)


def _from_dict(facts: Facts, value: cst.BaseExpression) -> _Given | None:
    literal = dict_items(value)
    if literal is not None:
        return _Given(_entries(literal), None, value, _is_complete(literal))
    if not isinstance(value, cst.Name):
        return None
    definition = facts.definitions.of(value)
    if definition.kind in (Kind.MERGED, Kind.SHARED):
        return _merged(facts, definition)
    if definition.kind is not Kind.ASSIGNED:
        return None
    literal = dict_items(definition.value)
    if literal is None:
        return None
    items = _entries(literal)
    complete = _is_complete(literal)
    for name in facts.definitions.reads(definition):
        subscript = facts.index.parent[name]
        if not isinstance(subscript, cst.Subscript) or subscript.value is not name:
            if _is_update(facts.index, name):
                complete = False
            continue
        target = facts.index.parent[subscript]
        assign = facts.index.parent[target]
        if isinstance(target, cst.AssignTarget) and isinstance(assign, cst.Assign):
            key = _subscript_key(subscript)
            if key is None:
                complete = False
            elif key == "InputLocation" and key in items:
                return None  # written twice: which one counts depends on the path taken
            else:
                items[key] = (assign.value, assign, Style.DICT_ITEM)
    return _Given(items, definition, definition.value, complete)


def _merged(facts: Facts, definition: Definition) -> _Given:
    """Look at what reaches a merge only for ``Body``: then the code is guarded already."""
    origins = [origin for source in definition.sources for origin in source.origins()]
    for origin in origins or definition.origins():
        literal = dict_items(origin.value)
        if literal is not None and any(key == "Body" for key, _, _ in literal):
            assert origin.value is not None
            body: dict[str, tuple[cst.BaseExpression, cst.CSTNode, Style]] = {
                "Body": (origin.value, origin.value, Style.DICT_ENTRY)
            }
            return _Given(body, None, None, complete=False)
    return _Given({}, None, None, complete=False)


def _entries(
    literal: list[tuple[str | None, cst.BaseExpression, cst.CSTNode]],
) -> dict[str, tuple[cst.BaseExpression, cst.CSTNode, Style]]:
    return {key: (value, node, Style.DICT_ENTRY) for key, value, node in literal if key is not None}


def _is_complete(literal: list[tuple[str | None, cst.BaseExpression, cst.CSTNode]]) -> bool:
    return all(key is not None for key, _, _ in literal)


def _is_update(index: Index, name: cst.Name) -> bool:
    above = index.parent[name]
    return isinstance(above, cst.Attribute) and above.attr.value in ("update", "setdefault")


def _subscript_key(node: cst.Subscript) -> str | None:
    if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
        return string_value(node.slice[0].slice.value)
    return None


def _guards(index: Index, one: cst.CSTNode, other: cst.CSTNode) -> bool:
    """Tell whether a test (or an error) decides between two calls, seen from the first."""
    if index.function(one) is not index.function(other):
        return False
    below = one
    for above in index.ancestors(one):
        if isinstance(above, cst.IfExp) and index.inside(other, above):
            return True
        if isinstance(above, (cst.Try, cst.TryStar)) and below is above.body:
            if any(index.inside(other, handler) for handler in above.handlers):
                return True
        if isinstance(above, cst.If) and below is not above.test:
            if index.inside(other, above) and not index.inside(other, below):
                return True
            branch = below if isinstance(below, cst.BaseSuite) else None
            if branch is not None and terminates(branch) and _comes_later(index, above, other):
                return True
        below = above
    return False


def _comes_later(index: Index, statement: cst.If, other: cst.CSTNode) -> bool:
    block = index.block(statement)
    return (
        index.inside(other, block)
        and index.order[index.statement(other)] > index.order[statement]
    )


def describe(call: LegacyCall) -> str:
    """Return how messages name a call: ``runtime.invoke_endpoint_async``."""
    receiver = dotted(call.invocation.receiver)
    return f"{receiver}.{METHOD}" if receiver else METHOD


def has_keyword(call: LegacyCall, name: str) -> bool:
    """Tell whether the call itself is given a keyword."""
    return keyword(call.invocation.args, name) is not None
