"""What happens on the other paths: without the call, after an error, when giving up?"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from codemod.effects import is_exit
from codemod.facts import Facts
from codemod.layout import Form, fates_left
from codemod.pairing import Candidate
from codemod.proposals import Proposal
from codemod.refusals import Refusal
from codemod.syntax import callee, descendants, is_none
from codemod.tree import LOOPS
from codemod.visibility import Fate


def every_path_calls(case: Proposal) -> Refusal | None:
    """On a path without the call, the uploaded object may be all that the code is for."""
    carriers = [call.invocation.carrier for call in case.candidate.calls]
    for call in case.candidate.calls:
        choice = _choice_around(case.facts, call.invocation.carrier)
        if choice is not None:
            return Refusal("upload-without-call", choice)
    for reach in case.candidate.spans:
        for statement in reach.between:
            if statement not in case.layout.attached:
                leaving = _leaving(case.facts, statement)
                if leaving is not None:
                    return Refusal("upload-without-call", leaving)
        for step in reach.down_to_last:
            if case.layout.form is Form.EARLY:
                break  # all that they ask is how the upload went
            if isinstance(step.statement, cst.If):
                if not _both_call(case.facts, step.statement, carriers):
                    return Refusal("upload-without-call", step.statement.test)
            elif isinstance(step.statement, cst.Match):
                return Refusal("upload-without-call", step.statement.subject)
    return None


def _choice_around(facts: Facts, call: cst.Call) -> cst.CSTNode | None:
    """Return ``a or call()``, ``call() if a else b`` and the like around a call."""
    below: cst.CSTNode = call
    for above in facts.index.ancestors(call):
        if isinstance(above, cst.BaseStatement):
            return None
        if isinstance(above, cst.IfExp) and below is not above.test:
            return above
        if isinstance(above, cst.BooleanOperation) and below is above.right:
            return above
        below = above
    return None


def _leaving(facts: Facts, statement: cst.CSTNode) -> cst.CSTNode | None:
    """Return what leaves the way to the call without an error."""
    for node in descendants(statement):
        if not isinstance(node, (cst.Return, cst.Continue, cst.Break)) and not _ends_well(node):
            continue
        harmless: tuple[type[cst.CSTNode], ...] = (
            cst.ExceptHandler,
            cst.ExceptStarHandler,
            cst.FunctionDef,
        )
        if isinstance(node, (cst.Continue, cst.Break)):
            harmless = (*harmless, *LOOPS)  # only a loop of the statement's own is left
        if not any(isinstance(above, harmless) for above in _up_to(facts, node, statement)):
            return node
    return None


def _ends_well(node: cst.CSTNode) -> bool:
    """Tell whether code ends the program without an error: ``sys.exit()``, ``sys.exit(0)``."""
    if not isinstance(node, cst.Call) or not (is_exit(node) or callee(node) == "SystemExit"):
        return False
    status = node.args[0].value if node.args else None
    return status is None or is_none(status) or getattr(status, "value", None) == "0"


def _up_to(facts: Facts, node: cst.CSTNode, statement: cst.CSTNode) -> Iterator[cst.CSTNode]:
    current = node
    while current is not statement:
        current = facts.index.parent[current]
        yield current


def _both_call(facts: Facts, statement: cst.If, carriers: list[cst.Call]) -> bool:
    """Tell whether the other branch of a test calls as well, or raises."""
    other = statement.orelse
    if other is None:
        return False
    return all(
        any(facts.index.inside(carrier, branch) for carrier in carriers)
        or isinstance(_last_small(branch), cst.Raise)
        for branch in (statement.body, other.body if isinstance(other, cst.Else) else other)
    )


def _last_small(block: cst.CSTNode) -> cst.CSTNode:
    body = getattr(block, "body", ())
    return _small(body[-1]) if isinstance(body, (list, tuple)) and body else block


def deleting_is_cleaning_up(case: Proposal) -> Refusal | None:
    """Deleting what is not there does nothing; deleting the input of a queued request cancels it.

    S3 answers DeleteObject for a missing key with success (S3 API reference).
    """
    index = case.facts.index
    here = index.function(case.candidate.upload.uploading)
    for fate, node, _ in fates_left(case.seen, case.layout, case.facts):
        if fate is not Fate.DELETED:
            continue
        if index.function(node) is not here:
            return Refusal("object-deleted", node)
        if not _only_cleans_up(case.facts, case.candidate, node, here):
            return Refusal("object-deleted", node)
    return None


def _only_cleans_up(
    facts: Facts, candidate: Candidate, node: cst.CSTNode, function: cst.CSTNode
) -> bool:
    """Tell deleting on every path, or after success, from deleting when the result is late."""
    index = facts.index
    statement = index.statement(node)
    body: list[cst.CSTNode] = list(index.block(statement).body)
    position = body.index(statement)
    if any(isinstance(_small(one), cst.Raise) for one in body[position:]):
        return False
    if any(isinstance(one, LOOPS) and _leaves(one) for one in body[:position]) and not _in_finally(
        facts, node, function
    ):
        return False
    for above in index.ancestors(node):
        if above is function or isinstance(above, cst.Finally):
            break
        if isinstance(above, (cst.ExceptHandler, cst.ExceptStarHandler)):
            return _only_guards_call(facts, candidate, index.parent[above])
        if isinstance(above, (cst.If, cst.Lambda)):
            return False
    return True


def _small(statement: cst.CSTNode) -> cst.CSTNode:
    return statement.body[-1] if isinstance(statement, cst.SimpleStatementLine) else statement


def _leaves(loop: cst.CSTNode) -> bool:
    return any(isinstance(part, cst.Return) for part in descendants(loop))


def _in_finally(facts: Facts, node: cst.CSTNode, function: cst.CSTNode) -> bool:
    for above in facts.index.ancestors(node):
        if above is function:
            return False
        if isinstance(above, cst.Finally):
            return True
    return False


def _only_guards_call(facts: Facts, candidate: Candidate, statement: cst.CSTNode) -> bool:
    """Tell whether a ``try`` ends with the call, so that its handlers see no queued request."""
    if not isinstance(statement, (cst.Try, cst.TryStar)):
        return False
    last = statement.body.body[-1]
    return any(
        facts.index.inside(call.invocation.carrier, last) for call in candidate.calls
    ) and isinstance(last, cst.SimpleStatementLine)
