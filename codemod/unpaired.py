"""Calls whose object is certainly uploaded here, in a way that cannot be followed."""

from __future__ import annotations

import libcst as cst

from codemod.calls import LegacyCall
from codemod.echoes import Echoes
from codemod.facts import Facts
from codemod.functions import bound_arguments, sites
from codemod.indirect import Claims
from codemod.invocations import invocations
from codemod.joins import Joins
from codemod.kept import collected, kept
from codemod.misses import near_miss
from codemod.near import (
    Near,
    Unpaired,
    uri_of,
)
from codemod.provenance import Provenance
from codemod.refusals import Refusal
from codemod.resemblance import Resemblance
from codemod.template import source
from codemod.translation import Translation


class Explanations:
    """Says which upload a call means although nothing proves it, and what is missing."""

    def __init__(self, facts: Facts, near: Near) -> None:
        self._facts = facts
        self._near = near
        self._provenance = Provenance(facts)
        self._claims = Claims(facts, near, self._provenance)
        self._echoes = Echoes(facts, near)
        self._joins = Joins(facts, near, self._provenance)
        self._resemblance = Resemblance(facts)

    def of(self, call: LegacyCall) -> Unpaired | None:
        """Return the upload that a call seems to invoke, if there is one."""
        facts, near = self._facts, self._near
        return (
            _in_header(facts, near, call)
            or _from_outside(facts, near, call)
            or kept(facts, near, call)
            or near_miss(facts, near, self._resemblance, call)
            or _by_callers(facts, near, call)
            or collected(facts, near, self._provenance, call)
            or self._through_others(call)
            or self._spelled_again(call)
            or self._spelled_alike(call)
        )

    def may_be_elsewhere(self, call: LegacyCall) -> bool:
        """Tell whether a function of another module may upload what a call invokes."""
        return self._echoes.is_fixed(call) or self._joins.is_fixed(call)

    def _through_others(self, call: LegacyCall) -> Unpaired | None:
        """Find an upload in a function that something else calls: a pool, a lambda, a table."""
        claim = self._claims.of(call)
        if claim is None:
            return None
        return Unpaired(call, claim.upload, claim.refusal, is_certain=False)

    def _spelled_again(self, call: LegacyCall) -> Unpaired | None:
        """Find an upload in another function that spells the same address."""
        upload = self._echoes.of(call)
        if upload is None:
            return None
        refusal = Refusal(
            "uri-kept",
            call.location,
            source(call.location),
            "upload and call in one function, or hand the URI over as an argument",
        )
        return Unpaired(call, upload, refusal, is_certain=False)

    def _spelled_alike(self, call: LegacyCall) -> Unpaired | None:
        """Find an upload that a function around both makes, to an address that reads alike."""
        upload = self._joins.of(call) if call.either is None else None
        if upload is None:
            return None
        refusal = Refusal("uri-unproven", call.location, source(call.location))
        return Unpaired(call, upload, refusal, is_certain=False)


def _in_header(facts: Facts, near: Near, call: LegacyCall) -> Unpaired | None:
    """Find an upload in the condition of the statement that the call stands in."""
    index = facts.index
    for upload in near.invoked(call):
        statement = index.statement(upload.invocation.carrier)
        is_around = isinstance(statement, (cst.If, cst.While, cst.With))
        if is_around and index.inside(call.invocation.carrier, statement):
            unlock = "make the upload a statement of its own"
            refusal = Refusal("upload-in-expression", upload.uploading, unlock=unlock)
            return Unpaired(call, upload, refusal)
    return None


def _by_callers(facts: Facts, near: Near, call: LegacyCall) -> Unpaired | None:
    """Find an upload whose key is given to the function apart from the URI of the call."""
    definition = (
        facts.definitions.of(call.location) if isinstance(call.location, cst.Name) else None
    )
    function = facts.index.function(call.invocation.carrier)
    uploads = near.of(call)
    if definition is None or not isinstance(definition.node, cst.Param) or not uploads:
        return None
    if not isinstance(function, cst.FunctionDef):
        return None
    for func in sites(facts, function):
        for site in invocations(facts.definitions, func):
            bound = bound_arguments(facts, function, func, site.args) or {}
            if definition not in bound:
                continue
            translate = Translation(facts, function, site.carrier, bound)
            uri = facts.templates.of(bound[definition])
            for upload in uploads:
                if translate.template(upload.uri) == uri:
                    refusal = Refusal("uri-unproven", site.carrier, source(bound[definition]))
                    return Unpaired(call, upload, refusal)
    return None


def _from_outside(facts: Facts, near: Near, call: LegacyCall) -> Unpaired | None:
    """Find an upload of the object in a function around the call's own."""
    uri = uri_of(facts, call)
    function = facts.index.function(facts.index.function(call.invocation.carrier))
    while not isinstance(function, cst.Module):
        for upload in near.under(function, uri):
            refusal = Refusal(
                "call-deferred",
                call.invocation.carrier,
                unlock="call in the function that uploads",
            )
            return Unpaired(call, upload, refusal)
        function = facts.index.function(function)
    return None
