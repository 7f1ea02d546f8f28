"""Functions that make payloads: those there are, the names of new ones, how callers name them."""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from codemod.classes import is_static, owner_of
from codemod.definitions import Kind
from codemod.facts import Facts
from codemod.functions import sites
from codemod.inputs import METHOD
from codemod.names import free_name
from codemod.payload import payload_of
from codemod.syntax import (
    callee,
    descendants,
    dotted,
    tested_for_none,
    unwrap_await,
)
from codemod.transfers import Maker, Split, Upload
from codemod.translation import is_there

#: What functions that upload are called, and what their names say of where to.
_VERB = re.compile(r"^(?:upload|put|store|save|send|write|push|stage|stash|copy)(?:_|$)")


_TOO = re.compile(r"_and_(?:upload|put|store|save|send)(?:_\w+)?$")


_PLACE = re.compile(r"(?:^|_)(?:(?:to|in|into|on)_)?(?:s3|bucket)$")


def _is_handed_out(facts: Facts, function: cst.FunctionDef) -> bool:
    """Tell whether a public function may hand payloads on to this one, which is none."""
    seen, stack = {function}, [function]
    while stack:
        for func in sites(facts, stack.pop()):
            calling = facts.index.function(func)
            if not isinstance(calling, cst.FunctionDef) or calling in seen:
                continue
            seen.add(calling)
            if not _gives_own(facts, func, calling):
                continue
            parts = descendants(calling.body)
            if any(isinstance(part, cst.Attribute) and part.attr.value == METHOD for part in parts):
                continue
            if not calling.name.value.startswith("_"):
                return True
            stack.append(calling)
    return False


def _gives_own(facts: Facts, func: cst.CSTNode, calling: cst.FunctionDef) -> bool:
    """Tell whether a function calls another with what it is given itself, or with nothing."""
    call = facts.index.parent[func]
    if not isinstance(call, cst.Call) or not call.args:
        return True
    given = (arg.value for arg in call.args if isinstance(arg.value, cst.Name))
    params = (facts.definitions.of(name).node for name in given)
    return any(
        isinstance(param, cst.Param) and facts.index.inside(param, calling.params)
        for param in params
    )


def maker_name(facts: Facts, function: cst.FunctionDef) -> str:
    """Return a name that no other function has, nor will have."""
    name = function.name.value
    plain = name.lstrip("_")
    private = "" if _is_handed_out(facts, function) else name[: len(name) - len(plain)]
    what = _PLACE.sub("", _VERB.sub("", _TOO.sub("", plain)))
    taken = {one for names in facts.index.identifiers.values() for one in names}
    taken |= {known for known, other in facts.makers.items() if other is not function}
    wanted = f"serialize_{what}" if what else f"serialize_for_{_PLACE.sub('', plain)}"
    found = free_name(taken, f"{private}{wanted}", f"{private}{wanted}_payload")
    facts.makers[found] = function
    return found


def existing_maker(
    facts: Facts, function: cst.FunctionDef, node: cst.BaseExpression
) -> Maker | None:
    """Return the function beside another one that gets nothing but parameters of that.

    It must take them by the same names and with the same defaults, so that callers can give it
    what they give the other.
    """
    call = unwrap_await(node)
    if not isinstance(call, cst.Call) or any(arg.star for arg in call.args):
        return None
    maker, index = facts.definitions.function_called(call), facts.index
    if maker is None or owner_of(facts, maker) is not owner_of(facts, function):
        return None
    if index.module_of(maker) is not index.module_of(function):
        return None
    if index.order[maker] > index.order[function] or (maker.decorators and not is_static(maker)):
        return None
    if maker.name.value.startswith("_") and not function.name.value.startswith("_"):
        return None  # others import the function, but hardly this one
    params = {one.name.value: one for one in plain_params(function)}
    if maker.params.kwonly_params or maker.params.posonly_params:
        return None
    taken = plain_params(maker)
    is_bound = owner_of(facts, maker) is not None and not is_static(maker)
    taken = taken[1:] if is_bound else taken
    found = []
    for own, arg in zip(taken, call.args, strict=False):
        name = arg.value.value if isinstance(arg.value, cst.Name) else ""
        given = params.get(name)
        if given is None or own.name.value != name or not same_default(own, given):
            return None
        if not isinstance(facts.definitions.of(cast(cst.Name, arg.value)).node, cst.Param):
            return None
        if arg.keyword is not None and arg.keyword.value != name:
            return None
        found.append(given)
    if len(found) != len(call.args) or len(taken) != len(call.args):
        return None
    return Maker(maker.name.value, tuple(found), maker.asynchronous is not None, exists=True)


def plain_params(function: cst.FunctionDef) -> list[cst.Param]:
    return [*function.params.params, *function.params.kwonly_params]


def same_default(one: cst.Param, other: cst.Param) -> bool:
    if one.default is None or other.default is None:
        return one.default is other.default
    return one.default.deep_equals(other.default)


def made_if_missing(
    facts: Facts, upload: Upload
) -> tuple[cst.Name, str, cst.BaseExpression, cst.CSTNode] | None:
    """Return a payload, the name that is ``None`` if it is to be made, what makes it, and where."""
    payload = payload_of(facts, upload).node
    if isinstance(payload, cst.Call) and callee(payload) == "BytesIO" and len(payload.args) == 1:
        payload = payload.args[0].value
    if not isinstance(payload, cst.Name):
        return None
    index, definition = facts.index, facts.definitions.of(payload)
    if definition.kind is Kind.ASSIGNED and isinstance(definition.value, cst.IfExp):
        name = tested_for_none(definition.value.test)
        other = definition.value.orelse
        if name is None or not isinstance(other, cst.Name) or other.value != name.value:
            return None
        statement = index.statement(name)
        is_alone = isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1
        return (payload, name.value, definition.value.body, statement) if is_alone else None
    made = [one for one in definition.origins() if one.kind is Kind.ASSIGNED]
    if len(made) != 1 or made[0].node is None or made[0].value is None:
        return None
    if not all(one is made[0] or one.kind is Kind.PARAMETER for one in definition.origins()):
        return None
    line = index.statement(made[0].node)
    test = index.parent.get(index.block(line))
    if not isinstance(test, cst.If) or test.orelse is not None or len(test.body.body) != 1:
        return None
    name = tested_for_none(test.test)
    if name is None or name.value != definition.name:
        return None
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    return payload, name.value, made[0].value, test


def maker_for(
    facts: Facts, split: Split, func: cst.Name | cst.Attribute
) -> tuple[cst.BaseExpression, cst.ImportFrom | None] | None:
    """Return how a caller names the maker, given how it names the function that uploads.

    Returns:
        The name, and the import that must name it as well; ``None`` if the caller has no way to it
        or calls something else by that name.
    """
    index, home = facts.index, facts.index.module_of(split.function)
    here = index.module_of(func)
    if isinstance(func, cst.Attribute):
        is_method = split.own is not None
        if not is_method:
            module = dotted(func.value)
            if module is None or index.linked(here, module) != (home, ()):
                return None
        elif any(isinstance(part, cst.Call) for part in descendants(func.value)):
            return None
        return func.with_changes(attr=cst.Name(split.maker.name), lpar=(), rpar=()), None
    name = cst.Name(split.maker.name)
    there = facts.definitions.free(split.maker.name, func)
    caller = index.function(func)
    if (
        isinstance(caller, cst.FunctionDef)
        and split.maker.name in facts.definitions.walk(caller).local
    ):
        return None
    if here is home:
        is_it = not split.maker.exists or isinstance(there.node, cst.FunctionDef)
        return (name, None) if is_it else None
    importing = facts.definitions.of(func).node
    if not isinstance(importing, cst.ImportFrom) or isinstance(importing.names, cst.ImportStar):
        return None
    origin = "." * len(importing.relative)
    origin += (dotted(importing.module) or "") if importing.module is not None else ""
    if index.linked.imported(here, origin) is not home:
        return None
    if split.maker.name not in index.identifiers[here]:
        if index.linked.starred(here, split.maker.name):
            return None
        # Of two functions with one name only the first can be imported by it.
        source = facts.imports.setdefault((here, split.maker.name), home)
        return (name, importing) if source is home else None
    is_it = there.kind is Kind.IMPORTED and index.linked(here, split.maker.name) == (
        home,
        (split.maker.name,),
    )
    return (
        (name, None)
        if is_it and (is_there(facts, there, func) or there.node is importing)
        else None
    )
