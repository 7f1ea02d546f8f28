"""Builds the rewritten code: the guard, the two routes, and the changed calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import libcst as cst

from codemod.arguments import (
    keyword_argument,
    separator,
    star_in_place,
    with_last,
    without_remark,
)
from codemod.calls import LegacyCall, Style
from codemod.edits import Replacement, apply
from codemod.facts import Facts
from codemod.judge import Verdict
from codemod.layout import Form as LayoutForm
from codemod.layout import Layout
from codemod.model import Fix, Settings
from codemod.naming import LimitPlace, free_name, limit_constant, names_seen_from
from codemod.nodes import (
    assign,
    blank_lines,
    from_comment,
    function_call,
    leading_lines,
    method_call,
    moved,
    standing_alone,
    with_lines,
    without_comments,
)
from codemod.pairing import Candidate, made_by
from codemod.parameters import body_parameter, give_body
from codemod.payload import Form
from codemod.syntax import descendants, dict_items
from codemod.uploads import Given



@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The edits of one candidate, on the nodes of the original tree."""

    edits: dict[cst.CSTNode, Replacement]
    statement: cst.CSTNode


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    body: str
    request: str
    limit: str
    file: str
    start: str


def rewrite(facts: Facts, verdicts: Iterable[Verdict], settings: Settings) -> cst.Module | None:
    """Return the module with every allowed fix that can be made at once, ``None`` if none can.

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
        assert verdict.candidate is not None and verdict.layout is not None
        chosen.setdefault(verdict.candidate, verdict.layout)
    if not chosen:
        return None
    users = {facts.cells.top(layout.uploading) for layout in chosen.values()}
    limit = limit_constant(facts, sorted(users, key=facts.index.order.__getitem__))
    edits: dict[cst.CSTNode, Replacement] = {}
    above: set[cst.CSTNode] = set()
    taken: dict[cst.CSTNode, set[str]] = {}
    served: set[cst.FunctionDef] = set()
    for candidate, layout in chosen.items():
        function = facts.index.function(layout.uploading)
        if function not in taken:
            taken[function] = names_seen_from(facts, layout.uploading)
        names = taken[function]
        plan = _Builder(facts, candidate, layout, limit.name, names).plan()
        plan.edits.update(_give_bodies(facts, candidate, served))
        if _overlaps(facts, plan, edits, above):
            continue
        edits.update(plan.edits)
        served.update(_functions(candidate))
        for node in plan.edits:
            above.update(facts.index.ancestors(node))
    for place in limit.places:
        _add_limit(facts, limit.name, place, settings, edits)
    body = apply(facts.index, facts.index.module, edits)
    if any(place.after is None for place in limit.places):
        first = body.body[0].with_changes(leading_lines=(cst.EmptyLine(indent=False),))
        constant = _constant_statement(limit.name, settings, is_apart=False)
        body = body.with_changes(body=[constant, first, *body.body[1:]])
    return body


def _functions(candidate: Candidate) -> Iterator[cst.FunctionDef]:
    """Yield the functions that must take a body for a candidate to be rewritten."""
    for call in candidate.calls:
        current: LegacyCall | None = call
        while current is not None and current.through is not None:
            if current.through.has_body is None:
                yield current.through.function
            current = current.through.inner


def _give_bodies(
    facts: Facts, candidate: Candidate, served: set[cst.FunctionDef]
) -> dict[cst.CSTNode, Replacement]:
    """Return the edits of the functions that make the calls, but for those already edited."""
    edits: dict[cst.CSTNode, Replacement] = {}
    for call in candidate.calls:
        current: LegacyCall | None = call
        while current is not None and current.through is not None:
            through = current.through
            if through.has_body is None and through.function not in served:
                assert through.inner is not None
                edits.update(give_body(facts, through.function, through.inner))
            current = through.inner
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
        if replaced and not any(node in edits for node in descendants(following) if node is not following):
            first = cast(cst.BaseStatement, replaced[0])
            blank = cst.EmptyLine(indent=False)
            edits[following] = [with_lines(first, (blank, *leading_lines(first))), *replaced[1:]]


def _constant_statement(
    name: str, settings: Settings, *, is_apart: bool
) -> cst.SimpleStatementLine:
    blank = (cst.EmptyLine(indent=False),) if is_apart else ()
    return cst.SimpleStatementLine(
        [
            cst.Assign(
                [cst.AssignTarget(cst.Name(name))], cst.Integer(f"{settings.limit:_}")
            )
        ],
        leading_lines=blank,
        trailing_whitespace=cst.TrailingWhitespace(
            whitespace=cst.SimpleWhitespace("  "), comment=cst.Comment("# bytes")
        ),
    )


@dataclass(slots=True, eq=False)
class _Builder:
    """Builds the edits for one candidate."""

    facts: Facts
    candidate: Candidate
    layout: Layout
    limit: str
    taken: set[str]
    names: _Names = field(init=False)

    def __post_init__(self) -> None:
        request = free_name(self.taken, "request_input", "async_request_input")
        self.names = _Names(
            body=free_name(self.taken, "body", "payload_bytes", "inline_body"),
            request=request,
            limit=self.limit,
            file=free_name(self.taken, "file", "payload_file"),
            start=free_name(self.taken, "start", "payload_start"),
        )
        if self.layout.form is LayoutForm.REQUEST:
            self.taken.add(request)

    def plan(self) -> Plan:
        """Return the edits, with the statement that the guard replaces."""
        if self.layout.form is LayoutForm.BRANCH:
            edits = self._branch()
        else:
            edits = self._request()
        return Plan(edits, self.layout.uploading)

    # -- the two forms ---------------------------------------------------------------------

    def _branch(self) -> dict[cst.CSTNode, Replacement]:
        call = self.candidate.calls[0]
        last = self.candidate.spans[0].last
        assert isinstance(last, cst.SimpleStatementLine)
        inline = apply(self.facts.index, last, self._inline_arguments(call))
        s3_route = [
            *self.layout.announcing,
            *self._rewind(),
            self._upload_statement(),
            *self.layout.attached,
            last,
        ]
        guard = self._guard([without_comments(inline)], s3_route)
        edits: dict[cst.CSTNode, Replacement] = {
            statement: ()
            for statement in (*self.layout.announcing, *self.candidate.spans[0].between, last)
        }
        edits[self.layout.uploading] = self._in_place_of_upload(guard)
        return edits

    def _inline_arguments(self, call: LegacyCall) -> dict[cst.CSTNode, Replacement]:
        """Return the edits that make a call send the body."""
        body = cst.Name(self._body_name())
        if call.through is not None:
            edits: dict[cst.CSTNode, Replacement] = {}
            last = call.invocation.args[-1]
            if made_by(self.facts, call.location, self.candidate.upload):
                assert isinstance(call.entry, cst.Arg)
                edits[call.entry] = [call.entry.with_changes(value=cst.Name("None"))]
            (kept,) = edits.get(last, (last,))
            assert isinstance(kept, cst.Arg)
            edits[last] = with_last(kept, keyword_argument(self._parameter(call), body))
            return edits
        replacement = [without_remark(self._argument(call.entry, "Body", body))]
        if self._carries_content_type(call):
            content_type = self.candidate.upload.content_type
            assert content_type is not None
            replacement.insert(0, self._argument(call.entry, "ContentType", content_type, call))
        return {call.entry: replacement}

    def _parameter(self, call: LegacyCall) -> str:
        """Return the parameter in which the called function takes the body."""
        assert call.through is not None
        return call.through.has_body or body_parameter(self.facts, call.through.function)

    def _request(self) -> dict[cst.CSTNode, Replacement]:
        layout, upload = self.layout, self.candidate.upload
        first = self.candidate.calls[0]
        sent_as = "Body" if first.through is None else self._parameter(first)
        inline_items: list[tuple[str, cst.BaseExpression]] = [
            (sent_as, cst.Name(self._body_name()))
        ]
        if self._carries_content_type(self.candidate.calls[0]):
            assert upload.content_type is not None
            inline_items.append(("ContentType", upload.content_type))
        located = self._set_request(
            [("InputLocation", layout.location)] if layout.location is not None else []
        )
        s3_route: list[cst.BaseStatement] = [
            *layout.announcing,
            *self._rewind(),
            self._upload_statement(),
        ]
        if layout.location_is_result:
            s3_route.extend(located)
        elif layout.default_before is None:
            s3_route[:0] = located
        s3_route.extend(layout.attached)
        guard = self._guard(self._set_request(inline_items), s3_route)
        edits: dict[cst.CSTNode, Replacement] = {}
        for statement in (
            *layout.announcing,
            *layout.attached,
            *layout.hoisted,
            *layout.dropped,
        ):
            edits[statement] = ()
        edits[layout.uploading] = self._in_place_of_upload(guard)
        if layout.default_before is not None:
            self._put_before(layout.default_before, located, edits)
        for call in self.candidate.calls:
            self._edit_call(call, edits)
        return edits

    def _put_before(
        self,
        statement: cst.BaseCompoundStatement,
        new: Sequence[cst.BaseStatement],
        edits: dict[cst.CSTNode, Replacement],
    ) -> None:
        """Put statements in front of a compound one that holds other edits."""
        inside = {
            node: edits.pop(node)
            for node in list(edits)
            if self.facts.index.inside(node, statement)
        }
        changed = apply(self.facts.index, statement, inside)
        lines = list(getattr(statement, "leading_lines", ()))
        first = new[0].with_changes(leading_lines=lines)
        edits[statement] = [first, *new[1:], changed.with_changes(leading_lines=())]

    def _in_place_of_upload(self, guard: cst.If) -> list[cst.CSTNode]:
        """Return what replaces the upload, with the blank lines that stood before it."""
        statements: list[cst.BaseStatement] = [
            *(with_lines(one, ()) for one in self.layout.hoisted),
            *self._measure(),
            guard,
        ]
        blank = blank_lines(self.layout.uploading.leading_lines)
        statements[0] = with_lines(
            statements[0], (*blank, *leading_lines(self.layout.hoisted[0])[len(blank_lines(leading_lines(self.layout.hoisted[0]))) :])
            if self.layout.hoisted
            else blank,
        )
        return list(statements)

    # -- measuring -------------------------------------------------------------------------

    def _body_name(self) -> str:
        """Return the variable that holds the bytes: the user's own where it does already."""
        payload = self.candidate.payload
        if payload.form is Form.BYTES and isinstance(payload.node, cst.Name):
            return payload.node.value
        return self.names.body

    def _measure(self) -> list[cst.BaseStatement]:
        payload, names = self.candidate.payload, self.names
        node = standing_alone(payload.node)
        if payload.form is Form.BYTES:
            if isinstance(payload.node, cst.Name):
                return []
            return [assign(names.body, node)]
        if payload.form is Form.TEXT:
            return [assign(names.body, self._encoded(node))]
        if payload.form is Form.UNKNOWN:
            return self._measure_unknown(node)
        if payload.form is Form.PATH:
            return [self._read_file(node)]
        read = self._read(node)
        if payload.at_start:
            return [read]
        return [assign(names.start, method_call(node, "tell")), read]

    def _measure_unknown(self, node: cst.BaseExpression) -> list[cst.BaseStatement]:
        name = cst.Name(self.names.body)
        if isinstance(node, cst.Name):
            value = cst.IfExp(
                test=function_call("isinstance", node, cst.Name("str")),
                body=self._encoded(node),
                orelse=node,
            )
            return [assign(self.names.body, value)]
        check = cst.If(
            test=function_call("isinstance", name, cst.Name("str")),
            body=self._block([assign(self.names.body, self._encoded(name))]),
        )
        return [assign(self.names.body, node), check]

    def _encoded(self, node: cst.BaseExpression) -> cst.Call:
        atoms = (cst.Name, cst.Call, cst.Attribute, cst.Subscript, cst.SimpleString)
        if not isinstance(node, (*atoms, cst.FormattedString)) and not node.lpar:
            node = node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        return cst.Call(
            cst.Attribute(node, cst.Name("encode")), [cst.Arg(self._string("utf-8"))]
        )

    def _read(self, handle: cst.BaseExpression) -> cst.SimpleStatementLine:
        at_most = cst.BinaryOperation(cst.Name(self.limit), cst.Add(), cst.Integer("1"))
        return assign(
            self.names.body,
            cst.Call(cst.Attribute(handle, cst.Name("read")), [cst.Arg(at_most)]),
        )

    def _read_file(self, path: cst.BaseExpression) -> cst.With:
        opened = cst.Call(
            cst.Name("open"),
            [
                cst.Arg(path, comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))),
                cst.Arg(self._string("rb")),
            ],
        )
        name = cst.Name(self.names.file)
        return cst.With(
            [cst.WithItem(opened, cst.AsName(name))], self._block([self._read(name)])
        )

    def _rewind(self) -> list[cst.BaseStatement]:
        """Put a handle back where it stood before it was measured."""
        payload = self.candidate.payload
        if payload.form is not Form.HANDLE:
            return []
        to = cst.Integer("0") if payload.at_start else cst.Name(self.names.start)
        seek = method_call(payload.node, "seek", to)
        return [cst.SimpleStatementLine([cst.Expr(seek)])]

    def _guard(
        self, inline: Sequence[cst.BaseStatement], s3_route: Sequence[cst.BaseStatement]
    ) -> cst.If:
        size = function_call("len", cst.Name(self._body_name()))
        test: cst.BaseExpression = cst.Comparison(
            cst.Integer("0"),
            [
                cst.ComparisonTarget(cst.LessThan(), size),
                cst.ComparisonTarget(cst.LessThanEqual(), cst.Name(self.limit)),
            ],
        )
        if self.candidate.payload.form is Form.UNKNOWN:
            is_bytes = function_call("isinstance", cst.Name(self._body_name()), cst.Name("bytes"))
            test = cst.BooleanOperation(is_bytes, cst.And(), test)
        first = s3_route[0]
        s3_route = [with_lines(first, from_comment(leading_lines(first))), *s3_route[1:]]
        return cst.If(
            test, self._block(inline), orelse=cst.Else(self._block(s3_route))
        )

    def _block(self, statements: Sequence[cst.BaseStatement]) -> cst.IndentedBlock:
        """Make a block that is indented like the block around the upload."""
        block = self.facts.index.block(self.layout.uploading)
        if isinstance(block, cst.IndentedBlock):
            indent = block.indent
        else:
            indent = self._module_indent()
        return cst.IndentedBlock(moved(statements), indent=indent)

    def _module_indent(self) -> str | None:
        """Return a tab for a file without any block whose continued lines begin with tabs."""
        module = self.facts.index.module
        if any(isinstance(node, cst.IndentedBlock) for node in self.facts.index.parent):
            return None
        return "\t" if "\n\t" in module.code_for_node(self.layout.uploading) else None

    # -- the upload and the calls ----------------------------------------------------------

    def _upload_statement(self) -> cst.SimpleStatementLine:
        """Return the upload, taking the measured bytes where a new variable holds them."""
        upload, payload = self.candidate.upload, self.candidate.payload
        original = self.layout.uploading
        statement = original.with_changes(leading_lines=from_comment(original.leading_lines))
        keeps = payload.form in (Form.PATH, Form.HANDLE) or self._body_name() != self.names.body
        takes_text = upload.api == "upload_string_as_file_body"
        if upload.via is not None and not upload.via.takes_bytes:
            return statement
        if keeps or (takes_text and isinstance(payload.node, cst.Name)):
            return statement
        if upload.given is Given.BODY or payload.form is Form.BYTES:
            name = cst.Name(self.names.body)
            changed = apply(self.facts.index, original, {payload.node: [name]})
            return changed.with_changes(leading_lines=statement.leading_lines)
        return statement

    def _carries_content_type(self, call: LegacyCall) -> bool:
        return self.candidate.upload.content_type is not None and call.content_type is False

    def _argument(
        self,
        entry: cst.CSTNode,
        name: str,
        value: cst.BaseExpression,
        call: LegacyCall | None = None,
    ) -> cst.Arg:
        """Make an argument spaced like the one it replaces or, with a call, goes in front of."""
        assert isinstance(entry, cst.Arg)
        made = entry.with_changes(keyword=cst.Name(name), value=standing_alone(value))
        if call is None:
            return made
        return made.with_changes(
            comma=separator(entry, call.invocation.args), whitespace_after_arg=cst.SimpleWhitespace("")
        )

    def _set_request(
        self, items: list[tuple[str, cst.BaseExpression]]
    ) -> list[cst.BaseStatement]:
        elements = [
            cst.DictElement(self._string(key), standing_alone(value)) for key, value in items
        ]
        return [assign(self.names.request, cst.Dict(elements))]

    def _edit_call(self, call: LegacyCall, edits: dict[cst.CSTNode, Replacement]) -> None:
        name = cst.Name(self.names.request)
        entry = call.entry
        if call.parameters is not None or call.through is not None:
            if call.through is None:
                self._remove_entry(call, edits)
            last = call.invocation.carrier.args[-1]
            edits[last] = with_last(last, cst.Arg(name, star="**"))
        elif isinstance(entry, cst.Arg):
            edits.update(star_in_place(self.facts.index, entry, name))
        else:
            assert isinstance(entry, cst.DictElement)
            edits[entry] = [cst.StarredDictElement(name, comma=entry.comma)]

    def _remove_entry(
        self, call: LegacyCall, edits: dict[cst.CSTNode, Replacement]
    ) -> None:
        """Take ``InputLocation`` out of the dictionary that is passed to the call."""
        if call.style is Style.DICT_ITEM:
            edits[self.facts.index.statement(call.entry)] = ()
            return
        literal = dict_items(call.parameters_made)
        assert literal is not None
        nodes = [node for _, _, node in literal]
        position = nodes.index(call.entry)
        edits[call.entry] = ()
        if position == len(nodes) - 1 and position:
            before, last = nodes[position - 1], call.entry
            kept = {"comma": getattr(last, "comma", cst.MaybeSentinel.DEFAULT)}
            if isinstance(last, cst.Arg):
                kept["whitespace_after_arg"] = last.whitespace_after_arg
            edits[before] = [before.with_changes(**kept)]

    def _string(self, text: str) -> cst.SimpleString:
        quote = self._quote()
        return cst.SimpleString(f"{quote}{text}{quote}")

    def _quote(self) -> str:
        """Return the quotes that the upload and the call use most, double ones if in doubt."""
        single = double = 0
        for node in (self.layout.uploading, *(call.invocation.carrier for call in self.candidate.calls)):
            text = self.facts.index.module.code_for_node(node)
            single += text.count("'")
            double += text.count('"')
        return "'" if single > double else '"'
