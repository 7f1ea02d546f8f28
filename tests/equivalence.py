"""Whether a rewritten program still does what it did, found out by running both.

Two steps, each usable on its own::

    compare(before, after)                             # two outcomes -> list of differences
    differences(before_text, after_text, script)       # all sizes, all weathers -> the same list

Two programs are equivalent when the endpoint receives the same payload bytes with the same
effective content type and the same other parameters in the same order, and when the caller gets
the same value or exception, reads the same text and finds the same side effects. What may differ,
and must, is the upload of an input of 1 to 128,000 bytes: it is gone.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from codemod.model import SERVICE_LIMIT
from tests.execution import Outcome, Program, Script, execute
from tests.fakes.payloads import TEXT_KINDS, Payload
from tests.fakes.world import Event, Invocation, Put, Weather


def fits(content: bytes, limit: int = SERVICE_LIMIT) -> bool:
    return 0 < len(content) <= limit


def compare(
    before: Outcome,
    after: Outcome,
    *,
    limit: int = SERVICE_LIMIT,
    announces: Sequence[str] = (),
    stays: Sequence[int] = (),
) -> list[str]:
    """What a user of the program could tell apart, one sentence each; empty if nothing."""
    found = [
        f"{what}: {brief(old)} became {brief(new)}"
        for what, old, new in (
            ("returned", before.returned, after.returned),
            ("raised", before.raised, after.raised),
            ("arguments afterwards", before.arguments, after.arguments),
            ("local files afterwards", before.files, after.files),
            ("number of invocations", len(before.invocations), len(after.invocations)),
        )
        if old != new
    ]
    for old, new in zip(before.invocations, after.invocations, strict=False):
        found += _invocation_differences(old, new, limit, stays)
    found += _journal_differences(before, after, announces)
    allowed = before.bytes_read + (limit + 1) * max(1, len(after.invocations))
    if after.bytes_read > allowed:
        found.append(f"the program reads {after.bytes_read} bytes, {allowed} would do")
    return found


def _invocation_differences(
    before: Invocation, after: Invocation, limit: int, stays: Sequence[int]
) -> Iterator[str]:
    prefix = f"invocation {before.number}"
    for what in ("payload", "content_type", "parameters"):
        old, new = getattr(before, what), getattr(after, what)
        if what == "parameters":
            old, new = _but_content_type(old), _but_content_type(new)
        if old != new:
            yield f"{prefix}: {what} {brief(old)} became {brief(new)}"
    expected = before.route
    uploaded = before.put is not None and before.payload is not None
    if uploaded and before.number not in stays and fits(before.payload or b"", limit):
        expected = "inline"
    if after.route != expected:
        size = "a missing object" if before.payload is None else f"{len(before.payload)} bytes"
        yield f"{prefix}: {size} take the {after.route} route instead of {expected}"
    elif after.location and after.location != before.location:
        yield f"{prefix}: location {before.location} became {after.location}"


def _but_content_type(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name != "ContentType"}


def _journal_differences(before: Outcome, after: Outcome, announces: Sequence[str]) -> list[str]:
    """Compare the journals without the uploads that have become needless.

    With such an upload go the waits for its object, the looks at it, and the lines that announce
    it. Deleting an object that is not there does no harm, so the deletion may go or stay.
    """
    routes = [invocation.route for invocation in after.invocations]
    pairs = list(zip(before.invocations, after.invocations, strict=False))
    spared = {old.put for old, new in pairs if old.route == "s3" and new.route == "inline"}
    spared -= {old.put for old, new in pairs if new.route == "s3"}
    gone = {old.location for old, new in pairs if old.put in spared and old.location}
    gone -= {new.location for new in after.invocations}

    def kept(events: Sequence[Event], *, is_before: bool) -> Iterator[Event]:
        invoked = 0
        for event in events:
            route = routes[min(invoked, len(routes) - 1)] if routes else "s3"
            invoked += event.kind == "invoke"
            if event.location in gone and event.kind == "delete":
                continue
            if is_before:
                if event.kind == "put" and event.number in spared:
                    continue
                if event.kind in ("wait", "head") and event.location in gone:
                    continue
                if event.kind == "text" and route == "inline" and _announced(event, announces):
                    continue
            yield event

    old, new = kept(before.journal, is_before=True), kept(after.journal, is_before=False)
    for was, now in zip_longest(old, new):
        if not _same(was, now):
            return [f"side effects: {brief(was)} became {brief(now)}"]
    return []


def _announced(event: Event, announces: Sequence[str]) -> bool:
    return any(part in event.detail for part in announces)


def _same(before: Event | None, after: Event | None) -> bool:
    if before is None or after is None:
        return before is after
    if isinstance(before.detail, Put) and isinstance(after.detail, Put):
        old, new = before.detail, after.detail
        return (old.location, old.content, old.options) == (
            new.location,
            new.content,
            new.options,
        ) and new.streamed >= old.streamed
    return before == after


def brief(value: Any) -> str:
    """A short form of ``value`` for a message; long content shows its size and a digest."""
    if isinstance(value, Put):
        streamed = " as a stream" if value.streamed else ""
        return f"{brief(value.content)}{streamed} with {dict(value.options)}"
    if isinstance(value, Event):
        where = f" {'/'.join(value.location)}" if value.location else ""
        return f"{value.kind}{where} {'' if value.detail is None else brief(value.detail)}".strip()
    if isinstance(value, (bytes, str)) and len(value) > 200:
        data = value if isinstance(value, bytes) else value.encode("utf-8")
        return f"<{len(data)} bytes {hashlib.sha256(data).hexdigest()[:6]} {value[:20]!r}…>"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {brief(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(brief, value)) + "]"
    return repr(value)


def differences(
    before: Program, after: Program, script: Script, *, limit: int = SERVICE_LIMIT
) -> list[str]:
    """Run both programs with all the payloads of ``script``, with and without failures."""
    return [
        f"{payload or 'as it is'}, {weather}: {difference}"
        for payload in payloads(before, script)
        for weather, old, new in _weathers(before, script, payload, limit)
        for difference in compare(
            execute(before, script, payload, old),
            execute(after, script, payload, new),
            limit=limit,
            announces=script.announces,
            stays=_stays(script, payload),
        )
    ]


def _stays(script: Script, payload: Payload | None) -> Sequence[int]:
    always = payload is not None and payload.kind in script.uploaded
    return range(1, sys.maxsize) if always else script.stays


def _weathers(
    before: Program, script: Script, payload: Payload | None, limit: int
) -> Iterator[tuple[str, Weather, Weather]]:
    """What may go wrong, as it is for the program before and after.

    An upload that is not needed any more must not be noticed when it fails: the program before
    runs with only those uploads failing that the program after still makes.
    """
    fair = execute(before, script, payload)
    inputs = {i.location for i in fair.invocations if i.put is not None}
    stays = _stays(script, payload)
    staying = {i.location for i in fair.invocations if i.number in stays}

    def still_fails(put: Put) -> bool:
        needed = put.location in staying or not fits(put.content, limit)
        return put.location in inputs and needed

    def fails(put: Put) -> bool:
        return put.location in inputs

    yield "all well", Weather(), Weather()
    yield "uploads fail", Weather(still_fails), Weather(fails)
    yield "invoke fails", Weather(invoke_fails=True), Weather(invoke_fails=True)


def payloads(program: Program, script: Script) -> Iterator[Payload | None]:
    """The payloads to try, so large that the endpoint receives each of the script's sizes.

    What a program wraps around its payload is found by running it three times. Where the size
    is no linear function of the payload's (compression, say), the payload has the size itself.
    """
    if not script.payloads:
        yield None
    for kind in (*script.payloads, *script.uploaded):
        for letter in ("x", "é") if kind in TEXT_KINDS else ("x",):
            yield from _sized(program, script, Payload(kind, 0, letter))


def _sized(program: Program, script: Script, payload: Payload) -> Iterator[Payload]:
    per_letter, around = _measure(program, script, payload)

    def letters(size: int) -> int:
        count, rest = divmod(size - around, per_letter)
        return max(0, count + 1 if rest and size > SERVICE_LIMIT else count)

    yield from map(payload.resized, dict.fromkeys(map(letters, script.sizes)))


def _measure(program: Program, script: Script, payload: Payload) -> tuple[int, int]:
    """The bytes the endpoint receives for each letter, and those around them."""
    received = []
    for letters in (10, 30, 70):
        invocations = execute(program, script, payload.resized(letters)).invocations
        received.append(len(invocations[0].payload or b"") if invocations else 0)
    per_letter, rest = divmod(received[1] - received[0], 20)
    linear = received[2] - received[1] == 40 * per_letter
    if per_letter <= 0 or rest or not linear:
        return len(payload.letter.encode("utf-8")), 0
    return per_letter, received[0] - 10 * per_letter
