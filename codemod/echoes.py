"""Uploads whose address another function spells again, from the same constants or attributes.

Nothing is handed over then: ``upload()`` writes to ``s3://BUCKET/KEY``, ``invoke()`` invokes that.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice

import libcst as cst

from codemod.calls import LegacyCall
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.functions import sites
from codemod.near import Near, uri_of
from codemod.provenance import class_behind
from codemod.structure import span
from codemod.syntax import descendants, is_self, names_in
from codemod.template import Hole, Piece, Template
from codemod.transfers import Upload

_Address = tuple[object, ...]

#: How many attributes and functions are looked into for one address.
_MOST = 20
#: How many functions may lie between one that calls two and these.
_STEPS = 2
#: What an expression of nothing but constants of the module and imported names stands for.
_OF_MODULE = "of the module"
#: What may give something else each time.
_CHANGING = (cst.Call, cst.Await, cst.Subscript, cst.IfExp)


class Echoes:
    """Finds the upload to an address that a call spells in another function."""

    def __init__(self, facts: Facts, near: Near) -> None:
        self._facts = facts
        self._near = near

    def is_fixed(self, call: LegacyCall) -> bool:
        """Tell whether the address of a call is the same wherever it is spelled."""
        address = self._address(uri_of(self._facts, call))
        return address is not None and all(map(self._is_fixed, address))

    def of(self, call: LegacyCall) -> Upload | None:
        """Return an upload to the address of a call, by a function that may run before it."""
        index = self._facts.index
        here = index.function(call.invocation.carrier)
        address = self._address(uri_of(self._facts, call))
        for upload in self._by_address.get(address, ()) if address is not None else ():
            there = index.function(upload.invocation.carrier)
            if there is here or is_test(there):
                continue
            is_kept = any(not self._is_fixed(part) for part in address or ())
            if is_kept or self._run_together(upload, call):
                return upload
        return None

    def _is_fixed(self, part: object) -> bool:
        """Tell whether a part of an address is always the same, and none that an object keeps."""
        if isinstance(part, str):
            return True
        assert isinstance(part, tuple)
        if part[0] == _OF_MODULE:
            return True
        return part[0] in ("imported", "definition") and self._is_of_module(part[-1])

    def _run_together(self, upload: Upload, call: LegacyCall) -> bool:
        """Tell whether an upload is likely to be followed by a call, and neither made alone.

        That is so if something leads to both, if they stand in methods of one class, or if nothing
        that is read leads to either.
        """
        index = self._facts.index
        first, last = (index.function(one.invocation.carrier) for one in (upload, call))
        owner = index.class_of(first)
        if owner is not None and index.class_of(last) is owner:
            return True
        ours = self._led_to(upload.invocation.carrier)
        theirs = self._led_to(call.invocation.carrier)
        if len(ours) == len(theirs) == 1:
            return not any(getattr(one, "decorators", ()) for one in (first, last))
        return any(
            span(index, index.statement(earlier), index.statement(later)) is not None
            for function in ours.keys() & theirs.keys()
            for earlier in ours[function]
            for later in theirs[function]
        )

    def _led_to(self, node: cst.CSTNode) -> dict[cst.CSTNode, list[cst.CSTNode]]:
        """Return the function of some code, and those that lead to it, with where they do."""
        index = self._facts.index
        found: dict[cst.CSTNode, list[cst.CSTNode]] = {index.function(node): [node]}
        queue = [(index.function(node), 0)]
        for function, steps in queue:
            if not isinstance(function, cst.FunctionDef):
                continue
            for site in islice(sites(self._facts, function), _MOST):
                above = index.parent[site]
                if not isinstance(above, cst.Call) or above.func is not site:
                    found[site] = [site]  # what calls it there, and when, is not known
                    continue
                around = index.function(site)
                if around not in found and steps < _STEPS:
                    queue.append((around, steps + 1))
                found.setdefault(around, []).append(site)
        return found

    @cached_property
    def _by_address(self) -> dict[_Address, list[Upload]]:
        found: dict[_Address, list[Upload]] = {}
        for upload in self._near.every:
            address = self._address(upload.uri, is_made_here=True)
            if address is not None:
                found.setdefault(address, []).append(upload)
        return found

    def _address(self, uri: Template, *, is_made_here: bool = False) -> _Address | None:
        """Return what an address is in any function, ``None`` if it is something else in another.

        Args:
            uri: The address.
            is_made_here: Whether what only its own function has is taken as it is.
        """
        address: list[object] = []
        for piece, is_kept in self._pieces(uri):
            part: object = piece
            if isinstance(piece, Hole):
                part = self._shared(piece) or (piece.key if is_kept or is_made_here else None)
            if part is None:
                return None
            if isinstance(part, str) and address and isinstance(address[-1], str):
                address[-1] += part
            else:
                address.append(part)
        text = address[0] if len(address) == 1 else None
        return None if isinstance(text, str) and text.count("/") <= len("//") else tuple(address)

    def _pieces(self, uri: Template) -> Iterator[tuple[Piece, bool]]:
        """Yield what an address is made of, and whether objects keep that.

        Attributes that are given one value are looked through, and functions that make text.
        """
        stack, looked_into = [(piece, False) for piece in reversed(uri)], 0
        while stack:
            piece, is_kept = stack.pop()
            value = self._kept(piece) if isinstance(piece, Hole) else None
            if value is not None:
                further, is_kept = self._facts.templates.of(value), True
            else:
                further = self._facts.templates.loosely((piece,))
            if further == (piece,) or isinstance(piece, str) or looked_into > _MOST:
                yield piece, is_kept
            else:
                looked_into += 1
                stack += [(one, is_kept) for one in reversed(further)]

    def _kept(self, hole: Hole) -> cst.BaseExpression | None:
        """Return the one value that a class gives an attribute, or that a property gives."""
        node, index = hole.node, self._facts.index
        if not isinstance(node, cst.Attribute):
            return None
        is_own = is_self(node.value)
        owner = index.class_of(node) if is_own else class_behind(self._facts, node.value)
        values: list[cst.CSTNode | None] = [
            value
            for target, value in index.attribute_stores.get(node.attr.value, ())
            if is_self(target.value) and index.class_of(target) is owner is not None
        ]
        for function in index.defined_functions.get(node.attr.value, ()):
            if owner is not None and index.class_of(function) is owner and function.decorators:
                values += (one.value for one in index.exits[function])
        only = values[0] if len(values) == 1 else None
        return only if isinstance(only, cst.BaseExpression) else None

    def _shared(self, hole: Hole) -> object | None:
        """Return what a hole stands for in any function, ``None`` if in one only."""
        if hole.key[0] == "imported":
            return hole.key
        if hole.key[0] == "definition":
            definition = hole.key[1]
            assert isinstance(definition, Definition)
            return hole.key if self._is_of_module(definition) else None
        if hole.node is None or any(isinstance(one, _CHANGING) for one in descendants(hole.node)):
            return None
        names = [one for one in names_in(hole.node) if not is_self(one)]
        read = tuple(self._facts.definitions.of(one) for one in names)
        if not all(self._is_of_module(one) for one in read):
            return None
        is_own = len(names) < len(list(names_in(hole.node)))
        owner = self._facts.index.class_of(hole.node) if is_own else None
        if not is_own:
            return (_OF_MODULE, hole.text, read)
        return (hole.text, read, owner) if owner is not None else None

    def _is_of_module(self, definition: object) -> bool:
        """Tell whether something is a variable that is a constant of its module."""
        if not isinstance(definition, Definition):
            return True
        if definition.kind is Kind.IMPORTED:
            return True
        node = definition.node
        return (
            definition.kind is Kind.ASSIGNED
            and node is not None
            and isinstance(self._facts.index.scope(node), cst.Module)
        )


def is_test(function: cst.CSTNode) -> bool:
    """Tell whether a function is a test, which nothing else builds upon."""
    return isinstance(function, cst.FunctionDef) and function.name.value.startswith("test")
