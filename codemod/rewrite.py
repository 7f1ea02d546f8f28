"""Makes all fixes of a module that can be made at once, and puts the limit in its place."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import cast

import libcst as cst

from codemod.edits import Replacement, apply
from codemod.extraction import extract, name_makers
from codemod.facts import Facts
from codemod.imports import add_imports
from codemod.judge import Verdict
from codemod.layout import Layout
from codemod.model import Fix, Settings
from codemod.naming import LimitConstant, LimitPlace, limit_constant, names_seen_from
from codemod.near import needs_upload
from codemod.nodes import (
    leading_lines,
    with_lines,
)
from codemod.pairing import Candidate
from codemod.parameters import give_body, leave_out
from codemod.planner import Plan, Planner
from codemod.syntax import descendants, names_in
from codemod.tree import LineOrCompound
from codemod.wrapping import wrapped, wrapped_parameters


def rewrite(
    facts: Facts,
    verdicts: Iterable[Verdict],
    settings: Settings,
    widths: Mapping[cst.Module, int | None],
) -> dict[cst.Module, cst.Module]:
    """Return the modules that change, each with every allowed fix that can be made at once.

    ``widths`` tells how long the lines of each may be.

    Two fixes that touch the same statements are not made together; running again on the result
    makes the second one.
    """
    allowed = [
        verdict
        for verdict in verdicts
        if verdict.layout is not None
        and verdict.candidate is not None
        and (verdict.fix is Fix.SAFE or settings.unsafe_fixes)
    ]
    chosen: dict[Candidate, Layout] = {}
    for verdict in allowed:
        assert verdict.candidate is not None
        assert verdict.layout is not None
        chosen.setdefault(verdict.candidate, verdict.layout)
    limits = _limits(facts, chosen.values())
    edits: dict[cst.CSTNode, Replacement] = {}
    above: set[cst.CSTNode] = set()
    taken: dict[cst.CSTNode, set[str]] = {}
    served: set[cst.FunctionDef] = set()
    split: set[cst.FunctionDef] = set()
    made: dict[Candidate, Layout] = {}
    skipped = set(_skipped(facts, chosen))
    for candidate, layout in chosen.items():
        function = facts.index.function(layout.uploading)
        if function not in taken:
            taken[function] = names_seen_from(facts, layout.uploading)
        names = taken[function]
        names.update(_taken_over(candidate))
        limit = limits[facts.index.module_of(layout.uploading)]
        plan = Planner(facts, candidate, layout, limit.name, names).plan()
        plan.edits.update(_give_bodies(facts, candidate, skipped, served))
        splits = [one for one in candidate.upload.splits() if one.function not in split]
        for one in splits:
            width = widths.get(facts.index.module_of(one.function))
            plan.edits.update(extract(facts, one, width))
        if _overlaps(facts, plan, edits, above):
            continue
        edits.update(plan.edits)
        made[candidate] = layout
        served.update(_functions(candidate))
        split.update(one.function for one in splits)
        for node in plan.edits:
            above.update(facts.index.ancestors(node))
    _wrap(facts, edits, served, widths)
    for limit in limits.values():
        for place in limit.places:
            _add_limit(facts, limit.name, place, settings, edits)
    for candidate, layout in made.items():
        needed = candidate.upload.imports
        if any(call.content_type is not True for call in candidate.calls):
            needed |= candidate.upload.type_imports
        for known in layout.stand_ins:
            needed |= known.imports
        add_imports(facts.index.module_of(layout.uploading), needed, edits)
    name_makers(facts.index, (candidate.upload for candidate in made), widths, edits)
    changed: dict[cst.Module, cst.Module] = {}
    placed = (node for node in edits if node in facts.index.parent)
    for module in {facts.index.module_of(node): None for node in placed}:
        body = apply(facts.index, module, edits)
        limit_here = limits.get(module)
        if limit_here and any(place.after is None for place in limit_here.places):
            blank = 2 if isinstance(body.body[0], (cst.FunctionDef, cst.ClassDef)) else 1
            lines = [cst.EmptyLine(indent=False)] * blank
            first = body.body[0].with_changes(leading_lines=lines)
            constant = _constant_statement(limit_here.name, settings, is_apart=False)
            body = body.with_changes(body=[constant, first, *body.body[1:]])
        changed[module] = body
    return changed


def _wrap(
    facts: Facts,
    edits: dict[cst.CSTNode, Replacement],
    served: Iterable[cst.FunctionDef],
    widths: Mapping[cst.Module, int | None],
) -> None:
    """Break the lines of new code that are longer than those of their file."""
    for line, parts in _changed_lines(facts, edits).items():
        width = widths.get(facts.index.module_of(line))
        changed = apply(facts.index, line, parts)
        if width is not None and wrapped(facts.index, line, [changed], width) != [changed]:
            for part in parts:
                del edits[part]
            edits[line] = [changed]
    for anchor, statements in edits.items():
        width = widths.get(facts.index.module_of(anchor))
        if width is not None and isinstance(anchor, cst.BaseStatement):
            edits[anchor] = wrapped(facts.index, anchor, statements, width)
    for function in served:
        width = widths.get(facts.index.module_of(function))
        if width is not None:
            params = cast(cst.Parameters, edits[function.params][0])
            edits.update(wrapped_parameters(facts.index, function, params, width))


def _changed_lines(
    facts: Facts, edits: dict[cst.CSTNode, Replacement]
) -> dict[cst.SimpleStatementLine, dict[cst.CSTNode, Replacement]]:
    """Return the statements of which only parts are edited, with these edits."""
    found: dict[cst.SimpleStatementLine, dict[cst.CSTNode, Replacement]] = {}
    for node, new in edits.items():
        line = facts.index.statement(node) if node in facts.index.parent else None
        if isinstance(line, cst.SimpleStatementLine) and line not in edits:
            found.setdefault(line, {})[node] = new
    return found


def _limits(facts: Facts, layouts: Iterable[Layout]) -> dict[cst.Module, LimitConstant]:
    """Return the constant with the limit for each module that is to measure payloads."""
    users: dict[cst.Module, set[LineOrCompound]] = {}
    for layout in layouts:
        module = facts.index.module_of(layout.uploading)
        users.setdefault(module, set()).add(facts.cells.top(layout.uploading))
    return {
        module: limit_constant(facts, sorted(inside, key=facts.index.order.__getitem__))
        for module, inside in users.items()
    }


def _functions(candidate: Candidate) -> Iterator[cst.FunctionDef]:
    """Yield the functions that must take a body for a candidate to be rewritten."""
    for outer in candidate.calls:
        for call in outer.inward():
            if call.through is not None and call.through.has_body is None:
                yield call.through.function


def _taken_over(candidate: Candidate) -> Iterator[str]:
    """Yield the names in what a caller takes over from a function: no new name may hide them."""
    upload = candidate.upload
    own = {one.name for one in upload.prepared}
    for node in (candidate.payload.node, upload.content_type):
        yield from (name.value for name in names_in(node) if name not in own) if node else ()


def _skipped(facts: Facts, candidates: Iterable[Candidate]) -> Iterator[cst.FunctionDef]:
    """Yield the functions that get no URI from a caller that has a body."""
    for candidate in candidates:
        for outer in candidate.calls:
            if needs_upload(facts, outer.location, candidate.upload):
                for call in outer.inward():
                    if call.through is not None:
                        yield call.through.function


def _give_bodies(
    facts: Facts,
    candidate: Candidate,
    skipped: Container[cst.FunctionDef],
    served: Container[cst.FunctionDef],
) -> dict[cst.CSTNode, Replacement]:
    """Return the edits of the functions that make the calls, but for those already edited."""
    edits: dict[cst.CSTNode, Replacement] = {}
    for outer in candidate.calls:
        for call in outer.inward():
            through = call.through
            if through is None or through.function in served:
                continue
            skips = through.function in skipped
            if through.has_body is None:
                edits.update(give_body(facts, through, skips=skips))
            else:
                edits.update(leave_out(facts, through.telling, skips=skips))
    return edits


def _overlaps(
    facts: Facts, plan: Plan, edits: dict[cst.CSTNode, Replacement], above: set[cst.CSTNode]
) -> bool:
    return any(
        node in edits
        or node in above
        or any(parent in edits for parent in facts.index.ancestors(node))
        for node in plan.edits
    )


def _add_limit(
    facts: Facts,
    name: str,
    place: LimitPlace,
    settings: Settings,
    edits: dict[cst.CSTNode, Replacement],
) -> None:
    if place.after is None:
        return
    is_apart = not place.is_group and not place.opens_cell
    edits[place.after] = [place.after, _constant_statement(name, settings, is_apart=is_apart)]
    if place.opens_cell:
        following = next(facts.cells.statements(facts.cells.of(place.after)))
        replaced = list(edits.get(following, [following]))
        if replaced and not any(
            node in edits for node in descendants(following) if node is not following
        ):
            first = cast(cst.BaseStatement, replaced[0])
            blank = cst.EmptyLine(indent=False)
            edits[following] = [with_lines(first, (blank, *leading_lines(first))), *replaced[1:]]


def _constant_statement(
    name: str, settings: Settings, *, is_apart: bool
) -> cst.SimpleStatementLine:
    blank = (cst.EmptyLine(indent=False),) if is_apart else ()
    return cst.SimpleStatementLine(
        [cst.Assign([cst.AssignTarget(cst.Name(name))], cst.Integer(f"{settings.limit:_}"))],
        leading_lines=blank,
        trailing_whitespace=cst.TrailingWhitespace(
            whitespace=cst.SimpleWhitespace("  "), comment=cst.Comment("# bytes")
        ),
    )
