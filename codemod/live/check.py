"""The live check itself, from the first question to the last line."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from codemod.live.aws import Aws, Found, Location, sdk_knows_body
from codemod.live.failures import LiveError
from codemod.live.waiting import Arrived, Sent, wait
from codemod.manifests.sdk import FLOOR
from codemod.model import SERVICE_LIMIT
from codemod.source import reason

#: How many bytes of an output or a failure are shown.
_SHOWN_BYTES = 600
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for; see ``async-inline verify --help``. ``timeout`` is in seconds."""

    endpoint: str
    payload: str
    content_type: str | None = None
    accept: str | None = None
    region: str | None = None
    profile: str | None = None
    timeout: float = 300.0
    compare_s3: Location | None = None
    probe_limits: bool = False


@dataclass(frozen=True, slots=True)
class Console:
    """Where to say something, and where to show what is being waited for."""

    say: Callable[[str], None]
    progress: Callable[[str], None]


def verify(request: Request, console: Console) -> bool:
    """Send one payload to a real endpoint and look at what comes back.

    Returns:
        Whether everything was as it should be: an output came, where asked for it is the same by
        both routes, and the service keeps its limits.

    Raises:
        LiveError: If the check cannot be made.
    """
    knows_body, version = sdk_knows_body()
    if not knows_body:
        raise LiveError(
            f"the installed botocore {version} has no Body in InvokeEndpointAsync: install"
            f" `boto3>={FLOOR}`"
        )
    console.say(f"SDK: botocore {version} knows Body")
    payload = _payload(request.payload)
    aws = Aws(request.region, request.profile)
    try:
        _check_endpoint(request.endpoint, aws, console)
        console.say(f"Payload: {request.payload}, {_bytes(len(payload))}")
        is_right = _send(request, payload, aws, console)
        if request.probe_limits:
            is_right = _probe(request, payload, aws, console) and is_right
    finally:
        if aws.calls:
            counted = (f"{count} {name}" for name, count in aws.calls.items())
            console.say(f"Calls: {', '.join(counted)}")
    return is_right


def _payload(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            payload = file.read(SERVICE_LIMIT + 1)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise LiveError(
            f"the payload {path} cannot be read ({reason(error)}): name a file with --payload"
        ) from error
    if not payload:
        raise LiveError(
            f"the payload {path} is empty: an empty Body is sent as none at all, so name a file"
            " that has something in it"
        )
    if len(payload) > SERVICE_LIMIT:
        raise LiveError(
            f"the payload {path} has {max(size, len(payload)):,} bytes, and Body takes at most"
            f" {SERVICE_LIMIT:,}: name a smaller file, or go by way of S3"
        )
    return payload


def _check_endpoint(endpoint: str, aws: Aws, console: Console) -> None:
    # LibCST, behind this import, is loaded after everything that can go wrong without it.
    from codemod.clients import INLINE_REGIONS

    if aws.region not in INLINE_REGIONS:
        console.say(
            f"Note: {aws.region} is not among the regions that AWS has named for inline payloads"
        )
    described = aws.describe(endpoint)
    state = described.get("EndpointStatus")
    if state != "InService":
        why = f", {described['FailureReason']}" if described.get("FailureReason") else ""
        raise LiveError(
            f"the endpoint {endpoint} is not in service ({state}{why}): wait until it is, or"
            " repair it"
        )
    if not described.get("AsyncInferenceConfig"):
        raise LiveError(
            f"the endpoint {endpoint} is not asynchronous: its configuration has no"
            " AsyncInferenceConfig, so name one that has"
        )
    console.say(f"Endpoint: {endpoint} in {aws.region} is in service and asynchronous")


# -- one payload by one route, or by both ----------------------------------------------------


def _send(request: Request, payload: bytes, aws: Aws, console: Console) -> bool:
    identity = uuid.uuid4().hex
    inline = _invoke(request, aws, f"async-inline-body-{identity}", Body=payload)
    console.say(f"Sent: {_bytes(len(payload))} in Body, inference id async-inline-body-{identity}")
    if request.compare_s3 is None:
        return _shown(wait(aws, inline, request.timeout, console.progress), "Output", console)
    prefix = request.compare_s3.key.rstrip("/")
    key = f"{prefix}/async-inline-verify-{identity}".lstrip("/")
    location = Location(request.compare_s3.bucket, key)
    try:
        aws.upload(location, payload, request.content_type)
        by_s3 = _invoke(request, aws, f"async-inline-s3-{identity}", InputLocation=str(location))
        console.say(f"Sent: {location} as InputLocation, inference id async-inline-s3-{identity}")
        arrived = wait(aws, inline, request.timeout, console.progress)
        is_right = _shown(arrived, "Output of Body", console)
        other = wait(aws, by_s3, request.timeout, console.progress)
        is_right = _shown(other, "Output of InputLocation", console) and is_right
    finally:
        _delete(location, aws, console)
    return is_right and _compared(arrived.found.location, other.found.location, aws, console)


def _invoke(request: Request, aws: Aws, identity: str, **source: Any) -> Sent:
    options = {"ContentType": request.content_type, "Accept": request.accept}
    given = {name: value for name, value in options.items() if value is not None}
    return Sent.of(
        aws.invoke(EndpointName=request.endpoint, InferenceId=identity, **given, **source)
    )


def _delete(location: Location, aws: Aws, console: Console) -> None:
    try:
        aws.delete(location)
    except LiveError as error:
        console.say(f"Note: {location} may still be there; delete it by hand ({error})")
    else:
        console.say(f"Deleted: {location}")


def _shown(arrived: Arrived, what: str, console: Console) -> bool:
    """Say what came, and return whether it is an output."""
    found = arrived.found
    what = what.replace("Output", "Failure") if arrived.is_failure else what
    kind = f", {found.content_type}" if found.content_type else ""
    console.say(
        f"{what}: {found.location} after {arrived.seconds:.1f} s, {_bytes(found.size)}{kind}"
    )
    beginning = found.beginning(_SHOWN_BYTES)
    rest = found.size - len(beginning)
    text = beginning.decode("utf-8", "backslashreplace")
    lines = "".join(c if c.isprintable() else _escaped(c) for c in text).splitlines()
    for line in (*lines, *([f"… {_bytes(rest)} more"] if rest > 0 else [])):
        console.say(f"  {line}")
    return not arrived.is_failure


def _escaped(character: str) -> str:
    return character if character in "\n\t" else repr(character)[1:-1]


# -- comparing -------------------------------------------------------------------------------


def _compared(one: Location, other: Location, aws: Aws, console: Console) -> bool:
    inline, by_s3 = _again(one, aws), _again(other, aws)
    is_right = True
    if inline.content_type != by_s3.content_type:
        console.say(
            f"Different: the content types are {inline.content_type!r} by Body and"
            f" {by_s3.content_type!r} by InputLocation"
        )
        is_right = False
    offset = _first_difference(inline, by_s3)
    if offset is not None:
        console.say(
            f"Different: the outputs have {_bytes(inline.size)} by Body and {_bytes(by_s3.size)} by"
            f" InputLocation, and differ from byte {offset:,} on; that may be the model's doing if"
            " it is not deterministic"
        )
        is_right = False
    if is_right:
        console.say("Same: both routes gave the same bytes and content type")
    return is_right


def _again(location: Location, aws: Aws) -> Found:
    found = aws.find(location)
    if found is None:
        raise LiveError(f"{location} was there and is gone: keep outputs until they are compared")
    return found


def _first_difference(one: Found, other: Found) -> int | None:
    """Return the offset of the first byte that differs; no output is ever held whole."""
    offset = 0
    chunks = zip(one.chunks(_CHUNK_BYTES), other.chunks(_CHUNK_BYTES), strict=False)
    for first, second in chunks:
        if first != second:
            pairs = zip(first, second, strict=False)
            same = next(
                (i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second))
            )
            return offset + same
        offset += len(first)
    return offset if one.size != other.size else None


# -- the limits ------------------------------------------------------------------------------


def _probe(request: Request, payload: bytes, aws: Aws, console: Console) -> bool:
    """Show that the service refuses what it says it refuses, and does so at once."""
    somewhere = request.compare_s3 or Location("async-inline-verify", "")
    nothing = Location(somewhere.bucket, f"{somewhere.key.rstrip('/')}/no-such-object".lstrip("/"))
    probes: tuple[tuple[str, dict[str, Any]], ...] = (
        (f"{SERVICE_LIMIT + 1:,} bytes in Body", {"Body": b" " * (SERVICE_LIMIT + 1)}),
        ("Body and InputLocation together", {"Body": payload, "InputLocation": str(nothing)}),
    )
    is_right = True
    for what, parameters in probes:
        said = aws.refusal(EndpointName=request.endpoint, **parameters)
        console.say(f"Limit: {what}: " + (f"refused ({said})" if said else "NOT refused"))
        is_right = is_right and said is not None
    return is_right


def _bytes(number: int) -> str:
    return "1 byte" if number == 1 else f"{number:,} bytes"
