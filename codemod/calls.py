"""The calls of ``invoke_endpoint_async`` that send their input by ``InputLocation``."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from codemod.clients import INLINE_REGIONS
from codemod.definitions import Definition, Kind
from codemod.dictionaries import entries
from codemod.facts import Facts
from codemod.functions import patched_alias
from codemod.guards import Guards
from codemod.invocations import Invocation, invocations
from codemod.references import called_otherwise, roundabout
from codemod.refusals import Refusal
from codemod.syntax import (
    dict_items,
    dotted,
    is_none,
    keyword,
    last_name,
    string_value,
    subscript_key,
)
from codemod.template import Template, source

METHOD = "invoke_endpoint_async"

#: Why a call is left alone that needs no migration any more.
PASSES_BODY = "the call already passes Body"


class Style(enum.Enum):
    """Where ``InputLocation`` is written; or that a function of the file makes the call."""

    KEYWORD = "keyword of the call"
    DICT_ENTRY = "entry of a dict literal"
    DICT_ITEM = "item assigned to a dict"
    FUNCTION = "function of the file that calls"


@dataclass(frozen=True, slots=True, eq=False)
class Through:
    """The function of the file that makes a call for its caller.

    Attributes:
        function: The function.
        inner: The call inside it, perhaps of another such function.
        more: Further calls inside it with the same URI, on other paths.
        uri: The template of the URI in the words of the caller.
        has_body: The parameter through which it takes a body already, if it does.
        keeps_location: Whether it uses the URI for anything but the call.
    """

    function: cst.FunctionDef
    inner: LegacyCall | None
    uri: Template
    has_body: str | None
    keeps_location: bool
    more: tuple[LegacyCall, ...] = ()

    @property
    def calls(self) -> tuple[LegacyCall, ...]:
        """All calls inside the function."""
        return (self.inner, *self.more) if self.inner is not None else ()


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
        problem: Why the call cannot be changed: its dictionary, or the function that makes it.
        through: The function of the file that makes the call, if this is a call of one.
        uri: What the location means where the call is made, if it is written somewhere else.
    """

    invocation: Invocation
    location: cst.BaseExpression
    style: Style
    entry: cst.CSTNode
    parameters: Definition | None = None
    parameters_made: cst.BaseExpression | None = None
    content_type: bool | None = False
    problem: Refusal | None = None
    through: Through | None = None
    uri: Template | None = None

    def inward(self) -> Iterator[LegacyCall]:
        """Yield the call, those that its function makes, and so on to the calls of the API."""
        stack = [self]
        while stack:
            call = stack.pop()
            yield call
            if call.through is not None:
                stack.extend(reversed(call.through.calls))

    def routes(self) -> Iterator[LegacyCall]:
        """Yield the call once for every call of the API that it may lead to."""
        if self.through is None or not self.through.calls:
            yield self
            return
        for call in self.through.calls:
            for route in call.routes():
                yield replace(self, through=replace(self.through, inner=route, more=()))

    @property
    def innermost(self) -> LegacyCall | None:
        """The call of the API that is made in the end."""
        inner: LegacyCall | None = self
        while inner is not None and inner.through is not None:
            inner = inner.through.inner
        return inner


@dataclass(frozen=True, slots=True)
class NotLegacy:
    """A call that is left alone without a finding, and why.

    ``hands_on`` is the call if all it gets are the keywords that its function is given.
    """

    node: cst.CSTNode
    why: str
    hands_on: Invocation | None = None


#: What InvokeEndpointAsync gets its payload by; it takes exactly one.
_INPUTS = ("InputLocation", "Body")

_Items = dict[str, tuple[cst.BaseExpression, cst.CSTNode, Style]]


@dataclass(slots=True, eq=False)
class _Given:
    """What the argument list of one call says, with dictionaries looked through.

    ``complete`` is false if there may be more in it than ``items``.
    """

    items: _Items
    parameters: Definition | None = None
    made: cst.BaseExpression | None = None
    complete: bool = True
    problem: Refusal | None = None
    uri: Template | None = None


def find_calls(facts: Facts) -> tuple[list[LegacyCall], list[NotLegacy]]:
    """Return every call of the API in source order: those to migrate and those to leave."""
    index = facts.index
    found: list[tuple[Invocation, _Given]] = []
    left: list[NotLegacy] = []
    for func in index.attributes.get(METHOD, ()):
        if index.module_of(func) is not index.module:
            continue
        made = invocations(facts.definitions, func)
        if not made:
            left.append(NotLegacy(func, "the method is only mentioned here"))
        for call in made:
            if facts.clients.is_foreign(call.receiver, METHOD):
                left.append(NotLegacy(call.carrier, "the receiver is not a boto3 client"))
            else:
                found.append((call, _given(facts, call)))
    for call in called_otherwise(facts, METHOD):
        if index.module_of(call.func) is index.module:
            if not facts.clients.is_foreign(call.receiver, METHOD):
                given = _given(facts, call)
                if "InputLocation" in given.items:
                    found.append((call, given))
    found.sort(key=lambda one: index.order[index.statement(one[0].carrier)])
    guards = Guards(index, [call.carrier for call, given in found if "Body" in given.items])
    legacy = []
    for call, given in found:
        why = _why_not(facts, call, given, guards)
        if why is not None:
            hands_on = call if keywords_given(facts, call) is not None else None
            left.append(NotLegacy(call.carrier, why, hands_on))
            continue
        location, entry, style = given.items["InputLocation"]
        early, problem = call.early, given.problem or patched_alias(facts, call)
        problem = roundabout(call) or problem
        if early is not None and keyword(early.args, "InputLocation") is not None:
            problem = Refusal("helper-as-value", early, source(early.func))
        content_type: bool | None = "ContentType" in given.items
        if not content_type and not given.complete:
            content_type = None
        legacy.append(
            LegacyCall(
                call,
                location,
                style,
                entry,
                given.parameters,
                given.made,
                content_type,
                problem,
                uri=given.uri,
            )
        )
    return legacy, left


def keywords_given(facts: Facts, call: Invocation) -> Definition | None:
    """Return the parameter ``**kwargs`` of a function that hands it on to a call."""
    for arg in call.args:
        if arg.star == "**" and isinstance(arg.value, cst.Name):
            definition = facts.definitions.of(arg.value)
            function = facts.index.function(arg)
            if isinstance(function, cst.FunctionDef):
                if definition.node is function.params.star_kwarg is not None:
                    return definition
    return None


def _why_not(facts: Facts, call: Invocation, given: _Given, guards: Guards) -> str | None:
    if "Body" in given.items:
        return PASSES_BODY
    if "InputLocation" not in given.items:
        return "no InputLocation can be seen in the arguments"
    location = given.items["InputLocation"][0]
    if is_none(location):
        return "InputLocation is None"
    region = facts.clients.receiver(call.receiver).region
    if region is not None and region not in INLINE_REGIONS:
        return f"the client's region {region} is not known to take inline payloads"
    if guards.decide_on(call.carrier):
        return "the call is the S3 route of code that already sends Body"
    return None


def _given(facts: Facts, call: Invocation) -> _Given:
    given = _Given({})
    for arg in call.args:
        if arg.keyword is not None:
            given.items[arg.keyword.value] = (arg.value, arg, Style.KEYWORD)
        elif arg.star == "**":
            found = _from_dict(facts, arg.value, call)
            given.items.update(found.items)
            given.complete = given.complete and found.complete
            given.problem = given.problem or found.problem
            if "InputLocation" in found.items:
                given.parameters, given.made = found.parameters, found.made
        elif arg.star == "*":
            given.complete = False
    if "InputLocation" not in given.items and "Body" not in given.items:
        for arg in call.args:
            if arg.star == "**":
                _look_further(facts, arg.value, given)
    return given


def _look_further(facts: Facts, value: cst.BaseExpression, given: _Given) -> None:
    """Take account of an InputLocation that a dictionary gets in some way that is not followed."""
    if any(True for _ in entries(facts, value, "Body")):
        return  # nobody knows which of the two it is
    for found in entries(facts, value, "InputLocation"):
        if is_none(found.value) or string_value(found.value) == "":
            continue  # it is filled in elsewhere
        given.items["InputLocation"] = (found.value, found.node, Style.DICT_ITEM)
        given.uri = found.uri
        given.problem = Refusal(
            "parameters-unclear", found.node, source(value), "pass InputLocation to the call itself"
        )
        return


def _from_dict(facts: Facts, value: cst.BaseExpression, call: Invocation) -> _Given:
    literal = dict_items(value)
    if literal is not None:
        return _from_literal(facts, literal, None, value)
    if not isinstance(value, cst.Name):
        return _Given({}, complete=False)
    definition = facts.definitions.of(value)
    if definition.kind in (Kind.MERGED, Kind.SHARED):
        return _merged(definition)
    literal = dict_items(definition.value) if definition.kind is Kind.ASSIGNED else None
    if literal is None:
        return _Given({}, complete=False)
    given = _from_literal(facts, literal, definition, definition.value)
    if not _has_one_name(facts, definition):
        given.problem = Refusal("parameters-used-elsewhere", value, value.value)
    for name in facts.definitions.reads(definition):
        _add_use(facts, given, name, call)
    return given


def _from_literal(
    facts: Facts,
    literal: list[tuple[str | None, cst.BaseExpression, cst.CSTNode]],
    parameters: Definition | None,
    made: cst.BaseExpression | None,
) -> _Given:
    given = _Given({}, parameters, made)
    for key, value, node in literal:
        if key is not None:
            given.items[key] = (value, node, Style.DICT_ENTRY)
            continue
        given.complete = False
        if "InputLocation" in given.items and given.problem is None:
            given.problem = Refusal(
                "parameters-unclear", node, source(value), "put InputLocation last"
            )
        elif _has_input(facts, value) and given.problem is None:
            unlock = "leave InputLocation out of the dictionary that the other is made from"
            given.problem = Refusal("parameters-unclear", node, source(value), unlock)
    return given


def _has_input(facts: Facts, value: cst.BaseExpression) -> bool:
    """Tell whether a dictionary has an input that another one, made from it, would be rid of."""
    return any(True for key in _INPUTS for _ in entries(facts, value, key))


def _has_one_name(facts: Facts, definition: Definition) -> bool:
    assert definition.node is not None
    target = facts.index.parent[definition.node]
    assign = facts.index.parent.get(target)
    if isinstance(target, cst.AssignTarget) and isinstance(assign, cst.Assign):
        return len(assign.targets) == 1
    return isinstance(target, cst.AnnAssign)


def _add_use(facts: Facts, given: _Given, name: cst.Name, call: Invocation) -> None:
    """Take account of one place that names the dictionary with the parameters."""
    index = facts.index
    above = index.parent[name]
    if isinstance(above, cst.Arg) and above.star == "**":
        if last_name(getattr(index.parent[above], "func", above)) == METHOD:
            return
    elif isinstance(above, cst.Subscript) and above.value is name:
        key = subscript_key(above)
        key = key if isinstance(key, str) else None
        target = index.parent[above]
        assign = index.parent[target]
        if isinstance(target, cst.AssignTarget) and isinstance(assign, cst.Assign):
            if key is not None and len(assign.targets) == 1:
                _add_item(facts, given, key, assign, call)
                return
        elif not isinstance(target, (cst.Del, cst.AugAssign, cst.Subscript)):
            if key is not None and key not in ("InputLocation", "Body"):
                return
    elif isinstance(above, cst.Attribute) and above.attr.value in ("update", "setdefault", "pop"):
        given.complete = False
        given.problem = given.problem or Refusal("parameters-unclear", above, source(above))
        return
    given.problem = given.problem or Refusal(
        "parameters-used-elsewhere", name, name.value, "pass the parameters to the call only"
    )


def _add_item(facts: Facts, given: _Given, key: str, assign: cst.Assign, call: Invocation) -> None:
    """``params["Accept"] = …``: certain only if every way to the call goes through it."""
    index = facts.index
    statement, calling = index.statement(assign), index.statement(call.carrier)
    is_certain = (
        index.inside(calling, index.block(statement))
        and index.order[statement] < index.order[calling]
    )
    if key == "InputLocation":
        if key in given.items:
            given.problem = Refusal("parameters-conditional", assign)
        elif not is_certain:
            given.problem = Refusal(
                "parameters-conditional",
                assign,
                unlock="set InputLocation where it is certain to be set",
            )
        given.items[key] = (assign.value, assign, Style.DICT_ITEM)
    elif key == "Body" or is_certain:
        given.items.setdefault(key, (assign.value, assign, Style.DICT_ITEM))
    elif key == "ContentType" and key not in given.items:
        given.complete = False


def _merged(definition: Definition) -> _Given:
    """Look at what reaches a merge only for ``Body``: then the code is guarded already."""
    for origin in definition.origins():
        literal = dict_items(origin.value)
        if literal is not None and any(key == "Body" for key, _, _ in literal):
            assert origin.value is not None
            body: _Items = {"Body": (origin.value, origin.value, Style.DICT_ENTRY)}
            return _Given(body, complete=False)
    return _Given({}, complete=False)


def describe(call: LegacyCall) -> str:
    """Return how messages name a call: ``runtime.invoke_endpoint_async``, ``submit``."""
    named = call.invocation.by or call.invocation.func
    return dotted(named) or dotted(call.invocation.func) or call.invocation.method
