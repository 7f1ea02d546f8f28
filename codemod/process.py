"""One file from bytes to verdicts and, where asked, to rewritten bytes."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import libcst as cst

from codemod import notebook
from codemod.calls import METHOD, PASSES_BODY, LegacyCall, describe
from codemod.facts import Facts
from codemod.joining import Joined, join
from codemod.judge import Judgement, Verdict, judge
from codemod.model import FileResult, Finding, Fix, Note, Place, Settings
from codemod.positions import Span, locate
from codemod.refusals import Refusal
from codemod.rewrite import rewrite
from codemod.rules import REASONS
from codemod.syntax import unwrap_await
from codemod.uploads import Upload

_SUPPRESSION = re.compile(
    r"#\s*(?:noqa|async-inline:\s*ignore)(?P<codes>\s*[:\[]\s*[A-Z][A-Z0-9, ]*\]?)?",
    re.IGNORECASE,
)
#: What ends a line for Python; `str.splitlines` knows some more.
_NEWLINE = re.compile(r"\r\n?|\n")


_TOO_DEEP = "is nested too deeply to be parsed"
#: Levels of syntax that are read; LibCST walks its trees by recursion, several frames a level.
_MAX_DEPTH = 400
#: Frames that walking trees of that depth may take.
_MAX_FRAMES = 20_000


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
    frames = sys.getrecursionlimit()
    sys.setrecursionlimit(max(frames, _MAX_FRAMES))
    try:
        return _process(path, before, settings, rewrite=rewrite)
    except RecursionError:
        return FileResult(path=path, error=_TOO_DEEP)
    finally:
        sys.setrecursionlimit(frames)


def _process(path: str, before: bytes, settings: Settings, *, rewrite: bool) -> FileResult:
    review = _review(path, before)
    if isinstance(review, str):
        return FileResult(path=path, error=review)
    fixable = any(_may_fix(finding, settings) for finding in review.findings)
    passes_body = any(left.why == PASSES_BODY for left in review.judgement.left)
    if rewrite and fixable:
        result = _fixed(path, before, settings, review)
    else:
        result = FileResult(path, review.findings, notes=review.notes)
    return replace(result, sends_body=passes_body or (fixable and result.error is None))


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """What one reading of a module, or of a notebook joined to one, gave."""

    facts: Facts | None
    judgement: Judgement
    findings: tuple[Finding, ...]
    fixable: tuple[Verdict, ...]
    notes: tuple[Note, ...]
    round_trips: bool
    joined: Joined | None = None


_NOTHING = Review(None, Judgement((), ()), (), (), (), round_trips=True)


def _review(path: str, content: bytes) -> Review | str:
    if not notebook.is_notebook(path):
        if b"\0" in content:
            return "contains NUL bytes and is no Python source"
        return review_module(path, content)
    read = notebook.read(content)
    if isinstance(read, notebook.Unread):
        if read.is_error:
            return read.why
        return replace(_NOTHING, notes=(Note(read.why, Place(path, 1, 1, 1, 1)),))
    if not any(METHOD in (cell.source or "") for cell in read.cells):
        return _NOTHING
    return _review_joined(path, join(read))


def _review_joined(path: str, joined: Joined) -> Review | str:
    review = review_module(path, joined.text, joined)
    if isinstance(review, str):  # then LibCST cannot parse what `ast` can
        joined = join(joined.notebook, lambda text: not isinstance(_parse(text), str))
        review = review_module(path, joined.text, joined)
        if isinstance(review, str):
            return review
    notes = (*joined.notes(path, METHOD), *review.notes)
    return replace(review, notes=notes, joined=joined)


def review_module(path: str, content: bytes | str, joined: Joined | None = None) -> Review | str:
    """Judge one module; an error comes back as a sentence.

    Args:
        path: The path to report.
        content: The module: the bytes of a file, or the text that a notebook was joined to.
        joined: The notebook.
    """
    mentioned = _mentions_in_code(content)
    if isinstance(mentioned, str):
        return mentioned
    if not mentioned:
        return _NOTHING
    module = _parse(content)
    if isinstance(module, str):
        return module
    facts = Facts.of(module, joined.borders if joined is not None else None)
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
    lines = _NEWLINE.split(text)

    def where(span: Span) -> Place:
        return joined.place(path, span) if joined is not None else _place(path, span)

    places = {node: where(span) for node, span in spans.items()}
    findings: dict[tuple[cst.CSTNode, cst.CSTNode, str, str | None], Finding] = {}
    fixable = []
    for verdict in judgement.verdicts:
        call, upload = spans[_call_node(verdict)], spans[_upload_node(verdict)]
        if _is_suppressed(verdict.code, lines, call, upload):
            continue
        finding = _finding(verdict, places)
        same = (_call_node(verdict), _upload_node(verdict), finding.code, finding.reason)
        findings.setdefault(same, finding)
        fixable.append(verdict)
    notes = tuple(
        Note(f"{METHOD} is left alone: {left.why}", places[_pointed_at(left.node)])
        for left in judgement.left
    )
    return Review(
        facts,
        judgement,
        tuple(findings.values()),
        tuple(fixable),
        notes,
        round_trips=content == (text if isinstance(content, str) else text.encode(module.encoding)),
    )


def _mentions_in_code(content: bytes | str) -> bool | str:
    """Tell cheaply whether the method is named in code, not just in strings and comments.

    ``ast`` costs a tenth of LibCST. What it cannot parse, such as a newer syntax, goes on; but
    what is nested too deeply for it must not: LibCST's parser overflows the stack of the process.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(content)
        except (RecursionError, MemoryError):
            return _TOO_DEEP
        except SyntaxError as error:
            return _TOO_DEEP if "too many nested" in str(error) else True
        except ValueError:
            return True
    found = False
    level: list[ast.AST] = [tree]
    for _ in range(_MAX_DEPTH):
        below: list[ast.AST] = []
        for node in level:
            if isinstance(node, ast.Attribute) and node.attr == METHOD:
                found = True
            below.extend(ast.iter_child_nodes(node))
        if not below:
            return found
        level = below
    return _TOO_DEEP


def _parse(content: bytes | str) -> cst.Module | str:
    try:
        return cst.parse_module(content)
    except cst.ParserSyntaxError as error:
        return f"cannot be parsed: line {error.raw_line}: {error.message}"
    except (SyntaxError, LookupError, UnicodeDecodeError) as error:
        return f"cannot be decoded: {error}"
    except RecursionError:
        return _TOO_DEEP


# -- findings ------------------------------------------------------------------------------


def _call_node(verdict: Verdict) -> cst.CSTNode:
    """Return the call of the API that is made in the end, where it is in this file."""
    call = verdict.call.innermost or verdict.call
    return unwrap_await(call.invocation.whole)


def _upload_node(verdict: Verdict) -> cst.CSTNode:
    return unwrap_await(verdict.upload.innermost.invocation.whole)


def _pointed_at(node: cst.CSTNode) -> cst.CSTNode:
    """Return the node whose place can be told: wrappers write nothing of their own."""
    while isinstance(node, (cst.Arg, cst.DictElement, cst.Element)):
        node = node.value
    return node


def _place(path: str, span: Span) -> Place:
    return Place(path, span.line, span.column + 1, span.end_line, span.end_column + 1)


def _finding(verdict: Verdict, places: Mapping[cst.CSTNode, Place]) -> Finding:
    call, upload = places[_call_node(verdict)], places[_upload_node(verdict)]
    refusal = verdict.refusal
    cause = places.get(_pointed_at(refusal.node)) if refusal is not None else None
    return Finding(
        code=verdict.code,
        fix=verdict.fix,
        reason=refusal.reason if refusal is not None else None,
        message=_message(verdict, call, upload, cause),
        place=call,
        upload=upload,
        cause=cause,
        unlock=refusal.unlock if refusal is not None else None,
        notes=verdict.notes,
    )


def _message(verdict: Verdict, call: Place, upload: Place, cause: Place | None) -> str:
    *callers, invoking = _callers(verdict.call)
    *helpers, uploading = _helpers(verdict.upload)
    what = (
        f"{invoking}{_through(callers)} invokes the payload that {uploading}"
        f" uploads {_on_line(upload, call)}{_through(helpers)}"
    )
    refusal = verdict.refusal
    if refusal is None:
        return f"{what}; send it in Body"
    where = f", {_on_line(cause, call).removeprefix('on ')}" if cause is not None else ""
    return f"{what}; {_because(refusal)}{where}"


def _callers(call: LegacyCall) -> Iterator[str]:
    """Yield the functions that a URI is handed through, and the call of the API at the end."""
    current: LegacyCall | None = call
    while current is not None:
        yield describe(current)
        current = current.through.inner if current.through is not None else None


def _helpers(upload: Upload) -> Iterator[str]:
    """Yield the functions that a payload is handed through, and the upload at the end."""
    current: Upload | None = upload
    while current is not None:
        yield current.api
        current = current.via.inner if current.via is not None else None


def _through(names: list[str]) -> str:
    return f" (through {', '.join(names)})" if names else ""


def _on_line(place: Place, seen_from: Place) -> str:
    if place.cell == seen_from.cell:
        return f"on line {place.line}"
    return f"in cell {place.cell}, line {place.line}"


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
        written = _written(current, changed)
        if isinstance(written, str):
            return _unproven(path, review, written)
        content = written
        following = _review(path, content)
        if isinstance(following, str):
            return _unproven(path, review, f"the rewritten code {following}")
        if len(following.findings) >= len(current.findings):
            return _unproven(path, review, "the rewritten code still has the finding")
        current = following
    if any(_may_fix(finding, settings) for finding in current.findings):
        return _unproven(path, review, "a second pass would change the rewritten code again")
    fixed = _difference(review.findings, current.findings, settings)
    return FileResult(path, review.findings, fixed, review.notes, before, content)


def _written(review: Review, changed: cst.Module) -> bytes | str:
    """Return the content of the file with the rewritten code, or why it has none."""
    if review.joined is None:
        return changed.bytes
    sources = review.joined.divided(changed.code)
    if isinstance(sources, str):
        return sources
    before = review.joined.notebook
    content = notebook.with_sources(before, sources)
    after = notebook.read(content)
    expected = {cell.number: sources.get(cell.number, cell.source) for cell in before.cells}
    if isinstance(after, notebook.Unread) or expected != {
        cell.number: cell.source for cell in after.cells
    }:
        return "the rewritten notebook does not read as it should"
    return content


def _unproven(path: str, review: Review, why: str) -> FileResult:
    return FileResult(
        path, review.findings, notes=review.notes, error=f"left alone: {why}; please report this"
    )


def _difference(
    before: Iterable[Finding], after: Iterable[Finding], settings: Settings
) -> tuple[Finding, ...]:
    assert not any(_may_fix(finding, settings) for finding in after)
    return tuple(finding for finding in before if _may_fix(finding, settings))
