"""One reading of a file: its findings, and the verdicts to fix them by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import libcst as cst

from codemod import notebook
from codemod.calls import METHOD, LegacyCall, describe
from codemod.facts import Facts
from codemod.functions import relied_on
from codemod.index import LineOrCompound, Linked
from codemod.joining import Joined, join
from codemod.judge import Judgement, Verdict, judge
from codemod.model import Finding, Fix, Link, Note, Place, Reliance, Surroundings
from codemod.parsing import glance, parse
from codemod.positions import Span, locate, locate_within
from codemod.refusals import Refusal
from codemod.repository import Repository
from codemod.rules import REASONS
from codemod.splicing import Spliced, first_lines, splice
from codemod.syntax import unwrap_await
from codemod.uploads import Upload

_SUPPRESSION = re.compile(
    r"#\s*(?:noqa|async-inline:\s*ignore)(?P<codes>\s*[:\[]\s*[A-Z][A-Z0-9, ]*\]?)?",
    re.IGNORECASE,
)
#: What ends a line for Python; `str.splitlines` knows some more.
_NEWLINE = re.compile(r"\r\n?|\n")
#: What changes where a notebook is, what lies there, or where Python looks for modules.
_MOVES = re.compile(rb"%cd|%%writefile|os\.chdir|sys\.path")

_NONE = Surroundings()


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """What one reading of a module, or of a notebook joined to one, gave.

    ``paths``, ``contents`` and ``statements``, the lines of these, tell of the modules that were
    read.
    """

    facts: Facts | None
    judgement: Judgement
    findings: tuple[Finding, ...]
    fixable: tuple[Verdict, ...]
    notes: tuple[Note, ...]
    paths: Mapping[cst.Module, str] = field(default_factory=dict)
    contents: Mapping[cst.Module, bytes | str] = field(default_factory=dict)
    statements: Mapping[cst.Module, Sequence[int]] = field(default_factory=dict)
    relies_on: tuple[Reliance, ...] = ()
    joined: Joined | None = None

    def round_trips(self, module: cst.Module) -> bool:
        """Tell whether a module that was read would be written back byte for byte."""
        content, text = self.contents[module], module.code
        return content == (text if isinstance(content, str) else text.encode(module.encoding))

    def spliced(self, module: cst.Module, rewritten: cst.Module) -> Spliced | None:
        """Return a file with its new statements, ``None`` if that needs all of it rendered."""
        content = self.contents[module]
        lines = first_lines(module, self.statements.get(module, ()))
        if lines is None or isinstance(content, str):
            return None
        text = content.decode(module.encoding)
        return splice(module, rewritten, text, lines) if _is_plain(text, module, content) else None


_NOTHING = Review(None, Judgement((), ()), (), (), ())


def review(
    path: str,
    content: bytes,
    repository: Repository | None = None,
    surroundings: Surroundings = _NONE,
    parsed: cst.Module | None = None,
) -> Review | str:
    """Judge every call in a file; an error comes back as a sentence.

    Args:
        path: The path to report.
        content: What the file holds.
        repository: Where to look for the functions that it calls, if anywhere.
        surroundings: What other files of the repository have to do with this one.
        parsed: The syntax of the file, if that is there already.
    """
    if not notebook.is_notebook(path):
        if b"\0" in content:
            return "contains NUL bytes and is no Python source"
        return _review_module(path, content, repository, surroundings, parsed=parsed)
    read = notebook.read(content)
    if _MOVES.search(content):
        repository = None  # nobody knows what its imports find
    if isinstance(read, notebook.Unread):
        if read.is_error:
            return read.why
        return replace(_NOTHING, notes=(Note(read.why, Place(path, 1, 1, 1, 1)),))
    if not any(METHOD in (cell.source or "") for cell in read.cells):
        return _NOTHING
    return _review_joined(path, join(read), repository)


def _review_joined(path: str, joined: Joined, repository: Repository | None) -> Review | str:
    review = _review_module(path, joined.text, repository, _NONE, joined)
    if isinstance(review, str):  # then LibCST cannot parse what `ast` can
        joined = join(joined.notebook, lambda text: not isinstance(parse(text), str))
        review = _review_module(path, joined.text, repository, _NONE, joined)
        if isinstance(review, str):
            return review
    notes = (*joined.notes(path, METHOD), *review.notes)
    return replace(review, notes=notes, joined=joined)


def _review_module(
    path: str,
    content: bytes | str,
    repository: Repository | None,
    surroundings: Surroundings,
    joined: Joined | None = None,
    parsed: cst.Module | None = None,
) -> Review | str:
    seen = glance(content, METHOD)
    if isinstance(seen, str):
        return seen
    if seen is not None and not seen.mentions:
        return _NOTHING
    module = parse(content) if parsed is None or seen is None else parsed
    if isinstance(module, str):
        return module
    borders = joined.borders if joined is not None else None
    facts = Facts.of(module, borders)
    paths: dict[cst.Module, str] = {module: path}
    contents: dict[cst.Module, bytes | str] = {module: content}
    judgement = judge(facts)
    callers, rebound = surroundings.callers, surroundings.rebound
    if repository is not None and (judgement.alone or callers or rebound):
        wanted = [*callers, *repository.uploading(path, content)]
        for caller in callers:
            wanted += repository.uploading(caller)
            wanted += repository.between(caller, path)
        for one in dict.fromkeys(wanted):
            other, text = repository.module(one), repository.content(one)
            if one != path and other is not None and text is not None:
                paths[other], contents[other] = one, text
        if len(paths) > 1 or rebound:
            linker = _linker(repository, paths)
            named = {
                (linker.modules[relied.path], relied.owner, relied.name): place
                for relied, place in rebound
                if relied.path in linker.modules
            }
            facts = Facts.of(module, borders, tuple(paths)[1:], linker, named)
            judgement = judge(facts)
            changeable = {other for other in paths if other is module or paths[other] in callers}
            judgement = judgement.within(facts, changeable)
    statements: dict[cst.Module, Sequence[int]] = {}
    if repository is not None:
        for other, where in paths.items():
            outlined = repository.outline(where) if other is not module else None
            if outlined is not None:
                statements[other] = outlined.lines
    statements[module] = seen.lines if seen is not None else ()
    read = _Read(facts, paths, contents, statements, joined)
    return _reviewed(read, judgement)


def _is_plain(text: str, module: cst.Module, content: bytes) -> bool:
    """Tell whether lines and columns mean the same to everyone, and text comes back as it was."""
    return "\f" not in text and text.encode(module.encoding) == content


@dataclass(frozen=True, slots=True, eq=False)
class _Linker:
    """Leads from an import to the module that is read, or to the path of one that is not."""

    repository: Repository
    paths: Mapping[cst.Module, str]
    modules: Mapping[str, cst.Module]

    def __call__(self, module: cst.Module, name: str, /) -> Linked | None:
        found = self.repository.named(self.paths[module], name)
        if found is None:
            return None
        path, rest = found
        return self.modules.get(path, path), rest

    def starred(self, module: cst.Module, name: str, /) -> bool:
        return self.repository.starred(self.paths[module], name)


def _linker(repository: Repository, paths: Mapping[cst.Module, str]) -> _Linker:
    return _Linker(repository, paths, {path: module for module, path in paths.items()})


# -- findings ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What was read: a module with those it needs, and what is known of their text.

    ``statements`` are the lines of the statements of each, if they are known.
    """

    facts: Facts
    paths: Mapping[cst.Module, str]
    contents: Mapping[cst.Module, bytes | str]
    statements: Mapping[cst.Module, Sequence[int]]
    joined: Joined | None

    def located(self, nodes: Iterable[cst.CSTNode]) -> _Places:
        """Return where some nodes stand."""
        wanted: dict[cst.Module, list[cst.CSTNode]] = {}
        for node in nodes:
            wanted.setdefault(self.facts.index.module_of(node), []).append(node)
        spans: dict[cst.CSTNode, Span] = {}
        for module, inside in wanted.items():
            spans.update(self._spans(module, inside))
        lines = {module: self._lines(module) for module in wanted}
        places = {node: self._place(node, span) for node, span in spans.items()}
        return _Places(self.facts, spans, places, lines)

    def _spans(self, module: cst.Module, nodes: Sequence[cst.CSTNode]) -> dict[cst.CSTNode, Span]:
        begins = first_lines(module, self.statements.get(module, ()))
        if begins is None:
            return locate(module, nodes)
        by_statement: dict[LineOrCompound, list[cst.CSTNode]] = {}
        for node in nodes:
            by_statement.setdefault(self.facts.cells.top(node), []).append(node)
        spans: dict[cst.CSTNode, Span] = {}
        for top, inside in by_statement.items():
            spans.update(locate_within(module, top, begins[top], inside))
        return spans

    def _lines(self, module: cst.Module) -> list[str]:
        content = self.contents[module]
        text = content if isinstance(content, str) else content.decode(module.encoding, "replace")
        return _NEWLINE.split(text)

    def _place(self, node: cst.CSTNode, span: Span) -> Place:
        module = self.facts.index.module_of(node)
        path = self.paths[module]
        if self.joined is not None and module is self.facts.index.module:
            return self.joined.place(path, span)
        return Place(path, span.line, span.column + 1, span.end_line, span.end_column + 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where nodes stand, over all the modules that were read."""

    facts: Facts
    spans: Mapping[cst.CSTNode, Span]
    places: Mapping[cst.CSTNode, Place]
    lines: Mapping[cst.Module, list[str]]

    def of(self, node: cst.CSTNode) -> Place:
        return self.places[_pointed_at(node)]

    def line(self, node: cst.CSTNode, *, end: bool = False) -> str:
        """Return the line of source that a node begins on, or ends on."""
        span = self.spans[node]
        return self.lines[self.facts.index.module_of(node)][
            (span.end_line if end else span.line) - 1
        ]


def _reviewed(read: _Read, judgement: Judgement) -> Review:
    facts, paths = read.facts, read.paths
    relies_on = () if read.joined is not None else tuple(sorted(set(_relies_on(read, judgement))))
    if not judgement.verdicts and not judgement.left:
        return replace(_NOTHING, relies_on=relies_on)
    nodes: list[cst.CSTNode] = [_pointed_at(left.node) for left in judgement.left]
    for verdict in judgement.verdicts:
        nodes += (_pointed_at(node) for node in _nodes_of(verdict))
    found = read.located(nodes)
    findings: dict[tuple[object, ...], Finding] = {}
    fixable = []
    for verdict in judgement.verdicts:
        if _is_suppressed(verdict, found):
            continue
        finding = _finding(verdict, found)
        same = (_call_node(verdict), _upload_node(verdict), _joining(verdict), verdict.code)
        findings.setdefault((*same, finding.reason), finding)
        fixable.append(verdict)
    notes = tuple(
        Note(f"{METHOD} is left alone: {left.why}", found.of(left.node)) for left in judgement.left
    )
    return Review(
        facts,
        judgement,
        tuple(findings.values()),
        tuple(fixable),
        notes,
        paths,
        read.contents,
        read.statements,
        relies_on,
    )


def _relies_on(read: _Read, judgement: Judgement) -> Iterator[Reliance]:
    """Yield the names that the fixes rely on, and the functions that others may call."""
    index = read.facts.index
    for function in judgement.offers:
        owner = index.class_of(function)
        yield Reliance(
            read.paths[index.module_of(function)],
            owner.name.value if owner is not None else "",
            function.name.value,
            invokes=True,
        )
    for verdict in judgement.verdicts:
        if verdict.fix is Fix.NONE:
            continue
        through = [
            (call.through.function, call.invocation.func)
            for call in _calls(verdict.call)
            if call.through is not None
        ]
        through += [
            (upload.via.function, upload.invocation.func)
            for upload in _uploads(verdict.upload)
            if upload.via is not None
        ]
        for function, func in through:
            for module, owned_by, name in relied_on(read.facts, function, func):
                yield Reliance(read.paths[module], owned_by, name)


def _nodes_of(verdict: Verdict) -> Iterator[cst.CSTNode]:
    """Yield every node of a verdict whose place a report may tell."""
    yield _call_node(verdict)
    yield _upload_node(verdict)
    yield unwrap_await(verdict.call.invocation.whole)
    yield unwrap_await(verdict.upload.invocation.whole)
    if verdict.refusal is not None:
        yield verdict.refusal.node
    yield from (function for _, function in _chain(verdict) if function is not None)


def _call_node(verdict: Verdict) -> cst.CSTNode:
    """Return the call of the API that is made in the end."""
    call = verdict.call.innermost or verdict.call
    return unwrap_await(call.invocation.whole)


def _joining(verdict: Verdict) -> cst.CSTNode | None:
    """Return the call that joins both if each is made by a function: only it tells them apart."""
    if verdict.call.through is None or verdict.upload.via is None:
        return None
    return unwrap_await(verdict.call.invocation.whole)


def _upload_node(verdict: Verdict) -> cst.CSTNode:
    return unwrap_await(verdict.upload.innermost.invocation.whole)


def _pointed_at(node: cst.CSTNode) -> cst.CSTNode:
    """Return the node whose place can be told: wrappers write nothing of their own."""
    while isinstance(node, (cst.Arg, cst.DictElement, cst.Element)):
        node = node.value
    return node


def _finding(verdict: Verdict, found: _Places) -> Finding:
    refusal = verdict.refusal
    return Finding(
        code=verdict.code,
        fix=verdict.fix,
        reason=refusal.reason if refusal is not None else None,
        message=_message(verdict, found),
        place=found.of(_call_node(verdict)),
        upload=found.of(_upload_node(verdict)),
        cause=_cause(refusal, found) if refusal is not None else None,
        unlock=refusal.unlock if refusal is not None else None,
        notes=verdict.notes,
        chain=tuple(
            Link(name, found.of(node) if node is not None else None)
            for name, node in _chain(verdict)
        ),
    )


def _cause(refusal: Refusal, found: _Places) -> Place:
    return refusal.elsewhere or found.of(refusal.node)


def _message(verdict: Verdict, found: _Places) -> str:
    call, upload = found.of(_call_node(verdict)), found.of(_upload_node(verdict))
    *callers, invoking = (describe(one) for one in _calls(verdict.call))
    *helpers, uploading = (one.api for one in _uploads(verdict.upload))
    what = (
        f"{invoking}{_through(callers)} invokes the payload that {uploading}"
        f" uploads {_on_line(upload, call)}{_through(helpers)}"
    )
    joining = _joining(verdict)
    if joining is not None:
        what += f", both called {_on_line(found.of(joining), call)}"
    refusal = verdict.refusal
    if refusal is None:
        return f"{what}; send it in Body"
    where = f", {_on_line(_cause(refusal, found), call).removeprefix('on ')}"
    return f"{what}; {_because(refusal)}{where}"


def _chain(verdict: Verdict) -> Iterator[tuple[str, cst.CSTNode | None]]:
    """Yield what lies between the call of the API and the upload, if anything does.

    First come the functions that a URI is handed to, from the inside, then the variable that holds
    it, then the functions that upload, from the outside; each with where it is defined.
    """
    calls, uploads = list(_calls(verdict.call)), list(_uploads(verdict.upload))
    if len(calls) + len(uploads) == 2:
        return
    yield describe(calls[-1]), _call_node(verdict)
    for call in reversed(calls[:-1]):
        assert call.through is not None
        yield call.through.function.name.value, call.through.function.name
    location = verdict.call.location
    if isinstance(location, cst.Name):
        yield location.value, None
    for upload in uploads[:-1]:
        assert upload.via is not None
        yield upload.via.function.name.value, upload.via.function.name
    yield uploads[-1].api, _upload_node(verdict)


def _calls(call: LegacyCall) -> Iterator[LegacyCall]:
    """Yield the calls of functions that a URI is handed to, and the call of the API at the end."""
    current: LegacyCall | None = call
    while current is not None:
        yield current
        current = current.through.inner if current.through is not None else None


def _uploads(upload: Upload) -> Iterator[Upload]:
    """Yield the calls of functions that a payload is handed to, and the upload at the end."""
    current: Upload | None = upload
    while current is not None:
        yield current
        current = current.via.inner if current.via is not None else None


def _through(names: list[str]) -> str:
    return f" (through {', '.join(names)})" if names else ""


def _on_line(place: Place, seen_from: Place) -> str:
    if place.path != seen_from.path:
        return f"in {place.path}, line {place.line}"
    if place.cell == seen_from.cell:
        return f"on line {place.line}"
    return f"in cell {place.cell}, line {place.line}"


def _because(refusal: Refusal) -> str:
    title = REASONS[refusal.reason].title
    if refusal.detail:
        return title.format(detail=refusal.detail)
    return title.replace(" ({detail})", "")


def _is_suppressed(verdict: Verdict, found: _Places) -> bool:
    calls = {_call_node(verdict), unwrap_await(verdict.call.invocation.whole)}
    uploads = {_upload_node(verdict), unwrap_await(verdict.upload.invocation.whole)}
    lines = [found.line(node) for node in (*calls, *uploads)]
    for line in (*lines, *(found.line(call, end=True) for call in calls)):
        match = _SUPPRESSION.search(line)
        if match is None:
            continue
        codes = match.group("codes")
        if not codes or verdict.code in re.findall(r"[A-Z]+[0-9]+", codes.upper()):
            return True
    return False
