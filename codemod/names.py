"""Names for new code that nothing else is called by."""

from __future__ import annotations

from collections.abc import Container

import libcst as cst

from codemod.syntax import names_in


def free_name(taken: Container[str], *candidates: str) -> str:
    """Return the first candidate that is not taken, with a number if need be."""
    for candidate in candidates:
        if candidate not in taken:
            return candidate
    number = 2
    while f"{candidates[0]}_{number}" in taken:
        number += 1
    return f"{candidates[0]}_{number}"


def names_in_function(function: cst.FunctionDef) -> set[str]:
    """Return every name that a function mentions, its parameters included."""
    return {name.value for name in names_in(function)}


def body_parameter(function: cst.FunctionDef) -> str:
    """Return the name of a new parameter for the body: one that the function does not use."""
    return free_name(names_in_function(function), "body", "inline_body", "payload_bytes")
