"""Running a program once, in a world and a folder of its own, and keeping all that it did."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import inspect
import io
import logging
import os
import re
import sys
import tempfile
import types
import uuid
import warnings
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from pathlib import Path, PurePath
from typing import Any
from unittest import mock

from tests.fakes.payloads import Payload
from tests.fakes.programs import PROGRAM, importable, program_builtins, run_module
from tests.fakes.world import Event, Invocation, Location, Put, Weather, World

SIZES = (0, 1, 127_999, 128_000, 128_001, 400_000)
"""Sizes in bytes, as the endpoint receives them, around which a guard can go wrong."""

PLACEHOLDER = "$PAYLOAD"
"""The content of a file that is to hold the payload."""


@dataclass(frozen=True, slots=True)
class Script:
    """How a program is run.

    Attributes:
        call: An expression evaluated in the program's namespace, in which ``PAYLOAD``, ``SMALL``
            (fits) and ``LARGE`` (does not) are payloads. Coroutines are awaited. ``None`` runs the
            module as a script.
        result: What to compare after a script ran: an expression in its namespace.
        payloads: The kinds of payload (see ``tests.fakes.payloads``) to try.
        uploaded: Further kinds, for which the program keeps the S3 route whatever their size,
            because it tells only at run time that they are handles or streams.
        files: Local files by relative path; a content of ``$PAYLOAD`` stands for the payload.
        objects: Objects that are in S3 beforehand, by location.
        environment: Environment variables.
        argv: Command-line arguments.
        announces: Parts of printed or logged lines that speak of the upload. Such lines must
            appear where the S3 route is taken, and nowhere else.
        stays: Numbers (from 1) of invocations that keep the S3 route whatever their size.
        sizes: Payload sizes in bytes at the endpoint.
    """

    call: str | None = None
    result: str | None = None
    payloads: tuple[str, ...] = ()
    uploaded: tuple[str, ...] = ()
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    objects: Mapping[Location, bytes] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    argv: tuple[str, ...] = ()
    announces: tuple[str, ...] = ()
    stays: tuple[int, ...] = ()
    sizes: tuple[int, ...] = SIZES


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything observable of one run, in plain values that compare by content."""

    returned: Any
    raised: tuple[str, str] | None
    arguments: Any
    files: Mapping[str, bytes]
    invocations: tuple[Invocation, ...]
    journal: tuple[Event, ...]
    puts: tuple[Put, ...]
    bytes_read: int


@dataclass(frozen=True, slots=True)
class Project:
    """A program of several modules.

    Attributes:
        main: What runs; it imports the modules.
        modules: All files of the project by their path.
        root: The folder that packages are found in.
    """

    main: str
    modules: Mapping[str, bytes]
    root: str = ""


Program = str | bytes | Project


def execute(
    program: Program,
    script: Script,
    payload: Payload | None = None,
    weather: Weather | None = None,
) -> Outcome:
    """Run ``program`` once in a world and a folder of its own.

    Exceptions of the program, syntax errors among them, are part of the outcome.
    """
    world = World(weather or Weather())
    for location, content in script.objects.items():
        world.place_output(location, content)
    with scratch_folder() as folder, quiet_process(world, script):
        own_builtins = program_builtins(world)
        project = program if isinstance(program, Project) else Project("", {})
        for name, content in project.modules.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        names = _names(script, payload, world)
        returned, raised = None, None
        with importable(world, folder / project.root, own_builtins):
            try:
                returned = describe(_run(program, script, names, own_builtins))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the program raises
                raised = (type(error).__qualname__, str(error))
        world.close_handles()
        outcome = Outcome(
            returned=returned,
            raised=raised,
            arguments=describe({name: names[name] for name in sorted(names)}),
            files=_files_in(folder, but=project.modules),
            invocations=world.settle(),
            journal=tuple(world.journal),
            puts=tuple(world.puts),
            bytes_read=world.bytes_read,
        )
    return _portable(outcome, str(folder))


def _run(
    program: Program,
    script: Script,
    names: dict[str, Any],
    own_builtins: Mapping[str, Any],
) -> Any:
    if isinstance(program, Project):
        program = program.main
    if script.call is None:
        namespace = run_module(program, "__main__", own_builtins)
        expression = script.result
    else:
        namespace = run_module(program, PROGRAM, own_builtins)
        expression = script.call
    value = eval(expression, {**namespace, **names}) if expression else None
    if inspect.isawaitable(value):
        value = asyncio.run(_awaited(value))
    return list(value) if inspect.isgenerator(value) else value


async def _awaited(value: Any) -> Any:
    return await value


def _names(script: Script, payload: Payload | None, world: World) -> dict[str, Any]:
    """Write the script's files and make the values that its call may name."""
    for name, content in script.files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if content == PLACEHOLDER:
            content = payload.content if payload else b""
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    if payload is None or script.call is None:
        return {}
    variants = {"PAYLOAD": payload, "SMALL": payload.resized(11), "LARGE": payload.resized(200_000)}
    return {
        name: variant.value(world, f"{name.lower()}.bin")
        for name, variant in variants.items()
        if name in script.call
    }


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new working directory that is gone afterwards."""
    previous = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="program-") as name:
        folder = Path(name).resolve()
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(previous)


@contextlib.contextmanager
def quiet_process(world: World, script: Script) -> Iterator[None]:
    """Send what the program prints and logs to the journal, and fix what varies between runs."""
    root = logging.getLogger()
    loggers = set(root.manager.loggerDict)
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = [LogJournal(world)]
    root.setLevel(logging.DEBUG)
    temporary = Path("tmp")
    temporary.mkdir()
    try:
        with (
            mock.patch.dict(os.environ, script.environment),
            mock.patch.object(sys, "argv", ["program.py", *script.argv]),
            mock.patch.object(tempfile, "tempdir", str(temporary.resolve())),
            mock.patch.object(tempfile, "_name_sequence", (f"{n:08d}" for n in count(1))),
            contextlib.redirect_stdout(TextJournal(world)) as out,
            contextlib.redirect_stderr(TextJournal(world)) as err,
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
            out.end()
            err.end()
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name in set(root.manager.loggerDict) - loggers:
            del root.manager.loggerDict[name]


class TextJournal(io.TextIOBase):
    """Writes each full line to the journal."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pending = ""

    def write(self, text: str, /) -> int:
        *lines, self._pending = (self._pending + text).split("\n")
        for line in lines:
            self._world.record("text", detail=line)
        return len(text)

    def end(self) -> None:
        if self._pending:
            self.write("\n")


class LogJournal(logging.Handler):
    """Writes each log record to the journal; of a traceback only what was raised."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.levelname} {record.getMessage()}"
        if record.exc_info and record.exc_info[1]:
            text += f" [{type(record.exc_info[1]).__qualname__}: {record.exc_info[1]}]"
        if record.name != "asyncio":
            self._world.record("text", detail=text)


def _files_in(folder: Path, but: Container[str]) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() not in but
    }


def describe(value: Any, depth: int = 8) -> Any:
    """``value`` in plain data, so that objects of two runs compare by what they hold."""
    if isinstance(value, enum.Enum):
        return (type(value).__qualname__, value.name)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return (type(value).__name__, bytes(value))
    if isinstance(value, (date, uuid.UUID, PurePath, type, types.FunctionType)):
        return (type(value).__name__, getattr(value, "__qualname__", None) or str(value))
    if isinstance(value, BaseException):
        return (type(value).__qualname__, str(value))
    if depth == 0 or hasattr(value, "read") or type(value).__module__.startswith("tests.fakes"):
        return type(value).__qualname__
    if isinstance(value, Mapping):
        return {describe(key, depth): describe(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *(describe(item, depth - 1) for item in value)]
    if isinstance(value, (set, frozenset)):
        return ["set", *sorted(map(repr, value))]
    return (type(value).__qualname__, describe(getattr(value, "__dict__", {}), depth - 1))


def _portable(outcome: Outcome, folder: str) -> Outcome:
    """``outcome`` without what differs by itself: the scratch folder and line numbers."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace(folder, "$FOLDER")
            return re.sub(r'(File "<program>", line )\d+', r"\1N", value)
        if isinstance(value, dict):
            return {clean(key): clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(clean, value))
        return value

    return replace(
        outcome,
        returned=clean(outcome.returned),
        raised=clean(outcome.raised),
        arguments=clean(outcome.arguments),
        journal=tuple(replace(event, detail=clean(event.detail)) for event in outcome.journal),
    )
