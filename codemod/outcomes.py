"""Checks of what an upload answered: which way they go wherever it went well."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from codemod import effects
from codemod.facts import Facts
from codemod.pairing import Candidate
from codemod.syntax import (
    children,
    descendants,
    dotted,
    integer_value,
    is_none,
    names_in,
    string_value,
    subscript_key,
    unwrap_await,
)
from codemod.visibility import is_response_name

#: Parts of an answer that are there if something went wrong.
_ERROR = re.compile(r"error|fail", re.IGNORECASE)
#: Parts that every answer has; others depend on the bucket, as ``VersionId`` does.
_CERTAIN = frozenset("ResponseMetadata HTTPStatusCode HTTPHeaders RequestId ETag".split())
_PART = re.compile(r"[A-Z][A-Za-z0-9]+")
_PLACES = ("uri", "key", "bucket")
#: Methods that give an answer; those that transfer files give ``None`` (boto3 reference).
_ANSWERING = ("put_object", "put")
_EXITS = (cst.Return, cst.Raise, cst.Continue, cst.Break)
#: Statuses of HTTP that say that all is well.
_FIRST, _LAST = 200, 299


def gives_up_only_after_failure(
    facts: Facts, candidate: Candidate, statement: cst.BaseStatement
) -> bool:
    """Tell whether a statement is left only if the upload went wrong, so never without one."""
    return Outcomes(facts, candidate).pass_through([statement])


class Outcomes:
    """Tells what tests give wherever the upload went well."""

    def __init__(self, facts: Facts, candidate: Candidate) -> None:
        self._facts = facts
        self._candidate = candidate

    def pass_through(self, statements: Sequence[cst.CSTNode]) -> bool:
        """Tell whether control runs off the end of some statements if the upload went well."""
        return all(self._passes(statement) for statement in statements)

    def _passes(self, statement: cst.CSTNode) -> bool:
        if isinstance(statement, cst.Assert):
            return self.of(statement.test) is True
        if isinstance(statement, cst.If):
            outcome = self.of(statement.test)
            other = statement.orelse
            return (outcome is False or self._passes(statement.body)) and (
                outcome is True or other is None or self._passes(other)
            )
        if isinstance(statement, _EXITS):
            return False
        if isinstance(statement, cst.Call) and effects.is_exit(statement):
            return False
        return self.pass_through(list(children(statement)))

    def of(self, test: cst.BaseExpression) -> bool | None:
        """Tell what a test gives if the upload went well; ``None`` if nobody can tell."""
        if self._is_upload(test):
            return True if self._told_by_upload() in ("answer", "place") else None
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            inner = self.of(test.expression)
            return None if inner is None else not inner
        if isinstance(test, cst.BooleanOperation):
            both = self.of(test.left), self.of(test.right)
            decides = isinstance(test.operator, cst.Or)
            if decides in both:
                return decides
            return None if None in both else not decides
        if isinstance(test, cst.Comparison):
            return self._compared(test)
        made = self._made(test)
        if made is not None and isinstance(
            made, (cst.Comparison, cst.BooleanOperation, cst.UnaryOperation)
        ):
            return self.of(made)
        return None if self._asks(test) is None else not _names_error(test)

    def _made(self, test: cst.BaseExpression) -> cst.BaseExpression | None:
        """Return what a variable was given, unless that is what the upload returned."""
        if not isinstance(test, cst.Name) or is_response_name(self._facts, test, self._candidate):
            return None
        return self._facts.definitions.of(test).value

    def _compared(self, test: cst.Comparison) -> bool | None:
        left, found = test.left, []
        for one in test.comparisons:
            found.append(self._pair(left, one.operator, one.comparator))
            left = one.comparator
        if False in found:
            return False
        return None if None in found else True

    def _pair(
        self, left: cst.BaseExpression, operator: cst.BaseCompOp, right: cst.BaseExpression
    ) -> bool | None:
        asks = self._asks(left) or self._asks(right)
        is_same = isinstance(operator, (cst.Is, cst.Equal, cst.In))
        is_other = isinstance(operator, (cst.IsNot, cst.NotEqual, cst.NotIn))
        if asks is None or _is_another_matter(left):  # "VersionId" in answer
            return None
        if is_none(right) or string_value(right) == "":
            return is_other if is_same or is_other else None
        if isinstance(right, cst.Name) and right.value == "False":
            return is_other if is_same or is_other else None
        if asks == "place":
            return None
        if is_same or is_other:
            number = integer_value(right)
            is_well = number is None or number == 0 or _FIRST <= number <= _LAST
            return is_same == (is_well and not (_names_error(left) or _names_error(right)))
        number = integer_value(right if self._asks(left) is not None else left)
        if number is None:
            return None
        is_least = isinstance(operator, (cst.GreaterThan, cst.GreaterThanEqual))
        is_least = is_least == (self._asks(left) is not None)
        return is_least == (number < _LAST)

    def _asks(self, node: cst.BaseExpression) -> str | None:
        """Tell whether an expression is of the ``answer``, or of the ``place`` of the object."""
        if self._is_upload(node):
            return self._told_by_upload()
        found = {self._told_by(name) for name in self._behind(node)} - {""}
        return None if None in found or len(found) != 1 else found.pop()

    def _is_upload(self, node: cst.BaseExpression) -> bool:
        return unwrap_await(node) is unwrap_await(self._candidate.upload.uploading)

    def _told_by_upload(self) -> str | None:
        """Tell what the upload itself gives, which must be something then."""
        upload = self._candidate.upload
        if upload.via is None:
            return "answer" if upload.api in _ANSWERING else None
        if upload.via.returns in _PLACES:
            return "place"
        return "answer" if None in upload.via.answers else None

    def _behind(self, node: cst.BaseExpression) -> Iterator[cst.Name | None]:
        """Yield the names behind an expression; ``None`` if something else decides on it."""
        stack: list[cst.BaseExpression] = [node]
        seen = set()
        while stack:
            current = stack.pop()
            if any(_is_another_matter(part) for part in descendants(current)):
                yield None
            for name in names_in(current):
                yield name
                made = self._made(name)
                if made is not None and made not in seen:
                    seen.add(made)
                    stack.append(made)

    def _told_by(self, name: cst.Name | None) -> str | None:
        """Tell what a name holds: the same, nothing of it (``""``), or what has its own meaning."""
        if name is None:
            return None
        if not is_response_name(self._facts, name, self._candidate):
            return ""
        via = self._candidate.upload.via
        if via is None:
            return "answer"
        place = self._place(name)
        kind = via.returns if place is None else via.items.get(place, "else")
        if kind in _PLACES:
            return "place"
        if place in via.answers:
            return "answer"
        return "place" if place is None and via.items else None

    def _place(self, name: cst.Name) -> int | str | None:
        """Return which item of a result a name gets, or is asked for."""
        node = self._facts.definitions.of(name).node
        place = self._facts.index.place_in_tuple(node) if node is not None else None
        above = self._facts.index.parent[name]
        if place is None and isinstance(above, cst.Subscript) and above.value is name:
            via = self._candidate.upload.via
            key = subscript_key(above)
            return key if via is not None and key in via.items else None
        return place


#: Expressions whose value depends on what else they look at.
_DECIDING = (cst.IfExp, cst.BooleanOperation, cst.Lambda, cst.BaseComp, cst.NamedExpr, cst.Await)


def _is_another_matter(part: cst.CSTNode) -> bool:
    """Tell whether a part of an expression may be one thing or another though all went well."""
    text = string_value(part)
    if text is not None and _PART.fullmatch(text):
        return text not in _CERTAIN and _ERROR.search(text) is None
    return isinstance(part, _DECIDING)


def _names_error(node: cst.CSTNode) -> bool:
    """Tell whether an expression asks for an error: ``answer.get("Errors")``."""
    return any(
        _ERROR.search(text) is not None
        for part in descendants(node)
        if (text := string_value(part) or (isinstance(part, cst.Name) and dotted(part)))
    )
