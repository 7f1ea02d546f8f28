"""May a candidate be rewritten? One small check for each way in which a rewrite could be wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst

from codemod import effects
from codemod.announcements import announces_upload
from codemod.cell_order import order_matters
from codemod.definitions import Kind
from codemod.facts import Facts
from codemod.layout import Layout, fates_left
from codemod.pairing import Candidate
from codemod.payload import Form
from codemod.index import LOOPS
from codemod.refusals import Refusal
from codemod.syntax import callee, children, descendants, string_value
from codemod.template import Hole, source
from codemod.uploads import Given
from codemod.visibility import Fate, Visibility

Check = Callable[[Facts, Candidate, Visibility, Layout], Refusal | None]

#: Options of an upload that say nothing which an inline payload would have to say as well.
_HARMLESS_OPTIONS = frozenset(
    "StorageClass CacheControl Expires ContentDisposition ContentLanguage ContentLength Config"
    " ChecksumAlgorithm ContentMD5 RequestPayer".split()
)
_HARMLESS_VALUES = {
    "ServerSideEncryption": ("AES256",),
    "ACL": ("private", "bucket-owner-full-control"),
}


def upload_options(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """Encryption keys, tags, metadata, object lock, owner checks: only an object has them."""
    for name, node in candidate.upload.options:
        if name in _HARMLESS_OPTIONS:
            continue
        value = getattr(node, "value", None)
        if name in _HARMLESS_VALUES and string_value(value) in _HARMLESS_VALUES[name]:
            continue
        return Refusal("upload-options", node, name or source(node))
    return None


_GENERATED = {
    Form.UNKNOWN: ("len", "isinstance", "str", "bytes"),
    Form.PATH: ("len", "open"),
}


def names_mean_what_they_say(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """A parameter called ``len`` or a local ``json`` is not what the analysis takes it for."""
    function = facts.index.function(candidate.upload.uploading)
    walk = facts.definitions.walk(function)
    for text in _GENERATED.get(candidate.payload.form, ("len",)):
        is_local = text in walk.local
        if is_local or facts.definitions.free(text, function).kind is not Kind.OUTSIDE:
            return Refusal("name-shadowed", layout.uploading, text, f"rename {text}")
    functions = [function]
    if candidate.upload.via is not None:
        functions.append(candidate.upload.via.function)
    for one in functions:
        for name in facts.index.well_known_bound.get(one, ()):
            if _is_bound_here(facts, name):
                return Refusal("name-shadowed", name, name.value, f"rename {name.value}")
    return None


def _is_bound_here(facts: Facts, name: cst.Name) -> bool:
    definition = facts.definitions.of(name)
    shared = definition.sources if definition.kind is Kind.SHARED else [definition]
    kinds = {origin.kind for source in shared for origin in source.origins()}
    return not kinds <= {Kind.IMPORTED, Kind.OUTSIDE, Kind.UNBOUND}


def nobody_lists_the_names(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """``locals()``, ``eval`` and the like see names that come and go with a rewrite."""
    function = facts.index.function(candidate.upload.uploading)
    for text in ("locals", "vars", "eval", "exec", "dir", "globals"):
        for name in facts.index.names.get(text, ()):
            call = facts.index.parent[name]
            if not isinstance(call, cst.Call) or call.func is not name:
                continue
            if text in ("vars", "dir") and call.args:
                continue
            if facts.index.function(name) is function:
                return Refusal("name-shadowed", call, text, f"do without {text}()")
    return None


def payload_can_be_sent(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """Text files fail inline, streams cannot be read twice."""
    payload = candidate.payload
    if payload.form is Form.TEXT_HANDLE:
        return Refusal("payload-is-text-file", payload.node, unlock='open the file with mode "rb"')
    if candidate.upload.given is Given.HANDLE and payload.form not in (
        Form.HANDLE,
        Form.PATH,
        Form.BYTES,
    ):
        return Refusal(
            "payload-is-stream",
            payload.node,
            source(payload.node),
            "upload bytes, a path, or a file that is opened here",
        )
    if payload.form is Form.HANDLE and not isinstance(payload.node, cst.Name):
        return Refusal(
            "payload-is-stream",
            payload.node,
            source(payload.node),
            "assign the file object to a variable",
        )
    return None


def payload_is_not_used_later(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """A handle is read to its end, or closed, by the upload; the inline route leaves it open."""
    node = candidate.payload.node
    if candidate.payload.form is not Form.HANDLE or not isinstance(node, cst.Name):
        return None
    index = facts.index
    uploading = index.order[layout.uploading]
    closing = candidate.upload.given is Given.HANDLE
    for name in facts.definitions.reads(facts.definitions.of(node)):
        if name is node or index.order[index.statement(name)] < uploading:
            continue
        if index.inside(name, candidate.upload.invocation.carrier):
            return Refusal("payload-used-later", name, name.value)
        above = index.parent[name]
        method = above.attr.value if isinstance(above, cst.Attribute) else None
        if method == "close" or (method == "getvalue" and not closing):
            continue
        return Refusal(
            "payload-used-later", name, name.value, "open the file again for the later use"
        )
    return None


def arguments_only_give_values(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """On the inline route the upload's arguments are not evaluated, but the payload is, first."""
    payload = candidate.payload
    for arg in candidate.upload.invocation.args:
        part = _impure_besides(arg.value, payload.node)
        if part is not None:
            return Refusal(
                "argument-has-effects",
                part,
                source(part),
                "assign it to a variable before the upload",
            )
    if payload.form is Form.PATH:
        part = effects.unstable_part(payload.node)
        if part is not None:
            return Refusal(
                "argument-has-effects", part, source(part), "assign the path to a variable"
            )
    if isinstance(payload.node, cst.NamedExpr) or any(
        isinstance(part, cst.NamedExpr) for part in descendants(payload.node)
    ):
        return Refusal("argument-has-effects", payload.node, source(payload.node))
    return None


def _impure_besides(node: cst.CSTNode, payload: cst.CSTNode) -> cst.CSTNode | None:
    """Return the first impure part of an argument, leaving out the payload in it."""
    stack = [node]
    while stack:
        current = stack.pop()
        if current is payload:
            continue
        if isinstance(current, (cst.Await, cst.Yield, cst.NamedExpr)):
            return current
        if isinstance(current, cst.Call) and not _is_known_call(current):
            return current
        stack.extend(children(current))
    return None


def _is_known_call(call: cst.Call) -> bool:
    return (
        effects.is_stable_call(call)
        or effects.is_fresh_call(call)
        or callee(call) in ("open", "BytesIO", "TransferConfig", "ProgressPercentage")
    )


def upload_is_finished(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """An upload handed to a thread without ``await`` may still be running at the call."""
    call = candidate.upload.invocation
    if call.is_indirect and not call.is_awaited:
        return Refusal(
            "upload-not-awaited", call.whole, unlock="await the upload where it is made"
        )
    return None


def content_type_can_travel(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """A ContentType that stands only on the upload must go with the inline payload."""
    content_type = candidate.upload.content_type
    if content_type is None:
        return None
    part = effects.unstable_part(content_type)
    if part is not None and any(call.content_type is False for call in candidate.calls):
        return Refusal(
            "argument-has-effects", part, source(part), "assign ContentType to a variable"
        )
    for call in candidate.calls:
        if call.content_type is None or (call.through is not None and not call.content_type):
            return Refusal(
                "content-type-unclear",
                call.invocation.carrier,
                unlock="pass ContentType to the call",
            )
    return None


def calls_agree_on_content_type(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """Several calls share one dictionary, which cannot hold a ContentType for some of them."""
    if candidate.upload.content_type is None:
        return None
    if len({call.content_type for call in candidate.calls}) > 1:
        return Refusal(
            "content-type-unclear",
            candidate.calls[0].invocation.carrier,
            unlock="pass ContentType to every call",
        )
    return None


def calls_agree_on_location(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """Two uploads in one function may not share one dictionary of parameters."""
    made = [call.parameters for call in candidate.calls if call.parameters is not None]
    if made and len(made) != len(candidate.calls):
        return Refusal("parameters-used-elsewhere", candidate.calls[0].invocation.carrier)
    return None


def every_path_calls(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """On a path without the call, the uploaded object may be all that the code is for."""
    carriers = [call.invocation.carrier for call in candidate.calls]
    for reach in candidate.spans:
        for statement in reach.between:
            if statement not in layout.attached:
                leaving = _leaving(facts, statement)
                if leaving is not None:
                    return Refusal("upload-without-call", leaving)
        for step in reach.down_to_last:
            if isinstance(step.statement, cst.If):
                if not _both_call(facts, step.statement, carriers):
                    return Refusal("upload-without-call", step.statement.test)
            elif isinstance(step.statement, cst.Match):
                return Refusal("upload-without-call", step.statement.subject)
    return None


def _leaving(facts: Facts, statement: cst.CSTNode) -> cst.CSTNode | None:
    """Return what leaves the way to the call without an error."""
    for node in descendants(statement):
        if isinstance(node, (cst.Return, cst.Continue, cst.Break)) and not any(
            isinstance(above, (cst.ExceptHandler, cst.ExceptStarHandler, *LOOPS, cst.FunctionDef))
            for above in _up_to(facts, node, statement)
        ):
            return node
    return None


def _up_to(facts: Facts, node: cst.CSTNode, statement: cst.CSTNode) -> Iterator[cst.CSTNode]:
    current = node
    while current is not statement:
        current = facts.index.parent[current]
        yield current


def _both_call(facts: Facts, statement: cst.If, carriers: list[cst.Call]) -> bool:
    """Tell whether the other branch of a test calls as well, or raises."""
    other = statement.orelse
    if other is None:
        return False
    return all(
        any(facts.index.inside(carrier, branch) for carrier in carriers)
        or isinstance(_last_small(branch), cst.Raise)
        for branch in (statement.body, other.body if isinstance(other, cst.Else) else other)
    )


def _last_small(block: cst.CSTNode) -> cst.CSTNode:
    body = getattr(block, "body", ())
    return _small(body[-1]) if isinstance(body, (list, tuple)) and body else block


def object_stays_private(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """What leaves the function could be used to find the object."""
    reasons = {
        Fate.RETURNED: "uri-returned",
        Fate.STORED: "uri-stored",
        Fate.PASSED_ON: "uri-passed-on",
        Fate.MAY_BE_READ: "object-read-elsewhere",
    }
    for fate, node, what in fates_left(seen, layout, facts):
        reason = reasons.get(fate)
        if reason is not None:
            return Refusal(reason, node, what)
    return _on_attribute(facts, candidate)


def _on_attribute(facts: Facts, candidate: Candidate) -> Refusal | None:
    """A key that is an attribute is visible to everyone who has the object it belongs to."""
    key = candidate.upload.key or ()
    if len(key) != 1 or not isinstance(key[0], Hole):
        return None
    node = key[0].node
    if not isinstance(node, cst.Attribute) or not isinstance(node.value, cst.Name):
        return None
    if node.value.value != "self":
        return None
    own = [candidate.upload.invocation.carrier]
    own.extend(call.invocation.carrier for call in candidate.calls)
    for access in facts.index.attributes.get(node.attr.value, ()):
        if facts.index.function(access) is not facts.index.function(own[0]):
            if isinstance(facts.index.parent[access], cst.AssignTarget):
                continue
            return Refusal("uri-stored", access, source(node))
    return None


def deleting_is_cleaning_up(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """Deleting what is not there does nothing; deleting the input of a queued request cancels it.

    S3 answers DeleteObject for a missing key with success (S3 API reference).
    """
    index = facts.index
    here = index.function(candidate.upload.uploading)
    for fate, node, _ in fates_left(seen, layout, facts):
        if fate is not Fate.DELETED:
            continue
        if index.function(node) is not here:
            return Refusal("object-deleted", node)
        if not _only_cleans_up(facts, candidate, node, here):
            return Refusal("object-deleted", node)
    return None


def _only_cleans_up(
    facts: Facts, candidate: Candidate, node: cst.CSTNode, function: cst.CSTNode
) -> bool:
    """Tell deleting on every path, or after success, from deleting when the result is late."""
    index = facts.index
    statement = index.statement(node)
    body: list[cst.CSTNode] = list(index.block(statement).body)
    position = body.index(statement)
    if any(isinstance(_small(one), cst.Raise) for one in body[position:]):
        return False
    if any(
        isinstance(one, LOOPS) and _leaves(one) for one in body[:position]
    ) and not _in_finally(facts, node, function):
        return False
    for above in index.ancestors(node):
        if above is function or isinstance(above, cst.Finally):
            break
        if isinstance(above, (cst.ExceptHandler, cst.ExceptStarHandler)):
            return _only_guards_call(facts, candidate, index.parent[above])
        if isinstance(above, (cst.If, cst.Lambda)):
            return False
    return True


def _small(statement: cst.CSTNode) -> cst.CSTNode:
    return statement.body[-1] if isinstance(statement, cst.SimpleStatementLine) else statement


def _leaves(loop: cst.CSTNode) -> bool:
    return any(isinstance(part, cst.Return) for part in descendants(loop))


def _in_finally(facts: Facts, node: cst.CSTNode, function: cst.CSTNode) -> bool:
    for above in facts.index.ancestors(node):
        if above is function:
            return False
        if isinstance(above, cst.Finally):
            return True
    return False


def _only_guards_call(facts: Facts, candidate: Candidate, statement: cst.CSTNode) -> bool:
    """Tell whether a ``try`` ends with the call, so that its handlers see no queued request."""
    if not isinstance(statement, (cst.Try, cst.TryStar)):
        return False
    last = statement.body.body[-1]
    return any(
        facts.index.inside(call.invocation.carrier, last) for call in candidate.calls
    ) and isinstance(last, cst.SimpleStatementLine)


def nothing_untrue_is_logged(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """A log line that says "uploaded to …" must stay on the S3 route."""
    index = facts.index
    function = index.function(candidate.upload.uploading)
    after = index.order[layout.uploading]
    for fate, node, _ in fates_left(seen, layout, facts):
        if fate is not Fate.LOGGED or index.function(node) is not function:
            continue
        statement = index.statement(node)
        if index.order[statement] > after and announces_upload(
            facts, statement, seen.behind
        ):
            if not _in_handler(facts, node, function):
                return Refusal(
                    "upload-announced", node, unlock="log it right after the upload"
                )
    for one in _between(candidate):
        if one not in layout.attached and announces_upload(facts, one, seen.behind):
            return Refusal("upload-announced", one, unlock="log it right after the upload")
    return None


def _between(candidate: Candidate) -> Iterator[cst.CSTNode]:
    for reach in candidate.spans:
        yield from reach.between
        for step in reach.down_to_first:
            orelse = getattr(step.statement, "orelse", None)
            if isinstance(orelse, cst.Else) and isinstance(orelse.body, cst.IndentedBlock):
                yield from orelse.body.body
            body = step.statement.body
            if isinstance(body, cst.IndentedBlock):
                after = [one for one in body.body if one is not step.part]
                yield from after


def _in_handler(facts: Facts, node: cst.CSTNode, function: cst.CSTNode) -> bool:
    for above in facts.index.ancestors(node):
        if above is function:
            return False
        if isinstance(above, (cst.ExceptHandler, cst.ExceptStarHandler)):
            return True
    return False


def cells_are_in_order(
    facts: Facts, candidate: Candidate, seen: Visibility, layout: Layout
) -> Refusal | None:
    """That upload and call mean one object is proven for cells run from top to bottom."""
    return order_matters(facts, candidate)


#: The checks, in the order in which their answers are preferred. The first refusal without a
#: rewrite (SAI003) wins over every refusal that ``--unsafe-fixes`` may override (SAI002).
CHECKS: tuple[Check, ...] = (
    names_mean_what_they_say,
    nobody_lists_the_names,
    payload_can_be_sent,
    payload_is_not_used_later,
    arguments_only_give_values,
    upload_is_finished,
    content_type_can_travel,
    calls_agree_on_content_type,
    calls_agree_on_location,
    upload_options,
    every_path_calls,
    object_stays_private,
    deleting_is_cleaning_up,
    nothing_untrue_is_logged,
    cells_are_in_order,
)
