"""Code that sends a body already: which call is only the other route of a guard."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import libcst as cst

from codemod.facts import Facts
from codemod.functions import sites
from codemod.syntax import descendants, terminates

_ABOUT_SIZE = re.compile(
    r"inline|size|small|large|big|fit|limit|len|bytes|body|direct|data|payload|content",
    re.IGNORECASE,
)
_ORDERING = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)


def _asks_for_size(test: cst.BaseExpression) -> bool:
    """Tell whether a test may be about the size of the payload, and not about something else."""
    for node in descendants(test):
        if isinstance(node, cst.ComparisonTarget) and isinstance(node.operator, _ORDERING):
            return True
        if isinstance(node, cst.Name) and _ABOUT_SIZE.search(node.value):
            return True
    return False


#: How many functions may lie between a guard and what it decides on.
_DEPTH = 2


class Guards:
    """The tests (and errors) that decide between a call with a body and one without.

    Made once from all calls with a body in a function, so that asking costs no more than the way
    up from the call asked about. Either route may be a function of its own.
    """

    def __init__(self, facts: Facts, calls: Iterable[cst.Call], inline: Collection[cst.Call]):
        """Take note of all calls, and of those among them that have a body."""
        self._facts = facts
        self._index = facts.index
        self._holding: set[cst.CSTNode] = set()
        self._first_leaving: dict[cst.CSTNode, int] = {}
        self._last_in: dict[cst.CSTNode, int] = {}
        without = {facts.index.function(call) for call in calls if call not in inline}
        sending = list(inline)
        for _ in range(_DEPTH + 1):
            for call in sending:
                self._add(call)
            functions = {facts.index.function(call) for call in sending} - without
            sending = [call for function in functions for call in self._calls_of(function) or ()]

    @property
    def is_any(self) -> bool:
        """Whether any call has a body."""
        return bool(self._holding)

    def decide_on(self, call: cst.Call, depth: int = _DEPTH) -> bool:
        """Tell whether a call without a body is what remains for payloads that do not fit.

        That is so as well if its function is called for nothing else.
        """
        if not self._holding:
            return False
        if self._decides_on(call):
            return True
        calls = self._calls_of(self._index.function(call)) if depth else None
        return bool(calls) and all(self.decide_on(one, depth - 1) for one in calls or ())

    def _calls_of(self, function: cst.CSTNode) -> list[cst.Call] | None:
        """Return the calls of a function, ``None`` if more is done with it than to call it."""
        if not isinstance(function, cst.FunctionDef):
            return None
        above = [(site, self._index.parent[site]) for site in sites(self._facts, function)]
        calls = [call for site, call in above if isinstance(call, cst.Call) and call.func is site]
        return calls if len(calls) == len(above) else None

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
            if _is_way_out(above, below):
                block, order = index.block(above), index.order[above]
                self._first_leaving[block] = min(self._first_leaving.get(block, order), order)
            below = above
        if isinstance(below, cst.BaseStatement) and isinstance(above, cst.Module):
            self._last_in[above] = max(self._last_in.get(above, -1), index.order[below])

    def _decides_on(self, call: cst.Call) -> bool:
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
            if _is_way_out(above, below):
                if self._last_in.get(index.block(above), -1) > index.order[above]:
                    return True
            below = above
        return False

    def _separates(self, above: cst.CSTNode, below: cst.CSTNode) -> bool:
        """Tell whether a call with a body stands in another branch of the same statement."""
        if isinstance(above, cst.IfExp):
            return _asks_for_size(above.test)
        if isinstance(above, cst.If) and below is not above.test and _asks_for_size(above.test):
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


def _is_way_out(above: cst.CSTNode, below: cst.CSTNode) -> bool:
    """Tell whether a branch for one size of payload never goes on behind the test."""
    return (
        isinstance(above, cst.If)
        and isinstance(below, cst.BaseSuite)
        and terminates(below)
        and _asks_for_size(above.test)
    )
