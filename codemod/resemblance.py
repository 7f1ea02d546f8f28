"""Whether a URI seems to be that of an upload although the two are not provably the same.

What is asked for is evidence that the one was made from the other, or both from the same, in the
same way. That a function uploads something and invokes something else is no such evidence: it may
write down the status of a request whose payload comes from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from codemod.calls import LegacyCall
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.near import is_elsewhere, uri_of
from codemod.syntax import callee, children, descendants, is_self, names_in
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


def resembles(facts: Facts, call: LegacyCall, upload: Upload) -> bool:
    """Tell whether a call seems to invoke what an upload before it in the function uploads."""
    uri = uri_of(facts, call)
    if is_elsewhere(uri, upload):
        return False
    return (
        _is_cut_from(facts, uri, call.location, upload)
        or _is_spelled_alike(facts, uri, upload)
        or _is_of_same_names(facts, call.location, upload)
        or _is_folder_of(uri, upload)
    )


def _is_cut_from(facts: Facts, uri: Template, location: cst.BaseExpression, upload: Upload) -> bool:
    """Tell whether the key of what is uploaded is taken out of the URI, with nothing added."""
    key = upload.key_node
    if key is None or upload.key is None or not all(_is_part_of(one, uri) for one in upload.key):
        return False
    if _OTHER.search(" ".join(one.text for one in upload.key if isinstance(one, Hole))):
        return False
    wanted = {piece.key[1] for piece in uri if isinstance(piece, Hole) and len(piece.key) > 1}
    if isinstance(location, cst.Name):
        wanted.add(facts.definitions.of(location))
    own = {one for one in wanted if isinstance(one, Definition) and one.kind is not Kind.OUTSIDE}
    return not own.isdisjoint(_behind(facts, key))


def _is_part_of(piece: Piece, uri: Template) -> bool:
    """Tell whether a piece of a key may be part of a URI: it is no text that is put around one."""
    if isinstance(piece, str):
        return False
    inner = piece.key[1] if piece.key[0] in (KEY_OF, REST_OF) else ()
    return not isinstance(inner, tuple) or inner == uri or not has_text(inner)


def _behind(facts: Facts, node: cst.BaseExpression) -> Iterator[Definition]:
    """Yield the variables that a text is cut out of, without those of the module."""
    queue = [node]
    seen: set[Definition] = set()
    for value in queue:
        for name in _kept_in(value):
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


def _kept_in(node: cst.CSTNode) -> Iterator[cst.Name]:
    """Yield the names in an expression that may give part of it: not what any function is given."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.Name):
            yield current
        elif isinstance(current, cst.Attribute):
            stack.append(current.value)
        elif isinstance(current, cst.Call):
            stack.append(current.func)
            named = callee(current) or ""
            if named in _TEXT_METHODS or _PARSING.search(named):
                stack += (arg.value for arg in current.args)
        else:
            stack += children(current)


def _is_spelled_alike(facts: Facts, uri: Template, upload: Upload) -> bool:
    """Tell whether both read the same variables in the same words, which may change in between."""
    if len(uri) != len(upload.uri):
        return False
    return all(
        one == other
        or (
            isinstance(one, Hole)
            and isinstance(other, Hole)
            and one.text == other.text
            and _variables(facts, one) == _variables(facts, other) != []
        )
        for one, other in zip(uri, upload.uri, strict=True)
    )


def _variables(facts: Facts, hole: Hole) -> list[Definition]:
    """Return the variables in a hole, if it depends on nothing but them."""
    node = hole.node
    if node is None or hole.key[0] == "definition":
        return []
    if any(isinstance(one, (cst.Call, cst.Await)) for one in _calls(node)):
        return []
    return [facts.definitions.of(name) for name in names_in(node)]


def _calls(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    return (one for one in descendants(node) if callee(one) not in ("basename", "str", "Path"))


def _is_of_same_names(facts: Facts, location: cst.BaseExpression, upload: Upload) -> bool:
    """Tell whether the URI is made of all variables, or of the dictionary that says where to."""
    made = facts.definitions.resolve(location)
    stars = {
        facts.definitions.of(arg.value)
        for arg in upload.invocation.args
        if arg.star == "**" and isinstance(arg.value, cst.Name)
    }
    for part in descendants(made):
        if isinstance(part, cst.Name) and not is_self(part):
            if stars and facts.definitions.of(part) in stars:
                return True
        if callee(part) in _NAMESPACES and isinstance(part, cst.Call) and not part.args:
            text = " ".join(source(facts.definitions.resolve(name)) for name in names_in(made))
            text = f"{source(made)} {text}"
            key = upload.key_node
            return key is not None and any(
                re.search(rf"\b{re.escape(name.value)}\b", text) for name in names_in(key)
            )
    return False


def _is_folder_of(uri: Template, upload: Upload) -> bool:
    """Tell whether the URI is that of the folder into which files are put, or in that folder."""
    file = upload.uri[-1] if upload.uri else ""
    if not isinstance(file, Hole) or not uri:
        return False
    if file.key[0] != "files" and not (file.key[0] == "basename" and upload.returns_uri):
        return False
    folder = upload.uri[:-1]
    return without_prefix(uri, folder) is not None or normal((*uri, "/")) == folder
