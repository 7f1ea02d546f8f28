"""Arguments that get a name of their own, for they are needed twice or elsewhere."""

from __future__ import annotations

import re
from collections.abc import Collection

import libcst as cst

from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.functions import Bindings
from codemod.invocations import Invocation
from codemod.lookups import lookup_left_out
from codemod.quiet import noticed_part
from codemod.syntax import descendants, is_self, names_in
from codemod.template import source
from codemod.transfers import Prepared, Upload
from codemod.translation import Translation


def named_arguments(
    facts: Facts, bound: Bindings, call: Invocation, only_uploaded: Definition | None
) -> dict[Definition, cst.Name]:
    """Return names for the arguments that a rewrite would otherwise leave out, or evaluate late.

    Those do something, or stand before one that does and may be another thing after it.
    """
    by_value = {value: definition for definition, value in bound.items()}
    given = [arg.value for arg in call.args if arg.value in by_value]
    named: dict[Definition, cst.Name] = {}
    does_more_later = False
    changing: set[str] = set()
    for value in reversed(given):
        definition = by_value[value]
        does_more = noticed_part(facts, value) is not None
        is_taken = definition is only_uploaded and not named
        if (does_more and not is_taken) or (
            does_more_later and not _is_settled(facts, value, changing)
        ):
            named[definition] = cst.Name(definition.name)
        if does_more:
            does_more_later = True
            changing.update(name.value for name in names_in(value))
    return named


def name_lookups(translation: Translation, call: Invocation, payload: cst.BaseExpression) -> None:
    """Give names to the arguments that look something up, unless the payload does so, too."""
    facts, made = translation.facts, _unquoted(source(payload))
    for definition, value in translation.bound.items():
        if any(arg.value is value for arg in call.args) and definition not in translation.named:
            lookup = lookup_left_out(facts, value)
            if lookup is not None and _unquoted(source(lookup)) not in made:
                translation.named[definition] = cst.Name(definition.name)


def _unquoted(text: str) -> str:
    """Return code with all quotes alike, for they differ within an f-string."""
    return text.replace("'", '"')


def looked_up(facts: Facts, upload: Upload) -> tuple[Prepared, ...]:
    """Return the arguments of an upload itself, not through a function, that look something up."""
    call = upload.invocation
    parts: dict[cst.BaseExpression | None, str] = {
        upload.key_node: "key",
        upload.bucket_node: "bucket",
        upload.content_type: "content_type",
    }
    for arg in call.args:
        name = arg.keyword.value if arg.keyword is not None else "extra_args"
        parts.setdefault(arg.value, _CAPITAL.sub("_", name).lower())
    parts.pop(upload.payload, None)
    found: dict[cst.BaseExpression, str] = {}
    for node, name in parts.items():
        if node is None or not facts.index.inside(node, call.carrier):
            continue
        if lookup_left_out(facts, node, found) is not None:
            found[node] = name
    prepared = [Prepared(cst.Name(name), node) for node, name in found.items()]
    return tuple(sorted(prepared, key=lambda one: _place(call.carrier, one.value)))


#: Where a word begins in the name of a parameter.
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _place(call: cst.Call, node: cst.BaseExpression) -> int:
    return next(number for number, one in enumerate(descendants(call)) if one is node)


def prepared_arguments(translation: Translation, call: Invocation) -> tuple[Prepared, ...]:
    """Return the arguments that get a name, in the order in which they are evaluated."""
    given = [arg.value for arg in call.args]
    prepared = [Prepared(name, translation.bound[one]) for one, name in translation.named.items()]
    return tuple(sorted(prepared, key=lambda one: given.index(one.value)))


def name_others(
    facts: Facts,
    bound: Bindings,
    call: Invocation,
    wanted: Collection[Definition],
    named: dict[Definition, cst.Name],
) -> bool:
    """Have the other arguments evaluated before the payload is made, which may change them.

    Returns:
        Whether that is enough: not for one that is part of what may change.
    """
    changing = {name.value for one in wanted for name in names_in(bound[one]) if not is_self(name)}
    for arg in call.args:
        definition = next((one for one, value in bound.items() if value is arg.value), None)
        if definition is None or definition in wanted:
            continue
        roots = {name.value for name in names_in(arg.value)}
        if isinstance(arg.value, (cst.Subscript, cst.Attribute)) and not changing.isdisjoint(roots):
            return False
        if not _is_settled(facts, arg.value, changing):
            named.setdefault(definition, cst.Name(definition.name))
    return True


def _is_settled(facts: Facts, node: cst.BaseExpression, changing: Collection[str]) -> bool:
    """Tell whether an argument is the same whatever runs before it.

    Args:
        facts: The modules.
        node: The argument: a literal, a variable, or text made of such.
        changing: The variables whose contents what runs before it may change.
    """
    if isinstance(node, cst.Name):
        definitions = facts.definitions
        is_shared = node.value in definitions.declared_elsewhere
        return not is_shared and not definitions.is_rebound_elsewhere(definitions.of(node))
    if isinstance(node, cst.Attribute) and is_self(node.value):
        name, index = node.attr.value, facts.index
        return name in index.attribute_stores and name not in index.late_attributes
    names = list(names_in(node))
    return (
        all(isinstance(part, _PLAIN_TEXT) for part in descendants(node))
        and not any(name.value in changing for name in names)
        and all(_is_settled(facts, name, changing) for name in names)
    )


#: What text is made of that depends on nothing but the variables in it.
_PLAIN_TEXT = (
    cst.Name,
    cst.SimpleString,
    cst.ConcatenatedString,
    cst.FormattedString,
    cst.FormattedStringText,
    cst.FormattedStringExpression,
    cst.BinaryOperation,
    cst.BaseBinaryOp,
    cst.Integer,
    cst.Float,
)
