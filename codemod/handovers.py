"""Calls through functions of the file: the URI is handed to a function that invokes with it.

The function gains an optional keyword with the body and sends exactly one of the two; its other
callers go on as before. A call of such a function is then seen as a call of the API itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import libcst as cst

from codemod.calls import LegacyCall, NotLegacy, Through
from codemod.definitions import Definition, Kind
from codemod.either import Either
from codemod.facts import Facts
from codemod.forwarding import picked_out, with_keywords
from codemod.functions import (
    Bindings,
    alias_problem,
    bound_arguments,
    doubtful,
    named_parameters,
    rebinding_problem,
    signature_problem,
    sites,
    takes_anything,
)
from codemod.guards import Guards
from codemod.injected import Injected, perhaps_called
from codemod.inputs import METHOD, Style
from codemod.invocations import Invocation, invocations
from codemod.mentions import given_for, with_location
from codemod.provenance import Provenance
from codemod.ready import ready
from codemod.refusals import Refusal
from codemod.syntax import (
    descendants,
    dict_items,
    is_self,
    keyword,
    last_name,
    names_in,
)
from codemod.template import Hole, source
from codemod.translation import Translation

#: How many functions a URI may be handed through, and how many are looked through at all.
DEPTH = 4
_MOST = 12


def with_functions(
    facts: Facts, calls: list[LegacyCall], left: Iterable[NotLegacy] = ()
) -> list[LegacyCall]:
    """Return the calls together with the calls of functions that make them.

    Args:
        facts: The modules.
        calls: The calls of the API.
        left: The other calls of the API. Some may get their input from the keywords of a function.
    """
    every = list(calls)
    injected = Injected(facts, Provenance(facts))
    handed = [
        call
        for one in left
        if one.hands_on is not None
        for call in with_keywords(facts, injected, one.hands_on)
    ]
    fresh = [*_from_calls(facts, injected, calls), *_from_ready(facts), *handed]
    for depth in range(_MOST):
        if depth >= DEPTH:
            fresh = [_too_far(call) for call in fresh]
        every.extend(fresh)
        fresh = _from_calls(facts, injected, fresh)
        if not fresh:
            break
    return every


def _too_far(call: LegacyCall) -> LegacyCall:
    name = call.through.function.name.value if call.through is not None else ""
    problem = Refusal("helper-chain-too-long", call.invocation.carrier, name)
    return replace(call, problem=problem)


def offered(
    facts: Facts,
    calls: Iterable[LegacyCall],
    left: Iterable[NotLegacy],
    fixed: Iterable[LegacyCall] = (),
) -> Iterator[cst.Name]:
    """Yield the functions that invoke with what their callers give, and that any module may call.

    Args:
        facts: The modules.
        calls: The calls inside such functions: without an upload in reach, or made for callers. Or
            those that take their URI out of a collection of another module.
        left: The calls that are no finding, among them those that get what a function is given:
            its keywords, or something else.
        fixed: The calls of one object, which whoever calls their function may have uploaded.
    """
    found: dict[cst.FunctionDef, None] = {}
    calls = tuple(calls)
    for one in left:
        around = facts.index.function(one.hands_on.carrier) if one.hands_on is not None else None
        if isinstance(around, cst.FunctionDef):
            found[around] = None
        found.update(dict.fromkeys(one.takers))
    for call in calls:
        function = _given_to(facts, call) or _told_by_object(facts, call)
        if function is not None:
            found[function] = None
    for call in fixed:
        around = facts.index.function(call.invocation.carrier)
        if isinstance(around, cst.FunctionDef):
            found[around] = None
    found.update((one.function, None) for one in ready(facts))
    yield from _collections(facts, calls)
    for function in found:
        if isinstance(facts.index.function(function), cst.Module):
            yield function.name


def _from_calls(facts: Facts, injected: Injected, calls: list[LegacyCall]) -> list[LegacyCall]:
    by_function: dict[cst.FunctionDef, list[LegacyCall]] = {}
    for call in calls:
        function = _given_to(facts, call)
        if function is not None:
            by_function.setdefault(function, []).append(call)
    made: list[LegacyCall] = []
    taking = {one.function for one in ready(facts)} if by_function else set()
    for function, inside in _groups(by_function):
        perhaps = list(perhaps_called(facts, injected, function))
        if not sites(facts, function) and not perhaps:
            if next(doubtful(facts, function), None) is None:
                continue
        first, *more = inside
        problems = (
            _several_problem(facts, inside),
            *(call.problem for call in inside),
            signature_problem(facts, function),
            *(_dict_problem(facts, call, is_only=not more) for call in inside),
            *(_body_problem(facts, function, call) for call in inside),
            *(_mixed_problem(function, call) for call in inside if function in taking),
        )
        problem = next((one for one in problems if one is not None), None)
        uri = facts.templates.of(first.location) if first.through is None else first.through.uri
        content_types = {call.content_type for call in inside}
        done = with_location(facts, function, first.location, len(inside))
        through = Through(function, first, uri, None, done.keeps, tuple(more), done.telling)
        content_type = content_types.pop() if len(content_types) == 1 else None
        chosen = next((one.either for one in inside if one.either is not None), None)
        made.extend(_callers(facts, first.location, through, content_type, problem, chosen))
        for access in perhaps:
            unclear = Refusal("helper-overridden", access, function.name.value)
            for site in invocations(facts.definitions, access):
                bound = bound_arguments(facts, function, access, site.args) or {}
                wanted = given_for(facts, first.location)
                given = bound.get(wanted) if wanted is not None else None
                made.extend(_unclear(facts, site, through, unclear, given))
    return made


def _groups(
    by_function: dict[cst.FunctionDef, list[LegacyCall]],
) -> Iterator[tuple[cst.FunctionDef, list[LegacyCall]]]:
    """Yield the calls in each function together; what else one of them may be given, by itself."""
    for function, inside in by_function.items():
        together: dict[cst.CSTNode, LegacyCall] = {}
        for call in inside:
            together.setdefault(call.invocation.carrier, call)
        yield function, list(together.values())
        for call in inside:
            if call is not together[call.invocation.carrier]:
                yield function, [call]


def _several_problem(facts: Facts, calls: list[LegacyCall]) -> Refusal | None:
    """Several calls in one function must send the same, each in a statement of its own."""
    first, *more = calls
    statements = {facts.index.statement(first.invocation.carrier)}
    for call in more:
        statement = facts.index.statement(call.invocation.carrier)
        if statement in statements:
            return Refusal("shared-line", call.invocation.carrier)
        statements.add(statement)
        if facts.templates.of(call.location) != facts.templates.of(first.location):
            return Refusal("call-in-function", call.invocation.carrier)
    return None


def _body_problem(facts: Facts, function: cst.FunctionDef, call: LegacyCall) -> Refusal | None:
    """A body on one line has no room for another statement; a recursive call would lose it."""
    if facts.index.function(call.invocation.carrier) is not function:
        unlock = f"call in {function.name.value} itself"
        return Refusal("call-deferred", call.invocation.carrier, unlock=unlock)
    if isinstance(function.body, cst.SimpleStatementSuite):
        return Refusal("shared-line", call.invocation.carrier)
    if facts.index.statement(call.invocation.carrier) is function:
        return Refusal("shared-line", call.invocation.carrier)
    for mention in sites(facts, function):
        if facts.index.inside(mention, function):
            return Refusal("helper-recursive", mention, function.name.value)
    return None


def _mixed_problem(function: cst.FunctionDef, call: LegacyCall) -> Refusal:
    """A function that takes a body for another of its calls would get two."""
    return Refusal("body-used-otherwise", call.invocation.carrier, function.name.value)


def _dict_problem(facts: Facts, call: LegacyCall, *, is_only: bool) -> Refusal | None:
    """A dictionary inside the function is changed where it gets the URI, on a line of its own."""
    if call.style not in (Style.DICT_ENTRY, Style.DICT_ITEM):
        return None
    line = facts.index.statement(call.entry)
    is_plain = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
    if is_only and is_plain and isinstance(call.entry, (cst.DictElement, cst.Assign)):
        return None
    return Refusal("call-in-function", call.entry)


def _given_to(facts: Facts, call: LegacyCall) -> cst.FunctionDef | None:
    """Return the innermost function around a call whose parameters its URI depends on."""
    function = facts.index.function(call.invocation.carrier)
    while isinstance(function, cst.FunctionDef):
        if _names_parameter(facts, function, call.location):
            return function
        function = facts.index.function(function)
    return None


def _collections(facts: Facts, calls: Iterable[LegacyCall]) -> Iterator[cst.Name]:
    """Yield the variables of other modules that calls take their URI out of: a queue, a list."""
    for call in calls:
        for name in names_behind(facts, call):
            if facts.definitions.of(name).kind not in (Kind.IMPORTED, Kind.OUTSIDE):
                continue
            target = facts.definitions.target(name)
            made = target.value if target is not None else None
            if isinstance(made, (cst.Call, cst.List, cst.Dict)) and target is not None:
                if isinstance(target.node, cst.Name):
                    yield target.node


def names_behind(facts: Facts, call: LegacyCall) -> Iterator[cst.Name]:
    """Yield the names in the URI of a call, and in what loops go over for them."""
    for name in names_in(facts.definitions.resolve(call.location)):
        yield name
        definition = facts.definitions.of(name)
        if definition.kind is Kind.LOOP and definition.value is not None:
            yield from names_in(definition.value)


def _told_by_object(facts: Facts, call: LegacyCall) -> cst.FunctionDef | None:
    """Return the method around a call whose URI its own object has, or makes."""
    function = facts.index.function(call.invocation.carrier)
    if not isinstance(function, cst.FunctionDef) or facts.index.class_of(function) is None:
        return None
    made = descendants(facts.definitions.resolve(call.location))
    is_own = any(isinstance(one, cst.Attribute) and is_self(one.value) for one in made)
    return function if is_own else None


def _names_parameter(facts: Facts, function: cst.FunctionDef, location: cst.BaseExpression) -> bool:
    """Tell whether a URI depends on what the function is given, on some path at least."""
    seen = set()
    stack = list(names_in(location))
    while stack:
        for definition in facts.definitions.of(stack.pop()).origins():
            if isinstance(definition.node, cst.Param) and definition.name not in ("self", "cls"):
                if facts.index.function(definition.node) is function:
                    return True
            value = definition.value
            if definition not in seen and value is not None:
                seen.add(definition)
                if not isinstance(facts.index.function(value), cst.Module):
                    stack.extend(names_in(value))
    return False


def _callers(
    facts: Facts,
    location: cst.BaseExpression,
    through: Through,
    content_type: bool | None,
    problem: Refusal | None,
    chosen: Either | None = None,
) -> Iterator[LegacyCall]:
    """Yield the calls of a function, as ``through`` describes it but for the URI.

    ``chosen`` says how it comes to send a body instead.
    """
    function, has_body = through.function, through.has_body
    found = [
        call
        for func in sites(facts, function)
        if not facts.index.inside(func, function)
        for call in invocations(facts.definitions, func)
    ]
    inline = {
        call.carrier
        for call in found
        if (has_body is not None and _may_have(facts, call, function, has_body))
        or (chosen is not None and chosen.sends_body(facts, call))
    }
    for func, other in doubtful(facts, function):
        if facts.index.inside(func, function):
            continue
        problem_there = Refusal("helper-overridden", other, function.name.value)
        for call in invocations(facts.definitions, func):
            yield from _unclear(facts, call, through, problem_there)
    guards = Guards(facts, (call.carrier for call in found), inline)
    for call in found:
        reached = call.func
        if (
            isinstance(reached, cst.Call)
            or call.carrier in inline
            or guards.decide_on(call.carrier)
        ):
            continue
        bound = bound_arguments(facts, function, reached, call.args)
        renamed = alias_problem(facts, call)
        if renamed is not None:
            yield from _unclear(facts, call, through, renamed)
            continue
        too_many = None
        if bound is None and (named := _named_for(facts, call, function, location)) is not None:
            bound, too_many = named, _takes_more(facts, function)
        if bound is None or not call.takes_keywords:
            unclear = Refusal("helper-call-unclear", call.carrier, function.name.value)
            yield from _unclear(facts, call, through, unclear)
            continue
        if not call.args:
            continue
        translate = Translation(facts, function, call.carrier, bound)
        wanted = given_for(facts, location)
        given = bound.get(wanted) if wanted is not None else None
        keeps = through.keeps_location or given is None
        if given is None:
            given = _made_of(facts, function, location, bound)
        picked = picked_out(facts, location, given) if given is not None else []
        unclear = Refusal("helper-call-unclear", call.carrier, function.name.value)
        for one in picked:
            uri = facts.templates.of(one.value) if one.uri is None else one.uri
            there = replace(through, uri=uri, keeps_location=True)
            last = call.args[-1]
            yield LegacyCall(call, one.value, Style.FUNCTION, last, problem=unclear, through=there)
        if picked:
            continue
        entry = next((arg for arg in call.args if arg.value is given), call.args[-1])
        uri = translate.template(through.uri)
        yield LegacyCall(
            call,
            given if given is not None else location,
            Style.FUNCTION,
            entry,
            content_type=content_type,
            problem=too_many or problem or rebinding_problem(facts, function, reached),
            through=replace(through, uri=uri, keeps_location=keeps),
        )
        if any(isinstance(one, Hole) and one.key[:2] == ("call", call.carrier) for one in uri):
            unproven = Refusal("uri-unproven", location, source(location))
            yield from _unclear(facts, call, through, unproven)


def _made_of(
    facts: Facts, function: cst.FunctionDef, location: cst.BaseExpression, bound: Bindings
) -> cst.BaseExpression | None:
    """Return the one thing that a caller gives for a URI which the function makes step by step."""
    made_of = map(facts.definitions.of, names_in(facts.definitions.resolve(location)))
    given = [bound[one] for one in dict.fromkeys(made_of) if one in bound]
    own = [value for value in given if not facts.index.inside(value, function.params)]
    return own[0] if len(own) == 1 else None


def _named_for(
    facts: Facts, call: Invocation, function: cst.FunctionDef, location: cst.BaseExpression
) -> dict[Definition, cst.BaseExpression] | None:
    """Match arguments that a URI is made of; what else a function takes stays open."""
    if not isinstance(call.func, (cst.Name, cst.Attribute)):
        return None
    bound = named_parameters(facts, function, call.func, call.args)
    made_of = map(facts.definitions.of, names_in(facts.definitions.resolve(location)))
    given = [one for one in made_of if isinstance(one.node, cst.Param)]
    is_known = bound is not None and bool(given) and all(one in bound for one in given)
    return bound if is_known else None


def _takes_more(facts: Facts, function: cst.FunctionDef) -> Refusal | None:
    """Refuse a function that may get anything, unless that can only be for the call of the API.

    That knows no keyword like the one for a body.
    """
    anything, name = takes_anything(function), function.name.value
    if anything is None:
        return None
    bound = facts.definitions.walk(function).bindings[anything.name.value]
    reads = [read for one in bound for read in facts.definitions.reads(one)]
    if anything is function.params.star_kwarg and not isinstance(
        function.params.star_arg, cst.Param
    ):
        if all(_is_for_api(facts, read) for read in reads):
            return None
    unlock = f"name what {name} takes, instead of {anything.name.value}"
    return Refusal("helper-call-unclear", anything, name, unlock)


def _is_for_api(facts: Facts, read: cst.Name) -> bool:
    """Tell whether keywords are only handed on to a call of the API."""
    arg = facts.index.parent[read]
    call = facts.index.parent[arg] if isinstance(arg, cst.Arg) and arg.star == "**" else None
    return isinstance(call, cst.Call) and last_name(call.func) == METHOD


def _may_have(facts: Facts, call: Invocation, function: cst.FunctionDef, name: str) -> bool:
    """Tell whether a call gives a parameter a value, itself or in a dictionary on some path."""
    if keyword(call.args, name) is not None:
        return True
    if isinstance(call.func, (cst.Name, cst.Attribute)):
        bound = bound_arguments(facts, function, call.func, call.args) or {}
        values = (value for one, value in bound.items() if one.name == name)
        if any(not facts.index.inside(value, function.params) for value in values):
            return True
    return any(
        key == name
        for arg in call.args
        if arg.star == "**" and isinstance(arg.value, cst.Name)
        for origin in facts.definitions.of(arg.value).origins()
        for key, _, _ in dict_items(origin.value) or ()
    )


def _unclear(
    facts: Facts,
    call: Invocation,
    through: Through,
    problem: Refusal,
    given: cst.BaseExpression | None = None,
) -> Iterator[LegacyCall]:
    """Yield a call that is given its URI in a way that cannot be told, for each it may be."""
    for value, entry in _given_values(facts, call):
        if given not in (None, value):
            continue
        perhaps = replace(through, uri=facts.templates.of(value), keeps_location=True)
        yield LegacyCall(call, value, Style.FUNCTION, entry, problem=problem, through=perhaps)


def _given_values(
    facts: Facts, call: Invocation
) -> Iterator[tuple[cst.BaseExpression, cst.CSTNode]]:
    """Yield what a call is given, looking into the sequences and dictionaries that it unpacks."""
    for arg in call.args:
        if not arg.star:
            yield arg.value, arg
            continue
        unpacked = facts.definitions.resolve(arg.value)
        if isinstance(unpacked, (cst.Tuple, cst.List)):
            yield from ((element.value, arg) for element in unpacked.elements)
        for _, value, _ in dict_items(unpacked) or ():
            yield value, arg


# -- functions that take a body already ----------------------------------------------------


def _from_ready(facts: Facts) -> list[LegacyCall]:
    """Find the functions that this tool gave a body before, and who still calls them without."""
    made: list[LegacyCall] = []
    for one in ready(facts):
        uri = facts.templates.of(one.location)
        done = one.mentions(facts)
        through = Through(
            one.function,
            None,
            uri,
            one.body,
            done.keeps,
            telling=done.telling,
            entries=tuple(one.entries()),
        )
        problem = one.problem or signature_problem(facts, one.function)
        made.extend(_callers(facts, one.location, through, one.has_type, problem))
    return made
