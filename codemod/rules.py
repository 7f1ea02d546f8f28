"""Codes and reasons: the one place for what the tool says and why.

Text output, JSON, SARIF, ``async-inline explain`` and the tables of the README are made from
these values.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One code: what it means, why it matters and what to do about it."""

    code: str
    title: str
    why: str
    by_hand: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a finding has no safe fix. ``slug`` is stable; ``title`` completes "…, because"."""

    slug: str
    code: str
    title: str
    by_hand: str


_RULES = (
    Rule(
        code="SAI001",
        title="payload is uploaded to S3 only to be invoked with InputLocation",
        why=(
            "InvokeEndpointAsync takes payloads of up to 128,000 bytes in Body. Sending them"
            " inline saves the upload, the input bucket and one round trip, and errors are"
            " reported at once."
        ),
        by_hand=(
            "Run `async-inline fix`. Payloads of 1 to 128,000 bytes are then sent in Body; empty"
            " and larger ones keep the S3 route."
        ),
    ),
    Rule(
        code="SAI002",
        title="payload is uploaded and invoked, but other code may see the object or its URI",
        why=(
            "Sending the payload inline leaves no object behind. Code that keeps the URI, reads"
            " the object or relies on the options of the upload would notice."
        ),
        by_hand=(
            "Look at the line named as the reason. If nothing depends on the object, run"
            " `async-inline fix --unsafe-fixes`, or suppress the finding with"
            " `# async-inline: ignore[SAI002]`."
        ),
    ),
    Rule(
        code="SAI003",
        title="payload is uploaded and invoked in a way that cannot be rewritten automatically",
        why=(
            "The call invokes an object that this code uploads, but a rewrite could change what"
            " the program does."
        ),
        by_hand=(
            "Make the change named in the message and run the tool again, or put the guard in by"
            " hand: `if 0 < len(body) <= 128_000:` call with Body, else upload and call with"
            " InputLocation."
        ),
    ),
)

RULES: dict[str, Rule] = {rule.code: rule for rule in _RULES}

_REASONS = (
    # SAI002: the rewrite is mechanical, but somebody may miss the object.
    Reason(
        "uri-returned",
        "SAI002",
        "the URI or key of the object is returned ({detail})",
        "Let the callers work without the URI, or keep this call as it is.",
    ),
    Reason(
        "uri-stored",
        "SAI002",
        "the URI or key of the object is stored ({detail})",
        "Stop keeping the URI if nobody reads the object by it.",
    ),
    Reason(
        "uri-passed-on",
        "SAI002",
        "the URI or key of the object is passed on ({detail})",
        "Look at what the called code does with the URI.",
    ),
    Reason(
        "upload-options",
        "SAI002",
        "the upload has an option that an inline payload cannot have ({detail})",
        "Decide whether the option (encryption key, tags, metadata, owner check …) may go.",
    ),
    Reason(
        "upload-announced",
        "SAI002",
        "a log line away from the upload says that the payload was uploaded",
        "Move the log line right after the upload, or reword it.",
    ),
    Reason(
        "object-deleted",
        "SAI002",
        "the object is deleted on some paths, which may be how a queued request is cancelled",
        "Make sure that deleting the object is only cleaning up.",
    ),
    Reason(
        "object-read-elsewhere",
        "SAI002",
        "other code of the file reads objects that may be this one ({detail})",
        "Make sure that the other code does not need the uploaded payload.",
    ),
    Reason(
        "cells-out-of-order",
        "SAI002",
        "the cells were executed in another order than they stand in ({detail})",
        "Restart the kernel, run all cells, save the notebook and run the tool again.",
    ),
    Reason(
        "name-bound-in-several-cells",
        "SAI002",
        "a name behind the object's URI is bound in several cells, so their order matters"
        " ({detail})",
        "Give each object names of its own, or upload and call in one cell.",
    ),
    # SAI003: no rewrite keeps the program as it is.
    Reason(
        "several-uploads",
        "SAI003",
        "more than one upload may have made the object",
        "Upload the object in one place.",
    ),
    Reason(
        "upload-conditional",
        "SAI003",
        "the upload does not happen on every path to the call",
        "Upload and call in the same branch.",
    ),
    Reason(
        "upload-in-loop",
        "SAI003",
        "the upload is repeated in a loop that does not hold the call",
        "Call in the same loop in which the object is uploaded.",
    ),
    Reason(
        "upload-in-expression",
        "SAI003",
        "the upload is part of a larger expression",
        "Make the upload a statement of its own.",
    ),
    Reason(
        "shared-line",
        "SAI003",
        "the upload shares its line with other statements",
        "Give the upload a line of its own.",
    ),
    Reason(
        "class-body",
        "SAI003",
        "the upload stands in the body of a class",
        "Move the upload and the call into a function.",
    ),
    Reason(
        "call-deferred",
        "SAI003",
        "the call is made later, from a lambda or generator",
        "Call outside of the lambda.",
    ),
    Reason(
        "uri-unproven",
        "SAI003",
        "InputLocation cannot be proven to be the uploaded object ({detail})",
        "Build InputLocation from the same bucket and key variables as the upload.",
    ),
    Reason(
        "uri-built-late",
        "SAI003",
        "InputLocation is built after the upload from values not known before",
        "Build InputLocation before the upload.",
    ),
    Reason(
        "name-rebound",
        "SAI003",
        "a name that the upload reads is bound again before the call ({detail})",
        "Use a new name for the new value.",
    ),
    Reason(
        "upload-response-used",
        "SAI003",
        "what the upload returns is needed later ({detail})",
        "Do without the response of the upload.",
    ),
    Reason(
        "upload-error-swallowed",
        "SAI003",
        "the call is made even if the upload fails, and the URI is not known before the try",
        "Build InputLocation before the try statement.",
    ),
    Reason(
        "upload-not-awaited",
        "SAI003",
        "the upload runs in the background",
        "Await the upload where it is made.",
    ),
    Reason(
        "object-read-back",
        "SAI003",
        "the same function reads the object again ({detail})",
        "Use the payload itself instead of reading the object.",
    ),
    Reason(
        "object-waited-for",
        "SAI003",
        "the code waits for the object away from the upload",
        "Wait for the object right after the upload.",
    ),
    Reason(
        "name-shadowed",
        "SAI003",
        "a well-known name means something else here ({detail})",
        "Rename the variable or function of that name.",
    ),
    Reason(
        "parameters-unclear",
        "SAI003",
        "something unknown may replace the InputLocation in the dictionary ({detail})",
        "Put InputLocation last, or pass it to the call itself.",
    ),
    Reason(
        "parameters-used-elsewhere",
        "SAI003",
        "the dictionary with the call's parameters is used for something else, too ({detail})",
        "Pass the parameters to the call only.",
    ),
    Reason(
        "parameters-conditional",
        "SAI003",
        "the dictionary gets its InputLocation only on some paths",
        "Set InputLocation where it is certain to be set.",
    ),
    Reason(
        "payload-is-text-file",
        "SAI003",
        "the payload is a file opened as text, which Body does not take",
        'Open the file with mode "rb".',
    ),
    Reason(
        "payload-is-stream",
        "SAI003",
        "the payload is a stream that perhaps can be read only once ({detail})",
        "Upload bytes, a path, or a file opened here.",
    ),
    Reason(
        "payload-used-later",
        "SAI003",
        "the file object is used again after the upload ({detail})",
        "Open the file again for the later use.",
    ),
    Reason(
        "helper-call-unclear",
        "SAI003",
        "the call of the uploading function does not show which argument is which ({detail})",
        "Pass the arguments one by one.",
    ),
    Reason(
        "helper-decorated",
        "SAI003",
        "a decorator may change what the uploading function does ({detail})",
        "Call an undecorated function that uploads.",
    ),
    Reason(
        "helper-does-more",
        "SAI003",
        "the uploading function does more than upload ({detail})",
        "Move everything but the upload out of the function.",
    ),
    Reason(
        "helper-overridden",
        "SAI003",
        "the uploading function has another definition ({detail})",
        "Give the functions different names.",
    ),
    Reason(
        "helper-returns-early",
        "SAI003",
        "the uploading function may end before it uploads ({detail})",
        "Check the payload before calling the function.",
    ),
    Reason(
        "payload-made-in-helper",
        "SAI003",
        "the payload is made inside the uploading function in a way the caller cannot ({detail})",
        "Make the payload in the caller and pass it to the function that uploads it.",
    ),
    Reason(
        "argument-has-effects",
        "SAI003",
        "an argument of the upload does something besides giving a value ({detail})",
        "Assign the argument to a variable before the upload.",
    ),
    Reason(
        "content-type-unclear",
        "SAI003",
        "the upload sets ContentType, and the call's arguments cannot all be seen",
        "Pass ContentType to the call.",
    ),
)

REASONS: dict[str, Reason] = {reason.slug: reason for reason in _REASONS}
