"""Uploads and calls in functions that a third one calls, whose addresses read alike there.

Nothing is handed over then: both work the address out, from the same job or the same constants.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import libcst as cst

from codemod.calls import LegacyCall
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.functions import Bindings, named_parameters, sites
from codemod.injected import Injected, perhaps_called
from codemod.invocations import invocations
from codemod.near import Near
from codemod.provenance import Provenance, meant_for
from codemod.references import Use, uses
from codemod.spellings import Level, Spelled, Spelling, Way
from codemod.structure import span
from codemod.syntax import callee
from codemod.template import Template
from codemod.transfers import Upload

#: How many places are looked at that call a function, and how many functions lie between.
_MOST, _STEPS = 20, 3
#: How many uploads are compared with one call.
_UPLOADS = 60
#: What runs a function that it is given, or that it is called on.
_RUNNING = frozenset(
    "to_thread run_in_executor run_sync submit delay apply apply_async remote send kiq enqueue"
    " spawn s si signature".split()
)


class _Lead(NamedTuple):
    """Where a function does something, by way of which calls."""

    node: cst.CSTNode
    way: Way


class Joins:
    """Finds the upload for a call in a function that leads to both."""

    def __init__(self, facts: Facts, near: Near, provenance: Provenance) -> None:
        self._facts = facts
        self._near = near
        self._spelling = Spelling(facts)
        self._injected = Injected(facts, provenance)
        self._leads: dict[cst.CSTNode, dict[cst.CSTNode, list[_Lead]]] = {}
        self._spelled: dict[tuple[object, tuple[cst.CSTNode, ...]], Spelled] = {}

    def is_fixed(self, call: LegacyCall) -> bool:
        """Tell whether the address of a call is the same wherever it is spelled."""
        address = self._facts.templates.of(call.location)
        return self._spelling.is_fixed(self._spelling.of(address))

    def of(self, call: LegacyCall) -> Upload | None:
        """Return an upload before a call whose address reads alike."""
        if call.through is not None:
            return None
        theirs = self._leading_to(call.invocation.carrier)
        for upload in islice(self._near.every, _UPLOADS):
            if upload.via is not None:
                continue
            ours = self._leading_to(upload.invocation.carrier)
            for function in theirs:
                for earlier in ours.get(function, ()):
                    for later in theirs[function]:
                        if self._meet(upload, earlier, call, later):
                            return upload
        return None

    def _meet(self, upload: Upload, earlier: _Lead, call: LegacyCall, later: _Lead) -> bool:
        index = self._facts.index
        first, last = index.statement(earlier.node), index.statement(later.node)
        is_listed = first is last and earlier.node is not later.node
        if not is_listed and span(index, first, last) is None:
            return False
        if is_listed and index.order[first] != index.order[last]:
            return False
        address = self._facts.templates.of(call.location)
        ours = self._read(upload, upload.uri, earlier.way)
        return self._read(call, address, later.way) == ours

    def _read(self, of: object, address: Template, way: Way) -> Spelled:
        known = (of, tuple(level.call for level in way))
        if known not in self._spelled:
            self._spelled[known] = self._spelling.of(address, way)
        return self._spelled[known]

    def _leading_to(self, node: cst.CSTNode) -> dict[cst.CSTNode, list[_Lead]]:
        """Return the function of some code, and those that lead to it, with where they do."""
        index = self._facts.index
        here = index.function(node)
        if node not in self._leads:
            found: dict[cst.CSTNode, list[_Lead]] = {here: [_Lead(node, ())]}
            queue: list[tuple[cst.CSTNode, Way, int]] = [(here, (), 0)]
            for function, way, steps in queue:
                if not isinstance(function, cst.FunctionDef):
                    continue
                for site in islice(self._sites(function), _MOST):
                    for level in self._levels(function, site):
                        around = index.function(site)
                        if around not in found and steps < _STEPS:
                            queue.append((around, (level, *way), steps + 1))
                        found.setdefault(around, []).append(_Lead(site, (level, *way)))
            self._leads[node] = found
        return self._leads[node]

    def _sites(self, function: cst.FunctionDef) -> Iterator[cst.Name | cst.Attribute]:
        yield from sites(self._facts, function)
        yield from perhaps_called(self._facts, self._injected, function)

    def _levels(self, function: cst.FunctionDef, site: cst.Name | cst.Attribute) -> Iterator[Level]:
        """Yield the calls of a function at some place, be it that something else makes them."""
        facts = self._facts
        made = invocations(facts.definitions, site)
        for call in made:
            bound = named_parameters(facts, function, site, call.args) or {}
            own = None
            if isinstance(site, cst.Attribute) and facts.index.class_of(function) is not None:
                own = self._spelling.thing(site.value)
            yield Level(call.carrier, bound, own)
        if made:
            return
        above = facts.index.parent[site]
        if isinstance(above, cst.Element):  # of a list of steps
            yield Level(site, {})
        for use in uses(facts, site, as_task=True):
            named = above.keyword if isinstance(above, cst.Arg) else None
            is_task = named is not None and named.value == "python_callable"
            if callee(use.call) in _RUNNING or is_task:
                yield Level(use.call, self._meant(function, use))

    def _meant(self, function: cst.FunctionDef, use: Use) -> Bindings:
        """Return what a function gets of something that runs it, as far as that is clear."""
        found: dict[Definition, cst.BaseExpression] = {}
        bindings = self._facts.definitions.walk(function).bindings
        packs = callee(use.call) in ("apply", "apply_async")
        for param in (*function.params.params, *function.params.kwonly_params):
            values = list(meant_for(param, function, use.args, packs=packs))
            for definition in bindings[param.name.value] if len(values) == 1 else ():
                if definition.node is param:
                    found[definition] = values[0]
        return found
