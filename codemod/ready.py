"""Functions that make a call and take a body already, as this tool writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from codemod.announcements import is_log_line
from codemod.assignments import definition_at, targets
from codemod.facts import Facts
from codemod.functions import bound_arguments, sites
from codemod.index import Index
from codemod.inputs import METHOD, inputs_of
from codemod.invocations import invocations
from codemod.mentions import Mentions, given_for, with_location
from codemod.refusals import Refusal
from codemod.syntax import dict_items, is_none, keyword, tested_for_none


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A function that sends a body if it has one, and else a URI.

    Attributes:
        function: The function.
        body: The parameter with the body.
        entry: Where it sends the URI without one, or hands it on.
        has_type: Whether a ContentType is sent for certain; ``None`` if perhaps.
        problem: What it does with a body besides, which may be anything.
        inner: The function that it hands both on to.
    """

    function: cst.FunctionDef
    body: str
    entry: cst.DictElement | cst.Arg
    has_type: bool | None
    problem: Refusal | None
    inner: Ready | None = None

    @property
    def location(self) -> cst.BaseExpression:
        """The URI without a body."""
        return self.entry.value

    def entries(self) -> Iterator[cst.DictElement | cst.Arg]:
        """Yield where it and those behind it send the URI, or hand it on."""
        yield self.entry
        if self.inner is not None:
            yield from self.inner.entries()

    def mentions(self, facts: Facts) -> Mentions:
        """Tell what it and those behind it do with the URI besides."""
        own = with_location(facts, self.function, self.location, 1, self.body)
        if self.inner is None:
            return own
        theirs = self.inner.mentions(facts)
        return Mentions(own.keeps or theirs.keeps, (*own.telling, *theirs.telling))


def ready(facts: Facts) -> Iterator[Ready]:
    """Yield the functions that choose between body and URI, and those that hand both on."""
    found = [
        Ready(
            function,
            param.name.value,
            _entry(chosen),
            _has_type(facts, function),
            _body_problem(facts, function, param, chosen) or _kept_problem(facts, chosen),
        )
        for function in facts.index.functions
        for param in function.params.kwonly_params
        if (chosen := _choice(facts.index, function, param.name.value)) is not None
    ]
    seen = set()
    for one in found:
        if one.function not in seen:
            seen.add(one.function)
            yield one
            found.extend(_handing_on(facts, one))


def _handing_on(facts: Facts, inner: Ready) -> Iterator[Ready]:
    """Yield the functions that hand an optional body of their own on to another."""
    wanted = given_for(facts, inner.location)
    for func in sites(facts, inner.function):
        call, function = facts.index.parent[func], facts.index.function(func)
        if not isinstance(call, cst.Call) or not isinstance(function, cst.FunctionDef):
            continue
        given = keyword(call.args, inner.body)
        value = given.value if given is not None else None
        param = _optional(facts, function, value) if isinstance(value, cst.Name) else None
        bound = bound_arguments(facts, inner.function, func, tuple(call.args))
        location = bound.get(wanted) if bound is not None and wanted is not None else None
        entry = facts.index.parent.get(location) if location is not None else None
        if isinstance(entry, cst.Arg) and param is not None and given is not None:
            problem = inner.problem or _body_problem(facts, function, param, given)
            yield Ready(function, param.name.value, entry, inner.has_type, problem, inner)


def _optional(facts: Facts, function: cst.FunctionDef, value: cst.Name) -> cst.Param | None:
    """Return the optional keyword of a function that a name stands for, or may stand for."""
    origins = [one.node for one in facts.definitions.of(value).origins()]
    return next(
        (
            param
            for param in function.params.kwonly_params
            if param.default is not None and is_none(param.default) and param in origins
        ),
        None,
    )


def _body_problem(
    facts: Facts, function: cst.FunctionDef, param: cst.Param, sending: cst.CSTNode
) -> Refusal | None:
    """Refuse a function that does anything with a body but send it, or calls itself.

    It may leave out log lines where there is one.
    """
    for mention in sites(facts, function):
        if facts.index.inside(mention, function):
            return Refusal("helper-recursive", mention, function.name.value)
    for read in facts.index.names.get(param.name.value, ()):
        if facts.index.within(read, (sending, param)) or not facts.index.inside(read, function):
            continue
        arg = facts.index.parent[read]
        if isinstance(arg, cst.Arg) and arg.keyword is read:
            continue
        if not _leaves_out_log_lines(facts, read):
            return Refusal("body-used-otherwise", read, function.name.value)
    return None


def _leaves_out_log_lines(facts: Facts, read: cst.Name) -> bool:
    """Tell whether a name stands in ``if body is None:`` above nothing but log lines."""
    test = facts.index.parent[read]
    above = facts.index.parent[test]
    return (
        isinstance(above, cst.If)
        and above.test is test
        and tested_for_none(test) is read
        and above.orelse is None
        and all(is_log_line(line) for line in above.body.body)
    )


def _kept_problem(facts: Facts, chosen: cst.IfExp) -> Refusal | None:
    """Refuse if the dictionary with what is sent goes anywhere but into calls of the API."""
    index, above = facts.index, facts.index.parent[chosen]
    if not isinstance(above, cst.Assign):
        return None  # that of a call, which the call is asked for
    for target in targets(index.statement(chosen)):
        definition = definition_at(facts, target)
        for read in facts.definitions.reads(definition) if definition is not None else ():
            if not isinstance(_unpacked_in(facts, read), (cst.Arg, cst.StarredDictElement)):
                return Refusal("parameters-used-elsewhere", read, target.value)
    return None


def _unpacked_in(facts: Facts, read: cst.Name) -> cst.CSTNode | None:
    above = facts.index.parent[read]
    is_star = isinstance(above, cst.StarredDictElement)
    return above if is_star or (isinstance(above, cst.Arg) and above.star == "**") else None


def _has_type(facts: Facts, function: cst.FunctionDef) -> bool | None:
    """Tell whether all calls of the API in a function have a ContentType; ``None`` if perhaps."""
    made = [
        call
        for func in facts.index.attributes.get(METHOD, ())
        if facts.index.function(func) is function
        for call in invocations(facts.definitions, func)
    ]
    is_typed = [("ContentType" in inputs_of(facts, call).items) for call in made]
    return True if made and all(is_typed) else None


def _entry(chosen: cst.IfExp) -> cst.DictElement:
    """Return ``"InputLocation": uri`` of such a choice."""
    return cst.ensure_type(cst.ensure_type(chosen.body, cst.Dict).elements[0], cst.DictElement)


def _choice(index: Index, function: cst.FunctionDef, name: str) -> cst.IfExp | None:
    """Return ``{"InputLocation": uri} if body is None else {"Body": body}``."""
    for read in index.names.get(name, ()):
        comparison = index.parent[read]
        chosen = index.parent.get(comparison)
        if not isinstance(chosen, cst.IfExp) or index.function(read) is not function:
            continue
        if chosen.test is not comparison or tested_for_none(comparison) is not read:
            continue
        items, body = dict_items(chosen.body), dict_items(chosen.orelse)
        if not items or not body or len(items) != 1 or len(body) != 1:
            continue
        sends_it = isinstance(body[0][1], cst.Name) and body[0][1].value == name
        if (items[0][0], body[0][0]) == ("InputLocation", "Body") and sends_it:
            return chosen
    return None
