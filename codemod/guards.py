"""Code that sends a body already: which call is only the other route of a guard.

Either route may be a function, a class or a lambda of its own. Then the places decide that name it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import libcst as cst

from codemod.classes import ancestry, owner_of
from codemod.facts import Facts
from codemod.functions import imported_sites, sites
from codemod.references import same_value
from codemod.sizes import Sizes
from codemod.syntax import callee, children, descendants, terminates
from codemod.warmups import is_for_show

#: How many functions may lie between a guard and what it decides on.
_DEPTH = 3
#: How many places that lead to a body are looked at, and how many conditions in one function.
_MOST = 500
_MOST_CONDITIONS = 50

_Route = cst.FunctionDef | cst.Lambda
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
        self._sizes = Sizes(facts)
        self._holding: set[cst.CSTNode] = set()
        self._first_leaving: dict[cst.CSTNode, int] = {}
        self._last_in: dict[cst.CSTNode, int] = {}
        self._conditions: defaultdict[cst.CSTNode, dict[cst.CSTNode, None]] = defaultdict(dict)
        deciding = {self._route(call) for call in calls if call not in inline}
        queue: list[tuple[cst.CSTNode, int]] = [(call, _DEPTH) for call in inline]
        seen = {node for node, _ in queue}
        for node, depth in queue:
            self._add(node)
            route = self._route(node)
            if route is None or route in deciding or not depth:
                continue
            for value in self._values(self._mentions(route)):
                if value not in seen and len(seen) < _MOST and not self._gives_constants(value):
                    seen.add(value)
                    queue.append((value, depth - 1))

    def decide_on(self, call: cst.Call) -> bool:
        """Tell whether a call without a body is what remains for payloads that do not fit.

        That is so as well if its function is called for nothing else.
        """
        return bool(self._holding) and self._is_decided(call, _DEPTH, {call})

    def _is_decided(self, node: cst.CSTNode, depth: int, seen: set[cst.CSTNode]) -> bool:
        if self._decides_on(node):
            return True
        route = self._route(node)
        if route is None or not depth:
            return False
        if isinstance(route, cst.FunctionDef) and self._is_fallback(route):
            return True
        ways = self._ways_to(route)
        return bool(ways) and all(self._is_way(one, depth - 1, seen) for one in ways)

    def _is_way(self, mention: cst.BaseExpression, depth: int, seen: set[cst.CSTNode]) -> bool:
        """Tell whether a place that names the other route does so for what does not fit only."""
        if mention in seen:
            return False
        seen = {*seen, mention}
        if self._decides_on(mention):
            return True
        further = [one for one in same_value(self._facts, mention) if one not in seen]
        if further:
            return all(self._is_way(one, depth, seen) for one in further)
        return self._is_decided(mention, depth, seen)

    # -- what leads to a call --------------------------------------------------------------

    def _route(self, node: cst.CSTNode) -> _Route | None:
        """Return the function or lambda around a call."""
        for above in self._index.ancestors(node):
            if isinstance(above, (cst.FunctionDef, cst.Lambda)):
                return above
        return None

    def _mentions(self, route: _Route) -> Iterator[cst.BaseExpression]:
        """Yield the places that name a function, or else the class that it is a method of."""
        if isinstance(route, cst.Lambda):
            yield route
            return
        yield from sites(self._facts, route)
        yield from self._registered(route)
        owner = owner_of(self._facts, route)
        if owner is not None:
            yield from self._made(owner)

    def _ways_to(self, route: _Route) -> list[cst.BaseExpression]:
        """Return the places that an S3 route is reached by, but for the route itself."""
        if isinstance(route, cst.Lambda):
            return [route]
        owner = owner_of(self._facts, route)
        made = [*self._made(owner)] if owner is not None else []
        overriding = [*self._overriding(route, owner)] if owner is not None and not made else []
        found = overriding or [*sites(self._facts, route)] or made
        return [one for one in found if not self._index.inside(one, route)]

    def _made(self, owner: cst.ClassDef) -> Iterator[cst.BaseExpression]:
        """Yield where objects of a class are made, or the class is named for that."""
        readers = self._facts.definitions.readers(owner.name.value).get(owner, ())
        home = self._index.module_of(owner)
        imported = imported_sites(self._facts, home, owner.name.value, owner)
        for read in (*readers, *imported):
            above = self._index.parent[read]
            is_base = isinstance(above, cst.Arg) and isinstance(
                self._index.parent[above], cst.ClassDef
            )
            if is_base or read is owner.name or self._index.inside(read, owner):
                continue
            if not any(isinstance(one, cst.Annotation) for one in self._index.ancestors(read)):
                yield above if isinstance(above, cst.Call) and above.func is read else read

    def _overriding(
        self, route: cst.FunctionDef, owner: cst.ClassDef
    ) -> Iterator[cst.BaseExpression]:
        """Yield where methods that override one, and send a body, call that of the base class."""
        for access in self._index.attributes.get(route.name.value, ()):
            function, own = self._index.function(access), self._index.class_of(access)
            if own is None or own is owner or owner not in ancestry(self._facts, own):
                continue
            if callee(access.value) == "super" and function in self._conditions:
                yield access

    def _registered(self, route: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
        """Yield the places that name the function which another one is registered for."""
        for decorator in route.decorators:
            made = decorator.decorator
            made = made.func if isinstance(made, cst.Call) else made
            if isinstance(made, cst.Attribute) and made.attr.value == "register":
                target = self._facts.definitions.target(made.value)
                if target is not None and isinstance(target.node, cst.FunctionDef):
                    yield from sites(self._facts, target.node)

    def _is_fallback(self, route: cst.FunctionDef) -> bool:
        """Tell whether a decorator calls a function for what does not fit."""
        for decorator in route.decorators:
            target = self._facts.definitions.target(decorator.decorator)
            made = target.node if target is not None else None
            if not isinstance(made, cst.FunctionDef) or not made.params.params:
                continue
            for read in self._facts.definitions.readers(made.params.params[0].name.value).get(
                made.params.params[0], ()
            ):
                above = self._index.parent[read]
                if isinstance(above, cst.Call) and above.func is read and self._decides_on(above):
                    return True
        return False

    def _values(self, mentions: Iterable[cst.BaseExpression]) -> Iterator[cst.BaseExpression]:
        """Yield places that name something, and those that have it by another name."""
        queue = list(mentions)
        seen = set(queue)
        for one in queue:
            yield one
            for further in same_value(self._facts, one) if len(seen) < _MOST else ():
                if further not in seen:
                    seen.add(further)
                    queue.append(further)

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
            return below in above.handlers and above.body in self._holding
        if isinstance(above, cst.BooleanOperation):
            return below is above.right and above.left in self._holding
        if isinstance(above, cst.Call):
            return below in above.args and self._sizes.tells(above, is_value=True)
        if isinstance(above, _Literal):
            others = (one for one in children(above) if one is not below)
            return any(one in self._holding for one in others) and self._is_chosen_from(above)
        return False

    def _is_condition(self, above: cst.CSTNode, below: cst.CSTNode) -> bool:
        """Tell whether what is below only happens for payloads of some size."""
        if isinstance(above, (cst.If, cst.IfExp)):
            return below is not above.test and self._sizes.tells(above.test)
        if isinstance(above, cst.For):
            return below is above.body and self._sizes.tells(above.iter)
        if isinstance(above, _Comprehension):
            loop = above.for_in
            return below is not loop and any(
                self._sizes.tells(one) for one in (loop.iter, *(test.test for test in loop.ifs))
            )
        return (
            isinstance(above, cst.Match)
            and below is not above.subject
            and (self._sizes_match(above))
        )

    def _sizes_match(self, match: cst.Match) -> bool:
        asked: list[cst.CSTNode] = [match.subject]
        for case in match.cases:
            asked += [one for one in (case.pattern, case.guard) if one is not None]
        return any(self._sizes.tells(one) for one in asked)

    def _asks_route(self, above: cst.If) -> bool:
        """Tell whether a test looks at what the inline route gave back."""
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
        if isinstance(above, (cst.Try, cst.TryStar)):
            return below is above.body and below in self._holding and terminates(below)
        if isinstance(above, cst.With) and below is above.body and below in self._holding:
            is_caught = any(callee(item.item) == "suppress" for item in above.items)
            return is_caught and terminates(below)
        return False

    def _is_chosen_from(self, table: cst.BaseExpression) -> bool:
        """Tell whether both routes stand in a table that something is taken from for its size."""
        index = self._index
        for read in (table, *same_value(self._facts, table)):
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
