"""Can the payload be measured and sent, and does the rest of the request go with it?"""

from __future__ import annotations

import libcst as cst

from codemod import effects
from codemod.definitions import Kind
from codemod.facts import Facts
from codemod.payload import Form
from codemod.proposals import Proposal
from codemod.quiet import noticed_part
from codemod.refusals import Refusal
from codemod.syntax import callee, descendants, is_self, names_in, root_name
from codemod.template import source
from codemod.transfers import Given, Upload
from codemod.tree import LOOPS


def payload_can_be_sent(case: Proposal) -> Refusal | None:
    """Text files fail inline, streams cannot be read twice, and empty payloads are none."""
    payload = case.candidate.payload
    if payload.form is not Form.PATH and _is_empty(case.facts, payload.node):
        return Refusal("payload-is-empty", case.facts.definitions.resolve(payload.node))
    if payload.form is Form.TEXT_HANDLE:
        return Refusal("payload-is-text-file", payload.node, unlock='open the file with mode "rb"')
    if case.candidate.upload.given is Given.HANDLE and payload.form not in (
        Form.HANDLE,
        Form.PATH,
        Form.BYTES,
        Form.BUFFER,
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


def _is_empty(facts: Facts, node: cst.BaseExpression) -> bool:
    """Tell whether a payload is certain to be empty, so that it can only go by S3."""
    if node not in facts.index.parent:
        return False
    made = facts.definitions.resolve(node)
    return isinstance(made, cst.SimpleString) and not made.evaluated_value


def payload_is_not_used_later(case: Proposal) -> Refusal | None:
    """A handle is read to its end, or closed, by the upload; the inline route leaves it open."""
    node = case.candidate.payload.node
    if case.candidate.payload.form is not Form.HANDLE or not isinstance(node, cst.Name):
        return None
    index = case.facts.index
    uploading = index.order[case.layout.uploading]
    made = case.facts.definitions.of(node)
    in_other_loop = made.node is not None and any(
        isinstance(above, LOOPS) and not index.inside(made.node, above)
        for above in index.ancestors(node)
    )
    if made.kind not in (Kind.ASSIGNED, Kind.WITH) or in_other_loop:
        return Refusal(
            "payload-used-later", node, node.value, "open the file in the function that uploads it"
        )
    closing = case.candidate.upload.given is Given.HANDLE
    for name in case.facts.definitions.reads(case.facts.definitions.of(node)):
        if name is node:
            continue
        if index.order[index.statement(name)] < uploading:
            if _is_kept(case, name):
                return Refusal("payload-used-later", name, name.value)
            continue
        if index.inside(name, case.candidate.upload.invocation.carrier):
            return Refusal("payload-used-later", name, name.value)
        above = index.parent[name]
        method = above.attr.value if isinstance(above, cst.Attribute) else None
        if method == "close" or (method == "getvalue" and not closing):
            continue
        return Refusal(
            "payload-used-later", name, name.value, "open the file again for the later use"
        )
    return None


def _is_kept(case: Proposal, name: cst.Name) -> bool:
    """Tell whether a mention gives a handle a second name, by which it may be used later."""
    above = case.facts.index.parent[name]
    if isinstance(above, (cst.Assign, cst.AnnAssign, cst.NamedExpr, cst.Element, cst.DictElement)):
        return True
    call = case.facts.index.parent[above] if isinstance(above, cst.Arg) else None
    return callee(call) in ("append", "add", "extend", "put", "setdefault") if call else False


def arguments_only_give_values(case: Proposal) -> Refusal | None:
    """On the inline route the upload's arguments are not evaluated, but the payload is, first."""
    payload, call = case.candidate.payload, case.candidate.upload.invocation
    given_first = [one.value for one in case.candidate.upload.prepared]
    for value in given_first:
        if any(isinstance(part, cst.NamedExpr) for part in descendants(value)):
            return Refusal("argument-has-effects", value, source(value))
    values = [arg.value for arg in call.args if arg.value not in given_first]
    if call.receiver is not call.func:
        values.append(call.receiver)
    for value in values:
        part = noticed_part(case.facts, value, payload.node)
        if part is not None:
            return Refusal(
                "argument-has-effects",
                part,
                source(part),
                "assign it to a variable before the upload",
            )
    part = _changed_by_payload(case)
    if part is not None:
        return Refusal("argument-has-effects", part, source(part))
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


def _changed_by_payload(case: Proposal) -> cst.CSTNode | None:
    """Return an argument whose value may depend on whether the payload was made before it."""
    payload = case.candidate.payload.node
    if all(_only_asks(case.facts, part) for part in effects.impure_parts(payload)):
        return None
    roots = {name.value for name in names_in(payload)}
    named = [one.value for one in case.candidate.upload.prepared]
    is_behind = False
    for arg in case.candidate.upload.invocation.args:
        is_behind = is_behind or case.facts.index.within(payload, (arg.value,))
        if arg.value in named and not is_behind:  # evaluated before, as it was
            continue
        for part in descendants(arg.value):
            if part is payload or case.facts.index.within(part, (payload,)):
                continue
            if isinstance(part, cst.Call) and part.args:
                others = (one for one in part.args if not case.facts.index.inside(payload, one))
                roots_here = {name.value for one in others for name in names_in(one.value)}
                if not roots.isdisjoint(roots_here):
                    return part
            if isinstance(part, (cst.Subscript, cst.Attribute)):
                if isinstance(part, cst.Attribute) and _is_set_once(case.facts, part):
                    continue
                root = root_name(part)
                if root is not None and root.value in roots:
                    return part
    return None


def _only_asks(facts: Facts, part: cst.CSTNode) -> bool:
    """Tell whether a part of a payload only asks an object: ``request.model_dump_json()``."""
    if not isinstance(part, cst.Call):
        return False
    if callee(part) in facts.index.defined_functions:
        return noticed_part(facts, part) is None
    return effects.is_dumping(part)


def _is_set_once(facts: Facts, access: cst.Attribute) -> bool:
    """Tell whether an attribute of the own object is given its value when that is made."""
    name, index = access.attr.value, facts.index
    return is_self(access.value) and (
        name in index.attribute_stores and name not in index.late_attributes
    )


def content_type_can_travel(case: Proposal) -> Refusal | None:
    """A ContentType that stands only on the upload must go with the inline payload."""
    content_type = case.candidate.upload.content_type
    if content_type is None:
        return _unread_options(case)
    part = effects.unstable_part(content_type)
    if part is not None and any(call.content_type is False for call in case.candidate.calls):
        return Refusal(
            "argument-has-effects", part, source(part), "assign ContentType to a variable"
        )
    for call in case.candidate.calls:
        if call.content_type is None or (call.through is not None and not call.content_type):
            return Refusal(
                "content-type-unclear",
                call.invocation.carrier,
                unlock="pass ContentType to the call",
            )
    return None


def _unread_options(case: Proposal) -> Refusal | None:
    """Refuse if some options of the upload hold a ContentType at times, or nobody can tell."""
    options = case.candidate.upload.options
    unread = [node for name, node in options if name in (None, "ContentType")]
    if not unread or all(call.content_type is True for call in case.candidate.calls):
        return None
    return Refusal("content-type-unclear", unread[0], unlock="pass ContentType to the call")


def calls_agree_on_content_type(case: Proposal) -> Refusal | None:
    """Several calls share one dictionary, which cannot hold a ContentType for some of them."""
    if case.candidate.upload.content_type is None:
        return None
    if len({call.content_type for call in case.candidate.calls}) > 1:
        return Refusal(
            "content-type-unclear",
            case.candidate.calls[0].invocation.carrier,
            unlock="pass ContentType to every call",
        )
    return None


def calls_agree_on_location(case: Proposal) -> Refusal | None:
    """Two uploads in one function may not share one dictionary of parameters."""
    made = [call.parameters for call in case.candidate.calls if call.parameters is not None]
    if made and len(made) != len(case.candidate.calls):
        return Refusal("parameters-used-elsewhere", case.candidate.calls[0].invocation.carrier)
    return None


def payload_is_not_handed_on(case: Proposal) -> Refusal | None:
    """A call that gets its payload from a parameter has no room for another one."""
    via = case.candidate.upload.via
    if via is not None and via.handed is not None:
        name = via.function.name.value
        return Refusal("helper-call-unclear", case.candidate.upload.invocation.carrier, name)
    return None


def upload_is_finished(case: Proposal) -> Refusal | None:
    """An upload that nothing waits for may still be running at the call, or never run."""
    upload: Upload | None = case.candidate.upload
    while upload is not None:
        call, via = upload.invocation, upload.via
        is_coroutine = via is not None and via.function.asynchronous is not None
        if (call.is_indirect or is_coroutine) and not call.is_awaited:
            unlock = "await the upload where it is made"
            return Refusal("upload-not-awaited", call.whole, unlock=unlock)
        upload = via.inner if via is not None else None
    return None
