"""Uploads in the function of a call that it certainly means, although its URI is not proven."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from codemod.calls import LegacyCall
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.near import (
    Near,
    Unpaired,
    is_another_item,
    is_uri_of,
    made_by,
    reach_of,
    uri_of,
)
from codemod.refusals import Refusal
from codemod.resemblance import Resemblance
from codemod.structure import is_loop, swallows
from codemod.syntax import (
    names_in,
    root_name,
    unwrap_await,
)
from codemod.template import Hole, Piece, Template, contains, literal
from codemod.transfers import Upload


def near_miss(
    facts: Facts, near: Near, resemblance: Resemblance, call: LegacyCall
) -> Unpaired | None:
    """Find the upload that a call certainly means although its URI is not proven."""
    order = facts.index.order
    here = order[facts.index.statement(call.invocation.carrier)]
    earlier = [
        upload
        for upload in near.of(call)
        if order[facts.index.statement(upload.invocation.carrier)] < here
        and reach_of(facts, upload, call) is not None
    ]
    for upload in reversed(earlier):
        values = list(_alternatives(facts, call.location))
        if any(is_uri_of(facts, value, upload) for value in values) or (
            _is_one_of_several(facts, call.location)
            and any(_may_give(facts, value, upload) for value in values)
        ):
            return Unpaired(call, upload, _path_refusal(facts, upload, call))
    uri = uri_of(facts, call)
    for upload in reversed(earlier):
        if resemblance.between(call, upload) and _is_repeated(facts, upload, call):
            return Unpaired(call, upload, Refusal("upload-in-loop", upload.uploading))
        if (
            _is_unproven(facts, uri, upload, call)
            or _is_in_result(facts, call.location, upload)
            or resemblance.between(call, upload)
        ):
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


def _is_repeated(facts: Facts, upload: Upload, call: LegacyCall) -> bool:
    """Tell whether a loop before the call uploads."""
    reach = reach_of(facts, upload, call)
    return reach is not None and any(is_loop(step) for step in reach.down_to_first)


def _path_refusal(facts: Facts, upload: Upload, call: LegacyCall) -> Refusal:
    """Say why only some paths to the call go through the upload."""
    reach = reach_of(facts, upload, call)
    assert reach is not None
    for step in reach.down_to_first:
        if swallows(step):
            return Refusal("upload-error-swallowed", step.statement)
    return Refusal(
        "upload-conditional", upload.uploading, unlock="upload and call in the same branch"
    )


def _is_one_of_several(facts: Facts, location: cst.BaseExpression) -> bool:
    if not isinstance(location, cst.Name):
        return isinstance(location, cst.IfExp)
    return len(list(facts.definitions.of(location).origins())) > 1


def _may_give(facts: Facts, value: cst.BaseExpression, upload: Upload) -> bool:
    """Tell whether an expression calls a function that uploads, and returns who knows what."""
    gives_more = upload.via is not None and upload.via.returns == "else"
    return gives_more and made_by(facts, value, upload)


def _alternatives(facts: Facts, node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield the expressions that may be behind a name whose value depends on the path taken."""
    if isinstance(node, cst.IfExp):
        yield from (node.body, node.orelse)
    if not isinstance(node, cst.Name):
        return
    for origin in facts.definitions.of(node).origins():
        if origin.kind is Kind.ASSIGNED and origin.value is not None:
            yield origin.value


def _is_unproven(facts: Facts, uri: Template, upload: Upload, call: LegacyCall) -> bool:
    """Tell whether a URI is built from the upload's key without being provably its URI."""
    key = upload.key
    if upload.via is not None and any(_is_part_of(facts, piece, upload) for piece in uri):
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
        and piece.node is not call.invocation.carrier  # it is given more than the URI
        and any(one in names for one in _read_by(facts, piece))
        for piece in uri
    )


def _read_by(facts: Facts, hole: Hole) -> Iterator[Definition]:
    """Yield the variables that a hole reads, those of the caller if it stands in a function."""
    read = hole.key[2] if hole.key[0] == "expression" else ()
    if isinstance(read, tuple):
        yield from (one for one in read if isinstance(one, Definition))
    if hole.node is not None:
        yield from (facts.definitions.of(name) for name in names_in(hole.node))


def _is_in_result(facts: Facts, location: cst.BaseExpression, upload: Upload) -> bool:
    """Tell whether a URI is taken out of what an uploading function returned."""
    taken = facts.definitions.resolve(location)
    root = root_name(taken)
    if unwrap_await(taken) is unwrap_await(upload.uploading):
        return upload.via is not None and upload.via.returns == "else"
    if upload.via is None or root is None:
        return False
    definition = facts.definitions.of(root)
    if definition.kind is Kind.UNPACKED and is_another_item(facts, definition, upload):
        return False
    value = definition.value
    return value is not None and unwrap_await(value) is unwrap_await(upload.uploading)


def _is_part_of(facts: Facts, piece: Piece, upload: Upload) -> bool:
    """Tell whether a hole is one of several things that an uploading function returned.

    If one of the others certainly is the URI, it is not.
    """
    definition = piece.key[1] if isinstance(piece, Hole) and len(piece.key) > 1 else None
    value = definition.value if isinstance(definition, Definition) else None
    if value is None or unwrap_await(value) is not unwrap_await(upload.uploading):
        return False
    assert isinstance(definition, Definition)
    return not is_another_item(facts, definition, upload)


def _definitions_behind(facts: Facts, node: cst.BaseExpression) -> Iterator[Definition]:
    for name in names_in(node):
        definition = facts.definitions.of(name)
        if definition.kind is not Kind.OUTSIDE:
            yield definition
