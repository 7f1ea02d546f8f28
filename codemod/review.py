"""One reading of a file: its findings, and the verdicts to fix them by."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst

from codemod.calls import PASSES_BODY
from codemod.clients import Role
from codemod.facts import Facts
from codemod.findings import (
    calls_of,
    finding_of,
    identity,
    is_suppressed,
    nodes_of,
    uploads_of,
)
from codemod.functions import relied_on, retrying
from codemod.handovers import names_behind
from codemod.inputs import METHOD
from codemod.judge import Judgement, Verdict, judge
from codemod.layout import gone
from codemod.model import Finding, Fix, Note, Place, Reliance, Surroundings
from codemod.parsing import glance, parse
from codemod.reaching import deciding, having, read_from, uploading, with_fixtures
from codemod.reading import Reading, pointed_at
from codemod.reliance import asked
from codemod.repository import Repository
from codemod.source import is_notebook
from codemod.syntax import callee, descendants, dotted, last_name
from codemod.transfers import Split
from codemod.tree import Linked

if TYPE_CHECKING:
    from codemod.joining import Joined

_NONE = Surroundings()
#: How many times what was read may show that further modules make a dictionary.
_ROUNDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """What one reading of a module, or of a notebook joined to one, gave.

    ``fixable`` are the verdicts that no comment suppresses, ``reading`` is ``None`` if there is
    nothing to say.
    """

    reading: Reading | None
    judgement: Judgement
    findings: tuple[Finding, ...] = ()
    fixable: tuple[Verdict, ...] = ()
    notes: tuple[Note, ...] = ()
    relies_on: tuple[Reliance, ...] = ()


_NOTHING = Review(None, Judgement((), ()))


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
    if is_notebook(path):
        return _review_notebook(path, content, repository)
    if b"\0" in content:
        return "contains NUL bytes and is no Python source"
    return _review_module(path, content, repository, surroundings, parsed=parsed)


def _review_notebook(path: str, content: bytes, repository: Repository | None) -> Review | str:
    # Most runs see none.
    from codemod import notebook
    from codemod.joining import join

    read = notebook.read(content)
    if notebook.MOVES.search(content):
        repository = None  # nobody knows what its imports find
    if isinstance(read, notebook.Unread):
        if read.is_error:
            return read.why
        return replace(_NOTHING, notes=(Note(read.why, Place(path, 1, 1, 1, 1)),))
    if not any(METHOD in (cell.source or "") for cell in read.cells):
        return _NOTHING
    joined = join(read)
    review = _review_module(path, joined.text, repository, _NONE, joined)
    if isinstance(review, str):  # then LibCST cannot parse what `ast` can
        joined = join(read, lambda text: not isinstance(parse(text), str))
        review = _review_module(path, joined.text, repository, _NONE, joined)
        if isinstance(review, str):
            return review
    return replace(review, notes=(*joined.notes(path, METHOD), *review.notes))


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
    facts = Facts.of(module, joined.borders if joined is not None else None)
    lines = seen.lines if seen is not None else ()
    read = Reading(facts, {module: path}, {module: content}, {module: lines}, joined)
    judgement = judge(facts)
    if repository is not None:
        alone, makers = read, list(_makers(facts, judgement, path, content, repository))
        first = judgement
        for _ in range(_ROUNDS):
            together = _read_together(alone, first, repository, surroundings, makers)
            if together is None:
                break
            read, judgement = together, judge(together.facts)
            further = set(_unread(read, judgement, repository)) - {*makers, *read.paths.values()}
            if not further:
                break
            makers += sorted(further)
        told = list(_told_by(read.facts, judgement, repository, (path, *surroundings.partners)))
        if not set(told) <= {*read.paths.values()}:
            together = _read_together(alone, first, repository, surroundings, [*makers, *told])
            if together is not None:
                read = together
                judgement = judge(read.facts).only_reporting(judgement)
        judgement = judgement.within_reach(read.facts) if read is not alone else judgement
    return _reviewed(read, judgement)


def _read_together(
    read: Reading,
    judgement: Judgement,
    repository: Repository,
    surroundings: Surroundings,
    makers: Sequence[str],
) -> Reading | None:
    """Read a file again with the modules that its judgement needs, if there are any.

    Args:
        read: The file alone.
        judgement: What that gave.
        repository: Where the modules are.
        surroundings: What other files have to do with this one.
        makers: The modules that tell what it gets from elsewhere.
    """
    module = read.facts.index.module
    path, content = read.paths[module], read.contents[module]
    partners, rebound = surroundings.partners, surroundings.rebound
    if not (judgement.alone or partners or rebound or makers):
        return None
    wanted = [*partners, *makers, *uploading(repository, path, content)]
    wanted += with_fixtures(repository, path)
    for partner in partners:
        wanted += uploading(repository, partner)
        wanted += repository.between(partner, path)
        wanted += deciding(repository, partner)
    paths, contents = dict(read.paths), dict(read.contents)
    statements = dict(read.statements)
    for one in dict.fromkeys(wanted):
        other, text, outlined = (
            repository.module(one),
            repository.text(one),
            repository.outline(one),
        )
        if one != path and other is not None and text is not None and outlined is not None:
            paths[other], contents[other], statements[other] = one, text, outlined.lines
    if len(paths) == 1 and not rebound:
        return None
    linker = _Linker(repository, paths, {where: one for one, where in paths.items()})
    named = {
        (linker.modules[relied.path], relied.owner, relied.name): place
        for relied, place in rebound
        if relied.path in linker.modules
    }
    borders = read.joined.borders if read.joined is not None else None
    others = tuple(paths)[1:]
    found = ((one, repository.joined(paths[one])) for one in others if is_notebook(paths[one]))
    notebooks = {one: joined for one, joined in found if joined is not None}
    changeable = [one for one in others if paths[one] in partners and one not in notebooks]
    facts = Facts.of(module, borders, others, linker, named, changeable, tuple(notebooks))
    return Reading(facts, paths, contents, statements, read.joined, notebooks)


def _makers(
    facts: Facts,
    judgement: Judgement,
    path: str,
    content: bytes | str,
    repository: Repository,
) -> Iterator[str]:
    """Yield the modules that tell what receivers, decorators and properties of objects are.

    So do those that tell what is in a dictionary.
    """
    receivers = [access.value for access in facts.index.attributes.get(METHOD, ())]
    receivers += (one.upload.innermost.invocation.receiver for one in judgement.verdicts)
    unknown = [one for one in receivers if facts.clients.receiver(one).role is Role.UNKNOWN]
    names = {name for receiver in unknown for name in facts.clients.makers(receiver)}
    names.update(retrying(facts))
    imported = facts.index.all_imported(facts.index.module)
    for name in sorted(names):
        if name.partition(".")[0] in imported:
            repository.take(path, content)
            found = repository.named(path, name)
            if found is not None:
                yield found[0]
    if any(one.unread for one in judgement.left):
        repository.take(path, content)
        read = Reading(facts, {facts.index.module: path}, {}, {}, None)
        yield from _unread(read, judgement, repository)
    asked = [
        name
        for name in sorted(_read_in_functions(judgement))
        if any(_may_be_ours(repository, path, one) for one in imported.get(_first(name), ()))
    ]
    if asked:
        repository.take(path, content)
    for name in asked:
        yield from read_from(repository, path, name)
    if judgement.verdicts and any(one.why == PASSES_BODY for one in judgement.left):
        repository.take(path, content)
        yield from deciding(repository, path)


def _told_by(
    facts: Facts, judgement: Judgement, repository: Repository, paths: Sequence[str]
) -> Iterator[str]:
    """Yield the modules that tell what the address of a call without an upload in reach is.

    Those are the modules of constants that it reads, and of classes that have what it asks for.
    """
    members: set[str] = set()
    for call in (one for one in judgement.alone if one.through is None):
        made = descendants(facts.definitions.resolve(call.location))
        for part in (*made, *names_behind(facts, call)):
            name = dotted(part)
            found = repository.named(paths[0], name) if name is not None else None
            if found is not None:
                yield found[0]
            elif isinstance(part, cst.Attribute):
                members.add(part.attr.value)
            elif isinstance(part, cst.Call) and callee(part) == "str":
                members.add("__str__")
    for one in paths if members else ():
        yield from having(repository, one, members)


def _unread(read: Reading, judgement: Judgement, repository: Repository) -> Iterator[str]:
    """Yield the modules that tell what is in a dictionary which a call unpacks."""
    for module, name in dict.fromkeys(one for left in judgement.left for one in left.unread):
        imported = read.facts.index.all_imported(module)
        if _first(name) in imported or "*" in imported:
            found = repository.named(read.paths[module], name)
            if found is not None:
                yield found[0]


def _first(name: str) -> str:
    return name.partition(".")[0]


def _may_be_ours(repository: Repository, path: str, origin: str) -> bool:
    """Tell whether an import may lead into the repository: what Python brings along does not."""
    top = _first(origin)
    folders = (os.path.dirname(path), repository.root(path))
    return top not in sys.stdlib_module_names or any(
        os.path.exists(os.path.join(folder, top + ending))
        for folder in folders
        for ending in (".py", "/__init__.py")
    )


def _read_in_functions(judgement: Judgement) -> set[str]:
    """Return the attributes that are read in functions which the inline route leaves out."""
    functions = {
        upload.via.function
        for verdict in judgement.verdicts
        for upload in uploads_of(verdict.upload)
        if upload.via is not None
    }
    parts = (part for function in functions for part in descendants(function.body))
    names = (dotted(part) for part in parts if isinstance(part, cst.Attribute))
    return {name for name in names if name is not None}


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

    def imported(self, module: cst.Module, name: str, /) -> cst.Module | str | None:
        path = self.repository.module_named(self.paths[module], name)
        return self.modules.get(path, path) if path is not None else None


def _reviewed(read: Reading, judgement: Judgement) -> Review:
    relies_on = () if read.joined is not None else tuple(sorted(set(_relies_on(read, judgement))))
    if not judgement.verdicts and not judgement.left:
        return replace(_NOTHING, relies_on=relies_on)
    nodes: list[cst.CSTNode] = [pointed_at(left.node) for left in judgement.left]
    for verdict in judgement.verdicts:
        nodes += (pointed_at(node) for node in nodes_of(verdict))
    found = read.located(nodes)
    findings: dict[tuple[object, ...], Finding] = {}
    fixable = []
    for verdict in judgement.verdicts:
        if is_suppressed(verdict, found):
            continue
        finding = finding_of(verdict, found)
        findings.setdefault(identity(verdict, finding), finding)
        fixable.append(verdict)
    notes = tuple(
        Note(f"{METHOD} is left alone: {left.why}", found.of(left.node)) for left in judgement.left
    )
    return Review(read, judgement, tuple(findings.values()), tuple(fixable), notes, relies_on)


def _relies_on(read: Reading, judgement: Judgement) -> Iterator[Reliance]:
    """Yield the names that the fixes rely on, and the functions that others may call."""
    index = read.facts.index
    for offer in (*judgement.offers, *judgement.routes):
        home, owner = read.paths[index.module_of(offer)], index.class_of(index.parent[offer])
        owned_by = owner.name.value if owner is not None else ""
        is_route = offer not in judgement.offers
        yield Reliance(home, owned_by, last_name(offer) or "", invokes=True, routes=is_route)
    for verdict in judgement.verdicts:
        for split in verdict.upload.splits():
            yield from _split_with(read, split)
        if verdict.fix is Fix.NONE:
            continue
        through = [
            (call.through.function, call.invocation.func)
            for call in calls_of(verdict.call)
            if call.through is not None
        ]
        through += [
            (upload.via.function, upload.invocation.func)
            for upload in uploads_of(verdict.upload)
            if upload.via is not None
        ]
        if verdict.layout is not None:
            home = read.paths[index.module_of(verdict.layout.uploading)]
            for variable in gone(read.facts, verdict.layout):
                yield Reliance(home, "", variable.value, goes=True)
        relied = asked(read.facts, verdict.upload, verdict.call.location).values()
        yield from (Reliance(read.paths[module], owner, name) for module, owner, name in relied)
        made = [one.invocation for one in calls_of(verdict.call)]
        made += [one.invocation for one in uploads_of(verdict.upload)]
        for alias in (one.alias for one in made):
            if alias is not None:
                yield Reliance(read.paths[index.module_of(alias)], "", alias.value)
        for function, func in through:
            for module, owned_by, name in relied_on(read.facts, function, func):
                yield Reliance(read.paths[module], owned_by, name)


def _split_with(read: Reading, split: Split) -> Iterator[Reliance]:
    """Yield the function that a fix splits, and the one that it makes of it."""
    index = read.facts.index
    home = index.module_of(split.function)
    owner = index.class_of(split.function)
    owned_by = owner.name.value if owner is not None else ""
    is_new = not split.maker.exists
    yield Reliance(read.paths[home], owned_by, split.maker.name, makes=is_new)
    if home is not index.module:
        yield Reliance(read.paths[home], owned_by, split.function.name.value, changes=True)
