"""Wait for what an asynchronous request leaves in S3."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from codemod.live.aws import Aws, Found, Location
from codemod.live.failures import LiveError

#: Seconds between two looks: the first pause, by how much each is longer, and the longest.
_FIRST_PAUSE, _GROWTH, _LONGEST_PAUSE = 0.25, 1.6, 20.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A request under way.

    ``failure`` is ``None`` for endpoints that say nothing of failures; ``at`` is the time in
    seconds of the clock that does not jump.
    """

    output: Location
    failure: Location | None
    at: float

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Sent:
        """Read the answer of InvokeEndpointAsync.

        Raises:
            LiveError: If it does not say where the output will be.
        """
        try:
            output = Location.of(answer.get("OutputLocation", ""))
            failure = answer.get("FailureLocation")
            return cls(output, Location.of(failure) if failure else None, time.monotonic())
        except ValueError as error:
            raise LiveError(
                "the endpoint took the request but did not say where in S3 its output will be"
                f" ({error}): look at the S3OutputPath of its configuration"
            ) from error


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came back, an output or a failure, and after how many seconds."""

    found: Found
    is_failure: bool
    seconds: float


def wait(aws: Aws, sent: Sent, timeout: float, progress: Callable[[str], None]) -> Arrived:
    """Wait for the output or the failure of a request.

    Args:
        aws: The clients.
        sent: The request.
        timeout: The most seconds to wait, counted from the request.
        progress: Is told now and then what is waited for.

    Raises:
        LiveError: If neither comes in time, or S3 cannot be asked.
    """
    pause = _FIRST_PAUSE
    while True:
        for location, is_failure in ((sent.output, False), (sent.failure, True)):
            found = aws.find(location) if location is not None else None
            if found is not None:
                return Arrived(found, is_failure, time.monotonic() - sent.at)
        waited = time.monotonic() - sent.at
        if waited >= timeout:
            raise LiveError(_nothing_came(aws, sent, timeout))
        progress(f"waiting for {sent.output}: {waited:.0f} s of at most {timeout:g} s")
        time.sleep(min(pause, timeout - waited))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def _nothing_came(aws: Aws, sent: Sent, timeout: float) -> str:
    if aws.forbidden:
        return (
            f"nothing could be seen at {sent.output} within {timeout:g} s, and S3 answers 403:"
            " allow s3:GetObject on the output path and s3:ListBucket on its bucket, or look there"
            " with other credentials"
        )
    return (
        f"neither an output at {sent.output} nor a failure came within {timeout:g} s: look at the"
        " endpoint's log and queue in CloudWatch, or wait longer with --timeout"
    )
