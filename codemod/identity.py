"""What identifies one candidate's object: the variables with its key or URI, and its own calls."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import libcst as cst

from codemod.calls import LegacyCall
from codemod.clients import Role
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.functions import bound_arguments, sites
from codemod.near import made_by
from codemod.pairing import Candidate
from codemod.syntax import callee, descendants, names_in, string_value
from codemod.template import Hole, Template, contains

#: How many steps of cutting a key out of a URI are followed.
_CUTS = 12
#: How many slashes ``s3://bucket/`` has.
_SLASHES = 3
#: What cuts off the ends of a text, if they are there at all.
_TIDYING = frozenset(("strip", "lstrip", "rstrip", "removeprefix", "removesuffix"))


class Identity:
    """The names under which the functions concerned know one candidate's object.

    Attributes:
        own: The calls that upload and invoke, and hand on what they need.
        helpers: The functions through which the payload is uploaded.
        entries: The arguments of the calls that hold the URI.
        behind: The variables that the key and the URI are made of.
        whole: Those of them whose value holds the whole key or the URI.
        exact: These, and the variables in which callers have the key that they give.
        given: The keys that callers give.
        stored: Attributes that were just given the key or the URI.
    """

    def __init__(self, facts: Facts, candidate: Candidate) -> None:
        self._facts = facts
        self._candidate = candidate
        self.own: set[cst.CSTNode] = {candidate.upload.invocation.carrier}
        inner = candidate.upload.via
        self.helpers: set[cst.CSTNode] = set()
        while inner is not None:
            self.helpers.add(inner.function)
            self.own.add(inner.inner.invocation.carrier)
            inner = inner.inner.via
        self.own.update(call.invocation.carrier for call in candidate.calls)
        if candidate.upload.invocation.early is not None:
            self.own.add(candidate.upload.invocation.early)
        self.entries: set[cst.CSTNode] = {
            call.entry for call in candidate.calls if call.through is None
        }
        self.behind: set[Definition] = set()
        self.stored: list[Definition] = []
        self.whole = list(self._whole())
        told = candidate.upload.told
        self.given: list[Template] = [told] if told is not None else []
        self.exact = dict.fromkeys(self.whole)
        for definition in self.whole:
            self.exact.update(dict.fromkeys(self._given_by_callers(definition)))
        self.given += [facts.templates.of(one) for one in self._tidied()]

    def _tidied(self) -> Iterator[cst.BaseExpression]:
        """Yield what may name the object, too, as its key is only that with the ends cut off.

        That is what the function has which uploads, or gives to the functions that do.
        """
        chain = [self._candidate.upload]
        while chain[-1].via is not None:
            chain.append(chain[-1].via.inner)
        key = chain[-1].key_node
        nodes = list(_equals(self._facts, key)) if key is not None else []
        for outer in reversed(chain[:-1]):
            func, function = outer.invocation.func, outer.via.function if outer.via else None
            if function is None or not isinstance(func, (cst.Name, cst.Attribute)):
                return
            bound = bound_arguments(self._facts, function, func, outer.invocation.args) or {}
            of = self._facts.definitions.of
            read = [of(node) for node in nodes if isinstance(node, cst.Name)]
            given = [bound[one] for each in read for one in each.origins() if one in bound]
            own = (one for one in given if not self._facts.index.inside(one, function.params))
            nodes = [node for one in own for node in _equals(self._facts, one)]
        yield from nodes

    def _whole(self) -> Iterator[Definition]:
        """Yield the variables whose value holds the whole key or the URI."""
        upload = self._candidate.upload
        starts = []
        for call in self._candidate.calls:
            if call.through is None or isinstance(call.location, cst.Name):
                starts.append(call.location)
            yield from self._handed_on(call)
        starts.extend(node for node in (upload.key_node,) if node is not None)
        for arg in upload.invocation.args:
            if (upload.key is None or upload.told) and arg.value is not upload.payload:
                starts.append(arg.value)
        receiver = upload.invocation.receiver
        if isinstance(receiver, cst.Name):
            if self._facts.clients.receiver(receiver).role is Role.OBJECT:
                yield self._facts.definitions.of(receiver)
        seen = self.behind
        of = self._facts.definitions.of
        stack = [of(name) for node in starts for name in self._names(node)]
        stack.extend(self._unpacked())
        while stack:
            definition = stack.pop()
            if definition in seen:
                continue
            seen.add(definition)
            if definition.value is not None and definition.kind is Kind.ASSIGNED:
                stack.extend(of(name) for name in names_in(definition.value))
            if definition.kind is not Kind.OUTSIDE and self._identifies(definition):
                yield definition

    def _unpacked(self) -> Iterator[Definition]:
        """Yield the variable that gets the key for which a function that uploads returns it."""
        for piece in self._candidate.upload.key or ():
            definition = piece.key[1] if isinstance(piece, Hole) and len(piece.key) > 1 else None
            if isinstance(definition, Definition) and definition.kind is Kind.UNPACKED:
                yield definition

    def _handed_on(self, outer: LegacyCall) -> Iterator[Definition]:
        """Yield the parameters in which functions get the URI on its way to the API."""
        for call in outer.inward():
            if call.through is not None:
                self.entries.update(call.through.entries)
                for entry in call.through.entries:
                    yield from self._key_parameters(entry.value)
        for call in itertools.islice(outer.inward(), 1, None):
            self.own.add(call.invocation.carrier)
            if call.through is None:
                self.entries.add(call.entry)
            yield from self._key_parameters(call.location)

    def _key_parameters(self, location: cst.BaseExpression) -> Iterator[Definition]:
        """Yield the parameters that make up a URI after its bucket."""
        template = self._facts.templates.of(location)
        start = 0
        if template and isinstance(template[0], str) and template[0].startswith("s3://"):
            slashes = 0
            while start < len(template) and slashes < _SLASHES:
                piece = template[start]
                slashes += piece.count("/") if isinstance(piece, str) else 0
                start += 1
        for piece in template[start:]:
            definition = piece.key[1] if isinstance(piece, Hole) else None
            if isinstance(definition, Definition) and isinstance(definition.node, cst.Param):
                yield definition

    def _given_by_callers(self, definition: Definition) -> Iterator[Definition]:
        """Yield the variables in which the callers of a function have the key that they give."""
        param = definition.node
        function = self._facts.index.function(param) if isinstance(param, cst.Param) else None
        here = self._facts.index.function(self._candidate.upload.invocation.carrier)
        if not isinstance(function, cst.FunctionDef) or function is not here:
            return  # what others give to a function that makes the call are other objects
        for func in sites(self._facts, function):
            call = self._facts.index.parent[func]
            if not isinstance(call, cst.Call):
                continue
            bound = bound_arguments(self._facts, function, func, tuple(call.args))
            value = bound.get(definition) if bound is not None else None
            if value is None:
                continue
            self.own.add(call)
            self.given.append(self._facts.templates.of(value))
            if isinstance(value, cst.Name):
                yield self._facts.definitions.of(value)

    def _names(self, node: cst.BaseExpression) -> Iterator[cst.Name]:
        """Yield the names in an expression, looking through attributes that were just set."""
        yield from names_in(node)
        for part in descendants(node):
            stored = self._facts.definitions.attribute_reads.get(part)
            if stored is not None and stored.node is not None and stored.value is not None:
                if self._identifies(stored):
                    self.stored.append(stored)
                yield from names_in(stored.value)

    def _identifies(self, definition: Definition) -> bool:
        upload = self._candidate.upload
        value = definition.value
        if value is not None and upload.returns_uri and made_by(self._facts, value, upload):
            return True
        template = self._facts.templates.of_definition(definition)
        known = [one for one in (upload.key, upload.told, upload.uri) if one is not None]
        return any(contains(template, one) for one in known)

    def is_same(self, node: cst.BaseExpression) -> bool:
        """Tell whether an expression is the key or URI, or a part cut out of it."""
        definitions = self._facts.definitions
        for _ in range(_CUTS):
            if isinstance(node, cst.Name):
                definition = definitions.of(node)
                if definition in self.exact:
                    return True
                if definition.kind not in (Kind.ASSIGNED, Kind.UNPACKED):
                    return False
                if definition.value is None:
                    return False
                node = definition.value
            elif isinstance(node, (cst.Attribute, cst.Subscript)):
                node = node.value
            elif isinstance(node, cst.Call) and callee(node) in ("urlparse", "urlsplit", "unquote"):
                if not node.args:
                    return False
                node = node.args[0].value
            elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
                if callee(node) == "replace" and string_value(node.args[-1].value) != "":
                    return False  # the key of another object that is made from this one
                node = node.func.value
            else:
                return False
        return False


def _equals(facts: Facts, node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield what an expression may be equal to: ``name`` of ``name.strip()`` or ``name or …``."""
    stack, seen = [node], set[cst.CSTNode]()
    while stack:
        current = stack.pop()
        if current in seen:
            continue
        seen.add(current)
        yield current
        if isinstance(current, cst.Name):
            origins = facts.definitions.of(current).origins()
            stack += [
                one.value
                for one in origins
                if one.kind is Kind.ASSIGNED and isinstance(one.value, cst.BaseExpression)
            ]
        elif isinstance(current, cst.BooleanOperation):
            stack += [current.left, current.right]
        elif isinstance(current, cst.IfExp):
            stack += [current.body, current.orelse]
        elif isinstance(current, cst.Call) and isinstance(current.func, cst.Attribute):
            if current.func.attr.value in _TIDYING:
                stack.append(current.func.value)
        elif isinstance(current, cst.Call) and callee(current) == "str" and current.args:
            stack.append(current.args[0].value)
