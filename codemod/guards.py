"""Code that sends a body already: which call is only the other route of a guard."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from codemod.index import Index
from codemod.syntax import terminates


class Guards:
    """The tests (and errors) that decide between a call with a body and one without.

    Made once from all calls with a body in a function, so that asking costs no more than the way
    up from the call asked about.
    """

    def __init__(self, index: Index, inline: Iterable[cst.Call]) -> None:
        self._index = index
        self._holding: set[cst.CSTNode] = set()
        self._first_leaving: dict[cst.CSTNode, int] = {}
        self._last_in: dict[cst.CSTNode, int] = {}
        for call in inline:
            self._add(call)

    def _add(self, call: cst.Call) -> None:
        index = self._index
        self._holding.add(call)
        below: cst.CSTNode = call
        for above in index.ancestors(call):
            if isinstance(above, (cst.FunctionDef, cst.Module)):
                break
            self._holding.add(above)
            if isinstance(below, cst.BaseStatement):
                self._last_in[above] = max(self._last_in.get(above, -1), index.order[below])
            if isinstance(above, cst.If) and isinstance(below, cst.BaseSuite) and terminates(below):
                block, order = index.block(above), index.order[above]
                self._first_leaving[block] = min(self._first_leaving.get(block, order), order)
            below = above
        if isinstance(below, cst.BaseStatement) and isinstance(above, cst.Module):
            self._last_in[above] = max(self._last_in.get(above, -1), index.order[below])

    def decide_on(self, call: cst.Call) -> bool:
        """Tell whether a call without a body is what remains for payloads that do not fit."""
        index = self._index
        below: cst.CSTNode = call
        for above in index.ancestors(call):
            if isinstance(below, cst.BaseStatement):
                if self._first_leaving.get(above, index.order[below]) < index.order[below]:
                    return True
            if isinstance(above, cst.FunctionDef):
                return False
            if above in self._holding and self._separates(above, below):
                return True
            if isinstance(above, cst.If) and isinstance(below, cst.BaseSuite) and terminates(below):
                if self._last_in.get(index.block(above), -1) > index.order[above]:
                    return True
            below = above
        return False

    def _separates(self, above: cst.CSTNode, below: cst.CSTNode) -> bool:
        """Tell whether a call with a body stands in another branch of the same statement."""
        if isinstance(above, cst.IfExp):
            return True
        if isinstance(above, cst.If) and below is not above.test:
            return any(
                branch is not below and branch in self._holding
                for branch in (above.body, above.orelse)
            )
        if isinstance(above, (cst.Try, cst.TryStar)):
            handlers = [handler for handler in above.handlers if handler in self._holding]
            if below is above.body:
                return bool(handlers)
            return below in above.handlers and above.body in self._holding
        return False
