"""What a call of the API is given: its ``InputLocation``, wherever that is written."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from codemod.definitions import Definition, Kind
from codemod.dictionaries import entries, is_rest_of_keywords
from codemod.facts import Facts
from codemod.invocations import Invocation
from codemod.refusals import Refusal
from codemod.syntax import dict_items, is_none, last_name, string_value, subscript_key
from codemod.template import Template, source

METHOD = "invoke_endpoint_async"


class Style(enum.Enum):
    """Where ``InputLocation`` is written; or that a function of the file makes the call."""

    KEYWORD = "keyword of the call"
    DICT_ENTRY = "entry of a dict literal"
    DICT_ITEM = "item assigned to a dict"
    FUNCTION = "function of the file that calls"


#: What InvokeEndpointAsync gets its payload by; it takes exactly one.
INPUTS = ("InputLocation", "Body")

#: Of so many functions that do something with a dictionary it is of no use to know another one.
_ENOUGH = 8

_Items = dict[str, tuple[cst.BaseExpression, cst.CSTNode, Style]]


@dataclass(slots=True, eq=False)
class Inputs:
    """What the argument list of one call says, with dictionaries looked through.

    ``complete`` is false if there may be more in it than ``items``, ``unseen`` is there if that may
    be another input, ``uri`` is what the input means here if it is written somewhere else.
    """

    items: _Items
    parameters: Definition | None = None
    made: cst.BaseExpression | None = None
    complete: bool = True
    problem: Refusal | None = None
    uri: Template | None = None
    unseen: Refusal | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether nothing can be seen of what the payload comes by."""
        return self.items.keys().isdisjoint(INPUTS)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is said."""
        return self.problem is None and self.complete and not self.items


def inputs_of(facts: Facts, call: Invocation) -> Inputs:
    """Return what the arguments of a call say, and the dictionaries among them."""
    given = Inputs({})
    for arg in call.args:
        if arg.keyword is not None:
            given.items[arg.keyword.value] = (arg.value, arg, Style.KEYWORD)
        elif arg.star == "**":
            found = _from_dict(facts, arg.value, call)
            given.items.update(found.items)
            given.complete = given.complete and found.complete
            given.problem = given.problem or found.problem
            if "InputLocation" in found.items:
                given.problem = given.problem or found.unseen
                given.parameters, given.made = found.parameters, found.made
        elif arg.star == "*":
            given.complete = False
    if given.is_unknown:
        for arg in call.args:
            if arg.star == "**":
                _look_further(facts, arg.value, given)
    return given


def unpacked(call: Invocation) -> Iterator[cst.BaseExpression]:
    """Yield the dictionaries that a call is given the entries of."""
    yield from (arg.value for arg in call.args if arg.star == "**")


def _look_further(facts: Facts, value: cst.BaseExpression, given: Inputs) -> None:
    """Take account of an InputLocation that a dictionary gets in some way that is not followed."""
    if isinstance(value, cst.Name) and is_rest_of_keywords(facts, facts.definitions.of(value)):
        return  # whoever calls the function makes the call
    bodies = list(entries(facts, value, "Body"))
    either = next((one for one in bodies if not one.is_aside), None)
    if either is not None:  # nobody knows which of the two it is
        given.items["Body"] = (either.value, either.node, Style.DICT_ITEM)
    with_body = {facts.index.function(one.node) for one in bodies} if either is None else set()
    for found in entries(facts, value, "InputLocation"):
        if is_none(found.value) or string_value(found.value) == "":
            continue  # it is filled in elsewhere
        if facts.index.function(found.node) in with_body:
            return
        given.items["InputLocation"] = (found.value, found.node, Style.DICT_ITEM)
        given.uri = found.uri
        given.problem = Refusal(
            "parameters-unclear", found.node, source(value), "pass InputLocation to the call itself"
        )
        return


def _from_dict(facts: Facts, value: cst.BaseExpression, call: Invocation) -> Inputs:
    literal = dict_items(value)
    if literal is not None:
        return _from_literal(facts, literal, None, value)
    if not isinstance(value, cst.Name):
        return Inputs({}, complete=False)
    definition = facts.definitions.of(value)
    if definition.kind in (Kind.MERGED, Kind.SHARED):
        return _merged(definition)
    made = definition.value if definition.kind is Kind.ASSIGNED else None
    literal, copied = dict_items(made), _copied(facts, made)
    if copied is not None and made is not None:
        literal = [(None, copied, made)]
    if literal is None:
        return Inputs({}, complete=False)
    given = _from_literal(facts, literal, definition, definition.value)
    if not _has_one_name(facts, definition):
        given.problem = Refusal("parameters-used-elsewhere", value, value.value)
    _add_uses(facts, given, definition, call)
    is_own = facts.index.function(definition.node or value) is facts.index.function(value)
    if "InputLocation" in given.items and not is_own:  # it stays there for the next one
        given.problem = given.problem or Refusal("parameters-used-elsewhere", value, value.value)
    return given


def _copied(facts: Facts, made: cst.BaseExpression | None) -> cst.BaseExpression | None:
    """Return what ``x.copy()``, ``copy.copy(x)`` or ``copy.deepcopy(x)`` copies."""
    if not isinstance(made, cst.Call):
        return None
    if facts.definitions.origin(made.func) in ("copy.copy", "copy.deepcopy"):
        return made.args[0].value if len(made.args) == 1 and not made.args[0].star else None
    if not isinstance(made.func, cst.Attribute) or made.func.attr.value != "copy" or made.args:
        return None
    return made.func.value


def _from_literal(
    facts: Facts,
    literal: list[tuple[str | None, cst.BaseExpression, cst.CSTNode]],
    parameters: Definition | None,
    made: cst.BaseExpression | None,
) -> Inputs:
    given = Inputs({}, parameters, made)
    for key, value, node in literal:
        if key is not None:
            given.items[key] = (value, node, Style.DICT_ENTRY)
            continue
        given.complete = False
        if "InputLocation" in given.items and given.problem is None:
            given.problem = Refusal(
                "parameters-unclear", node, source(value), "put InputLocation last"
            )
        elif not _is_without_input(facts, value) and given.problem is None:
            unlock = "leave InputLocation out of the dictionary that the other is made from"
            given.unseen = Refusal("parameters-unclear", node, source(value), unlock)
    return given


def _is_without_input(facts: Facts, value: cst.BaseExpression) -> bool:
    """Tell whether a dictionary certainly has no input that another one, made from it, replaces."""
    made = facts.definitions.resolve(value)
    if isinstance(made, cst.IfExp):
        return all(_is_without_input(facts, one) for one in (made.body, made.orelse))
    literal = dict_items(made)
    if literal is None or any(key is None for key, _, _ in literal):
        return False
    return not any(True for key in INPUTS for _ in entries(facts, value, key))


def _has_one_name(facts: Facts, definition: Definition) -> bool:
    assert definition.node is not None
    target = facts.index.parent[definition.node]
    assign = facts.index.parent.get(target)
    if isinstance(target, cst.AssignTarget) and isinstance(assign, cst.Assign):
        return len(assign.targets) == 1
    return isinstance(target, cst.AnnAssign)


@dataclass(frozen=True, slots=True, eq=False)
class Uses:
    """The places that name a dictionary with parameters.

    Attributes:
        names: The places by the function that they stand in.
        elsewhere: What a call in another function has to take from each, where that is anything:
            first what stands against a fix, then other inputs.
    """

    names: dict[cst.CSTNode, list[cst.Name]]
    elsewhere: dict[cst.CSTNode, Inputs]


def _uses_of(facts: Facts, definition: Definition) -> Uses:
    """Look at each place once, however many calls the dictionary is for."""
    found: Uses | None = facts.uses.get(definition)
    if found is None:
        names: dict[cst.CSTNode, list[cst.Name]] = {}
        for name in facts.definitions.reads(definition):
            names.setdefault(facts.index.function(name), []).append(name)
        told = {function: _told_by(facts, inside) for function, inside in names.items()}
        order = sorted(told, key=lambda one: (told[one].problem is None, not told[one].items))
        elsewhere = {one: told[one] for one in order if not told[one].is_nothing}
        found = facts.uses[definition] = Uses(names, elsewhere)
    return found


def _told_by(facts: Facts, names: Iterable[cst.Name]) -> Inputs:
    told = Inputs({})
    for name in names:
        _add_use(facts, told, name, None)
    return told


def _add_uses(facts: Facts, given: Inputs, definition: Definition, call: Invocation) -> None:
    """Take account of all places that name the dictionary with the parameters."""
    uses, index = _uses_of(facts, definition), facts.index
    around = [
        above
        for above in index.ancestors(call.carrier)
        if isinstance(above, (cst.FunctionDef, cst.Module))
    ]
    for function in reversed(around):
        for name in uses.names.get(function, ()):
            _add_use(facts, given, name, call)
    others = (told for function, told in uses.elsewhere.items() if function not in around)
    for told in itertools.islice(others, _ENOUGH):
        given.complete = given.complete and told.complete
        given.problem = given.problem or told.problem
        for key, item in told.items.items():
            given.items.setdefault(key, item)


def _add_use(facts: Facts, given: Inputs, name: cst.Name, call: Invocation | None) -> None:
    """Take account of one place that names the dictionary with the parameters.

    It is none of the function with the call if that is ``None``.
    """
    index = facts.index
    above = index.parent[name]
    if isinstance(above, cst.Arg) and above.star == "**":
        if last_name(getattr(index.parent[above], "func", above)) == METHOD:
            return
    elif isinstance(above, cst.Subscript) and above.value is name:
        key = subscript_key(above)
        key = key if isinstance(key, str) else None
        target = index.parent[above]
        assign = index.parent[target]
        if isinstance(target, cst.AssignTarget) and isinstance(assign, cst.Assign):
            if key is not None and len(assign.targets) == 1:
                _add_item(facts, given, key, assign.value, assign, call)
                return
        elif not isinstance(target, (cst.Del, cst.AugAssign, cst.Subscript)):
            if key is not None and key not in ("InputLocation", "Body"):
                return
    elif isinstance(above, cst.Attribute) and above.attr.value in ("update", "setdefault", "pop"):
        updating = index.parent[above]
        items = _updated_with(facts, updating) if above.attr.value == "update" else None
        if items is not None:
            for key, value in items:
                _add_item(facts, given, key, value, updating, call)
            return
        given.complete = False
        given.problem = given.problem or Refusal("parameters-unclear", above, source(above))
        return
    given.problem = given.problem or Refusal(
        "parameters-used-elsewhere", name, name.value, "pass the parameters to the call only"
    )


def _updated_with(
    facts: Facts, updating: cst.CSTNode
) -> list[tuple[str, cst.BaseExpression]] | None:
    """Return what a statement ``params.update(…)`` sets, if it shows and is easily left out."""
    index = facts.index
    if not isinstance(updating, cst.Call):
        return None
    line = index.parent[index.parent[updating]]
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    found: list[tuple[str, cst.BaseExpression]] = []
    for arg in updating.args:
        if arg.keyword is not None:
            found.append((arg.keyword.value, arg.value))
            continue
        for key, value, _ in dict_items(arg.value) or ((None, arg.value, arg),):
            if key is None or arg.star:
                return None
            found.append((key, value))
    sets_input = any(key in INPUTS for key, _ in found)
    return None if sets_input and len(found) > 1 else found


def _add_item(
    facts: Facts,
    given: Inputs,
    key: str,
    value: cst.BaseExpression,
    node: cst.CSTNode,
    call: Invocation | None,
) -> None:
    """``params["Accept"] = …``: certain only if every way to the call goes through it."""
    index, statement = facts.index, facts.index.statement(node)
    calling = index.statement(call.carrier) if call is not None else None
    is_certain = (
        calling is not None
        and index.inside(calling, index.block(statement))
        and index.order[statement] < index.order[calling]
    )
    if key == "InputLocation":
        if key in given.items:
            given.problem = Refusal("parameters-conditional", node)
        elif not is_certain:
            given.problem = Refusal(
                "parameters-conditional",
                node,
                unlock="set InputLocation where it is certain to be set",
            )
        given.items[key] = (value, node, Style.DICT_ITEM)
    elif key == "Body" or is_certain:
        given.items.setdefault(key, (value, node, Style.DICT_ITEM))
    elif key == "ContentType" and key not in given.items:
        given.complete = False


def _merged(definition: Definition) -> Inputs:
    """Look at what reaches a merge only for ``Body``: then the code is guarded already."""
    found: _Items = {}
    for origin in definition.origins():
        for key, value, node in dict_items(origin.value) or ():
            if key in INPUTS:
                found.setdefault(key, (value, node, Style.DICT_ENTRY))
    return Inputs(found if "Body" in found else {}, complete=False)
