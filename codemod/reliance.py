"""Functions that a fix relies on: they only work out a key, a URI or a payload."""

from __future__ import annotations

import libcst as cst

from codemod.classes import owner_of
from codemod.facts import Facts
from codemod.formulas import formula
from codemod.syntax import callee, descendants
from codemod.transfers import Upload

#: A module, the name of a class in it or nothing, and a name.
Relied = tuple[cst.Module, str, str]


def asked(
    facts: Facts, upload: Upload, location: cst.BaseExpression
) -> dict[cst.FunctionDef, Relied]:
    """Return the functions that only work out the key, the payload or the URI of an upload,
    and how other files of the repository know them.

    A fix leaves their calls out, or makes them earlier: they must be what they seem.
    """
    known: dict[cst.FunctionDef, Relied] | None = facts.asked.get((upload, location))
    if known is None:
        known = facts.asked[upload, location] = _asked(facts, upload, location)
    return known


def _asked(
    facts: Facts, upload: Upload, location: cst.BaseExpression
) -> dict[cst.FunctionDef, Relied]:
    nodes: list[cst.CSTNode] = [location, facts.definitions.resolve(location)]
    inner: Upload | None = upload
    while inner is not None:
        nodes += (facts.index.statement(inner.invocation.carrier), inner.payload)
        via = inner.via
        if via is not None:
            nodes.append(via.function.body)
        inner = via.inner if via is not None else None
    helpers = {upload.invocation.method, upload.innermost.invocation.method}
    found: dict[cst.FunctionDef, Relied] = {}
    while nodes:
        for part in descendants(nodes.pop()):
            function = None
            if part not in facts.index.parent:
                continue  # it was put together for a caller, of parts that are looked at
            if isinstance(part, cst.Call) and callee(part) not in helpers:
                function = facts.definitions.function_called(part)
            elif isinstance(part, cst.Attribute):
                made = formula(facts.definitions, part)
                function = made.function if made is not None else None
            if function is not None and function not in found:
                owner = owner_of(facts, function)
                owned_by = owner.name.value if owner is not None else ""
                found[function] = facts.index.module_of(function), owned_by, function.name.value
                nodes.append(function.body)
    return found
