"""Calls whose object is uploaded by a function that is not simply called.

A pool or ``map`` calls it, a task awaits it, it is looked up in a table, given as an argument,
hidden in a lambda, or is a method of an object that may be another one. Nothing of this is
rewritten. It is said, so that nobody takes such a call for one without an upload.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import libcst as cst

from codemod.calls import LegacyCall
from codemod.classes import ancestry, is_instance, owner_of, relatives
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.formulas import formula
from codemod.injected import Injected
from codemod.near import Near, is_another_item, is_elsewhere, is_uri_of, names_key, uri_of
from codemod.provenance import Provenance, class_behind
from codemod.refusals import Refusal
from codemod.syntax import is_self, last_name, names_in, unwrap_await
from codemod.template import KEY_OF, Hole, Template, contains, literal, part_of_uri, source
from codemod.transfers import Upload


class Claim(NamedTuple):
    """An upload that a call seems to invoke, and why that cannot be followed."""

    upload: Upload
    refusal: Refusal


class Claims:
    """Finds for calls without a proven upload the one that their URI comes from."""

    def __init__(self, facts: Facts, near: Near, provenance: Provenance) -> None:
        self._facts = facts
        self._near = near
        self._provenance = provenance
        self._injected = Injected(facts, provenance)
        self._giving: dict[cst.FunctionDef, Upload | None] = {}

    def of(self, call: LegacyCall) -> Claim | None:
        """Return the upload that a call invokes in a roundabout way, if there is one."""
        index = self._facts.index
        here = index.function(call.invocation.carrier)
        through = call.through
        if through is not None and index.function(call.location) is through.function is not here:
            return None  # the function that is called here makes the URI, and is looked at itself
        innermost = call.innermost or call
        invoking = innermost.invocation.carrier
        for node, handed in self._provenance.behind(call.location):
            for part in self._provenance.parts_of(node):
                claim = (
                    self._made_here(part, call)
                    or self._made_in_function(part, index.class_of(invoking))
                    or self._in_property(part, here)
                )
                if claim is None and (handed is not None or index.function(part) is not here):
                    claim = self._named_there(part)
                if claim is None and handed is not None and part is node:
                    claim = self._beside(part, handed, call)
                if claim is not None and handed is not None:
                    is_put_on = isinstance(index.parent[handed], cst.Decorator)
                    reason = "helper-decorated" if is_put_on else "helper-as-value"
                    refusal = Refusal(reason, handed, last_name(handed) or "")
                    return claim._replace(refusal=refusal)
                if claim is not None:
                    return claim
        return self._called_aside(call)

    def _made_here(self, part: cst.BaseExpression, call: LegacyCall) -> Claim | None:
        """Return an upload that is the very expression, if that gives the URI or the like."""
        upload = self._near.made_at(part)
        if upload is None or not (upload.returns_uri or upload.via is not None):
            return None
        if upload.via is not None and upload.via.returns == "nothing":
            return None
        if isinstance(call.location, cst.Name):
            if is_another_item(self._facts, self._facts.definitions.of(call.location), upload):
                return None
        if isinstance(self._facts.index.parent[upload.uploading], cst.Assign):
            return Claim(upload, Refusal("uri-unproven", upload.uploading))
        unlock = "assign what the upload returns to a variable before the call"
        return Claim(upload, Refusal("upload-in-expression", upload.uploading, unlock=unlock))

    def _named_there(self, part: cst.BaseExpression) -> Claim | None:
        """Return an upload of the object that an expression names, in the same function."""
        for upload in self._near.within(self._facts.index.function(part)):
            if is_uri_of(self._facts, part, upload):
                return Claim(upload, Refusal("uri-kept", part, source(part)))
        return None

    def _in_property(self, part: cst.BaseExpression, here: cst.CSTNode) -> Claim | None:
        """Return an upload whose URI is spelled like what a property gives."""
        uploads = self._near.within(here) if isinstance(part, cst.Attribute) else ()
        if not uploads or not isinstance(part, cst.Attribute):
            return None
        made = formula(self._facts.definitions, part)
        if made is not None:
            spelled = {_spelled(self._facts.templates.of(made.result))}
        else:
            spelled = set(self._spelled_by_object(part))
        for upload in uploads if spelled else ():
            if not spelled.isdisjoint(self._told_of(part, upload)):
                return Claim(upload, Refusal("uri-unproven", part, source(part)))
        return None

    def _told_of(self, part: cst.Attribute, upload: Upload) -> Iterator[str]:
        """Yield how the URI of an upload reads, and with what the object was told to keep."""
        yield _spelled(upload.uri)
        receiver, func = part.value, upload.invocation.func
        if not isinstance(receiver, cst.Name):
            return
        names = {receiver.value}
        if upload.via is not None and isinstance(func, cst.Attribute):
            if func.value.deep_equals(receiver):
                names.add("self")
                yield re.sub(r"\bself\b", receiver.value, _spelled(upload.uri))
        owner = class_behind(self._facts, receiver)
        told = ""
        for piece in upload.uri:
            if isinstance(piece, str):
                told += piece
                continue
            first, _, last = piece.text.partition(".")
            values = list(self._stored(last, owner)) if first in names else []
            is_one = len(values) == 1
            told += _spelled(self._facts.templates.of(values[0]) if is_one else (piece,))
        yield told

    def _stored(self, name: str, owner: cst.ClassDef | None) -> Iterator[cst.BaseExpression]:
        """Yield what the methods of a class give an attribute."""
        index = self._facts.index
        for target, value in index.attribute_stores.get(name, ()):
            if value is not None and is_self(target.value) and index.class_of(target) is owner:
                yield value

    def _spelled_by_object(self, part: cst.Attribute) -> Iterator[str]:
        """Yield how an object spells what it gives, in the words of those who ask it."""
        index = self._facts.index
        owner = class_behind(self._facts, part.value)
        if owner is None or not isinstance(part.value, cst.Name):
            return
        values = list(self._stored(part.attr.value, owner))
        for function in index.defined_functions.get(part.attr.value, ()):
            if index.class_of(function) is owner:
                exits = index.exits[function]
                values += (one.value for one in exits if isinstance(one.value, cst.BaseExpression))
        for value in values:
            spelled = _spelled(self._facts.templates.of(value))
            yield re.sub(r"\bself\b", part.value.value, spelled)

    # -- functions that upload and return the URI ------------------------------------------

    def _made_in_function(
        self, part: cst.BaseExpression, invoking: cst.ClassDef | None
    ) -> Claim | None:
        """Return the upload of a function that an expression names, if that gives the URI.

        If that may be the method of several classes, that of the class which invokes comes first. A
        base class that calls both does not call those of two classes that are made from it.
        """
        class_of = self._facts.index.class_of
        functions = list(self._functions(part))
        if invoking is not None and isinstance(part, cst.Attribute) and is_self(part.value):
            together = relatives(self._facts, invoking)
            if class_of(part) in together:
                functions = [one for one in functions if class_of(one[0]) in together]
        if invoking is not None and len(functions) > 1:
            family = ancestry(self._facts, invoking)
            functions.sort(key=lambda one: class_of(one[0]) not in family)
        for function, reason in functions:
            if function not in self._giving:
                uploads = self._near.within(function)
                self._giving[function] = next(
                    (one for one in uploads if self._gives(function, one)), None
                )
            upload = self._giving[function]
            if upload is not None:
                return Claim(upload, Refusal(reason, part, last_name(part) or ""))
        return None

    def _functions(self, part: cst.BaseExpression) -> Iterator[tuple[cst.FunctionDef, str]]:
        """Yield the functions that an expression may mean, and what is unclear."""
        index = self._facts.index
        if not isinstance(part, (cst.Name, cst.Attribute)):
            return
        above = index.parent[part]
        if isinstance(above, cst.Call) and above.func is part and self._near.made_at(above):
            return  # it is followed
        for candidate in self._facts.definitions.candidates(part):
            for origin in candidate.origins():
                if isinstance(origin.node, cst.FunctionDef):
                    yield origin.node, _reason(origin.node)
                    for function in self._registered.get(origin.node.name.value, ()):
                        yield function, "helper-overridden"
        if not isinstance(part, cst.Attribute):
            return
        for owner, function in self._methods_that_upload(part):
            if is_instance(self._facts, part.value, owner):
                yield function, _reason(function)
                continue
            # What is its own object may be of a class that is made from its class.
            if is_self(part.value) or self._injected.may_upload(part, function, owner):
                yield function, "helper-overridden"

    def _methods_that_upload(
        self, part: cst.Attribute
    ) -> Iterator[tuple[cst.ClassDef, cst.FunctionDef]]:
        """Yield the methods of this name that upload and that a receiver may mean, by class."""
        by_class = self._methods[part.attr.value]
        own = self._facts.index.class_of(part) if is_self(part.value) else None
        family = relatives(self._facts, own) if own is not None else by_class
        for owner, methods in by_class.items():
            if owner in family:
                yield from ((owner, one) for one in methods)

    @cached_property
    def _methods(self) -> dict[str, dict[cst.ClassDef, list[cst.FunctionDef]]]:
        """The methods that upload, by their name and class."""
        found: dict[str, dict[cst.ClassDef, list[cst.FunctionDef]]] = defaultdict(dict)
        for function in self._near.functions:
            if isinstance(function, cst.FunctionDef):
                owner = owner_of(self._facts, function)
                if owner is not None:
                    found[function.name.value].setdefault(owner, []).append(function)
        return found

    def _gives(self, function: cst.FunctionDef, upload: Upload) -> bool:
        """Tell whether a function returns or yields the URI or the key of what it uploads."""
        for node in self._facts.index.exits[function]:
            if node.value is None or isinstance(node.value, cst.From):
                continue
            for value, _ in self._provenance.behind(node.value):
                for part in self._provenance.parts_of(value):
                    if unwrap_await(part) is unwrap_await(upload.uploading):
                        return upload.via is not None and upload.via.returns != "nothing"
                    if is_uri_of(self._facts, part, upload) or names_key(self._facts, part, upload):
                        return True
        return False

    # -- functions that only upload --------------------------------------------------------

    def _called_aside(self, call: LegacyCall) -> Claim | None:
        """Return an upload before the call by a function that is given its key."""
        index = self._facts.index
        function = index.function(call.invocation.carrier)
        uri = uri_of(self._facts, call)
        asides = self._asides.get(function, ())
        key = self._behind_key(call, uri) if asides else ()
        before = index.order[index.statement(call.invocation.carrier)]
        for part, upload in asides if key else ():
            statement = index.statement(part)
            if index.order[statement] >= before:
                continue
            if not isinstance(statement, cst.SimpleStatementLine) or is_elsewhere(uri, upload):
                continue
            gets_key = any(self._facts.definitions.of(name) in key for name in names_in(statement))
            if gets_key and _is_told_key(upload, uri):
                return Claim(upload, Refusal("helper-as-value", part, last_name(part) or ""))
        return None

    def _beside(
        self, given: cst.BaseExpression, handed: cst.CSTNode, call: LegacyCall
    ) -> Claim | None:
        """Return an upload by a function that something else calls, too, with the same key."""
        index, uri = self._facts.index, uri_of(self._facts, call)
        if not isinstance(given, cst.Name):
            return None
        definition = self._facts.definitions.of(given)
        for part, upload in self._asides.get(index.function(handed), ()):
            calls = (one for one in index.ancestors(part) if isinstance(one, cst.Call))
            holder = next((one for one in calls if not index.inside(handed, one)), None)
            last = index.order[index.statement(handed)]
            if holder is None or index.order[index.statement(part)] > last:
                continue
            told = (name for arg in holder.args for name in names_in(arg))
            is_told = any(self._facts.definitions.of(one) is definition for one in told)
            if is_told and _is_told_key(upload, uri):
                return Claim(upload, Refusal("helper-as-value", part, last_name(part) or ""))
        return None

    def _behind_key(self, call: LegacyCall, uri: Template) -> set[Definition]:
        """Return the variables of its function that the key in the URI of a call is made of."""
        key, facts = part_of_uri(uri, KEY_OF), self._facts
        function = facts.index.function(call.invocation.carrier)
        found = set()
        for name in names_in(facts.definitions.resolve(call.location)):
            definition, value = facts.definitions.of(name), facts.templates.of(name)
            node = definition.node
            is_local = node is not None and facts.index.function(node) is function
            if is_local and literal(value) is None and contains(key, value):
                found.add(definition)
                found.update(self._kept_by_key(definition))
        return found

    def _kept_by_key(self, definition: Definition) -> Iterator[Definition]:
        """Yield what ``{pool.submit(upload, key): key …}`` keeps that is looked up."""
        looked_up, of = definition.value, self._facts.definitions.of
        if isinstance(looked_up, cst.Subscript) and isinstance(looked_up.value, cst.Name):
            kept = of(looked_up.value).value
            if isinstance(kept, cst.DictComp):
                yield from (of(name) for name in names_in(kept.value))

    @cached_property
    def _registered(self) -> dict[str, list[cst.FunctionDef]]:
        """The functions that are registered with another one, for arguments of some type."""
        found: dict[str, list[cst.FunctionDef]] = defaultdict(list)
        for function in self._facts.index.functions:
            for decorator in function.decorators:
                made = decorator.decorator
                made = made.func if isinstance(made, cst.Call) else made
                if isinstance(made, cst.Attribute) and made.attr.value == "register":
                    found[last_name(made.value) or ""].append(function)
        return found

    @cached_property
    def _asides(self) -> dict[cst.CSTNode, list[tuple[cst.BaseExpression, Upload]]]:
        """Where functions mention others that upload, without simply calling them."""
        index, near = self._facts.index, self._near
        found: dict[cst.CSTNode, list[tuple[cst.BaseExpression, Upload]]] = defaultdict(list)
        functions = [one for one in near.functions if isinstance(one, cst.FunctionDef)]
        for named in dict.fromkeys(one.name.value for one in functions):
            for part in (*index.names.get(named, ()), *index.attributes.get(named, ())):
                for other in dict.fromkeys(one for one, _ in self._functions(part)):
                    if other.name.value == named and other in near.functions:
                        if part is not other.name:
                            found[index.function(part)].append((part, near.within(other)[0]))
        for hidden, upload in near.hidden:
            assign = index.parent[hidden]
            target = assign.targets[0].target if isinstance(assign, cst.Assign) else None
            named = target.value if isinstance(target, cst.Name) else ""
            for part in (*index.names.get(named, ()), *index.attributes.get(named, ())):
                meant = self._facts.definitions.target(part)
                if meant is not None and meant.value is hidden:
                    found[index.function(part)].append((part, upload))
        return found


def _spelled(template: Template) -> str:
    return "".join(piece if isinstance(piece, str) else f"{{{piece.text}}}" for piece in template)


def _reason(function: cst.FunctionDef) -> str:
    return "helper-decorated" if function.decorators else "helper-as-value"


def _is_told_key(upload: Upload, uri: Template) -> bool:
    """Tell whether the key of an upload is what its function is given, with no other text."""
    key = upload.uri if upload.key is None else upload.key
    told = "".join(piece for piece in uri if isinstance(piece, str))
    if any(piece not in told for piece in key if isinstance(piece, str)):
        return False
    for piece in key:
        found = piece.key[1:] if isinstance(piece, Hole) else ()
        for one in found[1] if len(found) > 1 and isinstance(found[1], tuple) else found:
            if isinstance(one, Definition) and isinstance(one.node, cst.Param):
                return True
    return False
