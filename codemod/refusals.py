"""What stands against a rewrite, as a value that every stage can hand on."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from codemod.model import Place
from codemod.rules import REASONS


@dataclass(frozen=True, slots=True, eq=False)
class Refusal:
    """Why a call is not rewritten, or not without the user's say-so.

    ``reason`` is a slug of :data:`codemod.rules.REASONS`; ``node`` is the code that caused it;
    ``detail`` fills the message; ``unlock`` is the smallest change that would do away with it.
    ``elsewhere`` is the place of the cause if it lies in a file that is not parsed.
    """

    reason: str
    node: cst.CSTNode
    detail: str = ""
    unlock: str | None = None
    elsewhere: Place | None = None


def is_doubt(refusal: Refusal | None) -> bool:
    """Tell whether a refusal leaves a fix that the user may ask for."""
    return refusal is not None and REASONS[refusal.reason].code == "SAI002"
