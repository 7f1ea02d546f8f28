"""Which upload a call invokes: the one whose object its ``InputLocation`` names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from codemod.calls import LegacyCall
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.payload import Payload, payload_of
from codemod.refusals import Refusal
from codemod.structure import Span, is_always_run, span, swallows
from codemod.syntax import descendants, names_in, unwrap_await
from codemod.template import Hole, Piece, Template, contains, literal, same_object, source
from codemod.uploads import Upload


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One upload and every call that invokes the uploaded object, with the code in between."""

    upload: Upload
    payload: Payload
    calls: tuple[LegacyCall, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Unpaired:
    """A call whose object is certainly uploaded here, but in a way that cannot be followed."""

    call: LegacyCall
    upload: Upload
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Pairing:
    """Every legacy call of a module in exactly one place."""

    candidates: tuple[Candidate, ...]
    unpaired: tuple[Unpaired, ...]
    alone: tuple[LegacyCall, ...]


def pair(facts: Facts, calls: list[LegacyCall], uploads: list[Upload]) -> Pairing:
    """Match calls with the uploads of the same function."""
    near = _Near(facts, uploads)
    groups: dict[Upload, list[tuple[LegacyCall, Span]]] = {}
    unpaired: list[Unpaired] = []
    alone: list[LegacyCall] = []
    for call in calls:
        nested = near.inside(call.location)
        crowded = near.on_line_of(call)
        reaching = [
            (upload, reach)
            for upload in near.invoked(call)
            if (reach := _reach(facts, upload, call)) is not None
        ]
        if nested is not None:
            refusal = Refusal(
                "upload-in-expression",
                nested.uploading,
                unlock="assign what the upload returns to a variable before the call",
            )
            unpaired.append(Unpaired(call, nested, refusal))
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
            missed = (
                near.from_outside(call) or near.kept(call) or _near_miss(facts, call, near.of(call))
            )
            if missed is not None:
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
    return Pairing(candidates, tuple(unpaired), tuple(alone))


def _reach(facts: Facts, upload: Upload, call: LegacyCall) -> Span | None:
    return span(
        facts.index,
        facts.index.statement(upload.invocation.carrier),
        facts.index.statement(call.invocation.carrier),
    )


class _Near:
    """The uploads of a module by the function they stand in and what they can be known by."""

    def __init__(self, facts: Facts, uploads: list[Upload]) -> None:
        self._facts = facts
        self._by_function: dict[cst.CSTNode, list[Upload]] = {}
        self._by_uri: dict[tuple[cst.CSTNode, Template], list[Upload]] = {}
        self._by_node: dict[cst.CSTNode, list[Upload]] = {}
        for upload in uploads:
            function = facts.index.function(upload.invocation.carrier)
            self._by_function.setdefault(function, []).append(upload)
            self._by_uri.setdefault((function, upload.uri), []).append(upload)
            self._by_node.setdefault(unwrap_await(upload.uploading), []).append(upload)

    def of(self, call: LegacyCall) -> list[Upload]:
        """Return the uploads in the function of a call."""
        return self._by_function.get(self._facts.index.function(call.invocation.carrier), [])

    def inside(self, node: cst.BaseExpression) -> Upload | None:
        """Return an upload that is part of an expression."""
        for part in descendants(node):
            if part in self._by_node:
                return self._by_node[part][0]
        return None

    def on_line_of(self, call: LegacyCall) -> Upload | None:
        """Return an upload of the object that stands on the same line as the call."""
        index = self._facts.index
        statement = index.statement(call.invocation.carrier)
        for upload in self.invoked(call):
            is_direct = upload.via is None and call.through is None
            if is_direct and index.statement(upload.invocation.carrier) is statement:
                return upload
        return None

    def from_outside(self, call: LegacyCall) -> Unpaired | None:
        """Return an upload of the object in a function around the call's own."""
        uri = _uri(self._facts, call)
        index = self._facts.index
        function = index.function(index.function(call.invocation.carrier))
        while not isinstance(function, cst.Module):
            for upload in self._by_uri.get((function, uri), ()):
                refusal = Refusal(
                    "call-deferred",
                    call.invocation.carrier,
                    unlock="call in the function that uploads",
                )
                return Unpaired(call, upload, refusal)
            function = index.function(function)
        return None

    def kept(self, call: LegacyCall) -> Unpaired | None:
        """Return an upload whose URI one method keeps on the object for another that calls."""
        index = self._facts.index
        location = self._facts.definitions.resolve(call.location)
        if not isinstance(location, cst.Attribute) or not isinstance(location.value, cst.Name):
            return None
        owner = index.class_of(location)
        if location.value.value not in ("self", "cls") or owner is None:
            return None
        for target, value in index.attribute_stores.get(location.attr.value, ()):
            if value is None or index.class_of(target) is not owner:
                continue
            for upload in self._by_function.get(index.function(target), ()):
                if _same(self._facts, value, upload):
                    refusal = Refusal(
                        "uri-on-object",
                        target,
                        source(location),
                        "upload and call in one method, or hand the URI over as an argument",
                    )
                    return Unpaired(call, upload, refusal)
        return None

    def invoked(self, call: LegacyCall) -> list[Upload]:
        """Return the uploads of the object that a call invokes."""
        function = self._facts.index.function(call.invocation.carrier)
        uri = _uri(self._facts, call)
        found = dict.fromkeys(self._by_uri.get((function, uri), ()))
        for made in _makers(self._facts, call.location):
            for upload in self._by_node.get(unwrap_await(made), ()):
                gives_more = upload.via is not None and upload.via.returns == "else"
                if upload.returns_uri or gives_more:
                    found[upload] = None
        if uri and isinstance(uri[0], str) and uri[0].startswith("https://"):
            for upload in self._by_function.get(function, ()):
                if upload.bucket is not None and upload.key is not None:
                    if same_object(uri, upload.bucket, upload.key):
                        found[upload] = None
        return list(found)


def _wins(reach: Span) -> bool:
    """Tell whether every way to the call goes through an upload, so that earlier ones are gone."""
    return all(is_always_run(step) and not swallows(step) for step in reach.down_to_first)


def _makers(facts: Facts, location: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield the expressions whose result, or part of it, a location may be."""
    yield facts.definitions.resolve(location)
    if isinstance(location, cst.Name):
        value = facts.definitions.of(location).value
        if value is not None:
            yield value


def _uri(facts: Facts, call: LegacyCall) -> Template:
    return facts.templates.of(call.location) if call.through is None else call.through.uri


def made_by(facts: Facts, location: cst.BaseExpression, upload: Upload) -> bool:
    """Tell whether an expression is what an upload returned."""
    made = facts.definitions.resolve(location)
    return unwrap_await(made) is unwrap_await(upload.invocation.whole)


def _near_miss(facts: Facts, call: LegacyCall, near: list[Upload]) -> Unpaired | None:
    """Find the upload that a call certainly means although its URI is not proven."""
    order = facts.index.order
    here = order[facts.index.statement(call.invocation.carrier)]
    earlier = [
        upload
        for upload in near
        if order[facts.index.statement(upload.invocation.carrier)] < here
        and _reach(facts, upload, call) is not None
    ]
    for upload in reversed(earlier):
        if any(_same(facts, value, upload) for value in _alternatives(facts, call.location)):
            return Unpaired(call, upload, _path_refusal(facts, upload, call))
    uri = _uri(facts, call)
    for upload in reversed(earlier):
        if _is_unproven(facts, uri, upload):
            shown = " + ".join(
                repr(piece) if isinstance(piece, str) else piece.text for piece in uri
            )
            refusal = Refusal(
                "uri-unproven",
                call.location,
                shown,
                "build InputLocation from the same bucket and key variables as the upload",
            )
            return Unpaired(call, upload, refusal)
    return None


def _path_refusal(facts: Facts, upload: Upload, call: LegacyCall) -> Refusal:
    """Say why only some paths to the call go through the upload."""
    reach = _reach(facts, upload, call)
    assert reach is not None
    for step in reach.down_to_first:
        if swallows(step):
            return Refusal("upload-error-swallowed", step.statement)
    return Refusal(
        "upload-conditional", upload.uploading, unlock="upload and call in the same branch"
    )


def _same(facts: Facts, value: cst.BaseExpression, upload: Upload) -> bool:
    if upload.returns_uri and made_by(facts, value, upload):
        return True
    uri = facts.templates.of(value)
    if upload.bucket is not None and upload.key is not None:
        return same_object(uri, upload.bucket, upload.key)
    return uri == upload.uri


def _alternatives(facts: Facts, node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield the expressions that may be behind a name whose value depends on the path taken."""
    if isinstance(node, cst.IfExp):
        yield from (node.body, node.orelse)
    if not isinstance(node, cst.Name):
        return
    for origin in facts.definitions.of(node).origins():
        if origin.kind is Kind.ASSIGNED and origin.value is not None:
            yield origin.value


def _is_unproven(facts: Facts, uri: Template, upload: Upload) -> bool:
    """Tell whether a URI is built from the upload's key without being provably its URI."""
    key = upload.key
    if upload.via is not None and any(_is_part_of(piece, upload) for piece in uri):
        return True
    if key is not None and literal(key) is None and contains(uri, key):
        bucket = literal(upload.bucket or ())
        start = uri[0] if uri else ""
        known = isinstance(start, str) and start.startswith("s3://") and start.count("/") > 2
        return not (known and bucket is not None)
    if key is not None and literal(key) and contains(uri, key):
        return any(isinstance(piece, Hole) for piece in (*uri, *(upload.bucket or ())))
    if upload.key_node is None or literal(uri) is not None:
        return False
    names = set(_definitions_behind(facts, upload.key_node))
    return any(
        isinstance(piece, Hole)
        and isinstance(piece.node, cst.Call)
        and any(facts.definitions.of(name) in names for name in names_in(piece.node))
        for piece in uri
    )


def _is_part_of(piece: Piece, upload: Upload) -> bool:
    """Tell whether a hole is one of several things that an uploading function returned."""
    definition = piece.key[1] if isinstance(piece, Hole) and len(piece.key) > 1 else None
    value = definition.value if isinstance(definition, Definition) else None
    return value is not None and unwrap_await(value) is unwrap_await(upload.uploading)


def _definitions_behind(facts: Facts, node: cst.BaseExpression) -> Iterator[Definition]:
    for name in names_in(node):
        definition = facts.definitions.of(name)
        if definition.kind is not Kind.OUTSIDE:
            yield definition
