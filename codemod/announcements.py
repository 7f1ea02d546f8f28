"""Log lines that say that the payload is uploaded: they belong to the upload."""

from __future__ import annotations

import re
from collections.abc import Collection

import libcst as cst

from codemod import effects
from codemod.definitions import Definition
from codemod.facts import Facts
from codemod.syntax import children, names_in, string_value, unwrap_await

_UPLOAD = re.compile(r"upload", re.IGNORECASE)
_KEPT = re.compile(r"\b(stored?|saved?|wrote|written|staged|copied|pushed|sent)\b", re.IGNORECASE)
_S3 = re.compile(r"\bs3\b|\bbucket\b", re.IGNORECASE)
#: "Uploading …" and "Input uploaded" speak of this upload even if they name nothing of it …
_BARE = re.compile(
    r"^\W*(\w+\W+)?(upload(ing|ed)?\b(?!\s+by))"
    r"|\b(input|payload|request|body|json|invocation)\b[^.]{0,30}\buploaded\b(?!\s+by)",
    re.IGNORECASE,
)
#: … and these speak of somebody else's.
_OTHERS = re.compile(
    r"\b(users?|clients?|customers?|process\w*|receiv\w*|accept\w*|handl\w*)\b[^.]*upload"
    r"|uploaded by|\b(not|no|never|without|skip\w*)\b[^.]*upload",
    re.IGNORECASE,
)


def announces_upload(facts: Facts, statement: cst.CSTNode, behind: Collection[Definition]) -> bool:
    """Tell whether a statement only logs that the payload was uploaded.

    Args:
        facts: The module.
        statement: The statement.
        behind: What the key and the URI of the object are made from; to say "stored x" of one
            of these is about the upload, too.
    """
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    if not isinstance(small, cst.Expr):
        return False
    call = unwrap_await(small.value)
    if not isinstance(call, cst.Call) or not effects.is_log(call):
        return False
    if any(effects.impure_part(arg.value) is not None for arg in call.args):
        return False
    text = _text(call)
    if _OTHERS.search(text):
        return False
    names = {facts.definitions.of(name) for name in names_in(call)}
    is_about = not names.isdisjoint(behind) or _S3.search(text) is not None
    if is_about and (_UPLOAD.search(text) or _KEPT.search(text)):
        return True
    return _BARE.search(text) is not None


def is_log_line(statement: cst.CSTNode) -> bool:
    """Tell whether a statement only logs or prints something that is there already."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return False
    small = statement.body[0]
    call = small.value if isinstance(small, cst.Expr) else None
    return (
        isinstance(call, cst.Call)
        and effects.is_log(call)
        and all(effects.impure_part(arg.value) is None for arg in call.args)
    )


def _text(node: cst.CSTNode) -> str:
    """Return all literal text in an expression, from left to right."""
    found = []
    stack = [node]
    while stack:
        current = stack.pop()
        text = string_value(current)
        if text is not None:
            found.append(text)
        elif isinstance(current, cst.FormattedStringText):
            found.append(current.value)
        elif isinstance(current, cst.FormattedStringExpression):
            stack.append(current.expression)  # and not how it is formatted
        else:
            stack.extend(reversed(children(current)))
    return " ".join(found)
