"""Whether making the payload can be taken out of a function that uploads.

A payload that is made by statements, or of things that only the function's own module has, cannot
be spelled by a caller. The function is then split: one function makes the payload, and the one that
uploads takes it as an optional keyword, so that its other callers go on as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

import libcst as cst

from codemod import effects
from codemod.calls import METHOD
from codemod.classes import is_static, owner_of
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.index import LineOrCompound
from codemod.names import body_parameter, free_name
from codemod.payload import Form, form_of, payload_of
from codemod.regions import changed_keys
from codemod.structure import steps_to
from codemod.syntax import (
    callee,
    descendants,
    dotted,
    is_none,
    last_name,
    names_in,
    tested_for_none,
    unwrap_await,
)
from codemod.uploads import RECOGNISERS, Extraction, Given, Split, Upload

#: What functions that upload are called, and what their names say of where to.
_VERB = re.compile(r"^(?:upload|put|store|save|send|write|push|stage|stash|copy)(?:_|$)")
_TOO = re.compile(r"_and_(?:upload|put|store|save|send)(?:_\w+)?$")
_PLACE = re.compile(r"(?:^|_)(?:(?:to|in|into|on)_)?(?:s3|bucket)$")

#: Statements that would do something else in a function of their own.
_BOUND_TO_FUNCTION = (
    cst.Return,
    cst.Yield,
    cst.Global,
    cst.Nonlocal,
    cst.FunctionDef,
    cst.ClassDef,
    cst.Del,
)

#: Errors that only AWS clients raise; handlers for them see nothing of the making of a payload.
_AWS_ERROR = re.compile(
    r"Client|Boto|Botocore|Credentials|S3Upload|Endpoint|NoSuch|AWS", re.IGNORECASE
)


def split_of(facts: Facts, function: cst.FunctionDef, upload: Upload) -> Split | None:
    """Return how to split a function that makes an upload; ``None`` if that cannot be done."""
    if upload.via is not None or not _may_be_split(facts, function):
        return None
    done = _done(facts, function, upload)
    if done is not None:
        return done
    payload = payload_of(facts, upload)
    node, form, handle = payload.node, payload.form, None
    result: cst.BaseExpression = node
    if form is Form.HANDLE and payload.at_start and isinstance(node, cst.Name):
        opened = facts.definitions.of(node)
        if opened.kind is not Kind.ASSIGNED or not isinstance(opened.value, cst.Call):
            return None
        if callee(opened.value) != "BytesIO":
            return None
        result = cst.Call(cst.Attribute(cst.Name(node.value), cst.Name("getvalue")))
        handle = opened.value.func if upload.given is Given.HANDLE else None
    elif form not in (Form.BYTES, Form.TEXT, Form.UNKNOWN):
        return None
    if upload.given is Given.PATH or (upload.given is Given.HANDLE and result is node):
        if form is not Form.BYTES:
            return None
    own = _own(facts, function)
    known = _existing_maker(facts, function, node)
    if known is not None:
        maker, arguments = known
        parts = Extraction((), node, node, is_text=False, handle=handle, keeps_name=False)
        body = body_parameter(function)
        return Split(function, maker, arguments, own, body, form, False, (node,), True, parts)
    slice_ = _Slice(facts, function, upload, node)
    keeps_name = slice_.is_read_by_rest()
    if not slice_.can_move() or (keeps_name and (form is not Form.BYTES or result is not node)):
        return None
    return Split(
        function,
        _maker_name(facts, function),
        tuple(one for one in slice_.parameters() if one.name.value != own),
        own,
        "body" if _is_local_body(facts, node) else body_parameter(function),
        Form.UNKNOWN if form is Form.UNKNOWN else Form.BYTES,
        slice_.is_async(),
        (*slice_.moving, node),
        False,
        Extraction(tuple(slice_.moving), node, result, form is Form.TEXT, handle, keeps_name),
    )


def _may_be_split(facts: Facts, function: cst.FunctionDef) -> bool:
    """Tell whether a function stands where another one can stand beside it, and runs as one."""
    return (
        isinstance(function.body, cst.IndentedBlock)
        and isinstance(facts.index.function(function), cst.Module)
        and (facts.index.class_of(function) is None or owner_of(facts, function) is not None)
        and not any(isinstance(part, cst.Yield) for part in descendants(function.body))
    )


def _is_local_body(facts: Facts, payload: cst.BaseExpression) -> bool:
    if not isinstance(payload, cst.Name) or payload.value != "body":
        return False
    return facts.definitions.of(payload).kind is Kind.ASSIGNED


def _own(facts: Facts, function: cst.FunctionDef) -> str | None:
    """Return what a method calls its object or class by: a static one, by its name."""
    owner = owner_of(facts, function)
    if owner is None:
        return None
    if is_static(function):
        return owner.name.value
    params = [*function.params.posonly_params, *function.params.params]
    return params[0].name.value if params else owner.name.value


def _maker_name(facts: Facts, function: cst.FunctionDef) -> str:
    name = function.name.value
    plain = name.lstrip("_")
    private = name[: len(name) - len(plain)]
    what = _PLACE.sub("", _VERB.sub("", _TOO.sub("", plain))) or "payload"
    taken = {one for names in facts.index.identifiers.values() for one in names}
    return free_name(taken, f"{private}serialize_{what}", f"{private}make_{what}")


class _Slice:
    """The statements of a function that make what it uploads."""

    def __init__(
        self, facts: Facts, function: cst.FunctionDef, upload: Upload, payload: cst.BaseExpression
    ) -> None:
        self._facts = facts
        self._function = function
        self._payload = payload
        self._upload = upload
        self._local = facts.definitions.walk(function).local
        self._before = list(self._statements_before())
        self._wanted = self._locals_in(payload)
        self._changed = {one: changed_keys(facts.index, [one]) for one in self._before}
        moving: set[LineOrCompound] = set()
        found = True
        while found:  # one that moves may bring another name for what is made
            found = False
            for statement in self._before:
                if statement not in moving and self._belongs_to_payload(statement):
                    moving.add(statement)
                    self._wanted |= self._locals_in(statement)
                    found = True
        self.moving = [one for one in self._before if one in moving]

    def _belongs_to_payload(self, statement: LineOrCompound) -> bool:
        """Tell whether a statement makes what is wanted, or stops where that cannot be made."""
        changed = self._changed[statement]
        if any(key in changed for key in self._wanted) or any(
            f"{name}[]" in changed and not self._is_immutable(name) for name in self._wanted
        ):
            return True
        return not isinstance(statement, cst.With) and any(
            isinstance(part, (cst.Raise, cst.Assert)) for part in descendants(statement)
        )

    def _is_immutable(self, name: str) -> bool:
        """Tell whether a variable only ever holds bytes or text, which no call can change."""
        bound = self._facts.definitions.walk(self._function).bindings.get(name, ())
        return bool(bound) and all(
            one.kind is Kind.ASSIGNED
            and one.value is not None
            and form_of(self._facts, one.value) in (Form.BYTES, Form.TEXT)
            for one in bound
        )

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

    def _locals_in(self, node: cst.CSTNode) -> set[str]:
        return {name.value for name in names_in(node)} & set(self._local)

    def _bound(self) -> set[str]:
        return {key for one in self.moving for key in self._changed[one]} & set(self._local)

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
        params = self._function.params
        for param in (*params.posonly_params, *params.params, *params.kwonly_params):
            if param.name.value in self._wanted:
                yield param

    def is_async(self) -> bool:
        """Tell whether making the payload waits for something."""
        return any(
            isinstance(part, cst.Await)
            for one in (*self.moving, self._payload)
            for part in descendants(one)
        )

    def can_move(self) -> bool:
        """Tell whether the payload can be made before everything else the function does."""
        params = self._function.params
        given = {one.name.value for one in (*params.posonly_params, *params.params)}
        given |= {one.name.value for one in params.kwonly_params}
        bound = self._bound()
        kept = self._payload.value if isinstance(self._payload, cst.Name) else None
        if kept in given and not self.moving:
            return False  # the caller makes it
        if self._wanted - bound - given or any(
            name.value in bound and name.value != kept for name in self._rest()
        ):
            return False
        if kept is not None and (self._is_bound_by_rest(kept) or self._is_read_between(kept)):
            return False
        if any(self._is_tied(part) for one in self.moving for part in descendants(one)):
            return False
        if handles_errors_of_payload(self._facts, self._upload) and not self._is_made_outside():
            return False
        return not any(
            self._depends_on_order(one, later)
            for number, one in enumerate(self._before)
            if one not in self.moving
            for later in self._before[number + 1 :]
            if later in self.moving
        )

    def _is_bound_by_rest(self, name: str) -> bool:
        bound = self._facts.definitions.walk(self._function).bindings.get(name, ())
        return not all(
            one.node is None
            or isinstance(one.node, cst.Param)
            or self._facts.index.within(one.node, set(self.moving))
            for one in bound
        )

    def _is_read_between(self, name: str) -> bool:
        """Tell whether what stays reads a variable before it has its last value."""
        index = self._facts.index
        made = index.order[self.moving[-1]] if self.moving else -1
        return any(
            one.value == name and index.order[index.statement(one)] < made for one in self._rest()
        )

    def _is_tied(self, node: cst.CSTNode) -> bool:
        """Tell whether code would do something else, or be unexpected, in another function."""
        return isinstance(node, _BOUND_TO_FUNCTION) or (
            isinstance(node, cst.Call) and (callee(node) in RECOGNISERS or callee(node) == METHOD)
        )

    def _is_made_outside(self) -> bool:
        """Tell whether no handler around the upload is around the making of the payload."""
        index = self._facts.index
        return isinstance(self._payload, cst.Name) and all(
            index.block(one) is self._function.body for one in self.moving
        )

    def _depends_on_order(self, stays: LineOrCompound, moves: LineOrCompound) -> bool:
        """Tell whether a statement reads what a later one may change that is to come first."""
        if any(effects.is_log(part) for part in descendants(stays)):
            return False
        changed = self._changed[moves]
        late = self._facts.index.late_attributes if "()" in changed else frozenset()
        for part in descendants(stays):
            if isinstance(part, cst.Attribute):
                if f".{part.attr.value}" in changed or part.attr.value in late:
                    return True
            elif isinstance(part, cst.Name) and part.value not in ("self", "cls"):
                if f"{part.value}[]" in changed or part.value in changed:
                    return True
        return False


def handles_errors_of_payload(facts: Facts, upload: Upload) -> bool:
    """Tell whether the function handles what making or reading the payload may raise."""
    statement = facts.index.statement(upload.uploading)
    function = facts.index.function(upload.uploading)
    for step in steps_to(facts.index, statement, function):
        if not isinstance(step.statement, (cst.Try, cst.TryStar)):
            continue
        for handler in step.statement.handlers:
            kinds = [] if handler.type is None else [handler.type]
            if kinds and isinstance(kinds[0], cst.Tuple):
                kinds = [element.value for element in kinds[0].elements]
            names = [last_name(kind) or "" for kind in kinds]
            is_known = names and all(_AWS_ERROR.search(name) for name in names)
            if not is_known and not _only_logs(handler.body):
                return True
    return False


def _only_logs(block: cst.BaseSuite) -> bool:
    """Tell whether a handler only logs the error and raises it again."""
    small = [
        part
        for one in block.body
        for part in (one.body if isinstance(one, cst.SimpleStatementLine) else [one])
    ]
    *logs, last = small
    return (
        isinstance(last, cst.Raise)
        and last.exc is None
        and all(isinstance(one, cst.Expr) and effects.is_log(one.value) for one in logs)
    )


# -- functions that are split already ------------------------------------------------------


def _done(facts: Facts, function: cst.FunctionDef, upload: Upload) -> Split | None:
    """Recognise ``if body is None: body = maker(…)`` before an upload of ``body``."""
    node = payload_of(facts, upload).node
    if isinstance(node, cst.Call) and callee(node) == "BytesIO" and len(node.args) == 1:
        node = node.args[0].value
    if not isinstance(node, cst.Name):
        return None
    made = _made_if_missing(facts, facts.definitions.of(node))
    params = (*function.params.params, *function.params.kwonly_params)
    given = {one.name.value: one for one in params}
    if made is None or made[0] not in given or not is_none(given[made[0]].default):
        return None
    body, value, statement = made
    call = unwrap_await(value)
    known = _existing_maker(facts, function, call)
    if known is None:
        return None
    maker, arguments = known
    form = form_of(facts, call)
    return Split(
        function,
        maker,
        arguments,
        _own(facts, function),
        body,
        form if form in (Form.BYTES, Form.TEXT) else Form.UNKNOWN,
        value is not call,
        (statement,),
    )


def _existing_maker(
    facts: Facts, function: cst.FunctionDef, call: cst.BaseExpression
) -> tuple[str, tuple[cst.Param, ...]] | None:
    """Return the function beside another one that gets nothing but parameters of that."""
    if not isinstance(call, cst.Call) or any(arg.star or arg.keyword for arg in call.args):
        return None
    maker = facts.definitions.function_called(call)
    if maker is None or owner_of(facts, maker) is not owner_of(facts, function):
        return None
    if facts.index.module_of(maker) is not facts.index.module_of(function):
        return None
    if maker.decorators and not is_static(maker):
        return None
    if maker.name.value.startswith("_") and not function.name.value.startswith("_"):
        return None  # others import the function, but hardly this one
    params = {one.name.value: one for one in function.params.params}
    params |= {one.name.value: one for one in function.params.kwonly_params}
    given = [arg.value for arg in call.args]
    found = [params.get(one.value) for one in given if isinstance(one, cst.Name)]
    if len(found) != len(given) or not all(
        isinstance(one, cst.Name) and isinstance(facts.definitions.of(one).node, cst.Param)
        for one in given
    ):
        return None
    return maker.name.value, tuple(one for one in found if one is not None)


def _made_if_missing(
    facts: Facts, definition: Definition
) -> tuple[str, cst.BaseExpression, cst.CSTNode] | None:
    """Return the name that is ``None`` if a payload is to be made, what makes it, and where."""
    index = facts.index
    if definition.kind is Kind.ASSIGNED and isinstance(definition.value, cst.IfExp):
        name = tested_for_none(definition.value.test)
        other = definition.value.orelse
        if name is None or not isinstance(other, cst.Name) or other.value != name.value:
            return None
        return name.value, definition.value.body, index.statement(name)
    made = [one for one in definition.origins() if one.kind is Kind.ASSIGNED]
    if len(made) != 1 or made[0].node is None or made[0].value is None:
        return None
    if not all(one is made[0] or one.kind is Kind.PARAMETER for one in definition.origins()):
        return None
    test = index.parent[index.block(index.statement(made[0].node))]
    if not isinstance(test, cst.If) or test.orelse is not None:
        return None
    name = tested_for_none(test.test)
    if name is None or name.value != definition.name:
        return None
    return name.value, made[0].value, test


# -- how a caller gets at the function that makes the payload ------------------------------


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
        return func.with_changes(attr=cst.Name(split.maker), lpar=(), rpar=()), None
    name = cst.Name(split.maker)
    there = facts.definitions.free(split.maker, func)
    caller = index.function(func)
    if isinstance(caller, cst.FunctionDef) and split.maker in facts.definitions.walk(caller).local:
        return None
    if here is home:
        is_it = not split.has_maker or isinstance(there.node, cst.FunctionDef)
        return (name, None) if is_it else None
    importing = facts.definitions.of(func).node
    if not isinstance(importing, cst.ImportFrom) or isinstance(importing.names, cst.ImportStar):
        return None
    origin = "." * len(importing.relative)
    origin += (dotted(importing.module) or "") if importing.module is not None else ""
    if index.linked.imported(here, origin) is not home:
        return None
    if split.maker not in index.identifiers[here]:
        return name, importing
    is_there = there.kind is Kind.IMPORTED and index.linked(here, split.maker) == (
        home,
        (split.maker,),
    )
    return (name, None) if is_there else None
