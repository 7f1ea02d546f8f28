"""Does anybody else need the object, its URI or what its upload says?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from codemod.announcements import announces_upload, is_log_line
from codemod.calls import LegacyCall, Telling
from codemod.facts import Facts
from codemod.layout import fates_left
from codemod.near import needs_upload
from codemod.pairing import Candidate
from codemod.proposals import Proposal
from codemod.refusals import Refusal
from codemod.structure import in_handler
from codemod.syntax import descendants, last_name, string_value
from codemod.template import Hole, source
from codemod.transfers import Upload
from codemod.tree import LineOrCompound
from codemod.visibility import Fate

#: Options of an upload that say nothing which an inline payload would have to say as well.
_HARMLESS_OPTIONS = frozenset(
    "StorageClass CacheControl Expires ContentDisposition ContentLanguage ContentLength Config"
    " ChecksumAlgorithm ContentMD5 RequestPayer".split()
)
_HARMLESS_VALUES = {
    "ServerSideEncryption": ("AES256",),
    "ACL": ("private", "bucket-owner-full-control"),
}


def upload_options(case: Proposal) -> Refusal | None:
    """Encryption keys, tags, metadata, object lock, owner checks: only an object has them."""
    for name, node in case.candidate.upload.options:
        if name in _HARMLESS_OPTIONS or name == "ContentType":  # for which there is a check
            continue
        value = getattr(node, "value", None)
        if name in _HARMLESS_VALUES and string_value(value) in _HARMLESS_VALUES[name]:
            continue
        return Refusal("upload-options", node, name or source(node))
    handler = _handler_of_uploads(case.facts)
    return Refusal("upload-options", handler, source(handler)) if handler is not None else None


def _handler_of_uploads(facts: Facts) -> cst.CSTNode | None:
    """Return what has botocore call a function for each upload, which may do anything with it."""
    for method in ("register", "register_first", "register_last"):
        for func in facts.index.attributes.get(method, ()):
            call = facts.index.parent[func]
            event = call.args[0].value if isinstance(call, cst.Call) and call.args else None
            if last_name(func.value) == "events" and event is not None:
                text = string_value(event)
                if text is None or "s3" in text or "*" in text:
                    return event
    return None


def object_stays_private(case: Proposal) -> Refusal | None:
    """What leaves the function could be used to find the object."""
    reasons = {
        Fate.RETURNED: "uri-returned",
        Fate.STORED: "uri-stored",
        Fate.PASSED_ON: "uri-passed-on",
        Fate.MAY_BE_READ: "object-read-elsewhere",
    }
    for fate, node, what in fates_left(case.seen, case.layout, case.facts):
        reason = reasons.get(fate)
        if fate is Fate.MAY_BE_READ and _is_on_the_way(case, node):
            reason = "object-read-back"
        if reason is not None:
            return Refusal(reason, node, what)
    return _on_attribute(case.facts, case.candidate)


def _is_on_the_way(case: Proposal, node: cst.CSTNode) -> bool:
    """Tell whether code belongs to a function that makes the call, so that it runs each time."""
    functions = {
        call.through.function
        for outer in case.candidate.calls
        for call in outer.inward()
        if call.through is not None
    }
    return case.facts.index.within(node, functions)


def _on_attribute(facts: Facts, candidate: Candidate) -> Refusal | None:
    """A key that is an attribute is visible to everyone who has the object it belongs to."""
    upload: Upload | None = candidate.upload
    key = candidate.upload.told or candidate.upload.key or ()
    if len(key) != 1 or not isinstance(key[0], Hole):
        return None
    node = key[0].node
    if not isinstance(node, cst.Attribute) or not isinstance(node.value, cst.Name):
        return None
    if node.value.value != "self":
        return None
    own = [candidate.upload.invocation.carrier]
    own.extend(call.invocation.carrier for call in candidate.calls)
    uploading = set()
    while upload is not None and upload.via is not None:
        uploading.add(upload.via.function)
        upload = upload.via.inner
    for access in facts.index.attributes.get(node.attr.value, ()):
        if facts.index.within(access, uploading):
            continue
        if facts.index.function(access) is not facts.index.function(own[0]):
            if isinstance(facts.index.parent[access], cst.AssignTarget):
                continue
            return Refusal("uri-stored", access, source(node))
    return None


def nothing_untrue_is_logged(case: Proposal) -> Refusal | None:
    """A log line that says "uploaded to …" must stay on the S3 route."""
    index = case.facts.index
    function = index.function(case.candidate.upload.uploading)
    after = index.order[case.layout.uploading]
    for fate, node, _ in fates_left(case.seen, case.layout, case.facts):
        if fate is not Fate.LOGGED or index.function(node) is not function:
            continue
        statement = index.statement(node)
        if index.order[statement] > after and announces_upload(
            case.facts, statement, case.seen.behind
        ):
            if not in_handler(index, node):
                return Refusal("upload-announced", node, unlock="log it right after the upload")
    above = _line_above_try(case)
    if above in case.layout.announcing:
        above = None
    if above is not None and announces_upload(case.facts, above, case.seen.behind):
        return Refusal("upload-announced", above, unlock="log it right before the upload")
    attached = set(case.layout.attached)
    for one in _lines_between(case.candidate):
        if not case.facts.index.within(one, attached) and announces_upload(
            case.facts, one, case.seen.behind
        ):
            return Refusal("upload-announced", one, unlock="log it right after the upload")
    late = [one.line for one in _told_inside(case.candidate.calls) if one.announces and one.is_late]
    if late:
        return Refusal("upload-announced", late[0], unlock="log it right before the call")
    return None


def _told_inside(calls: Iterable[LegacyCall]) -> Iterator[Telling]:
    """Yield the log lines about the object in functions that make the calls."""
    for outer in calls:
        for call in outer.inward():
            if call.through is not None:
                yield from call.through.telling


def no_check_is_lost(case: Proposal) -> Refusal | None:
    """A function that uploads may check something first, even if that is only for the upload."""
    return case.candidate.upload.doubt


def no_log_line_is_lost(case: Proposal) -> Refusal | None:
    """A log line that names what the upload returned, and says nothing of uploading, is missed."""
    for one in case.layout.attached:
        if one in case.layout.told:
            continue
        if is_log_line(one) and not announces_upload(case.facts, one, case.seen.behind):
            return Refusal("upload-result-logged", one, source(one).strip())
    shown = [one.shown for one in case.layout.stand_ins if one.shown is not None]
    calls = [
        call
        for call in case.candidate.calls
        if needs_upload(case.facts, call.location, case.candidate.upload)
    ]
    shown.extend(one.line for one in _told_inside(calls) if not one.announces)
    if shown:
        return Refusal("upload-result-logged", shown[0], source(shown[0]).strip())
    return None


def _line_above_try(case: Proposal) -> cst.CSTNode | None:
    """Return the line above the ``try`` or ``with`` that begins with the upload."""
    index, current = case.facts.index, case.layout.uploading
    above: LineOrCompound = current
    while not index.position(above):
        above = index.statement(index.block(above))
        if not isinstance(above, (cst.Try, cst.TryStar, cst.With)):
            return None
    if above is current:
        return None
    return index.block(above).body[index.position(above) - 1]


def _lines_between(candidate: Candidate) -> Iterator[cst.CSTNode]:
    """Yield every line that runs between the upload and the call, however deep it stands."""
    for statement in _between(candidate):
        for part in descendants(statement):
            if isinstance(part, cst.SimpleStatementLine):
                yield part


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
