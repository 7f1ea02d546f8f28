"""Uploads that happen although the payload is sent inline: code that only looks migrated."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator

import libcst as cst

from codemod.calls import PASSES_BODY, LegacyCall, NotLegacy
from codemod.elsewhere import Elsewhere
from codemod.facts import Facts
from codemod.index import Index
from codemod.pairing import Candidate, pair
from codemod.refusals import Refusal
from codemod.syntax import EXITS, descendants, dotted
from codemod.transfers import Upload
from codemod.tree import LOOPS
from codemod.visibility import Fate, Visibility

#: What is in them only happens on some paths, or for some payloads.
_BRANCHING = (
    cst.If,
    cst.IfExp,
    cst.Match,
    cst.ExceptHandler,
    cst.BooleanOperation,
    cst.CompFor,
    cst.Lambda,
)


def uploaded_anyway(
    facts: Facts, left: Iterable[NotLegacy], uploads: list[Upload]
) -> Iterator[tuple[LegacyCall, Upload, Refusal]]:
    """Yield calls that are made for large payloads only, with an upload that happens for all."""
    index, left = facts.index, list(left)
    calls = [one.otherwise for one in left if one.otherwise is not None]
    sending = (one.node for one in left if one.why == PASSES_BODY)
    loops = {above for one in sending for above in index.ancestors(one) if isinstance(above, LOOPS)}
    if not calls:
        return
    paths = _Paths(index, loops)
    for candidate in pair(facts, calls, uploads).candidates:
        upload = candidate.upload
        if upload.problem is None and paths.all_reach(upload) and not _is_kept(facts, candidate):
            yield candidate.calls[0], upload, Refusal("uploaded-anyway", upload.uploading)


def _is_kept(facts: Facts, candidate: Candidate) -> bool:
    """Tell whether the object is there for something else as well, such as an audit."""
    carriers = {call.invocation.carrier for call in candidate.calls}
    uses = Visibility(facts, candidate, carriers, (), Elsewhere(facts, carriers)).uses
    return any(use.fate is not Fate.LOGGED for use in uses)


class _Paths:
    """Answers whether an upload happens whatever the code decides later.

    What makes that uncertain is not weighed: nobody is told off for what may be right.
    """

    def __init__(self, index: Index, together: Collection[cst.CSTNode]) -> None:
        """Take the loops that are around calls with a body as well."""
        self._index = index
        self._together = together
        self._leaving: dict[cst.CSTNode, int] = {}

    def all_reach(self, upload: Upload) -> bool:
        inner: Upload | None = upload
        while inner is not None:
            if not self._all_come_to(inner.invocation.carrier):
                return False
            inner = inner.via.inner if inner.via is not None else None
        return True

    def _all_come_to(self, node: cst.CSTNode) -> bool:
        below = node
        for above in self._index.ancestors(node):
            is_loop = isinstance(above, LOOPS) and above not in self._together
            if is_loop or isinstance(above, _BRANCHING):
                return False
            if isinstance(below, cst.BaseStatement):
                if self._left_at(above) < self._index.order[below]:
                    return False
            if isinstance(above, (cst.FunctionDef, cst.Module)):
                return True
            below = above
        return True

    def _left_at(self, block: cst.CSTNode) -> int:
        """Return where a block may first end all, and not by saying what is wrong."""
        found = self._leaving.get(block)
        if found is None:
            statements = getattr(block, "body", ())
            leaving = (self._index.order[one] for one in statements if _may_leave(one))
            found = self._leaving[block] = next(leaving, sys.maxsize)
        return found


def _may_leave(statement: cst.CSTNode) -> bool:
    if isinstance(statement, (cst.SimpleStatementLine, cst.FunctionDef, cst.ClassDef)):
        return False
    return any(
        isinstance(part, (cst.Return, cst.Continue, cst.Break))
        or (isinstance(part, cst.Call) and dotted(part.func) in EXITS)
        for part in descendants(statement)
    )
