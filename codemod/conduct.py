"""What a function does besides uploading, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from codemod import effects
from codemod.announcements import announces_upload, is_log_line
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.handlers import is_for_aws
from codemod.lookups import failing_lookup
from codemod.options import held_names
from codemod.quiet import (
    asks_getter,
    counts_besides,
    counts_on,
    grows_in_place,
    makes_client,
    noticed_part,
)
from codemod.refusals import Refusal
from codemod.slices import checks_settings
from codemod.structure import in_handler, is_always_run, is_loop, steps_to
from codemod.syntax import (
    argument,
    callee,
    descendants,
    dict_items,
    is_none,
    names_in,
    string_value,
    unwrap_await,
)
from codemod.template import same_object, source
from codemod.transfers import Upload
from codemod.translation import is_what_it_seems


def place_problem(facts: Facts, function: cst.FunctionDef, upload: Upload) -> Refusal | None:
    statement = facts.index.statement(upload.uploading)
    if not isinstance(statement, cst.SimpleStatementLine):
        return Refusal("shared-line", upload.uploading)
    body = function.body
    assert isinstance(body, (cst.IndentedBlock, cst.SimpleStatementSuite))
    for step in steps_to(facts.index, statement, function):
        if is_loop(step):
            return Refusal("upload-in-loop", step.statement)
        if not is_always_run(step):
            return Refusal("upload-conditional", step.statement)
    return None


def effect_problem(
    facts: Facts, function: cst.FunctionDef, upload: Upload, made: Sequence[cst.CSTNode] = ()
) -> Refusal | None:
    """Refuse if a function does anything that the inline route would leave out.

    Args:
        facts: The modules.
        function: The function.
        upload: The upload inside it.
        made: What that route does as well, for it makes the payload.
    """
    index, moved = facts.index, frozenset((*made, *_handling(facts, upload)))
    order = index.order[index.statement(upload.uploading)]
    check: Refusal | None = None
    hidden = _hidden_failure(facts, upload)
    if hidden is not None:
        return Refusal("helper-does-more", hidden, function.name.value)
    for node in descendants(function.body):
        if isinstance(node, cst.Call) and facts.definitions.function_called(node) is function:
            return Refusal("helper-does-more", node, function.name.value)
        if moved and index.within(node, moved):
            continue
        if isinstance(node, _MORE) and not _is_transparent(node):
            return Refusal("helper-does-more", node, function.name.value)
        if isinstance(node, (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For)):
            if not isinstance(node.target, (cst.Name, cst.Tuple)) and not _is_option(facts, node):
                return Refusal("helper-does-more", node.target, function.name.value)
        if _counts(facts, node, upload):
            return Refusal("helper-does-more", node, function.name.value)
        if isinstance(node, (cst.Raise, cst.Return)):
            if index.order[index.statement(node)] < order and not in_handler(facts.index, node):
                if not checks_settings(facts, node):
                    return Refusal("helper-returns-early", node, function.name.value)
                check = check or Refusal("helper-checks-settings", node, function.name.value)
        if isinstance(node, cst.Call) and not _is_harmless(facts, node, upload):
            if not _tells_response(facts, node, upload):
                return Refusal("helper-does-more", node, function.name.value)
            check = check or Refusal("upload-result-logged", node, source(node))
    return check or _lost_lookup(facts, function, upload, made)


def _is_option(facts: Facts, node: cst.CSTNode) -> bool:
    """Tell whether an assignment only fills a dictionary of the function for its uploads."""
    target = node.target if isinstance(node, cst.AssignTarget) else None
    if not isinstance(target, cst.Subscript) or not isinstance(target.value, cst.Name):
        return False
    return held_names(facts, target.value) is not None


def _counts(facts: Facts, node: cst.CSTNode, upload: Upload) -> bool:
    """Tell whether something other than a call changes a value that is more than the function's."""
    if grows_in_place(facts, node):
        return True
    if asks_getter(facts, node) and not _is_inside_payload(facts, node, upload):
        return True
    return counts_on(facts, node) and not facts.index.inside(node, upload.payload)


def _lost_lookup(
    facts: Facts, function: cst.FunctionDef, upload: Upload, made: Sequence[cst.CSTNode]
) -> Refusal | None:
    """Return what is looked up, perhaps in vain, and not for the payload."""
    done = [*made, *_behind(facts, upload.payload), *_handling(facts, upload)]
    lookup = failing_lookup(facts, function.body, done)
    if lookup is None:
        return None
    return Refusal(
        "helper-looks-up", lookup, source(lookup), "look it up in the function that calls"
    )


def _behind(facts: Facts, value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield the expressions of a function that a value is made of, such as its payload."""
    stack, seen = [value], {value}
    while stack:
        node = stack.pop()
        if node in facts.index.parent:
            yield node
        for name in names_in(node):
            made = facts.definitions.of(name).value if name in facts.index.parent else None
            if made is not None and made not in seen:
                seen.add(made)
                stack.append(made)


def _hidden_failure(facts: Facts, upload: Upload) -> cst.CSTNode | None:
    """Return a handler that may hide an error of what stands beside the upload, as ``x["id"]``."""
    statement = facts.index.statement(upload.uploading)
    for step in steps_to(facts.index, statement, facts.index.function(statement)):
        if not isinstance(step.statement, (cst.Try, cst.TryStar)):
            continue
        if not facts.index.inside(statement, step.statement.body):
            continue
        if not any(isinstance(one, cst.Subscript) for one in descendants(step.statement.body)):
            continue
        for handler in step.statement.handlers:
            if not is_for_aws(facts, handler) and not _raises(handler):
                return handler
    return None


def _raises(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    last = handler.body.body[-1]
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return isinstance(small, cst.Raise)


def _handling(facts: Facts, upload: Upload) -> Iterator[cst.CSTNode]:
    """Yield what is done if the upload fails, which it does not where there is none."""
    statement = facts.index.statement(upload.uploading)
    for step in steps_to(facts.index, statement, facts.index.function(statement)):
        if isinstance(step.statement, (cst.Try, cst.TryStar)):
            if facts.index.inside(statement, step.statement.body):
                yield from (one for one in step.statement.handlers if is_for_aws(facts, one))


#: Statements and expressions that do something a skipped function would leave undone.
_MORE = (
    cst.FunctionDef,
    cst.ClassDef,
    cst.Yield,
    cst.Global,
    cst.Nonlocal,
    cst.Assert,
    cst.Del,
    cst.While,
    cst.For,
    cst.With,
    cst.NamedExpr,
)


def _is_transparent(node: cst.CSTNode) -> bool:
    """``with open(path, "rb")`` and ``async with session.client(…)`` only serve the upload."""
    return isinstance(node, cst.With) and all(
        callee(item.item) in _SERVING or _only_reads(item.item) for item in node.items
    )


_SERVING = ("client", "resource", "create_client", "BytesIO")


def _only_reads(node: cst.BaseExpression) -> bool:
    if not isinstance(node, cst.Call) or callee(node) != "open":
        return False
    mode = argument(node.args, 1, "mode")
    return mode is not None and string_value(mode.value) in ("rb", "br")


def _is_harmless(facts: Facts, call: cst.Call, upload: Upload) -> bool:
    own = (upload.invocation.carrier, unwrap_await(upload.uploading))
    if call in own:
        return True
    if facts.index.inside(call, upload.invocation.carrier):
        is_receiver = facts.index.inside(call, upload.invocation.receiver)
        return not (is_receiver and counts_besides(facts, call))
    above = facts.index.parent[call]
    if isinstance(above, (cst.Raise, cst.WithItem)):  # with blocks are looked at as a whole
        return True
    if effects.is_log(call):
        return in_handler(facts.index, call) or announces_upload(
            facts, facts.index.statement(call), _about(facts, upload)
        )
    known = (effects.is_stable_call(call) or effects.is_fresh_call(call)) and is_what_it_seems(
        facts, call
    )
    if known or makes_client(facts, call) or _only_works_out(facts, call):
        return True
    return _is_inside_payload(facts, call, upload)


def _tells_response(facts: Facts, call: cst.Call, upload: Upload) -> bool:
    """Tell whether a line after the upload logs what that returned, which no inline route has."""
    statement = facts.index.statement(call)
    if not is_log_line(statement) or not effects.is_log(call):
        return False
    made = unwrap_await(upload.uploading)
    told = (value for arg in call.args for value in _behind(facts, arg.value))
    return any(unwrap_await(value) is made for value in told)


def _only_works_out(facts: Facts, call: cst.Call) -> bool:
    """Tell whether a function of these modules does nothing but work out a value that is used."""
    function = facts.definitions.function_called(call)
    if function is None or isinstance(facts.index.parent[call], cst.Expr):
        return False
    stops = any(isinstance(part, (cst.Raise, cst.Assert)) for part in descendants(function.body))
    return not stops and noticed_part(facts, call) is None


def _about(facts: Facts, upload: Upload) -> set[Definition]:
    """Return the variables of the function that a log line about the upload may name."""
    walk = facts.definitions.walk(facts.index.function(upload.invocation.carrier))
    return {definition for bound in walk.bindings.values() for definition in bound}


def _is_inside_payload(facts: Facts, node: cst.CSTNode, upload: Upload) -> bool:
    """Tell whether a node belongs to the making of the payload, which moves to the caller."""
    made = facts.definitions.resolve(upload.payload)
    return facts.index.inside(node, made)


def what_it_returns(facts: Facts, function: cst.FunctionDef, upload: Upload) -> str:
    """Tell what a call gives: the ``uri``, the ``key``, ``nothing`` or something ``else``."""
    kinds = {_kind_of(facts, value, upload) for value in _returned(facts, function)}
    if any(isinstance(node, cst.Yield) for node in facts.index.exits[function]):
        kinds.add("else")
    if not kinds:
        return "nothing"
    return kinds.pop() if len(kinds) == 1 else "else"


def what_items_are(facts: Facts, function: cst.FunctionDef, upload: Upload) -> dict[int | str, str]:
    """Tell the same, or ``bucket``, of each item of the tuple or dictionary that is returned.

    There are none if the function may return anything else.
    """
    return {
        item: _kind_of_item(facts, value, upload)
        for item, value in items_returned(facts, function).items()
    }


def items_returned(facts: Facts, function: cst.FunctionDef) -> dict[int | str, cst.BaseExpression]:
    """Return the items of the one tuple or dictionary that a function gives."""
    values = list(_returned(facts, function))
    only = values[0] if len(values) == 1 else None
    if isinstance(only, cst.Tuple):
        return {place: element.value for place, element in enumerate(only.elements)}
    found = {name: value for name, value, _ in dict_items(only) or ()}
    return {item: value for item, value in found.items() if item is not None and None not in found}


def what_answers(
    facts: Facts, function: cst.FunctionDef, upload: Upload
) -> Iterator[int | str | None]:
    """Yield the items that tell how the upload went, ``None`` for all that a function gives."""
    values = [value for value in _returned(facts, function) if not in_handler(facts.index, value)]
    if values and all(_is_answer(facts, value, upload) or _is_true(value) for value in values):
        yield None
    for place, value in items_returned(facts, function).items():
        if _is_answer(facts, value, upload):
            yield place


def _is_answer(facts: Facts, value: cst.BaseExpression, upload: Upload) -> bool:
    """Tell whether a value is made of what an upload returned, which must tell how it went."""
    made = unwrap_await(upload.uploading)
    if upload.via is not None and None not in upload.via.answers and upload.via.returns == "else":
        return False
    return any(unwrap_await(part) is made for part in _behind(facts, value))


def _is_true(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Name) and value.value == "True"


def _kind_of_item(facts: Facts, value: cst.BaseExpression, upload: Upload) -> str:
    is_bucket = upload.bucket is not None and facts.templates.of(value) == upload.bucket
    return "bucket" if is_bucket else _kind_of(facts, value, upload)


def _returned(facts: Facts, function: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
    for node in facts.index.exits[function]:
        if isinstance(node, cst.Return) and node.value is not None and not is_none(node.value):
            yield node.value


def _kind_of(facts: Facts, value: cst.BaseExpression, upload: Upload) -> str:
    made = unwrap_await(facts.definitions.resolve(value))
    template = facts.templates.of(value)
    if upload.returns_uri and made is unwrap_await(upload.uploading):
        return "uri"
    if upload.key is not None and template == upload.key:
        return "key"
    is_object = (
        upload.bucket is not None
        and upload.key is not None
        and same_object(template, upload.bucket, upload.key)
    )
    if is_object or template == upload.uri:
        return "uri"
    return "nothing" if made is unwrap_await(upload.uploading) else "else"
