"""What programs can change outside themselves, and the journal of what they did to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import IO, Any, Literal
from urllib.parse import unquote, urlsplit

import botocore.session
from botocore.exceptions import ClientError, ParamValidationError
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

Location = tuple[str, str]
"""A bucket and a key."""


@dataclass(frozen=True, slots=True)
class Put:
    """One object written to S3.

    ``options`` are the request's other parameters. ``streamed`` says that the content came from a
    file or a stream instead of a value in memory.
    """

    number: int
    location: Location
    content: bytes
    options: Mapping[str, Any]
    streamed: bool

    @property
    def content_type(self) -> str | None:
        return self.options.get("ContentType")


@dataclass(frozen=True, slots=True)
class Invocation:
    """One accepted InvokeEndpointAsync request and what the endpoint received for it.

    ``payload`` is ``None`` when the object of ``InputLocation`` did not exist. ``put`` is the
    number of the upload that the payload came from, ``None`` for inline payloads and for objects
    that were there before the program began.
    """

    number: int
    route: Literal["inline", "s3"]
    payload: bytes | None
    content_type: str | None
    parameters: Mapping[str, Any]
    location: Location | None = None
    put: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the journal.

    ``kind`` is the effect (``put``, ``delete``, ``wait``, ``invoke``, ``text``, ``call`` …),
    ``location`` the object it concerns, ``detail`` everything else that must stay the same.
    """

    kind: str
    location: Location | None = None
    detail: Any = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Weather:
    """What goes wrong in a run, and when the endpoint takes its requests from the queue."""

    upload_fails: Callable[[Put], bool] = lambda _: False
    invoke_fails: bool = False
    processing: Literal["at_call", "at_end"] = "at_call"


@dataclass(slots=True)
class World:
    """S3, the endpoint, and the journal of one run."""

    weather: Weather = field(default_factory=Weather)
    objects: dict[Location, Put] = field(default_factory=dict)
    journal: list[Event] = field(default_factory=list)
    puts: list[Put] = field(default_factory=list)
    queue: list[Invocation] = field(default_factory=list)
    bytes_read: int = 0
    metering: bool = True
    handles: list[IO[Any]] = field(default_factory=list)

    def record(
        self,
        kind: str,
        location: Location | None = None,
        detail: Any = None,
        number: int | None = None,
    ) -> None:
        self.journal.append(Event(kind, location, detail, number))

    def store(
        self, location: Location, content: bytes, options: Mapping[str, Any], *, streamed: bool
    ) -> Put:
        """Write an object, or fail as the weather says; the attempt is in the journal either way.

        Raises:
            ClientError: If this upload is to fail.
        """
        put = Put(len(self.puts) + 1, location, content, dict(options), streamed)
        self.puts.append(put)
        self.record("put", location, put, put.number)
        if self.weather.upload_fails(put):
            raise client_error("AccessDenied", "Access Denied", "PutObject", 403)
        self.objects[location] = put
        return put

    def place_output(self, location: Location, content: bytes) -> None:
        """Write an object on behalf of the service; the program did not do it."""
        self.objects[location] = Put(0, location, content, {}, streamed=False)

    def settle(self) -> tuple[Invocation, ...]:
        """Let the endpoint work off its queue and return what it received."""
        if self.weather.processing == "at_end":
            self.queue = [self.resolve(invocation) for invocation in self.queue]
        return tuple(self.queue)

    def resolve(self, invocation: Invocation) -> Invocation:
        """Fetch the payload of a request as the endpoint does when it processes the request."""
        if invocation.location is None:
            return invocation
        found = self.objects.get(invocation.location)
        return Invocation(
            number=invocation.number,
            route="s3",
            payload=found.content if found else None,
            content_type=invocation.parameters.get("ContentType")
            or (found.content_type if found else None),
            parameters=invocation.parameters,
            location=invocation.location,
            put=(found.number or None) if found else None,
        )

    def close_handles(self) -> None:
        """Close what the program left open, so that no warning surfaces in a later test."""
        for handle in self.handles:
            handle.close()

    def unmetered(self) -> Unmetered:
        """While this is entered, it is an SDK that reads, not the program."""
        return Unmetered(self)


@dataclass(slots=True)
class Unmetered:
    """Suspends the count of bytes that the program reads itself."""

    world: World
    previous: bool = True

    def __enter__(self) -> None:
        self.previous, self.world.metering = self.world.metering, False

    def __exit__(self, *error: object) -> None:
        self.world.metering = self.previous


def client_error(code: str, message: str, operation: str, status: int = 400) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "fake-request"},
    }
    return ClientError(response, operation)


@cache
def service_model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def check_parameters(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Refuse what botocore refuses before it sends a request.

    Raises:
        ParamValidationError: If a parameter is missing, unknown or of the wrong type.
    """
    shape: Any = service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(dict(parameters), shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


def s3_location(uri: str) -> Location | None:
    """The object that an ``s3://`` or ``https://`` address names, ``None`` if it names none."""
    parts = urlsplit(uri)
    if parts.scheme == "s3":
        bucket, _, key = uri.removeprefix("s3://").partition("/")
    elif parts.scheme == "https":
        host, path = parts.netloc, unquote(parts.path).removeprefix("/")
        if host.startswith(("s3.", "s3-")):
            bucket, _, key = path.partition("/")
        else:
            bucket, key = host.partition(".s3")[0], path
    else:
        return None
    return (bucket, key) if bucket and key else None
