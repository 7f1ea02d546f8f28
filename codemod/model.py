"""The values that flow from a file to the report.

Nothing here holds a syntax node, so every value may cross a process border: LibCST nodes are
compared by identity and lose it when they are pickled. They are named tuples: every run makes these
classes, and a frozen dataclass takes five times as long to make.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

#: The largest ``Body`` in bytes that InvokeEndpointAsync takes (AWS documentation, June 2026).
SERVICE_LIMIT = 128_000


class Fix(str, enum.Enum):
    """How far the automatic fix of a finding can be trusted."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    NONE = "none"


class Place(NamedTuple):
    """A span of source text. Lines and columns count from 1; the end column is exclusive.

    ``path`` is relative to the working directory and uses ``/``. In a notebook, ``cell`` is the
    1-based index into ``cells`` and the lines count within that cell.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    cell: int | None = None


class Link(NamedTuple):
    """One step between a call and the upload of its payload: a function, or a variable."""

    name: str
    place: Place | None


class Finding(NamedTuple):
    """One legacy call and what can be done about it.

    ``reason`` is a slug of :data:`codemod.rules.REASONS` (``None`` for a safe fix), ``cause`` the
    place that made the fix unsafe or impossible, ``unlock`` the smallest change that would let the
    tool rewrite the call, and ``notes`` what the user should know although the fix is right.
    ``chain`` leads from the call through functions and variables to the upload, if any lie between.
    """

    code: str
    fix: Fix
    reason: str | None
    message: str
    place: Place
    upload: Place
    cause: Place | None = None
    unlock: str | None = None
    notes: tuple[str, ...] = ()
    chain: tuple[Link, ...] = ()


class Note(NamedTuple):
    """Something said under ``-v`` that is no finding, such as a call without an upload in reach."""

    message: str
    place: Place


class Settings(NamedTuple):
    """What the user asked for; see the README for the meaning of each option."""

    limit: int = SERVICE_LIMIT
    unsafe_fixes: bool = False


class Task(NamedTuple):
    """What to do with each file: rewrite it in memory, and write it as well."""

    settings: Settings
    rewrite: bool = False
    write: bool = False


class Change(NamedTuple):
    """The content of a file, and what takes its place."""

    path: str
    before: bytes
    after: bytes


class Reliance(NamedTuple):
    """A name of a module, or of its class ``owner``, that a fix relies on to stay what it is.

    ``invokes`` marks a function that invokes the endpoint with what it is given: whoever calls it
    may have to change with it. ``changes`` marks a function that changes itself, ``makes`` one that
    is to come. ``goes`` marks a variable that gets no value any more where nothing is uploaded.
    ``routes`` marks what others may use for payloads that do not fit, if some code sends a body.
    """

    path: str
    owner: str
    name: str
    invokes: bool = False
    changes: bool = False
    makes: bool = False
    goes: bool = False
    routes: bool = False


class Surroundings(NamedTuple):
    """What other files of the repository do with the names that the fixes of a file rely on.

    ``partners`` may change with it: they call a function of the file that invokes, or hold one that
    is to be split. ``rebound`` are the names that are given another value somewhere, or read
    although they go, and where.
    """

    partners: tuple[str, ...] = ()
    rebound: tuple[tuple[Reliance, Place], ...] = ()


class FileResult(NamedTuple):
    """What became of one file.

    ``findings`` are those found in the file as it was. ``fixed`` are the ones among them that
    ``after`` no longer has. ``after`` is the rewritten file in bytes, ``None`` where nothing
    changes. ``error`` says why the file could not be handled; such a file is never written.
    ``passes_body`` says whether the file passes ``Body``, ``sends_body`` whether it does or would
    after the fixes asked for, and so needs an SDK that knows it. ``also`` are changes of other
    files that belong to the fixes, and ``relies_on`` the names that other files of the repository
    must not give another value.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    before: bytes | None = None
    after: bytes | None = None
    error: str | None = None
    sends_body: bool = False
    passes_body: bool = False
    also: tuple[Change, ...] = ()
    relies_on: tuple[Reliance, ...] = ()


class Report(NamedTuple):
    """The outcome of a run, in the order of the paths.

    ``wrote`` says whether rewritten files were (or, for standard input, would be) kept: after a
    ``fix`` only the findings that remain are reported, after a ``check`` all of them.
    """

    results: tuple[FileResult, ...]
    checked: int
    wrote: bool = False
    errors: tuple[FileResult, ...] = ()
