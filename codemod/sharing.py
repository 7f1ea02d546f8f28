"""Other calls that may invoke the object of a candidate, and have no upload of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


_Parts = tuple[Template, Template]


class Sharings:
    """Finds the calls that may invoke the object of a candidate, too.

    Without the upload they would find nothing, or what an earlier request has left there.
    """

    def __init__(self, facts: Facts, pairing: Pairing) -> None:
        self._facts = facts
        uploaded_for = {one for each in pairing.candidates for one in _carriers(each.calls)}
        behind = {one for each in pairing.candidates for one in _behind(each)}
        self._through: dict[cst.Call, list[Candidate]] = {}
        for candidate in pairing.candidates:
            for inner in list(candidate.upload.chain())[1:]:
                self._through.setdefault(inner.invocation.carrier, []).append(candidate)
        self._of_upload: dict[cst.Call, set[LegacyCall]] = {}
        for one in pairing.unpaired:
            self._of_upload.setdefault(one.upload.invocation.carrier, set()).add(one.call)
        self._lonely: dict[str | None, list[_Lonely]] = {}
        for call in (*pairing.alone, *(one.call for one in pairing.unpaired)):
            inward = set(_carriers(call.inward()))
            if call.invocation.carrier in behind or not inward.isdisjoint(uploaded_for):
                continue
            if not is_test(facts.index.function(call.invocation.carrier)):  # it has a stand-in
                uri = uri_of(facts, call)
                lonely = _Lonely(call, uri, _parts(facts, uri))
                self._lonely.setdefault(_name(lonely.parts), []).append(lonely)

    def of(self, candidate: Candidate) -> Iterator[Sharing]:
        """Yield those calls."""
        facts, upload = self._facts, candidate.upload
        for other in self._through.get(upload.invocation.carrier, ()):
            if other is not candidate:
                yield from (Sharing(call, is_certain=True) for call in other.calls)
        if not self._lonely:
            return
        uploads = list(upload.chain())
        addresses = [_parts(facts, one.uri) for one in uploads]
        of_upload = {
            call for one in uploads for call in self._of_upload.get(one.invocation.carrier, ())
        }
        for one in self._perhaps(addresses, of_upload):
            if one.call in of_upload or one.uri == upload.uri:
                yield Sharing(one.call, is_certain=True)
            elif not _is_made_anew(facts, one.call, upload.uri) and any(
                _may_be_same(one.parts, address) for address in addresses
            ):
                yield Sharing(one.call, is_certain=False)

    def _perhaps(
        self, addresses: Iterable[_Parts | None], of_upload: set[LegacyCall]
    ) -> Iterator[_Lonely]:
        """Yield the calls that may be meant: the names of two objects that are known are alike."""
        names = {_name(one) for one in addresses}
        for name, calls in self._lonely.items():
            if name is None or name in names or None in names:
                yield from calls
            else:
                yield from (one for one in calls if one.call in of_upload)


def _name(parts: _Parts | None) -> str | None:
    """Return what follows the last slash of a key, if all of that is known."""
    last = parts[1][-1] if parts is not None and parts[1] else None
    return last.rpartition("/")[2] if isinstance(last, str) and "/" in last else None


@dataclass(frozen=True, slots=True, eq=False)
class _Lonely:
    """A call without an upload of its own."""

    call: LegacyCall
    uri: Template
    parts: _Parts | None


def _carriers(calls: Iterable[LegacyCall]) -> Iterator[cst.Call]:
    return (call.invocation.carrier for call in calls)


def _behind(candidate: Candidate) -> Iterator[cst.Call]:
    """Yield the calls of a candidate and those that they lead to."""
    return (carrier for call in candidate.calls for carrier in _carriers(call.inward()))


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


def _parts(facts: Facts, uri: Template) -> _Parts | None:
    """Return the bucket and the key of a URI, with what is known of the text of functions."""
    if uri not in facts.addresses:
        facts.addresses[uri] = split_uri(facts.templates.loosely(uri))
    return facts.addresses[uri]


def _may_be_same(one: _Parts | None, other: _Parts | None) -> bool:
    """Tell whether two addresses with distinctive text in common could be the same."""
    if one is None or other is None:
        return False
    buckets = literal(one[0]), literal(other[0])
    is_elsewhere = all(buckets) and buckets[0] != buckets[1]
    return not is_elsewhere and may_match(one[1], other[1])
