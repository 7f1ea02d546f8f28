"""The uploads near a call: by the function they stand in, and by what they can be known by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from codemod.calls import LegacyCall
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.refusals import Refusal
from codemod.structure import Span, span, steps_to
from codemod.syntax import descendants, names_in, subscript_key, unwrap_await
from codemod.template import Template, contains, literal, normal, same_object
from codemod.transfers import Upload


class Near:
    """The uploads of a module by the function they stand in and what they can be known by."""

    def __init__(self, facts: Facts, uploads: list[Upload]) -> None:
        self._facts = facts
        self._by_function: dict[cst.CSTNode, list[Upload]] = {}
        self._by_uri: dict[tuple[cst.CSTNode, Template], list[Upload]] = {}
        self._by_node: dict[cst.CSTNode, list[Upload]] = {}
        self._every = uploads
        for upload in uploads:
            function = facts.index.function(upload.invocation.carrier)
            self._by_function.setdefault(function, []).append(upload)
            self._by_uri.setdefault((function, upload.uri), []).append(upload)
            if upload.told is not None and upload.bucket is not None:
                as_told = normal(("s3://", *upload.bucket, "/", *upload.told))
                self._by_uri.setdefault((function, as_told), []).append(upload)
            self._by_node.setdefault(unwrap_await(upload.uploading), []).append(upload)

    def of(self, call: LegacyCall) -> list[Upload]:
        """Return the uploads in the function of a call."""
        return self._by_function.get(self._facts.index.function(call.invocation.carrier), [])

    def within(self, function: cst.CSTNode) -> list[Upload]:
        """Return the uploads that a function makes itself."""
        return self._by_function.get(function, [])

    def under(self, function: cst.CSTNode, uri: Template) -> list[Upload]:
        """Return those of them that upload the object with a URI."""
        return self._by_uri.get((function, uri), [])

    @property
    def functions(self) -> Iterable[cst.CSTNode]:
        """The functions that upload something themselves, and the modules."""
        return self._by_function

    @property
    def every(self) -> list[Upload]:
        """All uploads."""
        return self._every

    @cached_property
    def hidden(self) -> list[tuple[cst.Lambda, Upload]]:
        """The lambdas that upload, each with its upload."""
        return [
            (above, upload)
            for upload in self._every
            for above in self._facts.index.ancestors(upload.invocation.carrier)
            if isinstance(above, cst.Lambda)
        ]

    def made_at(self, node: cst.CSTNode) -> Upload | None:
        """Return the upload that a call is, be it the call of a function that uploads."""
        return self._by_node[node][0] if node in self._by_node else None

    def inside(self, node: cst.BaseExpression) -> Upload | None:
        """Return an upload that is part of an expression."""
        for part in descendants(node):
            if part in self._by_node:
                return self._by_node[part][0]
        return None

    def given_to(self, call: LegacyCall) -> Upload | None:
        """Return an upload of the object that is made for an argument of the call."""
        if call.through is None:
            return None
        for upload in self.invoked(call):
            if any(self._facts.index.inside(upload.uploading, arg) for arg in call.invocation.args):
                return upload
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

    def invoked(self, call: LegacyCall) -> list[Upload]:
        """Return the uploads of the object that a call invokes."""
        function = self._facts.index.function(call.invocation.carrier)
        uri = uri_of(self._facts, call)
        found = dict.fromkeys(self._by_uri.get((function, uri), ()))
        for made in _makers(self._facts, call.location):
            for upload in self._by_node.get(unwrap_await(made), ()):
                if upload.returns_uri or self._is_item(call.location, upload):
                    found[upload] = None
        if uri and isinstance(uri[0], str) and uri[0].startswith("https://"):
            for upload in self._by_function.get(function, ()):
                if upload.bucket is not None and upload.key is not None:
                    if same_object(uri, upload.bucket, upload.key):
                        found[upload] = None
        return list(found)

    def _is_item(self, location: cst.BaseExpression, upload: Upload) -> bool:
        """Tell whether an expression is the URI among several things that a function returned."""
        if upload.via is None:
            return False
        place: int | str | None = None
        if isinstance(location, cst.Subscript):
            place = subscript_key(location)
        elif isinstance(location, cst.Name):
            definition = self._facts.definitions.of(location)
            if definition.kind is Kind.UNPACKED and definition.node is not None:
                place = self._facts.index.place_in_tuple(definition.node)
        return place is not None and upload.via.items.get(place) == "uri"


def _makers(facts: Facts, location: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield the expressions whose result, or part of it, a location may be."""
    yield facts.definitions.resolve(location)
    taken = location.value if isinstance(location, cst.Subscript) else location
    if isinstance(taken, cst.Name):
        value = facts.definitions.of(taken).value
        if value is not None:
            yield value


def uri_of(facts: Facts, call: LegacyCall) -> Template:
    """Return the URI that a call invokes, or hands to a function that does."""
    if call.through is not None:
        return call.through.uri
    return facts.templates.of(call.location) if call.uri is None else call.uri


def made_by(facts: Facts, location: cst.BaseExpression, upload: Upload) -> bool:
    """Tell whether an expression is what an upload returned."""
    made = facts.definitions.resolve(location)
    return unwrap_await(made) is unwrap_await(upload.invocation.whole)


def is_uri_of(facts: Facts, value: cst.BaseExpression, upload: Upload) -> bool:
    """Tell whether an expression is the URI of what is uploaded."""
    if upload.returns_uri and made_by(facts, value, upload):
        return True
    uri = facts.templates.of(value)
    if upload.bucket is not None and upload.key is not None:
        return same_object(uri, upload.bucket, upload.key)
    return uri == upload.uri


def is_another_item(facts: Facts, definition: Definition, upload: Upload) -> bool:
    """Tell whether a name gets an item of a result that holds the URI at another place."""
    if definition.kind is not Kind.UNPACKED or definition.value is None:
        return False
    if unwrap_await(definition.value) is not unwrap_await(upload.uploading):
        return False
    items = upload.via.items if upload.via is not None else {}
    place = facts.index.place_in_tuple(definition.node) if definition.node is not None else None
    return place is not None and items.get(place) == "else" and "uri" in items.values()


def is_elsewhere(uri: Template, upload: Upload) -> bool:
    """Tell whether a URI certainly names another bucket than that of an upload."""
    bucket = literal(upload.bucket or ())
    start = uri[0] if uri and isinstance(uri[0], str) else ""
    named = start.removeprefix("s3://").partition("/")
    return bool(bucket) and start.startswith("s3://") and named[1] == "/" and named[0] != bucket


def names_key(facts: Facts, value: cst.BaseExpression, upload: Upload) -> bool:
    """Tell whether the key of what is uploaded is, or is made of, an expression."""
    template = facts.templates.of(value)
    return literal(template) is None and contains(upload.key or (), template)


def needs_upload(facts: Facts, location: cst.BaseExpression, upload: Upload) -> bool:
    """Tell whether an expression is, or is made of, what the statement of an upload binds."""
    if made_by(facts, location, upload) or facts.index.inside(upload.uploading, location):
        return True
    statement = facts.index.statement(upload.invocation.carrier)
    stack, seen = list(names_in(location)), set()
    while stack:
        definition = facts.definitions.of(stack.pop())
        if definition.node is not None and facts.index.inside(definition.node, statement):
            return True
        if definition not in seen and definition.value is not None:
            seen.add(definition)
            stack.extend(names_in(definition.value))
    return False


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
