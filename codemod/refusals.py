"""What stands against a rewrite, as a value that every stage can hand on."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst


@dataclass(frozen=True, slots=True, eq=False)
class Refusal:
    """Why a call is not rewritten, or not without the user's say-so.

    ``reason`` is a slug of :data:`codemod.rules.REASONS`; ``node`` is the code that caused it;
    ``detail`` fills the message; ``unlock`` is the smallest change that would do away with it.
    """

    reason: str
    node: cst.CSTNode
    detail: str = ""
    unlock: str | None = None
