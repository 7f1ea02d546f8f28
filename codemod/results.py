"""What a function gives besides the object that it uploads, worked out by its caller instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import libcst as cst

from codemod import effects
from codemod.conduct import items_returned
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.invocations import Invocation
from codemod.syntax import descendants, last_name, names_in
from codemod.template import Hole, Template, literal, normal
from codemod.transfers import Result, Upload, Via
from codemod.translation import Translation


def results_of(
    facts: Facts, call: Invocation, via: Via, translation: Translation
) -> dict[int | str, Result]:
    """Return the items that a caller reads, and can work out without the function.

    What differs each time, as ``uuid4()``, must then be nothing that the payload or another of them
    is made of as well: it would be two different things, and so would be a list that two of them
    hold. It must be there before the upload, for what comes after it may measure that.
    """
    if via.split is not None and via.split.changes:
        return {}  # they may be worked out before that or after
    values = items_returned(facts, via.function)
    wanted = [
        place for place in unpacked_into(facts, call, len(values)) if via.items.get(place) == "else"
    ]
    made_of = [values[place] for place in wanted]
    fresh = Counter(_fresh(facts, [*made_of, *_of_payload(via)]))
    shared = Counter(_mutable(facts, made_of))
    found: dict[int | str, Result] = {}
    for place in wanted:
        anew = list(_fresh(facts, [values[place]]))
        if any(fresh[one] > 1 or not _is_before(facts, one, via.inner) for one in anew):
            continue
        if any(shared[one] > 1 for one in _mutable(facts, [values[place]])):
            continue
        if any(effects.empties(node) for node in _behind(facts, [values[place]])):
            continue
        needed = Translation(
            facts,
            via.function,
            call.carrier,
            translation.bound,
            named=translation.named,
            fresh=True,
        )
        value = needed.expression(values[place])
        if value is not None:
            found[place] = Result(value, frozenset(needed.needed))
    return found


def unpacked_into(facts: Facts, call: Invocation, count: int) -> dict[int, Definition]:
    """Return the variables that get the items of a call's result and are read, by their places."""
    assign = facts.index.parent[call.whole]
    if not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
        return {}
    target = assign.targets[0].target
    if not isinstance(target, (cst.Tuple, cst.List)) or len(target.elements) != count:
        return {}
    found = {}
    for place, element in enumerate(target.elements):
        if isinstance(element.value, cst.Name):
            definition = bound_by(facts, element.value)
            if facts.definitions.reads(definition):
                found[place] = definition
    return found


def bound_by(facts: Facts, target: cst.Name) -> Definition:
    """Return what a name in an assignment binds."""
    bound = facts.definitions.walk(facts.index.scope(target)).bindings[target.value]
    return next(one for one in bound if one.node is target)


def with_items(
    facts: Facts, call: Invocation, via: Via, translation: Translation, template: Template
) -> Template:
    """Return a key or URI with the variables in it that get items of the function's result."""
    values = items_returned(facts, via.function)
    for place, definition in unpacked_into(facts, call, len(values)).items():
        if via.items.get(place) != "else":
            continue
        item = translation.template(facts.templates.of(values[place]))
        if literal(item) is not None:
            continue
        hole = Hole(("definition", definition), definition.name, definition.node)
        template = _replaced(template, item, hole)
    return template


def _replaced(template: Template, item: Template, hole: Hole) -> Template:
    pieces: list[str | Hole] = []
    at = 0
    while at < len(template):
        is_item = template[at : at + len(item)] == item
        pieces.append(hole if is_item else template[at])
        at += len(item) if is_item else 1
    return normal(pieces)


def _of_payload(via: Via) -> Iterator[cst.CSTNode]:
    """Yield what the payload and its type are made of in the function, and by what statements."""
    yield via.inner.payload
    if via.inner.content_type is not None:
        yield via.inner.content_type
    if via.split is not None:
        yield from via.split.making


def _fresh(facts: Facts, nodes: Iterable[cst.CSTNode]) -> Iterator[cst.Call]:
    """Yield the calls behind some expressions that give another value each time.

    Each comes as often as it is behind them, up to a few times.
    """
    for node in _behind(facts, nodes):
        for part in descendants(node):
            if isinstance(part, cst.Call) and effects.is_fresh_call(part):
                yield part


def _mutable(facts: Facts, nodes: Iterable[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield what makes a list or the like behind some expressions, likewise."""
    for node in _behind(facts, nodes):
        for part in descendants(node):
            is_made = isinstance(part, cst.Call) and last_name(part.func) in _MAKE_MUTABLE
            if is_made or isinstance(part, (cst.List, cst.Dict, cst.Set, cst.BaseComp)):
                yield part


#: Functions and methods that give a new thing each time, which may be changed.
_MAKE_MUTABLE = frozenset(
    "list dict set sorted bytearray copy split rsplit splitlines findall".split()
)


def _behind(facts: Facts, nodes: Iterable[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield some expressions and what the variables in them were given, likewise."""
    stack, seen = list(nodes), Counter[cst.CSTNode]()
    while stack:
        node = stack.pop()
        yield node
        for name in names_in(node):
            value = facts.definitions.of(name).value if name in facts.index.parent else None
            if value is None or isinstance(facts.index.function(value), cst.Module):
                continue
            seen[value] += 1
            if seen[value] <= 2:  # that it is reached more than once is all there is to know
                stack.append(value)


def _is_before(facts: Facts, node: cst.CSTNode, upload: Upload) -> bool:
    order, uploading = facts.index.order, facts.index.statement(upload.invocation.carrier)
    return order[facts.index.statement(node)] < order[uploading]
