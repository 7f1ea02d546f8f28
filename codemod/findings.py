"""Findings: what is said of a verdict, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from codemod.calls import LegacyCall, describe
from codemod.judge import Verdict
from codemod.model import Finding, Link, Place
from codemod.reading import Places
from codemod.refusals import Refusal
from codemod.rules import REASONS
from codemod.syntax import unwrap_await
from codemod.transfers import Upload

_SUPPRESSION = re.compile(
    r"#\s*(?:noqa|async-inline:\s*ignore)(?P<codes>\s*[:\[]\s*[A-Z][A-Z0-9, ]*\]?)?",
    re.IGNORECASE,
)


def nodes_of(verdict: Verdict) -> Iterator[cst.CSTNode]:
    """Yield every node of a verdict whose place a report may tell."""
    yield _call_node(verdict)
    yield _upload_node(verdict)
    yield unwrap_await(verdict.call.invocation.whole)
    yield unwrap_await(verdict.upload.invocation.whole)
    if verdict.refusal is not None:
        yield verdict.refusal.node
    yield from (function for _, function in _chain(verdict) if function is not None)


def _call_node(verdict: Verdict) -> cst.CSTNode:
    """Return the call of the API that is made in the end."""
    call = verdict.call.innermost or verdict.call
    return unwrap_await(call.invocation.whole)


def _joining(verdict: Verdict) -> cst.CSTNode | None:
    """Return the call that joins both if each is made by a function: only it tells them apart."""
    if verdict.call.through is None or verdict.upload.via is None:
        return None
    return unwrap_await(verdict.call.invocation.whole)


def _upload_node(verdict: Verdict) -> cst.CSTNode:
    return unwrap_await(verdict.upload.innermost.invocation.whole)


def finding_of(verdict: Verdict, found: Places) -> Finding:
    """Return the finding for a verdict, told where everything stands."""
    refusal = verdict.refusal
    return Finding(
        code=verdict.code,
        fix=verdict.fix,
        reason=refusal.reason if refusal is not None else None,
        message=_message(verdict, found),
        place=found.of(_call_node(verdict)),
        upload=found.of(_upload_node(verdict)),
        cause=_cause(refusal, found) if refusal is not None else None,
        unlock=refusal.unlock if refusal is not None else None,
        notes=verdict.notes,
        chain=tuple(
            Link(name, found.of(node) if node is not None else None)
            for name, node in (() if _is_one_step(verdict, found) else _chain(verdict))
        ),
    )


def _cause(refusal: Refusal, found: Places) -> Place:
    return refusal.elsewhere or found.of(refusal.node)


def _message(verdict: Verdict, found: Places) -> str:
    call, upload = found.of(_call_node(verdict)), found.of(_upload_node(verdict))
    *callers, invoking = (describe(one) for one in calls_of(verdict.call))
    *helpers, uploading = (one.api for one in uploads_of(verdict.upload))
    what = (
        f"{invoking}{_through(callers)} invokes the payload that {uploading}"
        f" uploads {_on_line(upload, call)}{_through(helpers)}"
    )
    joining = _joining(verdict)
    if joining is not None:
        what += f", both called {_on_line(found.of(joining), call)}"
    refusal = verdict.refusal
    if refusal is None:
        return f"{what}; send it in Body"
    where = f", {_on_line(_cause(refusal, found), call).removeprefix('on ')}"
    return f"{what}; {_because(refusal)}{where}"


def _is_one_step(verdict: Verdict, found: Places) -> bool:
    """Tell whether nothing lies between the call of the API and the upload."""
    is_direct = verdict.call.through is None and verdict.upload.via is None
    here, there = found.of(_call_node(verdict)), found.of(_upload_node(verdict))
    return is_direct and here.path == there.path


def _chain(verdict: Verdict) -> Iterator[tuple[str, cst.CSTNode | None]]:
    """Yield the way from the call of the API to the upload.

    First come the functions that a URI is handed to, from the inside, then the variable that holds
    it, then the functions that upload, from the outside; each with where it is defined.
    """
    calls, uploads = list(calls_of(verdict.call)), list(uploads_of(verdict.upload))
    yield describe(calls[-1]), _call_node(verdict)
    for call in reversed(calls[:-1]):
        assert call.through is not None
        yield call.through.function.name.value, call.through.function.name
    location = verdict.call.location
    if isinstance(location, cst.Name):
        yield location.value, None
    for upload in uploads[:-1]:
        assert upload.via is not None
        yield upload.via.function.name.value, upload.via.function.name
    yield uploads[-1].api, _upload_node(verdict)


def calls_of(call: LegacyCall) -> Iterator[LegacyCall]:
    """Yield the calls of functions that a URI is handed to, and the call of the API at the end."""
    current: LegacyCall | None = call
    while current is not None:
        yield current
        current = current.through.inner if current.through is not None else None


def uploads_of(upload: Upload) -> Iterator[Upload]:
    """Yield the calls of functions that a payload is handed to, and the upload at the end."""
    current: Upload | None = upload
    while current is not None:
        yield current
        current = current.via.inner if current.via is not None else None


def _through(names: list[str]) -> str:
    return f" (through {', '.join(names)})" if names else ""


def _on_line(place: Place, seen_from: Place) -> str:
    if place.path != seen_from.path:
        cell = f"cell {place.cell}, " if place.cell is not None else ""
        return f"in {place.path}, {cell}line {place.line}"
    if place.cell == seen_from.cell:
        return f"on line {place.line}"
    return f"in cell {place.cell}, line {place.line}"


def _because(refusal: Refusal) -> str:
    title = REASONS[refusal.reason].title
    if refusal.detail:
        return title.format(detail=refusal.detail)
    return title.replace(" ({detail})", "")


def identity(verdict: Verdict, finding: Finding) -> tuple[object, ...]:
    """Return what two verdicts have in common if they are one finding."""
    nodes = (_call_node(verdict), _upload_node(verdict), _joining(verdict))
    return (*nodes, finding.code, finding.reason)


def is_suppressed(verdict: Verdict, found: Places) -> bool:
    """Tell whether a comment on the line of a call or an upload silences a verdict."""
    calls = {_call_node(verdict), unwrap_await(verdict.call.invocation.whole)}
    uploads = {_upload_node(verdict), unwrap_await(verdict.upload.invocation.whole)}
    lines = [found.line(node) for node in (*calls, *uploads)]
    for line in (*lines, *(found.line(call, end=True) for call in calls)):
        match = _SUPPRESSION.search(line)
        if match is None:
            continue
        codes = match.group("codes")
        if not codes or verdict.code in re.findall(r"[A-Z]+[0-9]+", codes.upper()):
            return True
    return False
