"""Every legacy call of a module gets exactly one verdict."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import libcst as cst

from codemod.anyway import uploaded_anyway
from codemod.arrangement import arrange
from codemod.calls import LegacyCall, NotLegacy, describe, find_calls
from codemod.classes import owner_of
from codemod.detours import kept_for_others
from codemod.elsewhere import Elsewhere
from codemod.facts import Facts
from codemod.flows import with_helpers
from codemod.functions import sites
from codemod.handovers import offered, with_functions
from codemod.inputs import METHOD
from codemod.layout import Layout
from codemod.model import Fix
from codemod.pairing import Candidate, pair
from codemod.preparations import looked_up
from codemod.proposals import Proposal
from codemod.refusals import Refusal
from codemod.rules import REASONS
from codemod.safety import CHECKS
from codemod.sharing import Sharings
from codemod.template import has_text, literal, source
from codemod.transfers import Upload
from codemod.uploads import find_uploads
from codemod.visibility import Visibility
from codemod.writers import with_written


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What is said of one call.

    ``refusal`` is ``None`` for a safe fix; ``candidate`` and ``layout`` are there if a fix exists.
    """

    call: LegacyCall
    upload: Upload
    fix: Fix
    refusal: Refusal | None = None
    candidate: Candidate | None = None
    layout: Layout | None = None
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The code of the finding."""
        if self.refusal is None:
            return "SAI001"
        return REASONS[self.refusal.reason].code


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdicts on a module in source order, and the calls that are no finding.

    ``alone`` are the calls of the API, or of functions that make them, without an upload that is
    certain to be theirs, ``offers`` the names of functions that invoke with what they are given and
    may be called from elsewhere, or the attributes that hold one, ``routes`` those of functions and
    classes that may be used for payloads that do not fit only.
    """

    verdicts: tuple[Verdict, ...]
    left: tuple[NotLegacy, ...]
    alone: tuple[LegacyCall, ...] = ()
    offers: tuple[cst.Name | cst.Attribute, ...] = ()
    routes: tuple[cst.Name, ...] = ()

    def only_reporting(self, before: Judgement) -> Judgement:
        """Return the judgement without fixes that another one has not.

        That was made without the modules of constants and classes which say what an address is:
        those may be changed by anybody.
        """
        fixed = {_carriers(one) for one in before.verdicts if one.fix is not Fix.NONE}
        kept = [
            one
            if one.fix is Fix.NONE or _carriers(one) in fixed
            else _unproven(one.call, one.upload)
            for one in self.verdicts
        ]
        return replace(self, verdicts=tuple(kept))

    def within_reach(self, facts: Facts) -> Judgement:
        """Return the judgement without the verdicts on code that may not be changed.

        A notebook does not change with other files, but what its cells do is said.
        """
        kept = []
        for verdict in self.verdicts:
            places = (verdict.upload.invocation.carrier, verdict.call.invocation.carrier)
            homes = {facts.index.module_of(place) for place in places}
            if not homes.isdisjoint(facts.notebooks):
                kept.append(verdict if verdict.fix is Fix.NONE else _for_notebook(verdict))
            elif not homes.isdisjoint(facts.changeable):
                kept.append(verdict)
        return replace(self, verdicts=tuple(kept))


def _carriers(verdict: Verdict) -> tuple[cst.Call, ...]:
    """Return the calls that a verdict is about."""
    call, upload = verdict.call, verdict.upload
    made = (call, call.innermost or call, upload, upload.innermost)
    return tuple(one.invocation.carrier for one in made)


def _unproven(call: LegacyCall, upload: Upload) -> Verdict:
    refusal = Refusal("uri-unproven", call.location, source(call.location))
    return Verdict(call, upload, Fix.NONE, refusal)


def _for_notebook(verdict: Verdict) -> Verdict:
    carrier = verdict.call.invocation.carrier
    refusal = Refusal("notebook-with-module", carrier, describe(verdict.call))
    return Verdict(verdict.call, verdict.upload, Fix.NONE, refusal)


def judge(facts: Facts) -> Judgement:
    """Find, pair and judge every call of ``invoke_endpoint_async`` in a module."""
    direct, left = find_calls(facts)
    calls = with_functions(facts, direct, left)
    kept = tuple(kept_for_others(facts, METHOD))
    if not calls and not any(one.otherwise is not None for one in left):
        offers = (*offered(facts, (), left), *kept)
        return Judgement((), tuple(left), (), offers, tuple(_perhaps_routes(facts, (), left)))
    uploads = with_helpers(facts, with_written(facts, find_uploads(facts)))
    pairing = pair(facts, calls, uploads)
    verdicts: list[Verdict] = []
    carriers = {call.invocation.carrier for one in pairing.candidates for call in one.calls}
    elsewhere, sharings = Elsewhere(facts, carriers), Sharings(facts, pairing)
    for candidate in pairing.candidates:
        verdicts.extend(_judge(facts, candidate, carriers, sharings, elsewhere))
    for unpaired in pairing.unpaired:
        verdicts.append(Verdict(unpaired.call, unpaired.upload, Fix.NONE, unpaired.refusal))
    uncertain = tuple(one.call for one in pairing.unpaired if not one.is_certain)
    verdicts = list(_once(facts, verdicts, uncertain))
    for call, upload, refusal in uploaded_anyway(facts, left, uploads):
        verdicts.append(Verdict(call, upload, Fix.NONE, refusal))
        calls.append(call)
    order = {call: position for position, call in enumerate(calls)}
    verdicts.sort(key=lambda verdict: order[verdict.call])
    verdicts = [replace(one, call=route) for one in verdicts for route in one.call.routes()]
    covered = {verdict.call.innermost for verdict in verdicts}
    explained = {one.node for one in left}
    alone = [
        NotLegacy(call.invocation.carrier, "no upload of its input is in reach")
        for call in pairing.alone
        if call.through is None and call not in covered
        if call.invocation.carrier not in explained
    ]
    handed = (
        call for verdict in verdicts for call in verdict.call.inward() if call is not verdict.call
    )
    giving = (*pairing.alone, *uncertain, *handed)
    offers = (*offered(facts, giving, left, pairing.fixed), *kept)
    routes = tuple(_perhaps_routes(facts, verdicts, left))
    made = {call.invocation.carrier for call in covered if call is not None}
    rest = (one for one in left if one.node not in made)
    others = (one.otherwise for one in left if one.otherwise is not None)
    lone = (*pairing.alone, *uncertain, *(call for call in others if call not in covered))
    return Judgement(tuple(verdicts), (*rest, *alone), lone, offers, routes)


def _perhaps_routes(
    facts: Facts, verdicts: Iterable[Verdict], left: Iterable[NotLegacy]
) -> Iterator[cst.Name]:
    """Yield functions with a call that other modules may make for payloads that do not fit only.

    Those of this module do not call them, or do so for these only. Of a method it is the class as
    well, which others may choose, or make another class from.
    """
    made = [(one.call.invocation.carrier, False) for one in verdicts]
    made += [(one.node, True) for one in left if one.by_callers and isinstance(one.node, cst.Call)]
    for call, is_route in made:
        function = facts.index.function(call)
        if not isinstance(function, cst.FunctionDef):
            continue
        if isinstance(facts.index.function(function), cst.Module):
            owner = owner_of(facts, function)
            if owner is not None:
                yield owner.name
            if is_route or not sites(facts, function):
                yield function.name


def _once(
    facts: Facts, verdicts: list[Verdict], uncertain: Collection[LegacyCall]
) -> Iterator[Verdict]:
    """Leave out what was said of a call and an upload already.

    So is what is only likely of a call if its caller shows the same upload, and what callers of a
    function do not add to an upload that stands in it.
    """
    known = {
        (call.invocation.carrier, one.upload.innermost.invocation.carrier)
        for one in verdicts
        for call in one.call.inward()
        if one.call.through is not None
    }
    said = set()
    for one in verdicts:
        uploading = one.upload.innermost.invocation.carrier
        is_known = one.call.through is None and (one.call.invocation.carrier, uploading) in known
        both = (one.call.invocation.carrier, one.call.innermost, one.upload.innermost)
        through = one.call.through
        is_there = through is not None and (
            facts.index.function(one.upload.uploading) is through.function
        )
        is_said = one.layout is None and (both in said or is_there)
        if not (is_known and one.call in uncertain) and not is_said:
            yield one
            said.add(both)


def _judge(
    facts: Facts,
    candidate: Candidate,
    calls: set[cst.Call],
    sharings: Sharings,
    elsewhere: Elsewhere,
) -> list[Verdict]:
    is_typed = all(call.content_type is True for call in candidate.calls)
    problems = (
        candidate.upload.problem,
        _maybe_nothing(candidate),
        *(call.problem for call in candidate.calls),
        None if is_typed else candidate.upload.content_type_problem,
    )
    problem = next((one for one in problems if one is not None), None)
    if problem is not None:
        return [Verdict(call, candidate.upload, Fix.NONE, problem) for call in candidate.calls]
    if candidate.upload.via is None:
        prepared = looked_up(facts, candidate.upload)
        candidate = replace(candidate, upload=replace(candidate.upload, prepared=prepared))
    seen = Visibility(facts, candidate, calls, sharings.of(candidate), elsewhere)
    layout = arrange(facts, candidate, seen)
    if isinstance(layout, Refusal):
        return [Verdict(call, candidate.upload, Fix.NONE, layout) for call in candidate.calls]
    case = Proposal(facts, candidate, seen, layout)
    refusals = [refusal for check in CHECKS if (refusal := check(case)) is not None]
    refusals.sort(key=lambda refusal: REASONS[refusal.reason].code != "SAI003")
    chosen = refusals[0] if refusals else None
    if chosen is not None and REASONS[chosen.reason].code == "SAI003":
        return [Verdict(call, candidate.upload, Fix.NONE, chosen) for call in candidate.calls]
    fix = Fix.SAFE if chosen is None else Fix.UNSAFE
    notes = _notes(candidate)
    return [
        Verdict(call, candidate.upload, fix, chosen, candidate, layout, notes)
        for call in candidate.calls
    ]


def _maybe_nothing(candidate: Candidate) -> Refusal | None:
    """Refuse if a function may not take a key that it is given, as that may count as nothing."""
    if all(map(has_text, candidate.upload.nonempty)):
        return None
    location = candidate.calls[0].location
    return Refusal("uri-unproven", location, source(location))


def _notes(candidate: Candidate) -> tuple[str, ...]:
    key = candidate.upload.key
    fixed = literal(key) if key is not None else None
    if not fixed:
        return ()
    note = (
        f"every request overwrites the same key {fixed!r}; the object of an earlier request"
        " stays behind and may look current"
    )
    return (note,)
