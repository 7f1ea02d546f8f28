"""Expressions over several lines keep their shape where they move."""

from __future__ import annotations

import textwrap

import libcst as cst
import pytest

from codemod.index import Index
from codemod.redent import redented


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            """
            put(Body=dumps({"a": 1,
                            "b": 2}))
            """,
            """
            body = dumps({"a": 1,
                          "b": 2})
            """,
        ),
        (
            """
            put(
                Body=dumps(
                    a,
                ),
            )
            """,
            """
            body = dumps(
                a,
            )
            """,
        ),
        (
            """
            put(
                Body=dumps(
                    a,

                    # why
                    b=lambda: [
                        1
                    ]))
            """,
            """
            body = dumps(
                a,

                # why
                b=lambda: [
                    1
                ])
            """,
        ),
        ("put(Body=dumps(a))", "body = dumps(a)"),
    ],
)
@pytest.mark.parametrize("indent", ["", "    "])
def test_lines_hang_or_are_aligned(before: str, after: str, indent: str) -> None:
    source = textwrap.dedent(before).strip() + "\n"
    if indent:
        source = f"def f():\n{textwrap.indent(source, indent)}"
    index = Index(cst.parse_module(source))
    (called,) = index.names["dumps"]
    node = index.parent[called]
    assert isinstance(node, cst.Call)
    moved = redented(index, node, len("body = "))
    assert f"body = {index.module.code_for_node(moved)}" == textwrap.dedent(after).strip()
