"""What the handlers around an upload catch besides errors of AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from codemod import effects
from codemod.facts import Facts
from codemod.functions import hides_errors, is_tried_again
from codemod.structure import steps_to
from codemod.syntax import descendants, last_name

#: Errors that only AWS clients raise; handlers for them see nothing of the making of a payload.
_AWS_ERROR = re.compile(
    r"ClientError|Boto\w*Error|\w*CredentialsError|S3UploadFailedError|S3TransferFailedError"
    r"|EndpointConnectionError|NoSuch(?:Bucket|Key|Upload)|AWS\w+"
)


def handles_errors_of_payload(
    facts: Facts, made: Sequence[cst.CSTNode], places: Sequence[cst.CSTNode] | None = None
) -> bool:
    """Tell whether a function handles what making or reading its payload may raise.

    Args:
        facts: The modules.
        made: The code in the function that makes the payload.
        places: Where that happens, if it is made of parts of several functions.
    """
    parts = [part for one in made for part in descendants(one)]
    may_call_aws = any(map(_may_call_aws, parts))
    # In the normal course of things; that `json.dumps` fails is a bug, and an error either way.
    may_fail = may_call_aws or any(isinstance(part, (cst.Raise, cst.Assert)) for part in parts)
    own = {one.name.value for one in facts.index.classes}
    where = made if places is None else places
    if any(hides_errors(facts, facts.index.function(node)) for node in where):
        return True
    if may_fail and any(is_tried_again(facts, facts.index.function(node)) for node in where):
        return True
    for handler in _handlers_around(facts, where):
        kinds = [] if handler.type is None else [handler.type]
        if kinds and isinstance(kinds[0], cst.Tuple):
            kinds = [element.value for element in kinds[0].elements]
        names = [last_name(kind) or "" for kind in kinds]
        of_aws = names and all(name not in own and _AWS_ERROR.fullmatch(name) for name in names)
        if (not of_aws or may_call_aws) and (may_fail or not _only_logs(handler.body)):
            return True
    return False


def is_for_aws(facts: Facts, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Tell whether a handler is for nothing but errors that AWS clients raise."""
    own = {one.name.value for one in facts.index.classes}
    kinds = [] if handler.type is None else [handler.type]
    if kinds and isinstance(kinds[0], cst.Tuple):
        kinds = [element.value for element in kinds[0].elements]
    names = [last_name(kind) or "" for kind in kinds]
    return bool(names) and all(
        name not in own and _AWS_ERROR.fullmatch(name) is not None for name in names
    )


def _handlers_around(
    facts: Facts, places: Sequence[cst.CSTNode]
) -> Iterator[cst.ExceptHandler | cst.ExceptStarHandler]:
    for node in places:
        statement = facts.index.statement(node)
        for step in steps_to(facts.index, statement, facts.index.function(node)):
            if isinstance(step.statement, (cst.Try, cst.TryStar)):
                yield from step.statement.handlers


def _may_call_aws(node: cst.CSTNode) -> bool:
    """Tell whether a call might ask AWS for something; one that only works out a value does not."""
    if not isinstance(node, cst.Call):
        return False
    known = effects.is_stable_call(node) or effects.is_fresh_call(node)
    known = known or effects.is_writing(node) or effects.makes_handle(node)
    return not known and last_name(node.func) != "open"


def _only_logs(block: cst.BaseSuite) -> bool:
    """Tell whether a handler only logs the error and raises it again."""
    small = [
        part
        for one in block.body
        for part in (one.body if isinstance(one, cst.SimpleStatementLine) else [one])
    ]
    *logs, last = small
    return (
        isinstance(last, cst.Raise)
        and last.exc is None
        and all(isinstance(one, cst.Expr) and effects.is_log(one.value) for one in logs)
    )
