"""Other calls that may invoke the object of a candidate, and have no upload of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from codemod import effects
from codemod.calls import LegacyCall
from codemod.echoes import is_test
from codemod.facts import Facts
from codemod.near import uri_of
from codemod.pairing import Candidate, Pairing
from codemod.syntax import descendants
from codemod.template import Hole, Template, literal, may_match, split_uri


@dataclass(frozen=True, slots=True)
class Sharing:
    """One such call; not certain if it may also invoke another object."""

    call: LegacyCall
    is_certain: bool


def sharing(facts: Facts, candidate: Candidate, pairing: Pairing) -> Iterator[Sharing]:
    """Yield the calls that may invoke the object of a candidate, too.

    Without the upload they would find nothing, or what an earlier request has left there.
    """
    uploads = list(candidate.upload.chain())
    places = {one.invocation.carrier for one in uploads}
    addresses = [_parts(facts, one.uri) for one in uploads]
    own = {one.invocation.carrier for call in candidate.calls for one in call.inward()}
    uploaded_for: set[cst.Call] = set()
    behind: set[cst.Call] = set()
    for other in pairing.candidates:
        if other is not candidate and _is_through(other, candidate):
            yield from (Sharing(call, is_certain=True) for call in other.calls)
        uploaded_for.update(call.invocation.carrier for call in other.calls)
        behind.update(one.invocation.carrier for call in other.calls for one in call.inward())
    of_upload = {one.call for one in pairing.unpaired if one.upload.invocation.carrier in places}
    for call in (*pairing.alone, *(one.call for one in pairing.unpaired)):
        inward = {one.invocation.carrier for one in call.inward()}
        if call.invocation.carrier in own | behind or not uploaded_for.isdisjoint(inward):
            continue
        if is_test(facts.index.function(call.invocation.carrier)):
            continue  # it has a stand-in for the endpoint
        uri = uri_of(facts, call)
        if call in of_upload or uri == candidate.upload.uri:
            yield Sharing(call, is_certain=True)
        elif not _is_made_anew(facts, call, candidate.upload.uri) and any(
            _may_be_same(_parts(facts, uri), one) for one in addresses
        ):
            yield Sharing(call, is_certain=False)


def _is_through(other: Candidate, candidate: Candidate) -> bool:
    """Tell whether one candidate uploads by a function that holds the upload of the other."""
    chain = [one.invocation.carrier for one in other.upload.chain()]
    return candidate.upload.invocation.carrier in chain[1:]


def _is_made_anew(facts: Facts, call: LegacyCall, known: Template) -> bool:
    """Tell whether an address has a number or the like in it that no other address has."""
    return any(
        isinstance(part, cst.Call) and effects.is_unique_call(part)
        for inner in call.inward()
        for piece in uri_of(facts, inner)
        if isinstance(piece, Hole) and piece.node is not None and piece not in known
        for part in descendants(piece.node)
    )


def is_address(facts: Facts, template: Template) -> bool:
    """Tell whether a text is a URI of which it is certain where the bucket ends."""
    return _parts(facts, template) is not None


def may_be_same_uri(facts: Facts, one: Template, other: Template) -> bool:
    """Tell whether two URIs with distinctive text in common could be the same."""
    return _may_be_same(_parts(facts, one), _parts(facts, other))


def _parts(facts: Facts, uri: Template) -> tuple[Template, Template] | None:
    """Return the bucket and the key of a URI, with what is known of the text of functions."""
    if uri not in facts.addresses:
        facts.addresses[uri] = split_uri(facts.templates.loosely(uri))
    return facts.addresses[uri]


def _may_be_same(
    one: tuple[Template, Template] | None, other: tuple[Template, Template] | None
) -> bool:
    """Tell whether two addresses with distinctive text in common could be the same."""
    if one is None or other is None:
        return False
    buckets = literal(one[0]), literal(other[0])
    is_elsewhere = all(buckets) and buckets[0] != buckets[1]
    return not is_elsewhere and may_match(one[1], other[1])
