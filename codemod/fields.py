"""Attributes and items that hold the key or the URI of an object, and where they are read again."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import cast

import libcst as cst

from codemod.clients import Role
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.pairing import Candidate
from codemod.syntax import descendants, dict_items, last_name, names_in, root_name, subscript_key
from codemod.template import source

#: What fields with the key of an object are called. Any other key may be a number or a name that
#: the request has as well.
_LIKE_A_KEY = re.compile(
    "key|path|ur[il]|location|object|s3|dest|target|blob|remote|address|input", re.IGNORECASE
)


def read_again(
    facts: Facts, candidate: Candidate, own: Container[cst.CSTNode]
) -> Iterator[cst.BaseExpression]:
    """Yield what reads the key or the URI anew, as ``job.key``, or the new object that holds it.

    Args:
        facts: The modules.
        candidate: What is uploaded and invoked.
        own: The calls that do so.
    """
    known = list(_fields(facts, candidate))
    texts = {(source(one), _read_in(facts, one)) for one in known}
    roots = [facts.definitions.of(one) for one in map(root_name, known) if one is not None]
    holders = [one for one in roots if _is_new_object(facts, one)]
    function = facts.index.function(candidate.upload.invocation.carrier)
    for node in descendants(function) if known else ():
        if isinstance(node, (cst.Attribute, cst.Subscript)):
            is_again = (source(node), _read_in(facts, node)) in texts
        else:
            is_again = isinstance(node, cst.Name) and _is_whole(facts, node, holders)
        if is_again and not facts.index.within(node, own):
            yield cast(cst.BaseExpression, node)


def _fields(facts: Facts, candidate: Candidate) -> Iterator[cst.BaseExpression]:
    """Yield the attributes and items that the upload and its calls take the key or the URI from."""
    upload = candidate.upload
    given = upload.invocation.args if upload.told is not None else ()
    starts = (upload.key_node, *(call.location for call in candidate.calls))
    for start in (*starts, *(arg.value for arg in given)):
        for part in descendants(start) if start is not None else ():
            if not isinstance(part, (cst.Attribute, cst.Subscript)):
                continue
            if part not in facts.index.parent or root_name(part) is None:
                continue
            template = facts.templates.of(part)
            name = subscript_key(part) if isinstance(part, cst.Subscript) else part.attr.value
            is_key = template in (upload.key, upload.told) and _LIKE_A_KEY.search(str(name))
            if is_key or template == upload.uri:
                yield part


def _read_in(facts: Facts, node: cst.CSTNode) -> tuple[Definition, ...]:
    return tuple(facts.definitions.of(name) for name in names_in(node))


def _is_whole(facts: Facts, name: cst.Name, holders: list[Definition]) -> bool:
    """Tell whether an object that holds the key is handed on itself, not only asked something."""
    above = facts.index.parent.get(name)
    if not holders or isinstance(above, (cst.Attribute, cst.Subscript, cst.AssignTarget)):
        return False
    return facts.definitions.of(name) in holders


def _is_new_object(facts: Facts, definition: Definition) -> bool:
    """Tell whether a variable holds what its function has made: ``Job(number)``, ``{…}``."""
    made = definition.value if definition.kind is Kind.ASSIGNED else None
    if dict_items(made) is not None:
        return True
    name = last_name(made.func) if isinstance(made, cst.Call) else None
    is_class = name is not None and name.lstrip("_")[:1].isupper()
    if not is_class or made is None:
        return False
    return facts.clients.receiver(made).role in (Role.UNKNOWN, Role.FOREIGN)
