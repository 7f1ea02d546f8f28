"""Where a string stands in a TOML document.

TOML Kit keeps every byte of a document but does not tell positions. A string is found by putting
something else in its place and looking at what stands before and after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tomlkit
import tomlkit.exceptions

#: Keys and indices that lead from the document to a value.
Path = tuple[str | int, ...]


class TomlError(ValueError):
    """The text is no TOML; the message says where."""


class Document:
    """A TOML document and its text."""

    def __init__(self, text: str) -> None:
        """Parse ``text``.

        Raises:
            TomlError: If it is no TOML.
        """
        self._text = text
        try:
            self.content: dict[str, Any] = tomlkit.parse(text).unwrap()
        except (tomlkit.exceptions.TOMLKitError, RecursionError) as error:
            raise TomlError(f"not valid TOML: {' '.join(str(error).split())}") from error

    def span(self, path: Path) -> tuple[int, int] | None:
        """Return the offsets of the string at ``path`` in the text, without its quotes.

        Returns:
            ``None`` if the string is written with escapes, so that its text is not its value.
        """
        value = self._value(path)
        before, after = self._around(path)
        token = self._text[len(before) : len(self._text) - len(after)]
        quotes = 3 if token[:3] in ('"""', "'''") else 1
        inner = token[quotes:-quotes]
        if before + token + after != self._text or inner != value:
            return None
        return len(before) + quotes, len(self._text) - len(after) - quotes

    def table(self, *keys: str) -> dict[str, Any]:
        """Return the table at ``keys``, an empty one if there is none."""
        found: Any = self.content
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def _value(self, path: Path) -> str:
        found: Any = self.content
        for step in path:
            found = found[step]
        assert isinstance(found, str)
        return found

    def _around(self, path: Path) -> tuple[str, str]:
        # Anew each time: a document that has been changed cannot be relied on to change back.
        document = tomlkit.parse(self._text)
        container: Any = document
        for step in path[:-1]:
            container = container[step]
        stand_in = 7_000_000_007
        while str(stand_in) in self._text:
            stand_in += 1
        container[path[-1]] = stand_in
        before, _, after = document.as_string().partition(str(stand_in))
        return before, after


def strings(document: Document, path: Path) -> Sequence[Path]:
    """Return the paths of the strings in the array at ``path``, none if there is no array."""
    found: Any = document.content
    for step in path:
        found = found.get(str(step)) if isinstance(found, dict) else None
    if not isinstance(found, list):
        return ()
    return [(*path, index) for index, item in enumerate(found) if isinstance(item, str)]
