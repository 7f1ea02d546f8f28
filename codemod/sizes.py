"""Whether a test asks for the size of a payload, or for the route that it takes because of that."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import libcst as cst

from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.functions import bound_arguments, sites
from codemod.syntax import children, integer_value, last_name, names_in, string_value

#: Parts of names that only something has which is about the route, or true of some sizes.
_QUALITIES = frozenset(
    "inline inlined inlineable oversize oversized small smaller large larger big bigger tiny huge"
    " fit fits fitting direct directly embed embedded exceed exceeds upload uploaded".split()
)
#: Those of something that is a size, or a limit, and says more only next to one of the others.
_UNITS = frozenset("kb mb kib mib kilobytes megabytes".split())
_QUANTITIES = _UNITS | frozenset("size sized sizes limit limits threshold cutoff nbytes".split())
_BEYOND = frozenset("over above under below within too is ok".split())
#: What a name has besides if "s3" in it means the route, and not the client or the bucket.
_BY_WAY_OF = frozenset("via use uses using need needs through by over route should must".split())
#: Parts of names that something has which can be compared with a limit.
_MEASURES = frozenset("len length bytes getsize getsizeof tell max maximum".split())
#: Those of what is compared with large numbers as well.
_ELSE = frozenset(
    "time timeout timestamp ttl age seconds secs ms id ids count year version port pixels width"
    " height cost price priority".split()
)
#: What a text says that stands for the route.
_ROUTES = frozenset("inline inlined direct".split())
_PART = re.compile(r"[A-Z]?[a-z]+\d*|[A-Z]+\d*(?![a-z])")
#: Texts that are longer say something to a person.
_LONGEST = 40

_ORDERING = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)
#: No payload that is sent inline is worth a comparison with a smaller number of bytes.
_FEWEST = 1000

#: How far a value is followed, through how many functions of one name and calls of one function,
#: and how much of that is read.
_DEPTH = 5
_NAMESAKES = 4
_CALLERS = 8
_MOST = 2000


class Sizes:
    """Answers whether an expression tells the size of a payload; every node is looked at once."""

    def __init__(self, facts: Facts, payloads: Collection[Definition] = ()) -> None:
        """Take the variables that are sent: what compares their lengths is about nothing else."""
        self._facts = facts
        self._payloads = payloads
        self._known: dict[tuple[cst.CSTNode, bool], bool] = {}

    def tells(self, node: cst.CSTNode, depth: int = _DEPTH, *, is_value: bool = False) -> bool:
        """Tell whether a test, or a value that another test looks at, depends on the size.

        Of a value only what it is made by is asked, and not what that is given.
        """
        if depth == 0:
            return False
        known = self._known.get((node, is_value))
        if known is None:
            self._known[node, is_value] = False  # it may lead back to itself
            known = any(
                self._says(part, depth, is_value=is_value)
                for part in _parts(node, with_arguments=not is_value)
            )
            self._known[node, is_value] = known
        return known

    def tells_error(self, body: cst.BaseSuite, caught: cst.BaseExpression | None) -> bool:
        """Tell whether a handler catches an error that a check of the size raises."""
        if caught is not None and self.tells(caught):
            return True
        for part in _parts(body, with_arguments=True):
            if isinstance(part, cst.Call):
                function = self._facts.definitions.function_called(part)
                if function is not None and self._raises(function):
                    return True
        return False

    def _raises(self, function: cst.FunctionDef) -> bool:
        for part in _parts(function.body, with_arguments=False):
            if isinstance(part, cst.If) and self.tells(part.test):
                if any(isinstance(one, cst.Raise) for one in _parts(part, with_arguments=False)):
                    return True
        return False

    def _says(self, part: cst.CSTNode, depth: int, *, is_value: bool) -> bool:
        if isinstance(part, cst.Comparison):
            return self._compares(part)
        if isinstance(part, cst.Name):
            return _is_about_size(part.value) or self._is_made_by_size(part, depth)
        if isinstance(part, cst.Attribute):
            return _is_about_size(part.attr.value) or self._is_known_to_method(part, depth)
        if isinstance(part, cst.Call):
            function = self._facts.definitions.function_called(part)
            return function is not None and self._asks(function, depth - 1)
        text = None if is_value else string_value(part)
        if text is None or len(text) > _LONGEST:
            return False
        return text == "s3" or bool(_words(text) & _ROUTES)

    def _compares(self, comparison: cst.Comparison) -> bool:
        """Tell whether a comparison has something on one side that is measured in bytes."""
        left = comparison.left
        for target in comparison.comparisons:
            right = target.comparator
            if isinstance(target.operator, _ORDERING):
                if self._is_ordered_by_size(left, right):
                    return True
            left = right
        return False

    def _is_ordered_by_size(self, *sides: cst.BaseExpression) -> bool:
        words = {word for side in sides for word in _words_of(side)}
        if words & (_QUALITIES | _UNITS):
            return True
        numbers = [one for one in map(self._number, sides) if one is not None]
        is_measured = bool(words & (_QUANTITIES | _MEASURES)) or self._is_measured(*sides)
        if numbers and max(numbers) > 1 and words & _MEASURES:
            named = (name for side in sides for name in names_in(side))
            if any(self._facts.definitions.of(name) in self._payloads for name in named):
                return True
        if numbers:
            is_large = max(numbers) >= _FEWEST
            return is_large and (is_measured or not words & _ELSE)
        return is_measured

    def _number(self, node: cst.BaseExpression) -> int | None:
        made = self._facts.definitions.resolve(node)
        value = integer_value(made)
        if value is None and isinstance(made, cst.BinaryOperation):
            numbers = (integer_value(one) for one in _parts(made, with_arguments=False))
            return max((one for one in numbers if one is not None), default=None)
        return value

    def _is_measured(self, *sides: cst.BaseExpression) -> bool:
        made = (self._facts.definitions.resolve(side) for side in sides)
        return any(_words_of(one) & _MEASURES for one in made)

    def _is_made_by_size(self, name: cst.Name, depth: int) -> bool:
        """Tell whether a variable has its value because of the size."""
        origins = self._facts.definitions.of(name).origins()[:_NAMESAKES]
        return any(self._is_bound_by_size(origin, depth) for origin in origins)

    def _is_bound_by_size(self, origin: Definition, depth: int) -> bool:
        if origin.value is not None and self.tells(origin.value, depth - 1, is_value=True):
            return True
        if isinstance(origin.node, cst.Param):
            return self._is_given_by_size(origin, depth)
        if origin.node is None or isinstance(origin.node, cst.FunctionDef):
            return False
        below: cst.CSTNode = origin.node
        for above in self._facts.index.ancestors(below):
            if isinstance(above, (cst.FunctionDef, cst.Module)):
                return False
            if isinstance(above, cst.If) and below is not above.test:
                if self.tells(above.test, depth - 1):
                    return True
            below = above
        return False

    def _is_given_by_size(self, parameter: Definition, depth: int) -> bool:
        """Tell whether a caller gives one thing or another for a parameter."""
        assert parameter.node is not None
        function = self._facts.index.function(parameter.node)
        if not isinstance(function, cst.FunctionDef):
            return False
        for site in sites(self._facts, function)[:_CALLERS]:
            call = self._facts.index.parent[site]
            if isinstance(call, cst.Call) and call.func is site:
                bound = bound_arguments(self._facts, function, site, tuple(call.args)) or {}
                given = bound.get(parameter)
                if given is not None and self.tells(given, depth - 1, is_value=True):
                    return True
        return False

    def _is_known_to_method(self, access: cst.Attribute, depth: int) -> bool:
        """Tell whether a method or a property of the name asks for the size."""
        index = self._facts.index
        named = index.defined_functions.get(access.attr.value, ())
        methods = [one for one in named if index.class_of(one) is not None]
        if len(methods) > 1:
            certain = [one for one in methods if access in sites(self._facts, one)]
            methods = certain or methods
        return any(self._asks(method, depth - 1) for method in methods[:_NAMESAKES])

    def _asks(self, function: cst.FunctionDef, depth: int) -> bool:
        """Tell whether a function gives one thing or another because of the size."""
        index = self._facts.index
        returned = [one.value for one in index.exits[function] if one.value is not None]
        if any(self.tells(value, depth, is_value=True) for value in returned):
            return True
        for returning in index.exits[function]:
            below: cst.CSTNode = returning
            for above in index.ancestors(returning):
                if above is function:
                    break
                if isinstance(above, cst.If) and below is not above.test:
                    if self.tells(above.test, depth):
                        return True
                below = above
        return False


def _parts(node: cst.CSTNode, *, with_arguments: bool) -> Iterator[cst.CSTNode]:
    """Yield what is read in an expression, leaving out names of attributes and keywords."""
    stack, seen = [node], 0
    while stack and seen < _MOST:
        current = stack.pop()
        seen += 1
        yield current
        if isinstance(current, (cst.Attribute, cst.Arg)):
            stack.append(current.value)
        elif isinstance(current, cst.Call):
            stack.extend(reversed(current.args if with_arguments else ()))
            stack.append(current.func)
        elif not isinstance(current, cst.Lambda):
            stack.extend(reversed(children(current)))


def _is_about_size(name: str) -> bool:
    words = _words(name)
    if words & _QUALITIES:
        return True
    is_beyond = bool(words & _QUANTITIES) and bool(words & _BEYOND)
    return is_beyond or ("s3" in words and bool(words & _BY_WAY_OF))


def _words(name: str) -> set[str]:
    return {word.lower() for word in _PART.findall(name)}


def _words_of(side: cst.BaseExpression) -> set[str]:
    """Return the words in the names and texts of one side of a comparison."""
    found: set[str] = set()
    for part in _parts(side, with_arguments=True):
        if isinstance(part, (cst.Name, cst.Attribute)):
            found |= _words(last_name(part) or "")
        elif isinstance(part, cst.SimpleString):
            found |= _words(string_value(part) or "")
    return found
