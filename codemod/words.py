"""Many words looked for in many texts at once."""

from __future__ import annotations

import re
from collections.abc import Collection

#: So many are looked for one by one: nothing is faster.
_FEW = 12
#: With so few beginnings an expression passes over most of a text.
_FEW_BEGINNINGS = 4

_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#: Everything but the letters of names is blank; beyond ASCII all are letters.
_BLANKED = bytes(
    letter if letter in _LETTERS or letter >= 0x80 else ord(" ") for letter in range(0x100)
)

_Trie = dict[int | None, "_Trie"]


class Words:
    """A set of words: ``expression`` matches any of them, with anything in front of it."""

    def __init__(self, words: Collection[bytes]) -> None:
        self._words = frozenset(words)
        self.expression = _alternatives(_trie(sorted(self._words)))
        self._pattern = re.compile(rb"(?:%b)\b" % self.expression)
        self._begin_alike = len({word[:2] for word in self._words}) <= _FEW_BEGINNINGS

    def may_be_in(self, text: bytes) -> bool:
        """Tell whether one of the words may be in a text; that is so if it is."""
        if len(self._words) <= _FEW:
            return any(word in text for word in self._words)
        if self._begin_alike:
            return self._pattern.search(text) is not None
        return not self._words.isdisjoint(text.translate(_BLANKED).split())


def _trie(words: Collection[bytes]) -> _Trie:
    root: _Trie = {}
    for word in words:
        node = root
        for letter in word:
            node = node.setdefault(letter, {})
        node[None] = {}
    return root


def _alternatives(node: _Trie) -> bytes:
    """Return an expression that never looks at a letter twice, as one with ``|`` for each does."""
    ways = [
        re.escape(bytes([letter])) + _alternatives(below)
        for letter, below in node.items()
        if letter is not None
    ]
    if not ways:
        return b""
    body = ways[0] if len(ways) == 1 else b"(?:%b)" % b"|".join(ways)
    return b"(?:%b)?" % body if None in node else body
