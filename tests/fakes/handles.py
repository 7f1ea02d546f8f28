"""Files and streams that count what a program reads from them.

A payload over the limit must never be read just to be measured. Reads by the SDK do not count, so
what remains in :attr:`World.bytes_read` was read by the program itself.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import IO, Any

from tests.fakes.world import World


class TrackedReader(io.BufferedReader):
    """What ``open(path, "rb")`` returns inside a program."""

    def __init__(self, path: str, world: World) -> None:
        super().__init__(io.FileIO(path, "r"))
        self._world = world
        world.handles.append(self)

    def _count(self, data: bytes) -> bytes:
        if self._world.metering:
            self._world.bytes_read += len(data)
        return data

    def read(self, size: int | None = -1, /) -> bytes:
        return self._count(super().read(-1 if size is None else size))

    def read1(self, size: int = -1, /) -> bytes:
        return self._count(super().read1(size))

    def readinto(self, buffer: Any, /) -> int:
        count = super().readinto(buffer)
        if self._world.metering:
            self._world.bytes_read += count
        return count

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._count(super().readline(-1 if size is None else size))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


class TrackedBytesIO(io.BytesIO):
    """A ``BytesIO`` handed to a program as its payload."""

    def __init__(self, content: bytes, world: World) -> None:
        super().__init__(content)
        self._world = world

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self._world.metering:
            self._world.bytes_read += len(data)
        return data


class ForwardOnlyStream(io.RawIOBase):
    """A stream that cannot seek, like the body of an HTTP response.

    ``put_object`` and ``upload_fileobj`` take it, InvokeEndpointAsync does not.
    """

    def __init__(self, content: bytes, world: World) -> None:
        self._content = io.BytesIO(content)
        self._world = world

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        data = self._content.read(size)
        if self._world.metering:
            self._world.bytes_read += len(data)
        return data


def tracking_open(world: World) -> Callable[..., IO[Any]]:
    """An ``open`` whose read handles count what is read from them."""

    def open_tracked(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> IO[Any]:
        if set(mode) <= set("rbt") and buffering != 0 and not isinstance(file, int):
            reader = TrackedReader(os.fspath(file), world)
            if "b" in mode:
                return reader
            text = io.TextIOWrapper(reader, encoding or "utf-8", errors, newline)
            text.mode = mode  # type: ignore[misc]
            world.handles.append(text)
            return text
        handle = open(  # noqa: SIM115 - the program closes it
            file, mode, buffering, encoding, errors, newline, closefd, opener
        )
        world.handles.append(handle)
        return handle

    return open_tracked
