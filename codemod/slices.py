"""The statements of a function that make what it uploads, and whether they may come first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import cast

import libcst as cst

from codemod import effects
from codemod.clients import Role
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.handlers import handles_errors_of_payload
from codemod.inputs import METHOD
from codemod.payload import Form, form_of
from codemod.regions import LOOKING_AROUND, changed_keys
from codemod.syntax import callee, descendants, dotted, is_self, names_in
from codemod.transfers import Upload
from codemod.tree import LineOrCompound
from codemod.uploads import RECOGNISERS

#: Code that would do something else in a function of its own.
_BOUND_TO_FUNCTION = (
    cst.Return,
    cst.Yield,
    cst.Global,
    cst.Nonlocal,
    cst.FunctionDef,
    cst.ClassDef,
    cst.Del,
)
#: Functions that settings are looked up with, and attributes that hold some.
_LOOKING_UP = frozenset("get getenv getattr hasattr str bool int strip lower".split())
_SETTING = re.compile(
    r"bucket|prefix|region|endpoint|s3|client|config|setting|enabled", re.IGNORECASE
)
#: Methods that change what they are called on.
_GROWING = frozenset(
    "append extend insert add update setdefault sort reverse appendleft clear".split()
)
#: What is never changed in place.
_UNCHANGING = ("str", "bytes", "int", "float", "bool")


class Slice:
    """What makes the payload of an upload in a function."""

    def __init__(
        self, facts: Facts, function: cst.FunctionDef, upload: Upload, payload: cst.BaseExpression
    ) -> None:
        self._facts = facts
        self._function = function
        self._payload = payload
        self._upload = upload
        self._local = set(facts.definitions.walk(function).local)
        self._before = list(self._statements_before())
        self._wanted = self._locals_in(payload)
        self._changed = {one: changed_keys(facts.index, [one]) for one in self._before}
        moving: set[LineOrCompound] = set()
        found = True
        while found:  # one that moves may bring another name for what is made
            found = False
            for statement in reversed(self._before):  # what is wanted is made before that
                if statement not in moving and self._belongs_to_payload(statement):
                    moving.add(statement)
                    self._wanted |= self._locals_in(statement)
                    found = True
        self._moving = frozenset(moving)
        self.moving = tuple(one for one in self._before if one in moving)

    # -- what it consists of ---------------------------------------------------------------

    def _statements_before(self) -> Iterator[LineOrCompound]:
        """Yield what runs before the upload, in order; a ``try`` or ``with`` as its statements."""
        index = self._facts.index
        statement = index.statement(self._upload.uploading)
        around: list[LineOrCompound] = []
        while statement is not self._function:
            block = index.block(statement)
            above = list(block.body)[: index.position(statement)]
            around[:0] = cast(list[LineOrCompound], above)
            statement = index.statement(block)
        yield from around

    def _belongs_to_payload(self, statement: LineOrCompound) -> bool:
        """Tell whether a statement makes what is wanted, or stops where that cannot be made."""
        changed = self._changed[statement]
        contents = {key.removesuffix("[]") for key in changed if key.endswith("[]")}
        if not changed.isdisjoint(self._wanted) or not all(
            map(self._is_immutable, contents & self._wanted)
        ):
            return True
        return not isinstance(statement, cst.With) and any(
            isinstance(part, (cst.Raise, cst.Assert)) and not checks_settings(self._facts, part)
            for part in descendants(statement)
        )

    def _bound_to(self, name: str) -> list[Definition]:
        return self._facts.definitions.walk(self._function).bindings.get(name, [])

    def _is_immutable(self, name: str) -> bool:
        """Tell whether a variable only ever holds bytes or text, which no call can change."""
        bound = self._bound_to(name)
        return bool(bound) and all(
            one.kind is Kind.ASSIGNED
            and one.value is not None
            and form_of(self._facts, one.value) in (Form.BYTES, Form.TEXT)
            for one in bound
        )

    def _locals_in(self, node: cst.CSTNode) -> set[str]:
        return {name.value for name in names_in(node)} & self._local

    def bound(self) -> set[str]:
        """Return the variables that get a value in what moves."""
        return {key for one in self.moving for key in self._changed[one]} & self._local

    def _rest(self) -> Iterator[cst.Name]:
        """Yield the names in everything that stays."""
        index = self._facts.index
        left_out = {*self.moving, self._payload}
        for name in names_in(self._function.body):
            if not index.within(name, left_out):
                yield name

    def is_read_by_rest(self) -> bool:
        """Tell whether what stays reads the variable with the payload."""
        payload = self._payload
        if not isinstance(payload, cst.Name):
            return False
        return any(name.value == payload.value for name in self._rest())

    def parameters(self) -> Iterator[cst.Param]:
        """Yield the parameters that making the payload needs, and ``self``."""
        for param in _params(self._function):
            if param.name.value in self._wanted:
                yield param

    def is_async(self) -> bool:
        """Tell whether making the payload waits for something."""
        return any(
            isinstance(part, cst.Await)
            or (
                isinstance(part, (cst.For, cst.With, cst.CompFor)) and part.asynchronous is not None
            )
            for part in self._parts()
        )

    def _parts(self) -> Iterator[cst.CSTNode]:
        for one in (*self.moving, self._payload):
            yield from descendants(one)

    # -- whether it can be a function of its own -------------------------------------------

    def can_move(self) -> bool:
        """Tell whether the payload can be made in another function, before all the rest."""
        kept = self._payload.value if isinstance(self._payload, cst.Name) else None
        given = {param.name.value for param in _params(self._function)}
        if kept in given and not self.moving:
            return False  # the caller makes it
        bound = self.bound()
        if self._wanted - bound - given or any(
            name.value in bound and name.value != kept for name in self._rest()
        ):
            return False
        if kept is not None and (self._is_bound_by_rest(kept) or self._is_read_between(kept)):
            return False
        return not any(map(_is_tied, self._parts())) and self.may_come_first()

    def _is_bound_by_rest(self, name: str) -> bool:
        return not all(
            one.node is None
            or isinstance(one.node, cst.Param)
            or self._facts.index.within(one.node, self._moving)
            for one in self._bound_to(name)
        )

    def _is_read_between(self, name: str) -> bool:
        """Tell whether what stays reads a variable before it has its last value."""
        index = self._facts.index
        made = index.order[self.moving[-1]] if self.moving else -1
        return any(
            one.value == name and index.order[index.statement(one)] < made for one in self._rest()
        )

    # -- whether it may come first ---------------------------------------------------------

    def may_come_first(self) -> bool:
        """Tell whether nobody notices that the payload is made before all the rest.

        Errors that its making raises must not be handled in the function, and what stands before
        it must not depend on what its making may change.
        """
        payload = [] if isinstance(self._payload, cst.Name) else [self._payload]
        if handles_errors_of_payload(self._facts, [*self.moving, *payload]):
            return False
        return not self.changes_something() or not any(map(self._may_notice, self._earlier()))

    def changes_something(self) -> bool:
        """Tell whether making the payload may change anything but what it makes itself."""
        return any(map(self._may_change, self._parts()))

    def _may_change(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Call):
            return not self._is_harmless(node)
        if isinstance(node, (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For)):
            return any(
                isinstance(part, (cst.Attribute, cst.Subscript)) and not self._is_own(part)
                for part in descendants(node.target)
            ) or (isinstance(node, cst.AugAssign) and not self._is_own(node.target))
        return isinstance(node, (cst.Await, cst.Del))

    def _is_harmless(self, call: cst.Call) -> bool:
        name = callee(call) or ""
        if effects.is_stable_call(call) or effects.is_fresh_call(call) or effects.is_log(call):
            return True
        if name in self._facts.index.defined_functions:
            return False
        if effects.is_writing(call) or effects.makes_handle(call):
            return True
        return name in _GROWING and self._is_own(call.func)

    def _is_own(self, node: cst.CSTNode) -> bool:
        """Tell whether something is made in the function itself, and shared with nobody.

        What is in it may be somebody else's: ``payload["inputs"]["id"] = 1`` changes the inputs.
        """
        root = node.value if isinstance(node, (cst.Attribute, cst.Subscript)) else node
        bound = self._bound_to(root.value) if isinstance(root, cst.Name) else []
        fresh = (cst.Dict, cst.List, cst.Set, cst.ListComp, cst.DictComp, cst.SetComp)
        return bool(bound) and all(
            isinstance(one.node, cst.Name)
            and (
                isinstance(one.value, (*fresh, cst.Integer, cst.SimpleString, cst.FormattedString))
                or (isinstance(one.value, cst.Call) and effects.makes_handle(one.value))
                or (one.kind is Kind.AUGMENTED)
            )
            for one in bound
        )

    def _earlier(self) -> Iterator[cst.CSTNode]:
        """Yield what stays and is evaluated before the payload is made in full."""
        index = self._facts.index
        order = index.order
        made_at = index.statement(self._payload)
        last = made_at if not isinstance(self._payload, cst.Name) else None
        for one in self._before:
            if index.inside(self._payload, one):
                break
            if one not in self._moving and (
                last is not None or (self.moving and order[one] < order[self.moving[-1]])
            ):
                yield one
        if index.inside(self._payload, self._upload.invocation.carrier):
            yield from (
                arg.value
                for arg in self._upload.invocation.args
                if not index.inside(self._payload, arg)
            )

    @cached_property
    def _touched(self) -> tuple[set[str], set[str]]:
        """The attributes and the variables that the making of the payload mentions."""
        attributes = {part.attr.value for part in self._parts() if isinstance(part, cst.Attribute)}
        return attributes, {
            name for one in (*self.moving, self._payload) for name in self._locals_in(one)
        }

    def _may_notice(self, node: cst.CSTNode) -> bool:
        """Tell whether code reads anything that making the payload may change."""
        index, definitions = self._facts.index, self._facts.definitions
        touched, shared = self._touched
        for name in names_in(node):
            if is_self(name):
                continue
            if name.value in definitions.declared_elsewhere:
                return True
            if name.value in shared and not self._never_changes(name.value):
                return True
            if name.value not in self._local and not self._is_constant(name):
                return True
        for part in descendants(node):
            if isinstance(part, cst.Attribute) and is_self(part.value):
                if part.attr.value in index.late_attributes or part.attr.value in touched:
                    return True
            elif (
                isinstance(part, cst.Call) and callee(part) in ("len", *index.defined_functions)
            ) or isinstance(part, cst.Subscript):
                return True
        return False

    def _never_changes(self, name: str) -> bool:
        """Tell whether a variable is a parameter that is annotated as text or a number."""
        bound = self._bound_to(name)
        return bool(bound) and all(
            isinstance(one.node, cst.Param) and is_text_or_number(one.node) for one in bound
        )

    def _is_constant(self, name: cst.Name) -> bool:
        """Tell whether a name of the module is a module, a class, a client or plain text."""
        definition = self._facts.definitions.of(name)
        if definition.kind in (Kind.IMPORTED, Kind.OUTSIDE):
            return True
        if self._facts.clients.receiver(name).role not in (Role.UNKNOWN, Role.FOREIGN):
            return True
        value = definition.value
        if definition.kind is not Kind.ASSIGNED or value is None:
            return False
        mutable = (cst.Dict, cst.List, cst.Set, cst.DictComp, cst.ListComp, cst.SetComp, cst.Call)
        known = isinstance(value, cst.Call) and effects.is_stable_call(value)
        return known or not isinstance(value, mutable)


def checks_settings(facts: Facts, node: cst.CSTNode) -> bool:
    """Tell whether an error is raised for nothing that the function is given: ``if not BUCKET``."""
    line = facts.index.statement(node)
    test = facts.index.parent.get(facts.index.block(line))
    if not isinstance(node, cst.Raise) or not isinstance(test, cst.If) or test.orelse is not None:
        return False
    stack: list[cst.CSTNode] = [test.test]
    while stack:
        node = stack.pop()
        for part in descendants(node):
            if isinstance(part, cst.Call) and callee(part) not in _LOOKING_UP:
                return False
            if isinstance(part, cst.Attribute) and is_self(part.value):
                if _SETTING.search(part.attr.value) is None:
                    return False
        for name in names_in(node):
            definition = facts.definitions.of(name)
            is_local = definition.node is not None and not isinstance(
                facts.index.function(definition.node), cst.Module
            )
            if not is_local or is_self(name) or definition.kind is Kind.IMPORTED:
                continue
            if definition.kind is not Kind.ASSIGNED or definition.value is None:
                return False
            stack.append(definition.value)
    return True


def is_text_or_number(param: cst.Param) -> bool:
    """Tell whether a parameter is annotated as something that never changes."""
    return param.annotation is not None and dotted(param.annotation.annotation) in _UNCHANGING


def _params(function: cst.FunctionDef) -> tuple[cst.Param, ...]:
    params = function.params
    return (*params.posonly_params, *params.params, *params.kwonly_params)


def _is_tied(node: cst.CSTNode) -> bool:
    """Tell whether code would do something else, or be unexpected, in another function."""
    if isinstance(node, cst.Call):
        return callee(node) in RECOGNISERS or callee(node) in (METHOD, *LOOKING_AROUND)
    return isinstance(node, _BOUND_TO_FUNCTION)
