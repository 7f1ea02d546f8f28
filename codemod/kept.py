"""Uploads whose URI or key is kept, by one function for another or in a collection of many."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import libcst as cst

from codemod.calls import LegacyCall
from codemod.classes import own_stores
from codemod.definitions import Kind
from codemod.facts import Facts
from codemod.near import (
    Near,
    Unpaired,
    is_elsewhere,
    is_uri_of,
    names_key,
)
from codemod.provenance import Provenance, taken_from
from codemod.refusals import Refusal
from codemod.syntax import (
    descendants,
    is_self,
    names_in,
    subscript_key,
    unwrap_await,
)
from codemod.template import source
from codemod.tree import LOOPS

#: How many parts of what is collected are looked at.
_MOST = 400
#: How many names may lie between what a call invokes and what is kept for it.
_STEPS = 4


def kept(facts: Facts, near: Near, call: LegacyCall) -> Unpaired | None:
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


def collected(
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
