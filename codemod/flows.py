"""Uploads through functions of the file: a call of a function that uploads is itself an upload.

A function that does nothing but upload (it may serialise, make the key, log, and return the URI or
the key) is summed up once; each call of it is then seen as an upload whose payload, bucket and key
are the function's own expressions with the arguments put in. Everything after that works as for
an upload through boto3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

import libcst as cst

from codemod.conduct import (
    effect_problem,
    place_problem,
    what_answers,
    what_it_returns,
    what_items_are,
)
from codemod.facts import Facts
from codemod.functions import (
    Bindings,
    alias_problem,
    doubtful,
    named_parameters,
    rebinding_problem,
    signature_problem,
    sites,
)
from codemod.invocations import Invocation, invocations
from codemod.preparations import name_lookups, prepared_arguments
from codemod.refusals import Refusal, is_doubt
from codemod.results import bound_by, results_of, unpacked_into, with_items
from codemod.splits import split_of
from codemod.syntax import subscript_key
from codemod.takeover import Here, made_by_maker, taken_over
from codemod.template import Hole, Template, normal
from codemod.transfers import Result, Split, Upload, Via
from codemod.translation import Translation

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


class _Helper:
    """A function that uploads.

    Attributes:
        function: The function.
        upload: The upload inside it.
        returns: What a call gives.
        items: What the items are that it gives.
        answers: Those that tell how the upload went.
        problem: Why calls of it cannot be rewritten as it is.
    """

    def __init__(self, facts: Facts, function: cst.FunctionDef, upload: Upload) -> None:
        self._facts = facts
        self._certain = (
            upload.problem
            or signature_problem(facts, function)
            or place_problem(facts, function, upload)
        )
        self.function = function
        self.upload = upload
        self.returns = what_it_returns(facts, function, upload)
        self.items = what_items_are(facts, function, upload)
        self.answers = frozenset(what_answers(facts, function, upload))
        effect = effect_problem(facts, function, upload)
        self.doubt = effect if is_doubt(effect) else None
        self.problem = self._certain or (None if is_doubt(effect) else effect)

    @cached_property
    def split(self) -> Split | None:
        """How it could be split, to rewrite its calls after all."""
        if self._certain is not None or self.function.params.star_kwarg is not None:
            return None  # another caller may give it a body that is meant for something else
        split = split_of(self._facts, self.function, self.upload)
        if split is None:
            return None
        left = effect_problem(self._facts, self.function, self.upload, split.making)
        if is_doubt(left):
            self.doubt = left
        return split if left is None or is_doubt(left) else None


def _calls_of(facts: Facts, function: cst.FunctionDef, upload: Upload) -> Iterator[Upload]:
    callers = list(sites(facts, function))
    doubts = list(doubtful(facts, function))
    if not callers and not doubts:
        return
    helper = _Helper(facts, function, upload)
    for func, other in doubts:
        if facts.index.inside(func, function):
            continue
        unclear = Refusal("helper-overridden", other, function.name.value)
        for call in invocations(facts.definitions, func):
            yield _virtual(facts, helper, call, {}, unclear)
    for func in callers:
        if facts.index.inside(func, function):
            continue
        for call in invocations(facts.definitions, func):
            bound = named_parameters(facts, function, func, call.args)
            problem = rebinding_problem(facts, function, func)
            if bound is None:
                problem = Refusal("helper-call-unclear", call.carrier, function.name.value)
            else:
                problem = problem or alias_problem(facts, call)
            yield _virtual(facts, helper, call, bound or {}, problem)


def _unpacked(
    facts: Facts, call: Invocation, items: Mapping[int | str, str]
) -> dict[str, Template]:
    """Return how the caller spells the bucket and the key among what a function gives."""
    found: dict[str, Template] = {}
    assign = facts.index.parent[call.whole]
    target = assign.targets[0].target if isinstance(assign, cst.Assign) else None
    if isinstance(target, cst.Name):
        for read in facts.definitions.reads(bound_by(facts, target)):
            item = facts.index.parent[read]
            if isinstance(item, cst.Subscript) and item.value is read:
                key = subscript_key(item)
                kind = items.get(key) if key is not None else None
                if kind is not None:
                    found.setdefault(kind, facts.templates.of(item))
    for place, definition in unpacked_into(facts, call, len(items)).items():
        hole = Hole(("definition", definition), definition.name, definition.node)
        found[items.get(place, "else")] = (hole,)
    return found


# -- a call of a function, seen as an upload -----------------------------------------------


def _virtual(
    facts: Facts, helper: _Helper, call: Invocation, bound: Bindings, problem: Refusal | None
) -> Upload:
    inner, function = helper.upload, helper.function
    here = None
    if problem is None and helper.problem is None:
        here = taken_over(facts, function, inner, call, bound)
    split = helper.split if here is None and problem is None else None
    if split is not None:
        made = made_by_maker(facts, split, call, bound)
        may_change = facts.index.module_of(function) in facts.changeable
        here = made if split.is_done or may_change else None
    if here is None:
        # A payload that was made up for a function between this one and the upload has no place.
        given = inner.payload if inner.payload in facts.index.parent else inner.uploading
        problem = problem or helper.problem
        problem = problem or Refusal("payload-made-in-helper", given, function.name.value)
        here = Here(given, None, False, Translation(facts, function, call.carrier, bound))
    translate = here.translation
    imports = frozenset(translate.needed)
    content_type, untyped = inner.content_type, inner.content_type_problem
    if content_type is not None and problem is None:
        content_type = translate.expression(content_type)
        if content_type is None:
            untyped = Refusal("payload-made-in-helper", call.carrier, "ContentType")
    if problem is None:
        name_lookups(translate, call, here.node)
    bucket = translate.template(inner.bucket) if inner.bucket is not None else None
    key = translate.template(inner.key) if inner.key is not None else None
    uri = translate.template(inner.uri)
    told = translate.template(inner.told) if inner.told is not None else None
    nonempty = frozenset(map(translate.template, inner.nonempty)) | translate.nonempty
    as_given = told if told is not None else key
    is_used = not isinstance(facts.index.parent[call.whole], cst.Expr)
    if helper.returns == "key" and key is not None and bucket is not None and is_used:
        told = as_given
        key = (Hole(("evaluated", call.whole), function.name.value, call.whole),)
    if bucket is not None and key is not None:
        unpacked = _unpacked(facts, call, helper.items)
        bucket, key = unpacked.get("bucket", bucket), unpacked.get("key", key)
        told = as_given if "key" in unpacked else told
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
        answers=helper.answers,
    )
    results: Mapping[int | str, Result] = {}
    if problem is None:
        results = results_of(facts, call, via, translate)
        bucket = with_items(facts, call, via, translate, bucket) if bucket is not None else None
        key = with_items(facts, call, via, translate, key) if key is not None else None
        uri = with_items(facts, call, via, translate, uri)
    return replace(
        inner,
        invocation=call,
        payload=here.node,
        bucket=bucket,
        key=key,
        uri=uri,
        told=told,
        nonempty=nonempty,
        content_type=content_type,
        returns_uri=helper.returns == "uri",
        bucket_node=None,
        key_node=None,
        via=replace(via, results=results),
        prepared=prepared_arguments(translate, call) if problem is None else (),
        problem=problem,
        doubt=inner.doubt or helper.doubt,
        content_type_problem=untyped,
        imports=imports,
        type_imports=frozenset(translate.needed) - imports,
    )
