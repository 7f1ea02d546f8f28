"""One file from bytes to verdicts and, where asked, to rewritten bytes."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import libcst as cst

from codemod.calls import METHOD, describe
from codemod.facts import Facts
from codemod.judge import Judgement, Verdict, judge
from codemod.model import FileResult, Finding, Fix, Note, Place, Settings
from codemod.positions import Span, locate
from codemod.refusals import Refusal
from codemod.rewrite import rewrite
from codemod.rules import REASONS
from codemod.syntax import unwrap_await

_SUPPRESSION = re.compile(
    r"#\s*(?:noqa|async-inline:\s*ignore)(?P<codes>\s*[:\[]\s*[A-Z][A-Z0-9, ]*\]?)?",
    re.IGNORECASE,
)


def process(path: str, before: bytes, settings: Settings, *, rewrite: bool) -> FileResult:
    """Review one file; ``path`` only names it.

    Args:
        path: The path to report, relative, with ``/``.
        before: The content of the file.
        settings: What the user asked for.
        rewrite: Whether to plan and prove the fixes as well.

    Returns:
        The findings and, with ``rewrite``, the content after the fixes. A file that cannot be
        read has an error and nothing else.
    """
    if METHOD.encode() not in before:
        return FileResult(path=path)
    review = review_module(path, before, settings)
    if isinstance(review, str):
        return FileResult(path=path, error=review)
    if not rewrite or not any(_may_fix(finding, settings) for finding in review.findings):
        return FileResult(path, review.findings, notes=review.notes)
    return _fixed(path, before, settings, review)


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """What one reading of a module gave."""

    facts: Facts | None
    judgement: Judgement
    findings: tuple[Finding, ...]
    fixable: tuple[Verdict, ...]
    notes: tuple[Note, ...]
    round_trips: bool


_NOTHING = Review(None, Judgement((), ()), (), (), (), round_trips=True)


def review_module(path: str, content: bytes, settings: Settings) -> Review | str:
    """Judge one module; an error comes back as a sentence."""
    if b"\0" in content:
        return "contains NUL bytes and is no Python source"
    if not _mentions_in_code(content):
        return _NOTHING
    module = _parse(content)
    if isinstance(module, str):
        return module
    facts = Facts.of(module)
    judgement = judge(facts)
    if not judgement.verdicts and not judgement.left:
        return _NOTHING
    wanted: list[cst.CSTNode] = []
    for verdict in judgement.verdicts:
        wanted.extend((_call_node(verdict), _upload_node(verdict)))
        if verdict.refusal is not None:
            wanted.append(_pointed_at(verdict.refusal.node))
    wanted.extend(_pointed_at(left.node) for left in judgement.left)
    spans, text = locate(module, wanted)
    lines = text.splitlines()
    findings, fixable = [], []
    for verdict in judgement.verdicts:
        call, upload = spans[_call_node(verdict)], spans[_upload_node(verdict)]
        if _is_suppressed(verdict.code, lines, call, upload):
            continue
        findings.append(_finding(path, verdict, spans))
        fixable.append(verdict)
    notes = tuple(
        Note(f"{METHOD} is left alone: {left.why}", _place(path, spans[_pointed_at(left.node)]))
        for left in judgement.left
    )
    return Review(
        facts,
        judgement,
        tuple(findings),
        tuple(fixable),
        notes,
        round_trips=module.bytes == content,
    )


def _mentions_in_code(content: bytes) -> bool:
    """Tell cheaply whether the method is named in code, not just in strings and comments.

    ``ast`` costs a tenth of LibCST. What it cannot parse, such as a newer syntax, goes on.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return True
    return any(
        isinstance(node, ast.Attribute) and node.attr == METHOD for node in ast.walk(tree)
    )


def _parse(content: bytes) -> cst.Module | str:
    try:
        return cst.parse_module(content)
    except cst.ParserSyntaxError as error:
        return f"cannot be parsed: line {error.raw_line}: {error.message}"
    except (SyntaxError, LookupError, UnicodeDecodeError) as error:
        return f"cannot be decoded: {error}"
    except RecursionError:
        return "is nested too deeply to be parsed"


# -- findings ------------------------------------------------------------------------------


def _call_node(verdict: Verdict) -> cst.CSTNode:
    return unwrap_await(verdict.call.invocation.whole)


def _upload_node(verdict: Verdict) -> cst.CSTNode:
    return unwrap_await(verdict.upload.innermost.invocation.whole)


def _pointed_at(node: cst.CSTNode) -> cst.CSTNode:
    """Return the node whose place can be told: wrappers write nothing of their own."""
    while isinstance(node, (cst.Arg, cst.DictElement, cst.Element)):
        node = node.value
    return node


def _place(path: str, span: Span) -> Place:
    return Place(path, span.line, span.column + 1, span.end_line, span.end_column + 1)


def _finding(path: str, verdict: Verdict, spans: dict[cst.CSTNode, Span]) -> Finding:
    upload = spans[_upload_node(verdict)]
    refusal = verdict.refusal
    cause = None
    if refusal is not None and _pointed_at(refusal.node) in spans:
        cause = _place(path, spans[_pointed_at(refusal.node)])
    return Finding(
        code=verdict.code,
        fix=verdict.fix,
        reason=refusal.reason if refusal is not None else None,
        message=_message(verdict, upload.line, cause),
        place=_place(path, spans[_call_node(verdict)]),
        upload=_place(path, upload),
        cause=cause,
        unlock=refusal.unlock if refusal is not None else None,
        notes=verdict.notes,
    )


def _message(verdict: Verdict, upload_line: int, cause: Place | None) -> str:
    what = (
        f"{describe(verdict.call)} invokes the payload that {verdict.upload.api}"
        f" uploads on line {upload_line}"
    )
    refusal = verdict.refusal
    if refusal is None:
        return f"{what}; send it in Body"
    return f"{what}; {_because(refusal)}" + (f", line {cause.line}" if cause else "")


def _because(refusal: Refusal) -> str:
    title = REASONS[refusal.reason].title
    if refusal.detail:
        return title.format(detail=refusal.detail)
    return title.replace(" ({detail})", "")


def _is_suppressed(code: str, lines: list[str], call: Span, upload: Span) -> bool:
    numbers = {call.line, call.end_line, upload.line}
    for number in numbers:
        match = _SUPPRESSION.search(lines[number - 1])
        if match is None:
            continue
        codes = match.group("codes")
        if not codes or code in re.findall(r"[A-Z]+[0-9]+", codes.upper()):
            return True
    return False


# -- fixing --------------------------------------------------------------------------------


def _may_fix(finding: Finding, settings: Settings) -> bool:
    return finding.fix is Fix.SAFE or (finding.fix is Fix.UNSAFE and settings.unsafe_fixes)


def _fixed(path: str, before: bytes, settings: Settings, review: Review) -> FileResult:
    """Apply fixes until none is left, proving every step."""
    content, current = before, review
    for _ in range(len(review.findings) + 1):
        if not current.round_trips:
            return FileResult(
                path,
                review.findings,
                notes=review.notes,
                error="cannot be written back byte for byte; the file is left alone",
            )
        assert current.facts is not None
        changed = rewrite(current.facts, current.fixable, settings)
        if changed is None:
            break
        content = changed.bytes
        following = review_module(path, content, settings)
        if isinstance(following, str):
            return _unproven(path, review, f"the rewritten code {following}")
        if len(following.findings) >= len(current.findings):
            return _unproven(path, review, "the rewritten code still has the finding")
        current = following
    if any(_may_fix(finding, settings) for finding in current.findings):
        return _unproven(path, review, "a second pass would change the rewritten code again")
    fixed = _difference(review.findings, current.findings, settings)
    return FileResult(path, review.findings, fixed, review.notes, before, content)


def _unproven(path: str, review: Review, why: str) -> FileResult:
    return FileResult(
        path, review.findings, notes=review.notes, error=f"left alone: {why}; please report this"
    )


def _difference(
    before: Iterable[Finding], after: Iterable[Finding], settings: Settings
) -> tuple[Finding, ...]:
    assert not any(_may_fix(finding, settings) for finding in after)
    return tuple(finding for finding in before if _may_fix(finding, settings))


