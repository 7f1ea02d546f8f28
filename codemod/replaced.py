"""Whether a module gives a function of its own another value by its name, as text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from codemod.clients import Role
from codemod.facts import Facts
from codemod.syntax import dotted, string_value, subscript_key

_WORD = re.compile(r"\b[A-Za-z_]\w*")
_UPDATING = ("update", "setdefault", "__setitem__", "pop", "clear")


def replaced_by_name(facts: Facts, module: cst.Module, name: str) -> cst.CSTNode | None:
    """Return where a module may put something else in the place of a name.

    ``globals()["name"] = …`` does, ``setattr(thing, "name", …)``, ``sys.modules[…].name = …``,
    ``exec("name = …")``.
    """
    for place, named in _stores(facts):
        if named in (None, name) and facts.index.module_of(place) is module:
            return place
    for target, _ in facts.index.attribute_stores.get(name, ()):
        owner = target.value
        if isinstance(owner, cst.Subscript) and dotted(owner.value) == "sys.modules":
            return target
    return None


def replaced_method(facts: Facts, method: str) -> cst.CSTNode | None:
    """Return where the file gives a method of a client another value."""
    for target, _ in facts.index.attribute_stores.get(method, ()):
        if facts.clients.receiver(target.value).role not in (Role.UNKNOWN, Role.FOREIGN):
            return target
    for place, named in _stores(facts):
        if named == method:
            return place
    return None


def _stores(facts: Facts) -> Iterator[tuple[cst.CSTNode, str | None]]:
    """Yield what gives a name a value, and the name where that is certain."""
    parent = facts.index.parent
    for text in ("globals", "vars"):
        for read in facts.index.names.get(text, ()):
            call = parent[read]
            if not isinstance(call, cst.Call) or call.func is not read:
                continue
            if text == "vars" and (not call.args or dotted(call.args[0].value) == "self"):
                continue
            above = parent[call]
            if isinstance(above, cst.Subscript) and isinstance(parent[above], cst.AssignTarget):
                key = subscript_key(above)
                yield above, key if isinstance(key, str) else None
            elif isinstance(above, cst.Attribute) and above.attr.value in _UPDATING:
                yield from _updated(parent[above], above)
    for read in facts.index.names.get("exec", ()):
        call = parent[read]
        code = call.args[0].value if isinstance(call, cst.Call) and call.args else None
        words = string_value(code) if code is not None else None
        yield from ((call, word) for word in set(_WORD.findall(words or "")))
    for read in facts.index.names.get("setattr", ()):
        call = parent[read]
        if isinstance(call, cst.Call) and len(call.args) > 1:
            named = string_value(call.args[1].value)
            if named is not None:
                yield call, named


def _updated(call: cst.CSTNode, func: cst.Attribute) -> Iterator[tuple[cst.CSTNode, str | None]]:
    if not isinstance(call, cst.Call):
        return
    if func.attr.value == "update" and all(arg.keyword is not None for arg in call.args):
        yield from ((call, arg.keyword.value) for arg in call.args if arg.keyword is not None)
    else:
        first = call.args[0].value if call.args else None
        yield call, string_value(first) if func.attr.value != "update" else None
