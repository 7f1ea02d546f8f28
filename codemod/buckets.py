"""Which bucket an object of boto3's resource is of, as the code around it would spell that."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from codemod.classes import relatives
from codemod.clients import Receiver
from codemod.facts import Facts
from codemod.syntax import argument, is_self
from codemod.template import Template

#: What a bucket calls its name (boto3 reference, ``S3.Bucket``), as an object does.
_NAMES = ("name", "bucket_name")


def bucket_of(facts: Facts, node: cst.BaseExpression, receiver: Receiver) -> Template:
    """Return the name of the bucket that a receiver is.

    One that an object keeps is called by what else it keeps, ``self.bucket_name``, or by its own
    name, ``self.bucket.name``, if that is what the class reads. One of several has no name.
    """
    given = name_given(receiver.made)
    if given is None:
        return (facts.templates.hole(node),)
    is_kept = isinstance(node, cst.Attribute) and is_self(node.value)
    if not is_kept or facts.index.function(given) is facts.index.function(node):
        return facts.templates.of(given)
    assert isinstance(node, cst.Attribute)
    assert isinstance(node.value, cst.Name)
    kept = node.attr.value
    if not _is_given_once(facts, node, kept):
        return facts.templates.of(given)
    for name in _read_of(facts, node):
        return facts.templates.member(node.value, f"{kept}.{name}")
    for other in _kept_likewise(facts, given):
        if _is_given_once(facts, node, other):
            return facts.templates.member(node.value, other)
    return facts.templates.of(given)


def _is_given_once(facts: Facts, bucket: cst.Attribute, name: str) -> bool:
    """Tell whether an attribute gets its value where the object is made, and there only."""
    index, owner = facts.index, facts.index.class_of(bucket)
    if owner is None or name in index.late_attributes:
        return False
    family = relatives(facts, owner)
    stores = index.attribute_stores.get(name, ())
    ours = [one for one, _ in stores if not is_self(one.value) or index.class_of(one) in family]
    return len(ours) == 1


def name_given(made: cst.Call | None) -> cst.BaseExpression | None:
    """Return what ``resource.Bucket(…)`` is given."""
    found = argument(made.args, 0, "name") if made is not None else None
    return found.value if found is not None else None


def _read_of(facts: Facts, bucket: cst.Attribute) -> Iterator[str]:
    """Yield the names by which the class asks a bucket that it keeps for its own."""
    index, owner = facts.index, facts.index.class_of(bucket)
    for other in index.attributes.get(bucket.attr.value, ()):
        above = index.parent[other]
        if isinstance(above, cst.Attribute) and above.value is other and is_self(other.value):
            if above.attr.value in _NAMES and index.class_of(other) is owner:
                yield above.attr.value


def _kept_likewise(facts: Facts, given: cst.BaseExpression) -> Iterator[str]:
    """Yield the attributes that get the very value that a bucket is made of."""
    index = facts.index
    if isinstance(given, cst.Attribute) and is_self(given.value):
        yield given.attr.value
    if not isinstance(given, cst.Name):
        return
    for read in facts.definitions.reads(facts.definitions.of(given)):
        assign = index.parent[read]
        for one in assign.targets if isinstance(assign, cst.Assign) else ():
            target = one.target
            if isinstance(target, cst.Attribute) and is_self(target.value):
                yield target.attr.value
