"""Uploads through functions of the file: a call of a function that uploads is itself an upload.

A function that does nothing but upload (it may serialise, make the key, log, and return the URI or
the key) is summed up once; each call of it is then seen as an upload whose payload, bucket and key
are the function's own expressions with the arguments put in. Everything after that works as for
an upload through boto3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import libcst as cst

from codemod import effects
from codemod.definitions import Definition, Kind
from codemod.edits import Replacement, apply
from codemod.facts import Facts
from codemod.invocations import Invocation, invocation
from codemod.payload import Form, payload_of
from codemod.refusals import Refusal
from codemod.structure import is_always_run, is_loop, steps_to
from codemod.syntax import descendants, dotted, names_in, unwrap_await
from codemod.template import Hole, Template, normal, same_object
from codemod.uploads import Given, Upload, Via

#: How many functions an upload may be handed through.
DEPTH = 4

_PLAIN_DECORATORS = ("staticmethod", "classmethod")
_Bindings = Mapping[Definition, cst.BaseExpression]


def with_helpers(facts: Facts, uploads: list[Upload]) -> list[Upload]:
    """Return the uploads together with the calls of functions that make them."""
    every = list(uploads)
    fresh = list(uploads)
    for _ in range(DEPTH):
        made: list[Upload] = []
        for upload in fresh:
            function = facts.index.function(upload.invocation.carrier)
            if isinstance(function, cst.FunctionDef):
                made.extend(_calls_of(facts, function, upload))
        if not made:
            break
        every.extend(made)
        fresh = made
    return every


@dataclass(frozen=True, slots=True, eq=False)
class _Helper:
    """A function that uploads.

    ``problem`` says why calls of it cannot be rewritten; ``returns`` what a call gives.
    """

    function: cst.FunctionDef
    upload: Upload
    returns: str
    problem: Refusal | None


def _calls_of(facts: Facts, function: cst.FunctionDef, upload: Upload) -> Iterator[Upload]:
    sites = list(_sites(facts, function))
    if not sites:
        return
    helper = _summed_up(facts, function, upload)
    for func in sites:
        call = invocation(facts.index, func)
        if call is None or facts.index.inside(func, function):
            continue
        bound = _bound(facts, function, func, call.args)
        if bound is None:
            problem = Refusal("helper-call-unclear", call.carrier, function.name.value)
            yield _virtual(facts, helper, call, {}, problem)
        else:
            yield _virtual(facts, helper, call, bound, helper.problem)


# -- who calls a function ------------------------------------------------------------------


def _sites(facts: Facts, function: cst.FunctionDef) -> Iterator[cst.Name | cst.Attribute]:
    """Yield the places that call a function, or a method on something of its class."""
    index = facts.index
    name = function.name.value
    owner = index.class_of(function)
    is_method = owner is not None and index.parent[index.parent[function]] is owner
    if not is_method:
        for read in index.names.get(name, ()):
            if read is not function.name and facts.definitions.of(read).node is function:
                yield read
        return
    assert owner is not None
    for access in index.attributes.get(name, ()):
        if _is_instance(facts, access.value, owner):
            yield access


def _is_instance(facts: Facts, node: cst.BaseExpression, owner: cst.ClassDef) -> bool:
    """Tell whether an expression is a class, or an instance that this file makes of it."""
    if isinstance(node, cst.Name):
        if node.value in ("self", "cls"):
            return facts.index.class_of(node) is owner
        if facts.definitions.of(node).node is owner:
            return True
    made: list[cst.BaseExpression] = []
    if isinstance(node, cst.Attribute):
        stores = facts.index.attribute_stores.get(node.attr.value, [])
        made = [value for _, value in stores if value is not None]
        if len(made) != len(stores):
            return False
    else:
        made = [facts.definitions.resolve(node)]
    return bool(made) and all(
        isinstance(value, cst.Call)
        and isinstance(value.func, cst.Name)
        and facts.definitions.of(value.func).node is owner
        for value in made
    )


def _bound(
    facts: Facts,
    function: cst.FunctionDef,
    func: cst.Name | cst.Attribute,
    args: tuple[cst.Arg, ...],
) -> dict[Definition, cst.BaseExpression] | None:
    """Match the arguments of a call with the parameters; ``None`` if that is not certain."""
    params = function.params
    if isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None:
        return None
    positional = [*params.posonly_params, *params.params]
    values: dict[str, cst.BaseExpression] = {}
    given = list(args)
    if isinstance(func, cst.Attribute) and not _is_static(function) and positional:
        values[positional.pop(0).name.value] = func.value
    for arg in given:
        if arg.star:
            return None
        if arg.keyword is not None:
            values[arg.keyword.value] = arg.value
        elif positional:
            values[positional.pop(0).name.value] = arg.value
        else:
            return None
    walk = facts.definitions.walk(function)
    found: dict[Definition, cst.BaseExpression] = {}
    for param in (*params.posonly_params, *params.params, *params.kwonly_params):
        value = values.get(param.name.value, param.default)
        if value is None:
            return None
        definition = next(
            (one for one in walk.bindings[param.name.value] if one.node is param), None
        )
        if definition is not None:
            found[definition] = value
    return found


def _is_static(function: cst.FunctionDef) -> bool:
    return any(dotted(one.decorator) == "staticmethod" for one in function.decorators)


# -- what a function does ------------------------------------------------------------------


def _summed_up(facts: Facts, function: cst.FunctionDef, upload: Upload) -> _Helper:
    problem = (
        upload.problem
        or _signature_problem(facts, function)
        or _place_problem(facts, function, upload)
        or _effect_problem(facts, function, upload)
    )
    return _Helper(function, upload, _returns(facts, function, upload), problem)


def _signature_problem(facts: Facts, function: cst.FunctionDef) -> Refusal | None:
    for decorator in function.decorators:
        if dotted(decorator.decorator) not in _PLAIN_DECORATORS:
            return Refusal("helper-decorated", decorator.decorator, function.name.value)
    owner = facts.index.class_of(function)
    for other in facts.index.defined_functions.get(function.name.value, ()):
        if other is function:
            continue
        if owner is None or facts.index.class_of(other) is owner:
            return Refusal("helper-overridden", other, function.name.value)
        made_from = facts.index.class_of(other)
        if made_from is not None and any(
            dotted(base.value) == owner.name.value for base in made_from.bases
        ):
            return Refusal("helper-overridden", other, function.name.value)
    return None


def _place_problem(
    facts: Facts, function: cst.FunctionDef, upload: Upload
) -> Refusal | None:
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
    facts: Facts, function: cst.FunctionDef, upload: Upload
) -> Refusal | None:
    """Refuse if a function does anything that the inline route would leave out."""
    index = facts.index
    order = index.order[index.statement(upload.uploading)]
    for node in descendants(function.body):
        if isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Yield, cst.Global, cst.Nonlocal)):
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
    if isinstance(facts.index.parent[call], cst.Raise):
        return True
    known = (
        effects.is_log(call)
        or effects.is_stable_call(call)
        or effects.is_fresh_call(call)
        or effects.is_client_factory(call)
    )
    return known or _is_inside_payload(facts, call, upload)


def _is_inside_payload(facts: Facts, call: cst.Call, upload: Upload) -> bool:
    """Tell whether a call belongs to the making of the payload, which moves to the caller."""
    made = facts.definitions.resolve(upload.payload)
    return facts.index.inside(call, made)


def _returns(facts: Facts, function: cst.FunctionDef, upload: Upload) -> str:
    """Tell what a call gives: the ``uri``, the ``key``, ``nothing`` or something ``else``."""
    kinds: set[str] = set()
    for node in descendants(function.body):
        if not isinstance(node, cst.Return) or facts.index.function(node) is not function:
            continue
        if node.value is None or (isinstance(node.value, cst.Name) and node.value.value == "None"):
            continue
        made = unwrap_await(facts.definitions.resolve(node.value))
        template = facts.templates.of(node.value)
        if upload.returns_uri and made is unwrap_await(upload.uploading):
            kinds.add("uri")
        elif upload.key is not None and template == upload.key:
            kinds.add("key")
        elif upload.bucket is not None and upload.key is not None and same_object(
            template, upload.bucket, upload.key
        ):
            kinds.add("uri")
        elif template == upload.uri:
            kinds.add("uri")
        elif made is unwrap_await(upload.uploading):
            kinds.add("nothing")
        else:
            kinds.add("else")
    if not kinds:
        return "nothing"
    return kinds.pop() if len(kinds) == 1 else "else"


# -- a call of a function, seen as an upload -----------------------------------------------


def _virtual(
    facts: Facts,
    helper: _Helper,
    call: Invocation,
    bound: _Bindings,
    problem: Refusal | None,
) -> Upload:
    inner = helper.upload
    translate = _Translation(facts, helper.function, call.carrier, bound)
    payload = payload_of(facts, inner)
    node, form, is_argument = inner.payload, payload.form, False
    taken = translate.expression(payload.node) if problem is None else None
    if taken is None:
        problem = problem or Refusal("payload-made-in-helper", payload.node, helper.function.name.value)
    else:
        node = taken
        is_argument = isinstance(payload.node, cst.Name) and node in facts.index.parent
        if is_argument:
            form = Form.UNKNOWN if inner.given is Given.BODY else form
    content_type = inner.content_type
    if content_type is not None and problem is None:
        content_type = translate.expression(content_type)
        if content_type is None:
            problem = Refusal("payload-made-in-helper", call.carrier, "ContentType")
    bucket = translate.template(inner.bucket) if inner.bucket is not None else None
    key = translate.template(inner.key) if inner.key is not None else None
    uri = translate.template(inner.uri)
    if helper.returns == "key" and key is not None and bucket is not None:
        key = (Hole(("evaluated", call.whole), helper.function.name.value, call.whole),)
    if bucket is not None and key is not None:
        uri = normal(("s3://", *bucket, "/", *key))
    via = Via(
        helper.function,
        inner,
        form=None if is_argument and inner.given is Given.BODY else form,
        takes_bytes=is_argument and _only_uploads(facts, payload.node),
        returns=helper.returns,
    )
    return replace(
        inner,
        invocation=call,
        payload=node,
        bucket=bucket,
        key=key,
        uri=uri,
        content_type=content_type,
        returns_uri=helper.returns == "uri",
        bucket_node=None,
        key_node=None,
        via=via,
        problem=problem,
    )


def _only_uploads(facts: Facts, name: cst.BaseExpression) -> bool:
    """Tell whether the upload is the only use of a parameter, so that bytes will do for it."""
    if not isinstance(name, cst.Name):
        return False
    definition = facts.definitions.of(name)
    if not isinstance(definition.node, cst.Param):
        return False
    annotation = definition.node.annotation
    if annotation is not None and dotted(annotation.annotation) != "bytes":
        return False
    return len(list(facts.definitions.reads(definition))) == 1


@dataclass(frozen=True, slots=True, eq=False)
class _Translation:
    """Puts a function's expressions into the words of one of its callers."""

    facts: Facts
    function: cst.FunctionDef
    call: cst.Call
    bound: _Bindings

    def template(self, template: Template) -> Template:
        """Translate the template of a string; what the function makes up anew is its own."""
        pieces: list[str | Hole] = []
        for piece in template:
            if isinstance(piece, str):
                pieces.append(piece)
            else:
                pieces.extend(self._hole(piece))
        return normal(pieces)

    def _hole(self, hole: Hole) -> Template:
        kind = hole.key[0]
        if kind == "definition":
            definition = hole.key[1]
            assert isinstance(definition, Definition)
            if definition in self.bound:
                return self.facts.templates.of(self.bound[definition])
            if not self._is_local(definition):
                return (hole,)
        elif kind == "expression":
            _, spelled, names, states = hole.key
            assert isinstance(names, tuple) and isinstance(states, tuple)
            translated = tuple(self._definition(name) for name in names)
            if None not in translated and not any(
                part is not None for state in states for part in state
            ):
                key = ("expression", self._spelled(str(spelled), names), translated, states)
                return (Hole(key, hole.text, hole.node),)
        elif kind in ("basename", "default bucket"):
            inner = hole.key[1]
            assert isinstance(inner, tuple)
            return (Hole((kind, self.template(inner)), hole.text, hole.node),)
        return (Hole(("call", self.call, hole.key), hole.text, self.call),)

    def _spelled(self, spelled: str, names: tuple[Definition, ...]) -> str:
        """Spell ``client.bucket`` as the caller does, whatever the function calls its ``self``."""
        for name in names:
            value = self.bound.get(name)
            if isinstance(value, cst.Name) and spelled.startswith(name.name):
                return value.value + spelled[len(name.name) :]
        return spelled

    def _definition(self, definition: Definition) -> Definition | None:
        value = self.bound.get(definition)
        if isinstance(value, cst.Name):
            return self.facts.definitions.of(value)
        if value is not None or self._is_local(definition):
            return None
        return definition

    def _is_local(self, definition: Definition) -> bool:
        walk = self.facts.definitions.walk(self.function)
        return definition.kind is Kind.UNBOUND or definition.name in walk.local

    def expression(self, node: cst.BaseExpression) -> cst.BaseExpression | None:
        """Translate an expression; ``None`` if the caller cannot have the same value."""
        if isinstance(node, cst.Name):
            return self._name(node)
        if any(
            isinstance(part, (cst.Await, cst.Yield, cst.NamedExpr, cst.Lambda))
            or self.facts.index.is_comprehension(part)
            or (isinstance(part, cst.Call) and not self._is_pure(part))
            for part in descendants(node)
        ):
            return None
        edits: dict[cst.CSTNode, Replacement] = {}
        for name in names_in(node):
            taken = self._name(name)
            if taken is None:
                return None
            if taken is not name:
                edits[name] = [_in_brackets(taken)]
        return apply(self.facts.index, node, edits) if edits else node

    def _is_pure(self, call: cst.Call) -> bool:
        return effects.is_stable_call(call)

    def _name(self, name: cst.Name) -> cst.BaseExpression | None:
        definition = self.facts.definitions.of(name)
        value = self.bound.get(definition)
        if value is not None:
            return value if _is_repeatable(value) or self._is_read_once(definition) else None
        if not self._is_local(definition):
            caller = self.facts.definitions.walk(self.facts.index.function(self.call))
            is_module = isinstance(self.facts.index.function(self.call), cst.Module)
            return name if is_module or name.value not in caller.local else None
        if definition.kind is Kind.ASSIGNED and definition.value is not None:
            return self.expression(definition.value)
        return None

    def _is_read_once(self, definition: Definition) -> bool:
        """An argument that is read once, right as the payload, may be any expression."""
        return len(list(self.facts.definitions.reads(definition))) == 1


def _is_repeatable(node: cst.BaseExpression) -> bool:
    return not any(
        isinstance(part, (cst.Await, cst.Yield, cst.NamedExpr))
        or (isinstance(part, cst.Call) and not effects.is_stable_call(part))
        for part in descendants(node)
    )


def _in_brackets(node: cst.BaseExpression) -> cst.BaseExpression:
    """Keep an argument together that comes to stand within a larger expression."""
    loose = (
        cst.BinaryOperation,
        cst.BooleanOperation,
        cst.Comparison,
        cst.IfExp,
        cst.UnaryOperation,
        cst.Lambda,
    )
    if isinstance(node, loose) and not node.lpar:
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return node
