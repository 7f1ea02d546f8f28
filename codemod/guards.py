"""Code that sends a body already: which call is only the other route of a guard.

Either route may be a function, a class or a lambda of its own. Then the places decide that name it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import libcst as cst

from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.routes import Routes
from codemod.sizes import Sizes
from codemod.syntax import callee, children, descendants, keyword, names_in, terminates
from codemod.warmups import is_for_show

#: How many functions may lie between a guard and what it decides on.
_DEPTH = 3
#: How many places that lead to one call are looked at, and how many conditions in one function.
_MOST = 2000
_MOST_CONDITIONS = 50

_Comprehension = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_Literal = (cst.Dict, cst.List, cst.Tuple, cst.Set)


class Guards:
    """The tests (and errors) that decide between a call with a body and one without.

    Made once from all calls with a body, so that asking costs no more than the way up from the call
    asked about.
    """

    def __init__(self, facts: Facts, calls: Iterable[cst.Call], inline: Collection[cst.Call]):
        """Take note of all calls, and of those among them that have a body."""
        self._facts = facts
        self._index = facts.index
        self._sizes = Sizes(facts, {one for call in inline for one in _payloads(facts, call)})
        self._left = 0
        self._holding: set[cst.CSTNode] = set()
        self._first_leaving: dict[cst.CSTNode, int] = {}
        self._last_in: dict[cst.CSTNode, int] = {}
        self._conditions: defaultdict[cst.CSTNode, dict[cst.CSTNode, None]] = defaultdict(dict)
        self._routes = Routes(facts)
        without = [call for call in calls if call not in inline]
        deciding = {self._routes.around(call) for call in without}
        mixed = {facts.index.class_of(call) for call in without}
        queue: list[tuple[cst.CSTNode, int]] = [(call, _DEPTH) for call in inline]
        seen = {node for node, _ in queue}
        for node, depth in queue:
            self._add(node)
            self._add_answer(node)
            route = self._routes.around(node)
            if route is None or route in deciding or not depth:
                continue
            with_class = facts.index.class_of(route) not in mixed
            for value in self._routes.mentions(route, with_class=with_class):
                if value not in seen and not self._gives_constants(value):
                    seen.add(value)
                    queue.append((value, depth - 1))

    def decide_on(self, call: cst.Call) -> bool:
        """Tell whether a call without a body is what remains for payloads that do not fit.

        That is so as well if its function is called for nothing else.
        """
        self._left = _MOST
        return bool(self._holding) and self._is_decided(call, _DEPTH, set())

    def decide_here_on(self, call: cst.Call) -> bool:
        """Tell whether that is decided in the function with the call."""
        return bool(self._holding) and self._decides_on(call)

    def _is_decided(self, node: cst.CSTNode, depth: int, seen: set[cst.CSTNode]) -> bool:
        if self._decides_on(node):
            return True
        route = self._routes.around(node)
        if route is None or not depth:
            return False
        if isinstance(route, cst.FunctionDef) and self._is_fallback(route):
            return True
        ways = self._routes.ways_to(route, self._conditions)
        return bool(ways) and all(self._is_way(one, depth - 1, seen) for one in ways)

    def _is_way(self, mention: cst.BaseExpression, depth: int, seen: set[cst.CSTNode]) -> bool:
        """Tell whether a place that names the other route does so for what does not fit only."""
        self._left -= 1
        if mention in seen or self._left < 0:
            return False
        seen = {*seen, mention}
        if self._decides_on(mention):
            return True
        further = [one for one in self._routes.further(mention) if one not in seen]
        if further:
            return all(self._is_way(one, depth, seen) for one in further)
        return self._is_decided(mention, depth, seen)

    def _is_fallback(self, route: cst.FunctionDef) -> bool:
        """Tell whether a decorator calls a function for what does not fit."""
        for read in self._routes.decorating(route):
            above = self._index.parent[read]
            if isinstance(above, cst.Call) and above.func is read and self._decides_on(above):
                return True
        return False

    def _gives_constants(self, mention: cst.BaseExpression) -> bool:
        """Tell whether a function is called with nothing but constants: to warm the endpoint up."""
        call = self._index.parent[mention]
        if not isinstance(call, cst.Call) or call.func is not mention or not call.args:
            return False
        return all(is_for_show(self._facts, arg.value) for arg in call.args)

    # -- what decides ----------------------------------------------------------------------

    def _add(self, call: cst.CSTNode) -> None:
        index = self._index
        self._holding.add(call)
        below, home = call, index.function(call)
        self._conditions[home]  # it sends a body, whatever that depends on
        for above in index.ancestors(call):
            if isinstance(above, (cst.FunctionDef, cst.Module)):
                break
            self._holding.add(above)
            if isinstance(below, cst.BaseStatement):
                self._last_in[above] = max(self._last_in.get(above, -1), index.order[below])
            if self._is_way_out(above, below):
                block, order = self._behind(above)
                self._first_leaving[block] = min(self._first_leaving.get(block, order), order)
            if len(self._conditions[home]) < _MOST_CONDITIONS and self._is_condition(above, below):
                self._conditions[home][below] = None
            below = above
        if isinstance(below, cst.BaseStatement) and isinstance(above, cst.Module):
            self._last_in[above] = max(self._last_in.get(above, -1), index.order[below])

    def _add_answer(self, node: cst.CSTNode) -> None:
        """Take note of code that goes on only if the inline route gave nothing back."""
        parent = self._index.parent
        call = parent[node] if isinstance(parent[node], cst.Call) else node
        while isinstance(parent[call], cst.Await):
            call = parent[call]
        if not isinstance(call, (cst.Call, cst.Await)):
            return
        for read in self._routes.further(call):
            returning = parent[read]
            body = self._index.block(self._index.statement(read))
            test = parent.get(body)
            if isinstance(returning, cst.Return) and isinstance(test, cst.If):
                if test.body is body and self._asks_route(test):
                    block, order = self._behind(test)
                    self._first_leaving[block] = min(self._first_leaving.get(block, order), order)

    def _decides_on(self, node: cst.CSTNode) -> bool:
        index = self._index
        below = node
        apart = self._conditions.get(index.function(node))
        for above in index.ancestors(node):
            if isinstance(below, cst.BaseStatement):
                if self._first_leaving.get(above, index.order[below]) < index.order[below]:
                    return True
            if isinstance(above, cst.FunctionDef):
                return False
            if above in self._holding and self._separates(above, below):
                return True
            if self._is_way_out(above, below):
                block, order = self._behind(above)
                if self._last_in.get(block, -1) > order:
                    return True
            if apart and below not in self._holding and self._is_condition(above, below):
                if any(not index.inside(node, other) for other in apart):
                    return True
            if isinstance(above, cst.If) and below is not above.test and self._asks_route(above):
                return True
            below = above
        return False

    def _behind(self, above: cst.CSTNode) -> tuple[cst.CSTNode, int]:
        """Return the block behind a statement, and its place there."""
        statement = self._index.parent[above] if isinstance(above, cst.MatchCase) else above
        while isinstance(self._index.parent[statement], cst.If):  # an ``elif``
            statement = self._index.parent[statement]
        return self._index.block(statement), self._index.order[statement]

    def _separates(self, above: cst.CSTNode, below: cst.CSTNode) -> bool:
        """Tell whether what sends a body stands in another branch of the same thing."""
        if isinstance(above, cst.IfExp):
            return below is not above.test and self._sizes.tells(above.test)
        if isinstance(above, cst.If):
            return self._is_condition(above, below) and any(
                branch is not below and branch in self._holding
                for branch in (above.body, above.orelse)
            )
        if isinstance(above, cst.Match):
            return self._sizes_match(above) and any(
                case is not below and case in self._holding for case in above.cases
            )
        if isinstance(above, (cst.Try, cst.TryStar)):
            if below not in above.handlers:
                return False
            other = above.orelse is not None and above.orelse in self._holding
            return above.body in self._holding or (other and self._is_condition(above, below))
        if isinstance(above, cst.BooleanOperation):
            return below is above.right and above.left in self._holding
        if isinstance(above, cst.Call):
            return below in above.args and self._sizes.tells(above, is_value=True)
        if isinstance(above, _Literal):
            if any(one in self._holding for one in children(above) if one is not below):
                return self._is_tried_in_turn(above, below) or self._is_chosen_from(above)
        return False

    def _is_condition(self, above: cst.CSTNode, below: cst.CSTNode) -> bool:
        """Tell whether what is below only happens for payloads of some size."""
        if isinstance(above, (cst.If, cst.IfExp)):
            return below is not above.test and self._sizes.tells(above.test)
        if isinstance(above, cst.For):
            return below is above.body and self._sizes.tells(above.iter)
        if isinstance(above, cst.Try) and isinstance(below, cst.ExceptHandler):
            return self._sizes.tells_error(above.body, below.type)
        if isinstance(above, cst.Call):  # ``pool.map(send, small)``
            others = (one.value for one in above.args if one is not below)
            return below in above.args and any(
                self._sizes.tells(one, is_value=True) for one in others
            )
        if isinstance(above, _Comprehension):
            loop = above.for_in
            return below is not loop and any(
                self._sizes.tells(one) for one in (loop.iter, *(test.test for test in loop.ifs))
            )
        is_case = isinstance(above, cst.Match) and below is not above.subject
        return is_case and self._sizes_match(cst.ensure_type(above, cst.Match))

    def _sizes_match(self, match: cst.Match) -> bool:
        asked: list[cst.CSTNode] = [match.subject]
        for case in match.cases:
            asked += [one for one in (case.pattern, case.guard) if one is not None]
        return any(self._sizes.tells(one) for one in asked)

    def _asks_route(self, above: cst.If) -> bool:
        """Tell whether a test looks at what the inline route gave back."""
        if above.test in self._holding:
            return True
        for name in descendants(above.test):
            if isinstance(name, cst.Name) and not isinstance(
                self._index.parent[name], cst.Attribute
            ):
                for origin in self._facts.definitions.of(name).origins():
                    if origin.value is not None and origin.value in self._holding:
                        return True
        return False

    def _is_way_out(self, above: cst.CSTNode, below: cst.CSTNode) -> bool:
        """Tell whether a branch for one size of payload never goes on behind it.

        That is so as well where only an error of the inline route leads further.
        """
        if isinstance(above, cst.If) and isinstance(below, cst.BaseSuite):
            return terminates(below) and self._sizes.tells(above.test)
        if isinstance(above, cst.MatchCase) and below is above.body:
            match = cst.ensure_type(self._index.parent[above], cst.Match)
            return terminates(below) and self._sizes_match(match)
        if isinstance(above, cst.Try) and isinstance(below, cst.ExceptHandler):
            return terminates(below.body) and self._is_condition(above, below)
        if isinstance(above, (cst.Try, cst.TryStar)):
            return below is above.body and below in self._holding and terminates(below)
        if isinstance(above, cst.With) and below is above.body and below in self._holding:
            is_caught = any(callee(item.item) == "suppress" for item in above.items)
            return is_caught and terminates(below)
        return False

    def _is_tried_in_turn(self, series: cst.BaseExpression, last: cst.CSTNode) -> bool:
        """Tell whether a loop over routes ends with the first that does it, before the last one."""
        routes = children(series)
        if not any(one in self._holding for one in routes[: routes.index(last)]):
            return False
        for read in (series, *self._routes.further(series)):
            loop = self._index.parent[read]
            if isinstance(loop, cst.For) and loop.iter is read:
                if any(isinstance(one, cst.If) and terminates(one.body) for one in loop.body.body):
                    return True
        return False

    def _is_chosen_from(self, table: cst.BaseExpression) -> bool:
        """Tell whether both routes stand in a table that something is taken from for its size."""
        index = self._index
        for read in (table, *self._routes.further(table)):
            above = index.parent[read]
            if isinstance(above, cst.Subscript) and above.value is read:
                if any(self._sizes.tells(one) for one in above.slice):
                    return True
                continue
            call = index.parent[above]
            if isinstance(above, cst.Attribute) and isinstance(call, cst.Call):
                if any(self._sizes.tells(one) for one in call.args):
                    return True
                continue
            if read is table:
                continue
            for part in descendants(index.statement(read)):
                if isinstance(part, (cst.If, cst.IfExp, cst.CompIf)):
                    if self._sizes.tells(part.test):
                        return True
        return False


def _payloads(facts: Facts, call: cst.Call) -> Iterator[Definition]:
    """Yield the variables that a call sends."""
    body = keyword(call.args, "Body")
    for name in names_in(body.value) if body is not None else ():
        yield facts.definitions.of(name)
