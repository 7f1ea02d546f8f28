"""Codes and reasons: the one place for what the tool says and why.

Text output, JSON, SARIF, ``async-inline explain`` and the tables of the README are made from
these values.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """One code: what it means, why it matters and what to do about it."""

    code: str
    title: str
    why: str
    by_hand: str


class Reason(NamedTuple):
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
    Rule(
        code="SAI010",
        title="requirement lets in an SDK whose InvokeEndpointAsync has no Body",
        why=(
            "botocore checks parameters against its own model of the API. Before 1.43.29 it knows"
            " no Body and raises ParamValidationError, so code that sends payloads inline fails"
            " wherever an older SDK is installed."
        ),
        by_hand=(
            "Run `async-inline fix`, which raises the requirement to 1.43.29, then make lock files"
            " and environments anew. `--no-manifests` leaves requirements alone."
        ),
    ),
    Rule(
        code="SAI011",
        title="requirement lets in an SDK without Body and cannot be raised automatically",
        why=(
            "The requirement must not be edited (lock files, hashes, generated lists), cannot be"
            " met together with botocore 1.43.29, or is written in a way that the tool does not"
            " understand."
        ),
        by_hand=(
            "Do what the message says, or suppress the finding with a comment on its line:"
            " `# async-inline: ignore[SAI011]`."
        ),
    ),
)

#: What is looked at, and what is not.
FOLLOWED = (
    "Uploads and calls are found in one function, and through functions and methods of the same"
    " module and of other modules of the repository, up to four deep: functions that upload and"
    " return the URI, the key or nothing, and functions that make the call with a URI they are"
    " given. Imports are followed without running anything: absolute and relative ones, re-exports,"
    " src layouts, packages without `__init__`, classes and instances of other modules."
    " A function whose payload no caller can spell is split into making it and uploading it."
    " Reported and not rewritten are longer chains, URIs that are kept or collected, functions and"
    " methods of clients that something else calls (a pool, a task, a decorator, a callback, a"
    " lambda, a table, an object that was passed in, a loop over a list of them, a chain of tasks),"
    " methods that are called by their names, parameters that are merged, updated or handed"
    " on, cells that call an invoking function of a `.py` file, and uploads by other libraries and"
    " by commands such as `aws s3 cp` to the address that is invoked. Not followed are names worked"
    " out at run time, what tasks hand over by way of something else, functions that are only"
    " registered side by side, installed packages, and imports after `sys.path` was changed."
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
        "upload-without-call",
        "SAI002",
        "on some paths the object is uploaded and the call is not made",
        "Make sure that nobody needs the object on these paths.",
    ),
    Reason(
        "upload-announced",
        "SAI002",
        "a log line away from the upload says that the payload was uploaded",
        "Move the log line right after the upload, or reword it.",
    ),
    Reason(
        "helper-checks-settings",
        "SAI002",
        "the uploading function checks settings, which nobody would for inline payloads ({detail})",
        "Check the settings where the program starts, or in the caller.",
    ),
    Reason(
        "helper-looks-up",
        "SAI002",
        "the uploading function looks something up that may not be there, or makes a number of"
        " what may be none, which nobody would notice for inline payloads ({detail})",
        "Make sure that it never fails, or do it in the caller.",
    ),
    Reason(
        "upload-result-logged",
        "SAI002",
        "a log line tells what the upload returned, and would be missed without one ({detail})",
        "Log something that is known without the upload.",
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
        "upload-by-other-library",
        "SAI003",
        "the upload is made by another library, by a command or in parts ({detail})",
        "Upload with `put_object` or `upload_file` and run the tool again, or put the guard in by"
        " hand in front of the upload.",
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
        "the upload or the call shares its line with other statements",
        "Give it a line of its own.",
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
        "uri-kept",
        "SAI003",
        "the URI or key is kept by one function and invoked by another ({detail})",
        "Upload and call in one function, or hand the URI over as an argument.",
    ),
    Reason(
        "uri-collected",
        "SAI003",
        "the URI goes into a collection, and the call takes it from there ({detail})",
        "Call in the same loop in which the object is uploaded.",
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
        "the dictionary with the call's parameters is put together in a way that is not followed"
        " ({detail})",
        "Put InputLocation last in a dictionary of the function, or pass it to the call itself.",
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
        "payload-is-empty",
        "SAI003",
        "the payload is always empty, and an empty Body is sent as none",
        "Keep the S3 route and suppress the finding.",
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
        "notebook-with-module",
        "SAI003",
        "a cell of a notebook calls the function, and no notebook changes with another file"
        " ({detail})",
        "Give the function an optional body by hand and put the guard into the cell, or make the"
        " call in the notebook.",
    ),
    Reason(
        "body-used-otherwise",
        "SAI003",
        "the function that makes the call takes a body, and does more than send it ({detail})",
        "Pass the body yourself where that is right.",
    ),
    Reason(
        "uploaded-anyway",
        "SAI003",
        "the code sends small payloads inline, and uploads them all the same",
        "Upload only what is invoked with InputLocation.",
    ),
    Reason(
        "call-in-function",
        "SAI003",
        "the function that makes the call builds its arguments in a dictionary",
        "Pass InputLocation to the call as a keyword.",
    ),
    Reason(
        "helper-as-value",
        "SAI003",
        "the function on the way is not called itself, but handed to something else ({detail})",
        "Call the function by its name, in the function that makes the request.",
    ),
    Reason(
        "helper-call-unclear",
        "SAI003",
        "the call of the function on the way does not show which argument is which ({detail})",
        "Pass the arguments one by one.",
    ),
    Reason(
        "helper-decorated",
        "SAI003",
        "a decorator may change what the function on the way does ({detail})",
        "Call an undecorated function.",
    ),
    Reason(
        "helper-does-more",
        "SAI003",
        "the uploading function does more than upload ({detail})",
        "Move everything but the upload out of the function.",
    ),
    Reason(
        "helper-chain-too-long",
        "SAI003",
        "the payload is handed through too many functions ({detail})",
        "Upload, or call, through four functions at most.",
    ),
    Reason(
        "helper-overridden",
        "SAI003",
        "the function on the way may be another one ({detail})",
        "Call a function that has one definition, that no other class of the repository overrides"
        " and that no other file gives another value.",
    ),
    Reason(
        "helper-recursive",
        "SAI003",
        "the function that makes the call calls itself ({detail})",
        "Retry in a loop instead.",
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
        "Make the payload in a function of its own, or in the caller, and pass it to the one that"
        " uploads it. The tool does so itself where what makes the payload can be told from the"
        " rest.",
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
        "the upload sets ContentType, or may, and the call is not certain to have one",
        "Pass ContentType to the call.",
    ),
    # SAI011: the requirement has to be raised by somebody else.
    Reason(
        "upper-bound",
        "SAI011",
        "another clause rules out 1.43.29 and everything newer ({detail})",
        "Find out why the bound is there, and raise or drop it.",
    ),
    Reason(
        "hashed-pin",
        "SAI011",
        "it is pinned with hashes",
        "Have the list made anew by the tool that made it, or put in the hashes of the new files.",
    ),
    Reason(
        "generated-pin",
        "SAI011",
        "it is generated from another file",
        "Raise the requirement in that file and have the list made anew.",
    ),
    Reason(
        "lock-file",
        "SAI011",
        "it is locked",
        "Raise the requirement in the manifest and lock again.",
    ),
    Reason(
        "url-requirement",
        "SAI011",
        "it comes from an address and not from an index",
        "Let the address lead to 1.43.29 or newer, or require the package from an index.",
    ),
    Reason(
        "sdk-conflict",
        "SAI011",
        "the package keeps botocore below 1.43.29",
        "Use aiobotocore 3.10 or newer, or boto3 in threads, instead.",
    ),
    Reason(
        "python-too-old",
        "SAI011",
        "it is only for Pythons that 1.43.29 does not run on ({detail})",
        "Use Python 3.10 or newer wherever payloads are sent inline.",
    ),
    Reason(
        "specifier-unclear",
        "SAI011",
        "its version cannot be understood ({detail})",
        "Write a plain specifier, such as `boto3>=1.43.29`.",
    ),
)

REASONS: dict[str, Reason] = {reason.slug: reason for reason in _REASONS}
