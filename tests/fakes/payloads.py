"""Payloads of any size, in the types that programs are given them."""

# ruff: noqa: A002 - the parameters are those of the real classes, and one for all kinds

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.handles import ForwardOnlyStream, TrackedBytesIO, TrackedReader, tracking_open
from tests.fakes.world import World

#: The local file behind the kinds ``path``, ``pathlib``, ``handle`` and ``text_handle``.
PAYLOAD_FILE = "payload.bin"


@dataclass(frozen=True, slots=True)
class Payload:
    """``letter`` repeated ``count`` times, handed to the program as a value of ``kind``."""

    kind: str
    count: int
    letter: str = "x"

    @property
    def text(self) -> str:
        return self.letter * self.count

    @property
    def content(self) -> bytes:
        return self.text.encode("utf-8")

    def resized(self, count: int) -> Payload:
        return Payload(self.kind, count, self.letter)

    def value(self, world: World, name: str = PAYLOAD_FILE) -> Any:
        """A fresh value; kinds that need a file write it as ``name``."""
        return KINDS[self.kind](self, world, name)

    def __str__(self) -> str:
        return f"{self.kind} of {self.count} x {self.letter!r}"


@dataclass(frozen=True, slots=True)
class Table:
    """As much of a ``DataFrame`` as programs use to make a payload."""

    text: str

    def to_csv(self, target: Any = None, index: bool = True, header: bool = True) -> str | None:
        rows = f"id,text\n1,{self.text}\n" if header else f"1,{self.text}\n"
        if target is None:
            return rows
        if hasattr(target, "write"):
            target.write(rows if isinstance(target, io.TextIOBase) else rows.encode("utf-8"))
        else:
            Path(target).write_text(rows, encoding="utf-8")
        return None

    def to_json(self, orient: str = "columns", force_ascii: bool = True) -> str:
        return f'{{"text": {{"1": "{self.text}"}}}}'


@dataclass(frozen=True, slots=True)
class Picture:
    """As much of a ``PIL.Image`` as programs use to make a payload."""

    pixels: bytes

    def save(self, target: Any, format: str | None = None) -> None:
        if hasattr(target, "write"):
            target.write(self.pixels)
        else:
            Path(target).write_bytes(self.pixels)

    def tobytes(self) -> bytes:
        return self.pixels


def _path(payload: Payload, world: World, name: str) -> str:
    Path(name).write_bytes(payload.content)
    return name


def _text_handle(payload: Payload, world: World, name: str) -> Any:
    return tracking_open(world)(_path(payload, world, name), encoding="utf-8")


KINDS: dict[str, Callable[[Payload, World, str], Any]] = {
    "bytes": lambda payload, world, name: payload.content,
    "bytearray": lambda payload, world, name: bytearray(payload.content),
    "str": lambda payload, world, name: payload.text,
    "json": lambda payload, world, name: {"inputs": payload.text},
    "path": _path,
    "pathlib": lambda payload, world, name: Path(_path(payload, world, name)),
    "handle": lambda payload, world, name: TrackedReader(_path(payload, world, name), world),
    "text_handle": _text_handle,
    "bytesio": lambda payload, world, name: TrackedBytesIO(payload.content, world),
    "stringio": lambda payload, world, name: io.StringIO(payload.text),
    "stream": lambda payload, world, name: ForwardOnlyStream(payload.content, world),
    "table": lambda payload, world, name: Table(payload.text),
    "picture": lambda payload, world, name: Picture(payload.content),
}

#: Kinds in which a program meets characters, so that bytes and characters may be confused.
TEXT_KINDS = frozenset({"str", "json", "stringio", "text_handle", "table"})
