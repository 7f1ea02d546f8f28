"""Words are found whichever way they are looked for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemod import words
from codemod.words import Words

NAMES = st.sets(st.text("ab_1", min_size=1, max_size=4).map(str.encode), min_size=1, max_size=20)
TEXTS = st.text("ab_1 .=(\n\xe9", max_size=40).map(str.encode)


def plainly(names: set[bytes], text: bytes) -> set[bytes]:
    return set(re.findall(rb"[\w\x80-\xff]+", text)) & names


@pytest.mark.parametrize(("few", "beginnings"), [(99, 0), (0, 99), (0, 0)])
def test_no_word_is_missed(monkeypatch: pytest.MonkeyPatch, few: int, beginnings: int) -> None:
    monkeypatch.setattr(words, "_FEW", few)
    monkeypatch.setattr(words, "_FEW_BEGINNINGS", beginnings)

    @given(NAMES, TEXTS)
    def check(names: set[bytes], text: bytes) -> None:
        if plainly(names, text):
            assert Words(names).may_be_in(text)

    check()


@given(NAMES, TEXTS)
def test_the_expression_matches_the_words_and_nothing_else(names: set[bytes], text: bytes) -> None:
    pattern = re.compile(rb"(?<![\w\x80-\xff])(?:%b)(?![\w\x80-\xff])" % Words(names).expression)
    assert {match[0] for match in pattern.finditer(text)} == plainly(names, text)


def test_a_text_without_any_of_them_is_passed_over() -> None:
    many = {b"%c_%d" % (letter, letter) for letter in b"abcdefghijklmnop"}
    assert not Words(many).may_be_in(b"aa_97 b_99 c_1 = d")
    assert Words(many).may_be_in(b"x.c_99(1)")
