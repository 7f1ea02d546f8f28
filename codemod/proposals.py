"""A candidate with the rewrite that is proposed for it, as the checks see it."""

from __future__ import annotations

from dataclasses import dataclass

from codemod.facts import Facts
from codemod.layout import Layout
from codemod.pairing import Candidate
from codemod.visibility import Visibility


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """What is known when a rewrite is judged.

    Attributes:
        facts: The module.
        candidate: The upload and its calls.
        seen: What becomes of the object, its key and its URI.
        layout: Where the parts of the rewritten code would go.
    """

    facts: Facts
    candidate: Candidate
    seen: Visibility
    layout: Layout
