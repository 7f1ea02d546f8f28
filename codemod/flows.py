"""Uploads through functions of the file: a call of a function that uploads is itself an upload.

A function that does nothing but upload (it may serialise, make the key, log, and return the URI or
the key) is summed up once; each call of it is then seen as an upload whose payload, bucket and key
are the function's own expressions with the arguments put in. Everything after that works as for
an upload through boto3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import libcst as cst

from codemod import effects
from codemod.announcements import announces_upload
from codemod.arguments import keyword_argument
from codemod.classes import owner_of
from codemod.definitions import Definition, Kind
from codemod.facts import Facts
from codemod.functions import (
    Bindings,
    bound_arguments,
    doubtful,
    rebinding_problem,
    signature_problem,
    sites,
)
from codemod.handlers import handles_errors_of_payload
from codemod.invocations import Invocation, invocation
from codemod.payload import Form, Payload, form_of, opened_path, payload_of, wrapped_bytes
from codemod.quiet import makes_client, noticed_part
from codemod.redent import redented
from codemod.refusals import Refusal
from codemod.splits import maker_for, split_of
from codemod.structure import is_always_run, is_loop, steps_to
from codemod.syntax import (
    argument,
    callee,
    descendants,
    dotted,
    is_none,
    is_self,
    names_in,
    string_value,
    unwrap_await,
)
from codemod.template import Hole, normal, same_object
from codemod.translation import Translation, is_what_it_seems
from codemod.uploads import Given, Prepared, Split, Upload, Via

#: How many functions an upload may be handed through, and how many are looked through at all.
DEPTH = 4
_MOST = 12


def with_helpers(facts: Facts, uploads: list[Upload]) -> list[Upload]:
    """Return the uploads together with the calls of functions that make them."""
    every = list(uploads)
    fresh = list(uploads)
    for depth in range(_MOST):
        made: list[Upload] = []
        for upload in fresh:
            function = facts.index.function(upload.invocation.carrier)
            if isinstance(function, cst.FunctionDef):
                made.extend(_calls_of(facts, function, upload))
        if not made:
            break
        if depth >= DEPTH:
            made = [_too_far(upload) for upload in made]
        every.extend(made)
        fresh = made
    return every


def _too_far(upload: Upload) -> Upload:
    name = upload.via.function.name.value if upload.via is not None else ""
    problem = Refusal("helper-chain-too-long", upload.invocation.carrier, name)
    return replace(upload, problem=problem)


@dataclass(frozen=True, slots=True, eq=False)
class _Helper:
    """A function that uploads.

    Attributes:
        function: The function.
        upload: The upload inside it.
        returns: What a call gives.
        items: What the items are that it gives.
        problem: Why calls of it cannot be rewritten as it is.
        split: How it could be split, to rewrite them after all.
    """

    function: cst.FunctionDef
    upload: Upload
    returns: str
    items: tuple[str, ...]
    problem: Refusal | None
    split: Split | None


def _calls_of(facts: Facts, function: cst.FunctionDef, upload: Upload) -> Iterator[Upload]:
    callers = list(sites(facts, function))
    doubts = list(doubtful(facts, function))
    if not callers and not doubts:
        return
    helper = _summed_up(facts, function, upload)
    for func, other in doubts:
        call = invocation(facts.index, func)
        if call is not None and not facts.index.inside(func, function):
            unclear = Refusal("helper-overridden", other, function.name.value)
            yield _virtual(facts, helper, call, {}, unclear)
    for func in callers:
        call = invocation(facts.index, func)
        if call is None or facts.index.inside(func, function):
            continue
        bound = bound_arguments(facts, function, func, call.args)
        if bound is None:
            unclear = Refusal("helper-call-unclear", call.carrier, function.name.value)
            yield _virtual(facts, helper, call, {}, unclear)
        else:
            yield _virtual(facts, helper, call, bound, rebinding_problem(facts, function, func))


# -- what a function does ------------------------------------------------------------------


def _summed_up(facts: Facts, function: cst.FunctionDef, upload: Upload) -> _Helper:
    problem = (
        upload.problem
        or signature_problem(facts, function)
        or _place_problem(facts, function, upload)
    )
    split = split_of(facts, function, upload) if problem is None else None
    if split is not None and _effect_problem(facts, function, upload, split.making) is not None:
        split = None
    problem = problem or _effect_problem(facts, function, upload)
    returns, items = _returns(facts, function, upload), _items(facts, function, upload)
    return _Helper(function, upload, returns, items, problem, split)


def _place_problem(facts: Facts, function: cst.FunctionDef, upload: Upload) -> Refusal | None:
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


def _effect_problem(
    facts: Facts, function: cst.FunctionDef, upload: Upload, made: Sequence[cst.CSTNode] = ()
) -> Refusal | None:
    """Refuse if a function does anything that the inline route would leave out.

    Args:
        facts: The modules.
        function: The function.
        upload: The upload inside it.
        made: What that route does as well, for it makes the payload.
    """
    index = facts.index
    order = index.order[index.statement(upload.uploading)]
    for node in descendants(function.body):
        if made and index.within(node, made):
            continue
        if isinstance(node, _MORE) and not _is_transparent(node):
            return Refusal("helper-does-more", node, function.name.value)
        if isinstance(node, (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For)):
            if not isinstance(node.target, (cst.Name, cst.Tuple)):
                return Refusal("helper-does-more", node.target, function.name.value)
        if isinstance(node, (cst.Raise, cst.Return)):
            if index.order[index.statement(node)] < order and not _in_handler(facts, node):
                return Refusal("helper-returns-early", node, function.name.value)
        if isinstance(node, cst.Call) and not _is_harmless(facts, node, upload):
            return Refusal("helper-does-more", node, function.name.value)
    return None


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


def _in_handler(facts: Facts, node: cst.CSTNode) -> bool:
    for above in facts.index.ancestors(node):
        if isinstance(above, (cst.ExceptHandler, cst.ExceptStarHandler)):
            return True
        if isinstance(above, cst.FunctionDef):
            return False
    return False


def _is_harmless(facts: Facts, call: cst.Call, upload: Upload) -> bool:
    own = (upload.invocation.carrier, unwrap_await(upload.uploading))
    if call in own or facts.index.inside(call, upload.invocation.carrier):
        return True
    above = facts.index.parent[call]
    if isinstance(above, (cst.Raise, cst.WithItem)):  # with blocks are looked at as a whole
        return True
    if effects.is_log(call):
        return _in_handler(facts, call) or announces_upload(
            facts, facts.index.statement(call), _about(facts, upload)
        )
    known = (effects.is_stable_call(call) or effects.is_fresh_call(call)) and is_what_it_seems(
        facts, call
    )
    if known or makes_client(facts, call) or _only_works_out(facts, call):
        return True
    return _is_inside_payload(facts, call, upload)


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


def _is_inside_payload(facts: Facts, call: cst.Call, upload: Upload) -> bool:
    """Tell whether a call belongs to the making of the payload, which moves to the caller."""
    made = facts.definitions.resolve(upload.payload)
    return facts.index.inside(call, made)


def _returns(facts: Facts, function: cst.FunctionDef, upload: Upload) -> str:
    """Tell what a call gives: the ``uri``, the ``key``, ``nothing`` or something ``else``."""
    kinds = {_kind_of(facts, value, upload) for value in _returned(facts, function)}
    if any(isinstance(part, cst.Yield) for part in descendants(function.body)):
        kinds.add("else")
    if not kinds:
        return "nothing"
    return kinds.pop() if len(kinds) == 1 else "else"


def _items(facts: Facts, function: cst.FunctionDef, upload: Upload) -> tuple[str, ...]:
    """Tell the same for the items of the tuple that a function returns, if that is all it does."""
    values = list(_returned(facts, function))
    only = values[0] if len(values) == 1 else None
    if not isinstance(only, cst.Tuple):
        return ()
    return tuple(_kind_of(facts, element.value, upload) for element in only.elements)


def _returned(facts: Facts, function: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
    for node in descendants(function.body):
        if isinstance(node, cst.Return) and facts.index.function(node) is function:
            if node.value is not None and not is_none(node.value):
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


# -- a call of a function, seen as an upload -----------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Here:
    """The payload of a function that uploads, as one of its callers has it.

    Attributes:
        node: The expression.
        form: What it gives; ``None`` where it is just an argument.
        takes_bytes: Whether the function only uploads that argument.
        translation: What the expression was translated with.
        split: How the function is split for it, if it is.
        importing: The import that must also name the function that makes the payload.
        handed: The parameter that the call hands on as the payload.
    """

    node: cst.BaseExpression
    form: Form | None
    takes_bytes: bool
    translation: Translation
    split: Split | None = None
    importing: cst.ImportFrom | None = None
    handed: cst.Param | None = None


def _virtual(
    facts: Facts,
    helper: _Helper,
    call: Invocation,
    bound: Bindings,
    problem: Refusal | None,
) -> Upload:
    inner, function = helper.upload, helper.function
    here = _taken_over(facts, helper, call, bound) if not (problem or helper.problem) else None
    may_change = facts.index.module_of(function) in facts.changeable
    if here is None and problem is None and helper.split is not None:
        made = _made_by_maker(facts, helper.split, call, bound)
        here = made if helper.split.is_done or may_change else None
    split = here.split if here is not None else None
    if here is None:
        # A payload that was made up for a function between this one and the upload has no place.
        given = inner.payload if inner.payload in facts.index.parent else inner.uploading
        problem = problem or helper.problem
        problem = problem or Refusal("payload-made-in-helper", given, function.name.value)
        here = _Here(given, None, False, Translation(facts, function, call.carrier, bound))
        if helper.split is not None:
            split = helper.split
    translate = here.translation
    imports = frozenset(translate.needed)
    content_type, untyped = inner.content_type, inner.content_type_problem
    if content_type is not None and problem is None:
        content_type = translate.expression(content_type)
        if content_type is None:
            untyped = Refusal("payload-made-in-helper", call.carrier, "ContentType")
    bucket = translate.template(inner.bucket) if inner.bucket is not None else None
    key = translate.template(inner.key) if inner.key is not None else None
    uri = translate.template(inner.uri)
    if helper.returns == "key" and key is not None and bucket is not None:
        key = (Hole(("evaluated", call.whole), function.name.value, call.whole),)
    if bucket is not None and key is not None:
        uri = normal(("s3://", *bucket, "/", *key))
    via = Via(
        function,
        inner,
        here.form,
        here.takes_bytes,
        helper.returns,
        helper.items,
        split,
        here.importing,
        here.handed,
    )
    return replace(
        inner,
        invocation=call,
        payload=here.node,
        bucket=bucket,
        key=key,
        uri=uri,
        content_type=content_type,
        returns_uri=helper.returns == "uri",
        bucket_node=None,
        key_node=None,
        via=via,
        prepared=_prepared(translate, call) if problem is None else (),
        problem=problem,
        content_type_problem=untyped,
        imports=imports,
        type_imports=frozenset(translate.needed) - imports,
    )


def _taken_over(facts: Facts, helper: _Helper, call: Invocation, bound: Bindings) -> _Here | None:
    """Spell the payload as the caller can; ``None`` if it cannot."""
    inner = helper.upload
    if any(name not in facts.index.parent for name in names_in(inner.payload)):
        return None  # it is made by a function to come, or has the name of an argument
    payload = _at_its_source(facts, payload_of(facts, inner))
    only_uploaded = _only_uploaded(facts, payload.node)
    named = _named(facts, bound, call, only_uploaded)
    as_it_is = only_uploaded if only_uploaded not in named else None
    translate = Translation(facts, helper.function, call.carrier, bound, as_it_is, named)
    taken = translate.expression(payload.node)
    if taken is None or (payload.node is not taken and _uses_up(payload.node)):
        return None
    made = payload.form is Form.PATH or not isinstance(payload.node, cst.Name)
    if made and handles_errors_of_payload(facts, inner, [payload.node]):
        return None
    theirs = (*bound.values(), *translate.named.values())
    node = redented(facts.index, payload.node, len("body = "), moved=taken, kept=theirs)
    form = payload.form
    if isinstance(payload.node, cst.Name) and node in facts.index.parent:
        of_argument = None if inner.given is Given.BODY else form
        return _Here(node, of_argument, as_it_is is not None, translate)
    if form is Form.UNKNOWN and isinstance(payload.node, cst.Name):
        form = _form_of_named(facts, bound, payload.node)
    return _Here(node, form, takes_bytes=False, translation=translate)


def _made_by_maker(facts: Facts, split: Split, call: Invocation, bound: Bindings) -> _Here | None:
    """Let the function that makes the payload do so for the caller; ``None`` if it cannot."""
    reached = maker_for(facts, split, call.func)
    if reached is None or not _can_hand_over(facts, split, call, bound):
        return None
    by_param = {one.node: one for one in bound}
    wanted = [by_param[one] for one in split.maker.arguments if one in by_param]
    named = _named(facts, bound, call, None)
    if split.changes and not _name_others(facts, bound, call, wanted, named):
        return None
    translate = Translation(facts, split.function, call.carrier, bound, None, named)
    args: list[cst.Arg] = []
    is_complete = True
    for definition in wanted:
        value = translate.argument(definition)
        if value is None:
            is_complete = False
        elif is_complete and definition.node not in split.function.params.kwonly_params:
            args.append(cst.Arg(value))
        else:
            args.append(keyword_argument(definition.name, value))
    maker, importing = reached
    node: cst.BaseExpression = cst.Call(maker, args)
    if split.maker.is_async:
        node = cst.Await(node)
    assert isinstance(split.form, Form)
    handed = _handed_on(facts, split, call, bound)
    return _Here(node, split.form, False, translate, split, importing, handed)


def _handed_on(facts: Facts, split: Split, call: Invocation, bound: Bindings) -> cst.Param | None:
    """Return the optional parameter of the calling function that a call gives as the payload."""
    value = next((value for one, value in bound.items() if one.name == split.body), None)
    if not isinstance(value, cst.Name) or value not in facts.index.parent:
        return None
    param = facts.definitions.of(value).node
    is_own = isinstance(param, cst.Param) and facts.index.inside(
        param, facts.index.function(call.carrier)
    )
    if not is_own or not isinstance(param, cst.Param) or not is_none(param.default):
        return None
    return param


def _can_hand_over(facts: Facts, split: Split, call: Invocation, bound: Bindings) -> bool:
    """Tell whether a call can be given the payload as well, and does not have one."""
    owner = owner_of(facts, split.function)
    owned_by = owner.name.value if owner is not None else ""
    if (facts.index.module_of(split.function), owned_by, split.maker.name) in facts.rebound:
        return False
    if not call.takes_keywords or call.is_indirect:
        return False
    if any(isinstance(arg.value, cst.GeneratorExp) and not arg.value.lpar for arg in call.args):
        return False
    for definition, value in bound.items():
        if definition.name == split.body and not facts.index.inside(value, split.function.params):
            return _handed_on(facts, split, call, bound) is not None
        is_own = owner is not None and definition.name == split.own
        if is_own and isinstance(call.func, cst.Attribute) and value is not call.func.value:
            return False  # the class is called, and the object an argument like the others
    return True


def _name_others(
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


def _uses_up(node: cst.BaseExpression) -> bool:
    """Tell whether making a payload may use up an iterator, which can be done only once."""
    return any(
        callee(part) in _EATERS
        or isinstance(part, cst.StarredElement)
        or (isinstance(part, cst.Arg) and part.star)
        for part in descendants(node)
    )


#: Functions that take everything out of an iterator.
_EATERS = frozenset(
    "join list sorted tuple set frozenset dict bytes bytearray sum min max any all zip map filter"
    " enumerate reversed next iter OrderedDict deque Counter".split()
)


def _at_its_source(facts: Facts, payload: Payload) -> Payload:
    """Take what the function itself makes a handle of: a path, which it opens, or bytes."""
    if payload.form is not Form.HANDLE or not payload.at_start:
        return payload
    assert isinstance(payload.node, cst.Name)
    opened = facts.definitions.of(payload.node)
    if opened.value is None:
        return payload
    path, wrapped = opened_path(facts, opened.value), wrapped_bytes(facts, opened.value)
    if opened.kind is Kind.WITH and path is not None:
        return Payload(Form.PATH, path)
    is_only_read = len(facts.definitions.reads(opened)) == 1
    return Payload(Form.BYTES, wrapped) if wrapped is not None and is_only_read else payload


def _only_uploaded(facts: Facts, name: cst.BaseExpression) -> Definition | None:
    """Return the parameter that is only uploaded, so that bytes will do for it."""
    if not isinstance(name, cst.Name):
        return None
    definition = facts.definitions.of(name)
    if not isinstance(definition.node, cst.Param):
        return None
    annotation = definition.node.annotation
    if annotation is not None and dotted(annotation.annotation) != "bytes":
        return None
    return definition if len(list(facts.definitions.reads(definition))) == 1 else None


def _form_of_named(facts: Facts, bound: Bindings, name: cst.Name) -> Form:
    """Return what an argument gives that is evaluated before, where that can be told."""
    value = bound.get(facts.definitions.of(name))
    form = form_of(facts, value) if value is not None else Form.UNKNOWN
    return form if form in (Form.BYTES, Form.TEXT) else Form.UNKNOWN


def _named(
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


def _prepared(translation: Translation, call: Invocation) -> tuple[Prepared, ...]:
    """Return the arguments that get a name, in the order in which they are evaluated."""
    given = [arg.value for arg in call.args]
    prepared = [Prepared(name, translation.bound[one]) for one, name in translation.named.items()]
    return tuple(sorted(prepared, key=lambda one: given.index(one.value)))
