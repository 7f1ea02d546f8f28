"""Bodies that are no payloads: of calls that warm an endpoint up, or ask whether it answers."""

from __future__ import annotations

import libcst as cst

from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.syntax import callee, dict_items, last_name, names_in

#: What only puts constants into another form.
_MAKING = frozenset("dumps encode bytes str bytearray dict".split())
#: What is only told about a payload by them.
_LOOKING = frozenset("len getsizeof print debug info dumps encode bytes".split())


def is_for_show(facts: Facts, value: cst.BaseExpression) -> bool:
    """Tell whether a body is only there to see whether the endpoint answers, or to warm it up.

    It is always the same then, and sent in no other way.
    """
    return _is_constant(facts, value) and not _is_sent_elsewhere(facts, value)


def _is_constant(facts: Facts, value: cst.BaseExpression) -> bool:
    made = facts.definitions.resolve(value)
    if isinstance(made, (cst.SimpleString, cst.ConcatenatedString, cst.Integer, cst.Float)):
        return True
    if isinstance(made, cst.Name):
        return made.value in ("None", "True", "False")
    if isinstance(made, (cst.List, cst.Tuple, cst.Set)):
        return all(_is_constant(facts, element.value) for element in made.elements)
    items = dict_items(made)
    if items is not None:
        return all(_is_constant(facts, item) for _, item, _ in items)
    if isinstance(made, cst.Call) and last_name(made.func) in _MAKING:
        of = made.func.value if isinstance(made.func, cst.Attribute) else None
        is_text = of is None or callee(made) != "encode" or _is_constant(facts, of)
        return is_text and all(_is_constant(facts, arg.value) for arg in made.args)
    return False


def _is_sent_elsewhere(facts: Facts, value: cst.BaseExpression) -> bool:
    """Tell whether something else than calls like this one is given what the body is made of."""
    arg = facts.index.parent[value]
    known = {callee(facts.index.parent[arg])} if isinstance(arg, cst.Arg) else set()
    stack = [value]
    seen: set[Definition] = set()
    while stack:
        for name in names_in(stack.pop()):
            definition = facts.definitions.of(name)
            if definition.kind is not Kind.ASSIGNED or definition in seen:
                continue
            seen.add(definition)
            if definition.value is not None:
                stack.append(definition.value)
            for read in facts.definitions.reads(definition):
                above = facts.index.parent[read]
                if read is not name and isinstance(above, cst.Arg):
                    if callee(facts.index.parent[above]) not in _LOOKING | known:
                        return True
    return False
