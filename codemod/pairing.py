"""Which upload a call invokes: the one whose object its ``InputLocation`` names."""

from __future__ import annotations

from dataclasses import dataclass

from codemod.calls import LegacyCall
from codemod.facts import Facts
from codemod.near import Near, Unpaired, reach_of, uri_of
from codemod.payload import Payload, payload_of
from codemod.refusals import Refusal
from codemod.structure import Span, is_always_run, swallows
from codemod.syntax import descendants, unwrap_await
from codemod.transfers import Upload
from codemod.unpaired import Explanations


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One upload and every call that invokes the uploaded object, with the code in between."""

    upload: Upload
    payload: Payload
    calls: tuple[LegacyCall, ...]
    spans: tuple[Span, ...]

    @property
    def is_nested(self) -> bool:
        """Whether the upload is the very expression that the call gets its URI from, or in it."""
        uploading = unwrap_await(self.upload.uploading)
        return any(part is uploading for part in descendants(self.calls[0].location))


@dataclass(frozen=True, slots=True)
class Pairing:
    """Every legacy call of a module in exactly one place.

    ``fixed`` are those of the calls left alone whose address another module may spell as well.
    """

    candidates: tuple[Candidate, ...]
    unpaired: tuple[Unpaired, ...]
    alone: tuple[LegacyCall, ...]
    fixed: tuple[LegacyCall, ...]


def pair(facts: Facts, calls: list[LegacyCall], uploads: list[Upload]) -> Pairing:
    """Match calls with the uploads of the same function."""
    near = Near(facts, uploads)
    explanations = Explanations(facts, near)
    groups: dict[Upload, list[tuple[LegacyCall, Span]]] = {}
    unpaired: list[Unpaired] = []
    alone: list[LegacyCall] = []
    for call in calls:
        nested = near.inside(call.location)
        crowded = near.on_line_of(call)
        reaching = [
            (upload, reach)
            for upload in near.invoked(call)
            if (reach := reach_of(facts, upload, call)) is not None
        ]
        within = _within(facts, call, nested) if nested is not None else None
        if nested is not None and within is not None:
            groups[nested] = [(call, within)]
        elif nested is not None:
            unpaired.append(_in_expression(call, nested))
        elif crowded is not None:
            refusal = Refusal(
                "shared-line", crowded.uploading, unlock="give the upload a line of its own"
            )
            unpaired.append(Unpaired(call, crowded, refusal))
        elif len(reaching) == 1:
            upload, reach = reaching[0]
            groups.setdefault(upload, []).append((call, reach))
        elif reaching and all(one in groups for one, _ in reaching[:-1]) and _wins(reaching[-1][1]):
            upload, reach = reaching[-1]
            groups.setdefault(upload, []).append((call, reach))
        elif reaching:
            refusal = Refusal(
                "several-uploads",
                reaching[0][0].invocation.carrier,
                unlock="upload the object in one place",
            )
            unpaired.append(Unpaired(call, reaching[-1][0], refusal))
        else:
            missed = explanations.of(call)
            given = near.given_to(call) if missed is None else None
            if given is not None:
                unpaired.append(_in_expression(call, given))
            elif missed is not None:
                unpaired.append(missed)
            else:
                alone.append(call)
    candidates = tuple(
        Candidate(
            upload,
            payload_of(facts, upload),
            tuple(call for call, _ in group),
            tuple(reach for _, reach in group),
        )
        for upload, group in groups.items()
    )
    fixed = tuple(filter(explanations.may_be_elsewhere, alone))
    return Pairing(candidates, tuple(unpaired), tuple(alone), fixed)


def _in_expression(call: LegacyCall, upload: Upload) -> Unpaired:
    unlock = "assign what the upload returns to a variable before the call"
    refusal = Refusal("upload-in-expression", upload.uploading, unlock=unlock)
    return Unpaired(call, upload, refusal)


def _within(facts: Facts, call: LegacyCall, upload: Upload) -> Span | None:
    """Return the statement of ``invoke(InputLocation=upload(data))`` as a stretch of code."""
    is_location = unwrap_await(call.location) is unwrap_await(upload.uploading)
    if not (is_location and upload.returns_uri) and uri_of(facts, call) != upload.uri:
        return None
    statement = facts.index.statement(call.invocation.carrier)
    if facts.index.statement(upload.uploading) is not statement:
        return None
    block = facts.index.block(statement)
    return Span(block, statement, statement, (), (), ())


def _wins(reach: Span) -> bool:
    """Tell whether every way to the call goes through an upload, so that earlier ones are gone."""
    return all(is_always_run(step) and not swallows(step) for step in reach.down_to_first)
