"""The calls of ``invoke_endpoint_async`` that send their input by ``InputLocation``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst

from codemod.clients import INLINE_REGIONS
from codemod.definitions import Definition
from codemod.detours import called_otherwise, roundabout
from codemod.either import Either, either, is_given, is_written_by_us
from codemod.facts import Facts
from codemod.functions import patched_alias
from codemod.guards import Guards
from codemod.inputs import INPUTS, METHOD, Inputs, Style, inputs_of, unpacked
from codemod.invocations import Invocation, invocations
from codemod.refusals import Refusal
from codemod.syntax import dotted, is_none, keyword
from codemod.template import Template, source
from codemod.unread import Unread, takers, unread
from codemod.warmups import is_for_show

#: Why a call is left alone that needs no migration any more.
PASSES_BODY = "the call already passes Body"
_IS_ROUTE = "the call is the S3 route of code that already sends Body"


@dataclass(frozen=True, slots=True)
class Telling:
    """A log line of a function that makes a call, about the object that is invoked.

    Attributes:
        line: The line.
        body: The parameter that is ``None`` where there is such an object.
        announces: Whether it says that something was uploaded.
        is_late: Whether it comes after the call, so that it may say so of something else.
    """

    line: cst.SimpleStatementLine
    body: str
    announces: bool
    is_late: bool


@dataclass(frozen=True, slots=True, eq=False)
class Through:
    """The function of the file that makes a call for its caller.

    Attributes:
        function: The function.
        inner: The call inside it, perhaps of another such function.
        more: Further calls inside it with the same URI, on other paths.
        uri: The template of the URI in the words of the caller.
        has_body: The parameter through which it takes a body already, if it does.
        keeps_location: Whether it uses the URI for anything but the call and log lines.
        telling: The log lines that tell the URI, or that it was uploaded to, inside it and inside
            what it calls with its body already.
        entries: Where functions that take a body already send the URI, or hand it on.
    """

    function: cst.FunctionDef
    inner: LegacyCall | None
    uri: Template
    has_body: str | None
    keeps_location: bool
    more: tuple[LegacyCall, ...] = ()
    telling: tuple[Telling, ...] = ()
    entries: tuple[cst.DictElement | cst.Arg, ...] = ()

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
        either: How its function comes to send a body instead, if its callers may give one.
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
    either: Either | None = None

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

    ``hands_on`` is the call if all it gets are the keywords that its function is given. Of a call
    of which nobody knows what it gets, ``takers`` are the functions whose callers may tell, and
    ``unread`` what other modules may make or fill that with. ``by_callers`` says that those of its
    function decide to make it only for payloads that do not fit. ``otherwise`` is the call as it
    would be without that: the payload may be uploaded all the same.
    """

    node: cst.CSTNode
    why: str
    hands_on: Invocation | None = None
    takers: tuple[cst.FunctionDef, ...] = ()
    unread: tuple[Unread, ...] = ()
    by_callers: bool = False
    otherwise: LegacyCall | None = None


def find_calls(facts: Facts) -> tuple[list[LegacyCall], list[NotLegacy]]:
    """Return every call of the API in source order: those to migrate and those to leave."""
    index = facts.index
    left: list[NotLegacy] = []
    found = _every(facts, left)
    every = [*found, *_elsewhere(facts)]
    bodies = {
        call.carrier: given.items["Body"][0]
        for call, given in every
        if "Body" in given.items and not is_for_show(facts, given.items["Body"][0])
    }
    sent: dict[cst.CSTNode, list[cst.BaseExpression]] = {}
    for carrier, body in bodies.items():
        sent.setdefault(index.function(carrier), []).append(body)
    inline = {call.carrier for call, given in every if "InputLocation" not in given.items}
    guards = Guards(facts, (call.carrier for call, _ in every), inline & bodies.keys())
    legacy = []
    for call, given in found:
        why = _why_not(facts, call, given, guards)
        chosen = None
        if why in (None, PASSES_BODY, _IS_ROUTE) and "InputLocation" in given.items:
            beside = sent.get(index.function(call.carrier), ())
            chosen = either(facts, call.carrier, given.items["InputLocation"][0], beside)
        if why is not None:
            hands_on = call if keywords_given(facts, call) is not None else None
            told_by = tuple(unpacked(call)) if given.is_unknown else ()
            asking = tuple(one for value in told_by for one in takers(facts, value))
            unknown = tuple(one for value in told_by for one in unread(facts, value))
            by_callers = why == _IS_ROUTE and not guards.decide_here_on(call.carrier)
            otherwise = None
            if call.carrier in bodies or (why == _IS_ROUTE and not by_callers):
                if "InputLocation" in given.items and not _has_both(facts, call, given):
                    otherwise = _legacy(facts, call, given, None)
            left.append(
                NotLegacy(call.carrier, why, hands_on, asking, unknown, by_callers, otherwise)
            )
            if chosen is None or is_written_by_us(facts, chosen, given.items["InputLocation"][1]):
                continue
            inputs = [given.items[one][0] for one in INPUTS if one in given.items]
            if not all(is_given(facts, one) for one in inputs):
                continue
        legacy.append(_legacy(facts, call, given, chosen))
    return legacy, left


def _every(facts: Facts, left: list[NotLegacy]) -> list[tuple[Invocation, Inputs]]:
    """Return the calls of the module in source order with what they are given."""
    index = facts.index
    found: list[tuple[Invocation, Inputs]] = []
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
                found.append((call, inputs_of(facts, call)))
    for call in called_otherwise(facts, METHOD):
        if index.module_of(call.func) is index.module:
            if not facts.clients.is_foreign(call.receiver, METHOD):
                given = inputs_of(facts, call)
                if not given.items.keys().isdisjoint(INPUTS):
                    found.append((call, given))
    found.sort(key=lambda one: index.order[index.statement(one[0].carrier)])
    return found


def _elsewhere(facts: Facts) -> Iterator[tuple[Invocation, Inputs]]:
    """Yield the calls of other modules, which may send what fits."""
    for func in facts.index.attributes.get(METHOD, ()):
        if facts.index.module_of(func) is not facts.index.module:
            for call in invocations(facts.definitions, func):
                yield call, inputs_of(facts, call)


def _has_both(facts: Facts, call: Invocation, given: Inputs) -> bool:
    """Tell whether a call certainly gets both inputs, which fails."""
    index, calling = facts.index, facts.index.statement(call.carrier)
    for name in INPUTS:
        node = given.items[name][1] if name in given.items else None
        if node is None or not index.inside(calling, index.block(index.statement(node))):
            return False
        if any(isinstance(above, cst.IfExp) for above in index.ancestors(node)):
            return False
    return True


def _legacy(facts: Facts, call: Invocation, given: Inputs, chosen: Either | None) -> LegacyCall:
    location, entry, style = given.items["InputLocation"]
    early, problem = call.early, given.problem or patched_alias(facts, call)
    problem = roundabout(call) or problem
    if chosen is not None:
        named = chosen.function.name.value
        unlock = f"give {named} the body itself where it fits"
        problem = Refusal("body-used-otherwise", call.carrier, named, unlock)
    if early is not None and keyword(early.args, "InputLocation") is not None:
        problem = Refusal("helper-as-value", early, source(early.func))
    content_type: bool | None = "ContentType" in given.items
    if not content_type and not given.complete:
        content_type = None
    return LegacyCall(
        call,
        location,
        style,
        entry,
        given.parameters,
        given.made,
        content_type,
        problem,
        uri=given.uri,
        either=chosen,
    )


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


def _why_not(facts: Facts, call: Invocation, given: Inputs, guards: Guards) -> str | None:
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
        return _IS_ROUTE
    return None


def describe(call: LegacyCall) -> str:
    """Return how messages name a call: ``runtime.invoke_endpoint_async``, ``submit``."""
    named = call.invocation.by or call.invocation.func
    return dotted(named) or dotted(call.invocation.func) or call.invocation.method
