"""What names get on the inline route that would have got something from the upload."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import libcst as cst

from codemod import effects
from codemod.assignments import definition_at
from codemod.facts import Facts
from codemod.imports import Needed
from codemod.pairing import Candidate
from codemod.syntax import last_name, names_in, string_value
from codemod.transfers import Result
from codemod.tree import LineOrCompound


@dataclass(frozen=True, slots=True, eq=False)
class StandIn:
    """What one name gets.

    Attributes:
        target: The name, where the upload binds it.
        value: The expression.
        imports: What the module must import for it.
        shown: The place that shows the name, if all it gets is ``None``.
    """

    target: cst.Name
    value: cst.BaseExpression
    imports: frozenset[Needed] = frozenset()
    shown: cst.CSTNode | None = None


def stand_in(
    facts: Facts, candidate: Candidate, target: cst.Name, needed: Iterable[cst.Name]
) -> StandIn | None:
    """Return what a name can get that is ``needed`` on the inline route as well, in some places.

    That is what its function would have given, or nothing where it is only shown.
    """
    result = _result(facts, candidate, target)
    if result is not None:
        return StandIn(target, result.value, result.imports)
    if isinstance(facts.index.parent[target], cst.AnnAssign):
        return None
    places = list(needed)
    if all(_is_shown(facts, name) for name in places):
        return StandIn(target, cst.Name("None"), shown=facts.index.statement(places[0]))
    return None


def overwritten(candidate: Candidate, given: Sequence[StandIn]) -> cst.Name | None:
    """Return a name that gets a value while another one, or the payload's type, needs its old."""
    for one in given:
        read = [other.value for other in given if other is not one]
        if candidate.upload.content_type is not None:
            read.append(candidate.upload.content_type)
        if any(name.value == one.target.value for node in read for name in names_in(node)):
            return one.target
    return None


def _result(facts: Facts, candidate: Candidate, target: cst.Name) -> Result | None:
    via, place = candidate.upload.via, facts.index.place_in_tuple(target)
    return via.results.get(place) if via is not None and place is not None else None


def is_known_without(
    facts: Facts, candidate: Candidate, statement: LineOrCompound, bound: Collection[cst.Name]
) -> bool:
    """Tell whether all that a statement reads of what an upload binds has got a stand-in."""
    definitions = {definition_at(facts, one): one for one in bound}
    read = [definitions.get(facts.definitions.of(name)) for name in names_in(statement)]
    of_upload = [one for one in read if one is not None]
    return bool(of_upload) and all(_result(facts, candidate, one) is not None for one in of_upload)


def _is_shown(facts: Facts, name: cst.Name) -> bool:
    """Tell whether a name is only shown to a person, who can be shown ``None`` as well."""
    above = facts.index.parent[name]
    if isinstance(above, cst.Expr):  # the last line of a cell
        return True
    node: cst.CSTNode = name
    if isinstance(above, cst.FormattedStringExpression):
        if above.format_spec or above.conversion:
            return False
        node = facts.index.parent[above]
        above = facts.index.parent[node]
    if not isinstance(above, cst.Arg) or above.star or above.keyword is not None:
        return False
    call = facts.index.parent[above]
    return (
        isinstance(call, cst.Call)
        and effects.is_log(call)
        and last_name(call.func) != "warn"
        and last_name(call.func) not in facts.index.defined_functions
        and _takes_anything(call, node)
        and isinstance(facts.index.parent[call], cst.Expr)
    )


def _takes_anything(call: cst.Call, value: cst.CSTNode) -> bool:
    """Tell whether a value is not formatted as a number, as ``%d`` does in ``info("%d", size)``."""
    first = call.args[0].value
    if first is value or isinstance(call.func, cst.Name):  # print(…)
        return True
    text = string_value(first)
    return text is not None and set(_CONVERSIONS.findall(text)) <= set("sra%")


_CONVERSIONS = re.compile(r"%(?:\(\w+\))?[#0 +-]*[\d*]*(?:\.[\d*]+)?([a-zA-Z%])")
