"""Calls whose object is certainly uploaded here, in a way that cannot be followed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from codemod.calls import LegacyCall
from codemod.classes import own_stores
from codemod.definitions import Definition, Kind
from codemod.echoes import Echoes
from codemod.facts import Facts
from codemod.functions import bound_arguments, sites
from codemod.indirect import Claims
from codemod.invocations import invocations
from codemod.joins import Joins
from codemod.near import Near, is_another_item, is_elsewhere, is_uri_of, made_by, names_key, uri_of
from codemod.provenance import Provenance, taken_from
from codemod.refusals import Refusal
from codemod.resemblance import Resemblance
from codemod.structure import Span, is_loop, span, steps_to, swallows
from codemod.syntax import (
    descendants,
    is_self,
    names_in,
    root_name,
    subscript_key,
    unwrap_await,
)
from codemod.template import Hole, Piece, Template, contains, literal, source
from codemod.transfers import Upload
from codemod.translation import Translation
from codemod.tree import LOOPS

#: How many parts of what is collected are looked at.
_MOST = 400
#: How many names may lie between what a call invokes and what is kept for it.
_STEPS = 4


def reach_of(facts: Facts, upload: Upload, call: LegacyCall) -> Span | None:
    """Return the code from an upload to a call, ``None`` if the one cannot lead to the other."""
    index = facts.index
    uploading = index.statement(upload.invocation.carrier)
    calling = index.statement(call.invocation.carrier)
    if isinstance(uploading, cst.If) and index.inside(upload.invocation.carrier, uploading.test):
        if index.inside(calling, uploading) and calling is not uploading:
            block = index.block(uploading)
            steps = steps_to(index, calling, block)
            return Span(block, uploading, uploading, (), (), steps)
    return span(index, uploading, calling)


@dataclass(frozen=True, slots=True, eq=False)
class Unpaired:
    """A call whose object is uploaded here, but in a way that cannot be followed.

    ``is_certain`` is false where what other modules say may tell more.
    """

    call: LegacyCall
    upload: Upload
    refusal: Refusal
    is_certain: bool = True


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
            or _kept(facts, near, call)
            or _near_miss(facts, near, self._resemblance, call)
            or _by_callers(facts, near, call)
            or _collected(facts, near, self._provenance, call)
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


# -- kept for another function -------------------------------------------------------------


def _kept(facts: Facts, near: Near, call: LegacyCall) -> Unpaired | None:
    """Find an upload whose URI or key one function keeps for another one that calls."""
    index = facts.index
    here = index.function(call.invocation.carrier)
    for read, target, value in _stores_behind(facts, call.location):
        function = index.function(target)
        if function is here:
            continue
        for upload in near.within(function):
            is_read = upload.key_node is not None and source(upload.key_node) == source(target)
            is_key = (is_read or names_key(facts, value, upload)) and not is_elsewhere(
                facts.templates.of(call.location), upload
            )
            if is_key or is_uri_of(facts, value, upload):
                refusal = Refusal(
                    "uri-kept",
                    target,
                    source(read),
                    "upload and call in one function, or hand the URI over as an argument",
                )
                return Unpaired(call, upload, refusal)
    return None


def _stores_behind(
    facts: Facts, location: cst.BaseExpression
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression, cst.BaseExpression]]:
    """Yield what a URI is made of that outlives a function: the read, and who stores which value.

    Those are attributes of the own object and names that functions declare ``global``.
    """
    index = facts.index
    stack, seen = [(location, 0)], set()
    while stack:
        node, steps = stack.pop()
        for part in descendants(facts.definitions.resolve(node)):
            if isinstance(part, cst.Attribute) and is_self(part.value):
                yield from ((part, target, value) for target, value in own_stores(facts, part))
            elif isinstance(part, cst.Subscript) and isinstance(part.value, cst.Attribute):
                yield from ((part, target, value) for target, value in _items(facts, part))
            elif isinstance(part, cst.Name) and part.value in facts.definitions.declared_elsewhere:
                for name, value in _assigned(facts, part.value):
                    yield part, name, value
            elif isinstance(part, cst.Name) and steps < _STEPS:
                value_here = facts.definitions.of(part).value
                if value_here is None or value_here in seen:
                    continue
                seen.add(value_here)
                if not isinstance(index.function(value_here), cst.Module):
                    stack.append((value_here, steps + 1))


def _items(
    facts: Facts, read: cst.Subscript
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """Yield where an item of the own object gets which value: ``self.state["key"] = key``."""
    index, holder = facts.index, cst.ensure_type(read.value, cst.Attribute)
    key, owner = subscript_key(read), index.class_of(read)
    for other in index.attributes.get(holder.attr.value, ()) if is_self(holder.value) else ():
        item = index.parent[other]
        target = index.parent[item] if isinstance(item, cst.Subscript) else None
        assign = index.parent[target] if isinstance(target, cst.AssignTarget) else None
        if not isinstance(item, cst.Subscript) or not isinstance(assign, cst.Assign):
            continue
        if key is not None and subscript_key(item) == key and index.class_of(item) is owner:
            yield item, assign.value


def _assigned(facts: Facts, name: str) -> Iterator[tuple[cst.Name, cst.BaseExpression]]:
    index = facts.index
    for one in index.names.get(name, ()):
        target = index.parent[one]
        assign = index.parent[target] if isinstance(target, cst.AssignTarget) else None
        if isinstance(assign, cst.Assign):
            yield one, assign.value


# -- kept in a collection ------------------------------------------------------------------


def _collected(
    facts: Facts, near: Near, provenance: Provenance, call: LegacyCall
) -> Unpaired | None:
    """Find an upload whose URI goes into a collection that the call is made from."""
    uploads = near.of(call)
    for node in _collections_behind(facts, call.location) if uploads else ():
        for value in (node, *_kept_in(facts, provenance, node)):
            if not _may_come_before(facts, value, call):
                continue
            parts = list(itertools.islice(provenance.parts_of(value), _MOST))
            for upload in uploads:
                made = unwrap_await(upload.uploading)
                if made in parts or any(is_uri_of(facts, part, upload) for part in parts):
                    refusal = Refusal(
                        "uri-collected",
                        value,
                        source(node),
                        "call in the same loop in which the object is uploaded",
                    )
                    return Unpaired(call, upload, refusal)
    return None


def _may_come_before(facts: Facts, value: cst.BaseExpression, call: LegacyCall) -> bool:
    """Tell whether what is put somewhere can be there when a call is made."""
    index = facts.index
    putting, calling = index.statement(value), index.statement(call.invocation.carrier)
    if index.order[putting] <= index.order[calling]:
        return True
    around = (one for one in index.ancestors(calling) if isinstance(one, LOOPS))
    return any(index.inside(putting, one) for one in around)


def _collections_behind(facts: Facts, location: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield what the loops and subscripts take a URI out of."""
    index = facts.index
    for name in names_in(facts.definitions.resolve(location)):
        definition = facts.definitions.of(name)
        if definition.kind in (Kind.LOOP, Kind.UNPACKED) and definition.node is not None:
            for above in index.ancestors(definition.node):
                if isinstance(above, (cst.For, cst.CompFor)):
                    if index.inside(definition.node, above.target):
                        yield taken_from(facts, definition.node, above.iter)
                    break
                if isinstance(above, cst.BaseStatement):
                    break
        holder = index.parent.get(name)
        if isinstance(holder, cst.Subscript) and holder.value is name:
            yield holder


def _kept_in(
    facts: Facts, provenance: Provenance, collection: cst.BaseExpression
) -> Iterator[cst.BaseExpression]:
    """Yield what is put into a collection: where it is made, and by its methods."""
    if isinstance(collection, cst.Subscript):
        return  # what it takes out is looked at itself
    for name in names_in(collection):
        made = facts.definitions.of(name).value
        if made is not None:
            yield made
        yield from provenance.put_into(name)


# -- in the same function ------------------------------------------------------------------


def _near_miss(
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
