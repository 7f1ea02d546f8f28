"""Functions that hand on more than a URI: their keywords, or something that holds it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import libcst as cst

from codemod.calls import LegacyCall, Through, keywords_given
from codemod.definitions import Kind
from codemod.dictionaries import Entry, entries
from codemod.facts import Facts
from codemod.functions import sites
from codemod.guards import Guards
from codemod.injected import Injected, perhaps_called
from codemod.inputs import Style
from codemod.invocations import Invocation, invocations
from codemod.refusals import Refusal
from codemod.syntax import is_none, keyword, subscript_key
from codemod.warmups import is_for_show


def picked_out(
    facts: Facts, location: cst.BaseExpression, given: cst.BaseExpression
) -> list[Entry]:
    """Return what a function may pick out of the dictionary or object that it is given."""
    taken = facts.definitions.resolve(location)
    key: str | int | None = None
    if isinstance(taken, cst.Subscript):
        key, taken = subscript_key(taken), taken.value
    elif isinstance(taken, cst.Attribute):
        key, taken = taken.attr.value, taken.value
    if not isinstance(key, str) or not isinstance(taken, cst.Name):
        return []
    found = list(itertools.islice(entries(facts, given, key), 1))
    return found or list(_of_unread_class(facts, given, key))


def _of_unread_class(facts: Facts, given: cst.BaseExpression, key: str) -> Iterator[Entry]:
    """Yield what an object of a class that is not read may have been given for an attribute."""
    made = facts.definitions.resolve(given)
    target = facts.definitions.target(made.func) if isinstance(made, cst.Call) else None
    if not isinstance(made, cst.Call) or (target is not None and target.kind is Kind.DEFINED):
        return
    named = keyword(made.args, key)
    if named is not None:
        yield Entry(named.value, named, None)
    elif not any(arg.star or arg.keyword for arg in made.args):
        every = [Entry(arg.value, arg, None) for arg in made.args]
        yield from [one for one in every if _is_address(facts, one.value)] or every


def _is_address(facts: Facts, value: cst.BaseExpression) -> bool:
    first = next(iter(facts.templates.of(value)), "")
    return isinstance(first, str) and first.startswith("s3://")


def with_keywords(facts: Facts, injected: Injected, call: Invocation) -> Iterator[LegacyCall]:
    """Yield the calls of a function that hands its keywords on to a call of the API."""
    given, function = keywords_given(facts, call), facts.index.function(call.carrier)
    assert given is not None
    assert isinstance(function, cst.FunctionDef)
    star = next(arg for arg in call.args if arg.star == "**")
    inner = LegacyCall(call, star.value, Style.KEYWORD, star)
    called = [
        site
        for func in (*sites(facts, function), *perhaps_called(facts, injected, function))
        for site in invocations(facts.definitions, func)
    ]
    inline = {
        site.carrier
        for site in called
        if (body := keyword(site.args, "Body")) is not None and not is_for_show(facts, body.value)
    }
    guards = Guards(facts, (site.carrier for site in called), inline)
    for site in called:
        entry = keyword(site.args, "InputLocation")
        if entry is not None and not is_none(entry.value) and not keyword(site.args, "Body"):
            if guards.decide_on(site.carrier):
                continue
            problem = Refusal("helper-call-unclear", site.carrier, function.name.value)
            uri = facts.templates.of(entry.value)
            through = Through(function, inner, uri, None, keeps_location=True)
            yield LegacyCall(
                site, entry.value, Style.FUNCTION, entry, None, None, None, problem, through
            )
