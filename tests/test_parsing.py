"""What cannot be read comes back as a sentence that says where and why."""

from __future__ import annotations

import pytest

from codemod.parsing import glance, parse

CALL = b"runtime.invoke_endpoint_async()\n"


@pytest.mark.parametrize(
    ("content", "begins"),
    [
        (CALL + b"print 'done'\n", "cannot be parsed: line 2: "),
        (CALL + b"if a:\n\tb()\n        c()\n", "cannot be parsed: line 4: "),
        (CALL + b"x = 1\x1a\n", "cannot be parsed: line 2: "),
        (CALL + b"# \xe9\n", "cannot be decoded: 'utf-8' codec can't decode byte 0xe9"),
        (b"# coding: nowhere\n" + CALL, "cannot be decoded: unknown encoding: nowhere"),
        (b"\xef\xbb\xbf# coding: latin-1\n" + CALL, "cannot be decoded: encoding problem: "),
        (b"# coding: zlib\n" + CALL, "cannot be decoded: 'zlib' is not a text encoding"),
    ],
)
def test_what_cannot_be_parsed_is_named_with_its_line(content: bytes, begins: str) -> None:
    assert not isinstance(glance(content, "invoke_endpoint_async"), str)
    complaint = parse(content)
    assert isinstance(complaint, str)
    assert complaint.startswith(begins)


@pytest.mark.parametrize("encoding", ["unicode_escape", "utf-7", "punycode", "idna", "undefined"])
@pytest.mark.parametrize("above", [b"", b"\n", b"#!/usr/bin/env python\r\n", b"\x0c# \xe9\n"])
def test_an_encoding_that_hides_names_and_lines_is_refused(encoding: str, above: bytes) -> None:
    content = above + f"# vim: set fileencoding={encoding} :\nx = 1\\n".encode() * 9 + CALL
    seen = glance(content, "invoke_endpoint_async")
    assert isinstance(seen, str)
    assert encoding in seen


@pytest.mark.parametrize("encoding", ["utf-8", "Latin_1", "cp1252", "shift_jis", "gb18030", "hz"])
def test_an_encoding_that_leaves_ascii_alone_is_read(encoding: str) -> None:
    seen = glance(f"# coding: {encoding}\n".encode() + CALL, "invoke_endpoint_async")
    assert seen is not None
    assert not isinstance(seen, str)
    assert seen.lines == (2,)


def test_an_encoding_counts_on_the_first_two_lines_only() -> None:
    assert not isinstance(glance(b"x = 1\n" * 2 + b"# coding: idna\n" + CALL, "x"), str)
    assert not isinstance(glance(b"x = 1\n# coding: idna\n" + CALL, "x"), str)
