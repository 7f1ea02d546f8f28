"""Whether a URI seems to be that of an upload although the two are not provably the same.

What is asked for is evidence that the one was made from the other, or both from the same, in the
same way. That a function uploads something and invokes something else is no such evidence: it may
write down the status of a request whose payload comes from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from codemod import effects
from codemod.calls import LegacyCall
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.near import is_elsewhere, uri_of
from codemod.syntax import callee, children, descendants, is_self, names_in, string_value
from codemod.template import (
    KEY_OF,
    REST_OF,
    Hole,
    Piece,
    Template,
    has_text,
    normal,
    source,
    without_prefix,
)
from codemod.transfers import Upload

#: How many definitions are looked at behind a key.
_MOST = 40
#: What the key of an object has in it that is no payload, but tells something of one.
_OTHER = re.compile(
    r"status|result|output|meta|manifest|state|lock|marker|audit|error|fail|log|done|config|index",
    re.IGNORECASE,
)
#: What gives part of a text that it is called on or given.
_TEXT_METHODS = frozenset((*dir(str), "basename", "Path", "PurePath", "PurePosixPath", "sub"))
_PARSING = re.compile(r"parse|split|ur[il]|key|bucket|match", re.IGNORECASE)
_NAMESPACES = ("locals", "vars", "globals")


class Resemblance:
    """Answers whether a call seems to invoke what an upload before it in the function uploads."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._behind: dict[Upload, frozenset[Definition]] = {}
        self._names: dict[LegacyCall, _Names] = {}

    def between(self, call: LegacyCall, upload: Upload) -> bool:
        """Tell whether the one seems to invoke what the other uploads."""
        uri = uri_of(self._facts, call)
        if is_elsewhere(uri, upload):
            return False
        return (
            self._is_cut_from(uri, call.location, upload)
            or is_spelled_alike(self._facts, uri, upload)
            or self._is_of_same_names(call, upload)
            or _is_folder_of(uri, upload)
            or _has_name_of(uri, upload)
        )

    def _is_cut_from(self, uri: Template, location: cst.BaseExpression, upload: Upload) -> bool:
        """Tell whether the key of what is uploaded is taken out of the URI, with nothing added."""
        if upload.key_node is None or upload.key is None:
            return False
        if not all(_is_part_of(one, uri) for one in upload.key):
            return False
        wanted = {piece.key[1] for piece in uri if isinstance(piece, Hole) and len(piece.key) > 1}
        if isinstance(location, cst.Name):
            wanted.add(self._facts.definitions.of(location))
        own = frozenset(one for one in wanted if isinstance(one, Definition))
        if _is_item(uri):
            return not _OTHER.search(_told(upload)) and all(
                _is_cut_out(self._facts, one, uri) for one in upload.key
            )
        if any(_is_added(self._facts, one, own) for one in upload.key):
            return False
        if upload not in self._behind:
            is_other = _OTHER.search(_told(upload))
            made_of = () if is_other else _behind(self._facts, upload.key_node)
            self._behind[upload] = frozenset(made_of)
        return not own.isdisjoint(self._behind[upload])

    def _is_of_same_names(self, call: LegacyCall, upload: Upload) -> bool:
        """Tell whether the URI is made of all variables, or of what says where to upload."""
        if call not in self._names:
            self._names[call] = _Names.of(self._facts, call.location)
        names = self._names[call]
        stars = (arg.value for arg in upload.invocation.args if arg.star == "**")
        if any(
            isinstance(one, cst.Name) and self._facts.definitions.of(one) in names.read
            for one in stars
        ):
            return True
        key = upload.key_node
        if key is None or not names.words:
            return False
        return any(name.value in names.words for name in names_in(key))


class _Names(NamedTuple):
    """What a URI reads, and, if it may read all variables, the words in the text for it."""

    read: frozenset[Definition]
    words: frozenset[str]

    @classmethod
    def of(cls, facts: Facts, location: cst.BaseExpression) -> _Names:
        made = facts.definitions.resolve(location)
        read = [one for one in names_in(made) if not is_self(one)]
        words: frozenset[str] = frozenset()
        calls = (one for one in descendants(made) if isinstance(one, cst.Call) and not one.args)
        if any(callee(one) in _NAMESPACES for one in calls):
            texts = (source(facts.definitions.resolve(one)) for one in read)
            words = frozenset(re.findall(r"\w+", " ".join((source(made), *texts))))
        return cls(frozenset(facts.definitions.of(one) for one in read), words)


def _is_part_of(piece: Piece, uri: Template) -> bool:
    """Tell whether a piece of a key may be part of a URI: it is no text that is put around one."""
    if isinstance(piece, str):
        return False
    inner = piece.key[1] if piece.key[0] in (KEY_OF, REST_OF) else ()
    return not isinstance(inner, tuple) or inner == uri or not has_text(inner)


def _is_added(facts: Facts, piece: Piece, own: frozenset[Definition]) -> bool:
    """Tell whether a piece of a key is a variable that has nothing to do with those of a URI."""
    definition = piece.key[1] if isinstance(piece, Hole) and piece.key[0] == "definition" else None
    if not isinstance(definition, Definition) or definition in own:
        return False
    return definition.value is None or own.isdisjoint(_behind(facts, definition.value))


def _told(upload: Upload) -> str:
    """Return what the code says about the key of an upload."""
    named = source(upload.key_node) if isinstance(upload.key_node, cst.Name) else ""
    return " ".join((named, *(one.text for one in upload.key or () if isinstance(one, Hole))))


def _is_item(uri: Template) -> bool:
    """Tell whether a URI is nothing but an item or an attribute: ``job["uri"]``."""
    only = uri[0] if len(uri) == 1 else None
    return isinstance(only, Hole) and isinstance(only.node, (cst.Subscript, cst.Attribute))


def _is_cut_out(facts: Facts, piece: Piece, uri: Template) -> bool:
    """Tell whether a piece of a key is cut out of the very item or attribute that a URI is."""
    if isinstance(piece, str):
        return False
    if piece.key[0] in (KEY_OF, REST_OF):
        return piece.key[1] == uri
    queue = [piece.node]
    seen: set[Definition] = set()
    for value in queue:
        for part in _kept_in(value) if value is not None else ():
            if isinstance(part, cst.Name):
                definition = facts.definitions.of(part)
                if definition not in seen and len(seen) <= _MOST:
                    seen.add(definition)
                    queue.append(definition.value)
            elif facts.templates.of(part) == uri:
                return True
    return False


def _behind(facts: Facts, node: cst.BaseExpression) -> Iterator[Definition]:
    """Yield the variables that a text is cut out of, without those of the module."""
    queue = [node]
    seen: set[Definition] = set()
    for value in queue:
        for name in _kept_in(value):
            if not isinstance(name, cst.Name):
                continue
            definition = facts.definitions.of(name)
            made = definition.node
            if definition in seen or len(seen) > _MOST or made is None:
                continue
            seen.add(definition)
            if isinstance(facts.index.function(made), cst.Module) and not isinstance(
                facts.index.function(node), cst.Module
            ):
                continue
            yield definition
            if definition.value is not None and definition.kind in (Kind.ASSIGNED, Kind.UNPACKED):
                queue.append(definition.value)


def _kept_in(node: cst.CSTNode) -> Iterator[cst.Name | cst.Subscript | cst.Attribute]:
    """Yield what may give part of an expression: names, items and attributes.

    That is not what any function is given.
    """
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.Name):
            yield current
        elif isinstance(current, cst.Attribute):
            yield current
            stack.append(current.value)
        elif isinstance(current, cst.Subscript):
            yield current
            stack += children(current)
        elif isinstance(current, cst.Call):
            if _puts_text_in(current):
                continue
            stack.append(current.func)
            named = callee(current) or ""
            if named in _TEXT_METHODS or _PARSING.search(named):
                stack += (arg.value for arg in current.args)
        else:
            stack += children(current)


def _puts_text_in(call: cst.Call) -> bool:
    """Tell whether something is put in: ``uri.replace("in/", "status/")``."""
    if callee(call) not in ("replace", "sub") or len(call.args) <= 1:
        return False
    text = string_value(call.args[1].value)
    return text is None or any(letter.isalnum() for letter in text)


def is_spelled_alike(facts: Facts, uri: Template, upload: Upload) -> bool:
    """Tell whether both read the same variables in the same words.

    Those may change in between, or be those of two loops over the same things.
    """
    if len(uri) != len(upload.uri):
        return False
    return all(_are_alike(facts, *both) for both in zip(uri, upload.uri, strict=True))


def _are_alike(facts: Facts, one: Piece, other: Piece) -> bool:
    if one == other or isinstance(one, str) or isinstance(other, str):
        return one == other
    if one.key[:3] == other.key[:3] and _never_changes(one) and _never_changes(other):
        return True  # in a method and where that is called
    ours, theirs = _variables(facts, one), _variables(facts, other)
    is_variable = one.key[0] == other.key[0] == "definition"
    if not ours or len(ours) != len(theirs) or not (is_variable or one.text == other.text):
        return False
    return all(
        mine is yours or _goes_over(facts, mine) & _goes_over(facts, yours)
        for mine, yours in zip(ours, theirs, strict=True)
    )


def is_only_itself(facts: Facts, hole: Hole) -> bool:
    """Tell whether a part of a string is like no other: it is made by a call, as ``uuid4()``."""
    return not _variables(facts, hole) and not (
        hole.key[0] == "expression" and _never_changes(hole)
    )


def _never_changes(hole: Hole) -> bool:
    """Tell whether an expression reads nothing that is changed anywhere."""
    states = hole.key[3] if hole.key[0] == "expression" else None
    return isinstance(states, tuple) and all(part is None for state in states for part in state)


def _goes_over(facts: Facts, definition: Definition) -> set[Definition]:
    """Return the variables that a loop goes over for a name."""
    node = definition.node
    if node is None:
        return set()
    for above in facts.index.ancestors(node):
        if isinstance(above, (cst.For, cst.CompFor)):
            if not facts.index.inside(node, above.target):
                return set()
            read = (facts.definitions.of(name) for name in names_in(above.iter))
            return {one for one in read if one.kind is not Kind.OUTSIDE}
        if isinstance(above, cst.BaseStatement):
            break
    return set()


def _variables(facts: Facts, hole: Hole) -> list[Definition]:
    """Return the variables in a hole, if it depends on nothing but them."""
    if hole.key[0] == "definition":
        assert isinstance(hole.key[1], Definition)
        return [hole.key[1]]
    node = hole.node
    if node is None or any(isinstance(one, (cst.Call, cst.Await)) for one in _calls(node)):
        return []
    return [facts.definitions.of(name) for name in names_in(node)]


def _calls(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    return (one for one in descendants(node) if callee(one) not in ("basename", "str", "Path"))


def _is_folder_of(uri: Template, upload: Upload) -> bool:
    """Tell whether the URI is that of the folder into which files are put, or in that folder."""
    file = upload.uri[-1] if upload.uri else ""
    if not isinstance(file, Hole) or not uri:
        return False
    if file.key[0] != "files" and not (file.key[0] == "basename" and upload.returns_uri):
        return False
    folder = upload.uri[:-1]
    return without_prefix(uri, folder) is not None or normal((*uri, "/")) == folder


def _has_name_of(uri: Template, upload: Upload) -> bool:
    """Tell whether a URI ends in the fresh name that the key ends in: no other object has it."""
    key = upload.key or ()
    return any(
        uri[start:] == key[len(key) - len(uri) + start :] and any(map(_is_fresh, descendants(node)))
        for start, piece in enumerate(uri)
        if isinstance(piece, Hole) and (node := piece.node) is not None
    )


def _is_fresh(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Call) and effects.is_fresh_call(node)
