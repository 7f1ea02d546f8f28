"""Plans the edits of one candidate: the guard, the two routes, and the changed calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import libcst as cst

from codemod.arguments import (
    keyword_argument,
    separator,
    star_in_place,
    with_last,
    without_remark,
)
from codemod.calls import LegacyCall
from codemod.edits import Replacement, apply, substitute
from codemod.effects import impure_part
from codemod.facts import Facts
from codemod.idiom import Idiom
from codemod.inputs import Style
from codemod.layout import Form, Layout
from codemod.measure import Measure
from codemod.names import body_parameter, free_name
from codemod.near import needs_upload
from codemod.nodes import (
    assign,
    blank_lines,
    from_comment,
    leading_lines,
    on_one_line,
    standing_alone,
    with_lines,
    without_comments,
    without_type,
)
from codemod.pairing import Candidate
from codemod.payload import Form as PayloadForm
from codemod.redent import redented
from codemod.syntax import descendants, dict_items, returns
from codemod.transfers import Given, Split
from codemod.tree import LineOrCompound


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The edits of one candidate, on the nodes of the original tree."""

    edits: dict[cst.CSTNode, Replacement]
    statement: cst.CSTNode


class Planner:
    """Builds the edits for one candidate."""

    def __init__(
        self, facts: Facts, candidate: Candidate, layout: Layout, limit: str, taken: set[str]
    ) -> None:
        """Take the names that are ``taken`` in the function; the one of the request is added."""
        self.facts = facts
        self.candidate = candidate
        self.layout = layout
        carriers = [call.invocation.carrier for call in candidate.calls]
        self.idiom = Idiom(facts.index, layout.uploading, carriers)
        payload = candidate.payload
        self.prepared: dict[cst.CSTNode, cst.Name] = {}
        for one in candidate.upload.prepared:
            self.prepared[one.name] = cst.Name(
                free_name(taken, one.name.value, f"upload_{one.name.value}")
            )
            taken.add(self.prepared[one.name].value)
        body = free_name(taken, "body", "payload_bytes", "inline_body")
        node = redented(facts.index, payload.node, len(f"{body} = "))
        self.measure = Measure(
            replace(payload, node=self._with_names(node)),
            _keeps_value(facts, candidate, layout),
            self.idiom,
            limit,
            body=body,
            file=free_name(taken, "file", "payload_file"),
            start=free_name(taken, "start", "payload_start"),
        )
        self.request = free_name(taken, "request_input", "async_request_input")
        if layout.form is Form.REQUEST:
            taken.add(self.request)

    def plan(self) -> Plan:
        """Return the edits, with the statement that the guard replaces."""
        if self.layout.form is Form.BRANCH:
            edits = self._branch()
        elif self.layout.form is Form.EARLY:
            edits = self._early()
        else:
            edits = self._request()
        return Plan(edits, self.layout.uploading)

    # -- the forms ---------------------------------------------------------------------

    def _branch(self) -> dict[cst.CSTNode, Replacement]:
        call = self.candidate.calls[0]
        last = self.candidate.spans[0].last
        assert isinstance(last, cst.SimpleStatementLine)
        inline = apply(self.facts.index, last, self._inline_arguments(call))
        s3_route = [
            *self.layout.announcing,
            *self.measure.rewinding(),
            *self._uploading_and_calling(last),
        ]
        routes = self._routes([*self._standing_in(), without_comments(inline)], s3_route)
        edits: dict[cst.CSTNode, Replacement] = dict.fromkeys(
            (*self.layout.announcing, *self.candidate.spans[0].between, last), ()
        )
        apart = blank_lines(last.leading_lines) if self.layout.hoisted else ()
        edits[self.layout.uploading] = self._in_place_of_upload(routes, apart)
        return edits

    def _early(self) -> dict[cst.CSTNode, Replacement]:
        call = self.candidate.calls[0]
        calling = self.facts.index.statement(call.invocation.carrier)
        assert isinstance(calling, cst.SimpleStatementLine)
        inline = without_comments(apply(self.facts.index, calling, self._inline_arguments(call)))
        announcing = self.layout.announcing
        s3_route = [*announcing, *self.measure.rewinding(), self._upload_statement()]
        edits: dict[cst.CSTNode, Replacement] = dict.fromkeys(announcing, ())
        edits[self.layout.uploading] = self._in_place_of_upload(self._routes([inline], s3_route))
        return edits

    def _standing_in(self) -> list[cst.BaseStatement]:
        """Return what gives names a value that the upload would have given one, and tells it."""
        given = [
            assign(one.target.value, standing_alone(self._with_names(one.value)))
            for one in self.layout.stand_ins
        ]
        return [*given, *(with_lines(one, ()) for one in self.layout.told)]

    def _uploading_and_calling(self, calling: cst.SimpleStatementLine) -> list[cst.BaseStatement]:
        """Return the statements of the S3 route: it may be one that does both."""
        uploading = self._upload_statement()
        if self.candidate.is_nested:
            assert isinstance(uploading, cst.SimpleStatementLine)
            return [_without_annotation(uploading)]
        return [uploading, *self.layout.attached, _without_annotation(calling)]

    def _inline_arguments(self, call: LegacyCall) -> dict[cst.CSTNode, Replacement]:
        """Return the edits that make a call send the body."""
        body = cst.Name(self.measure.name)
        if call.through is not None:
            edits: dict[cst.CSTNode, Replacement] = {}
            last = call.invocation.args[-1]
            if needs_upload(self.facts, call.location, self.candidate.upload):
                assert isinstance(call.entry, cst.Arg)
                edits[call.entry] = [call.entry.with_changes(value=cst.Name("None"))]
            (kept,) = edits.get(last, (last,))
            assert isinstance(kept, cst.Arg)
            added = keyword_argument(self._parameter(call), body)
            edits[last] = with_last(call.invocation.carrier, kept, added)
            return edits
        replacement = [without_remark(self._argument(call.entry, "Body", body))]
        if self._carries_content_type(call):
            content_type = self._content_type()
            replacement.insert(0, self._argument(call.entry, "ContentType", content_type, call))
        return {call.entry: replacement}

    def _parameter(self, call: LegacyCall) -> str:
        """Return the parameter in which the called function takes the body."""
        assert call.through is not None
        return call.through.has_body or body_parameter(call.through.function)

    def _request(self) -> dict[cst.CSTNode, Replacement]:
        layout = self.layout
        first = self.candidate.calls[0]
        sent_as = "Body" if first.through is None else self._parameter(first)
        inline_items: list[tuple[str, cst.BaseExpression]] = [
            (sent_as, cst.Name(self.measure.name))
        ]
        if self._carries_content_type(self.candidate.calls[0]):
            inline_items.append(("ContentType", self._content_type()))
        located = self._set_request(
            [("InputLocation", layout.location)] if layout.location is not None else []
        )
        s3_route: list[cst.BaseStatement] = [
            *layout.announcing,
            *self.measure.rewinding(),
            self._upload_statement(),
            *layout.late,
        ]
        located = _commented_like(located, self._item_statements())
        if layout.location_is_result:
            s3_route.extend(located)
        elif layout.default_before is None:
            s3_route[:0] = located
        s3_route.extend(layout.attached)
        inline = [*self._standing_in(), *self._set_request(inline_items)]
        routes = self._routes(inline, s3_route)
        edits: dict[cst.CSTNode, Replacement] = {}
        for statement in (
            *layout.announcing,
            *layout.attached,
            *layout.hoisted,
            *layout.dropped,
            *layout.late,
        ):
            edits[statement] = ()
        edits[layout.uploading] = self._in_place_of_upload(routes)
        if layout.default_before is not None:
            self._put_before(layout.default_before, [*self._hoisted(), *located], edits)
        for call in self.candidate.calls:
            self._edit_call(call, edits)
        return edits

    def _hoisted(self) -> list[cst.BaseStatement]:
        """Return the assignments that move in front, with their comments and the lines above."""
        return [
            with_lines(one, lines if from_comment(lines := leading_lines(one)) else ())
            for one in self.layout.hoisted
        ]

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

    def _in_place_of_upload(
        self, routes: Sequence[cst.BaseStatement], apart: Sequence[cst.EmptyLine] = ()
    ) -> list[cst.CSTNode]:
        """Return what replaces the upload, with the blank lines that stood before it.

        Blank lines in front of the call are ``apart``: they go in front of what takes its place.
        """
        hoisted = [] if self.layout.default_before is not None else self._hoisted()
        measuring = self.measure.statements()
        if impure_part(self.candidate.payload.node) is not None:  # it was made before them
            statements = [*measuring, *hoisted, *routes]
        else:
            following = [*measuring, *routes]
            following[0] = with_lines(following[0], (*apart, *leading_lines(following[0])))
            statements = [*hoisted, *following]
        statements = [*self._preparing(), *statements]
        own = leading_lines(statements[0])
        lines = self.layout.uploading.leading_lines
        above = tuple(lines) if self.candidate.is_nested else blank_lines(lines)
        if not above and self.facts.index.position(self.layout.uploading):
            above = blank_lines(own)
        statements[0] = with_lines(statements[0], (*above, *from_comment(own)))
        return list(statements)

    def _routes(
        self, inline: Sequence[cst.BaseStatement], s3_route: Sequence[cst.BaseStatement]
    ) -> list[cst.BaseStatement]:
        """Return the guard with both routes; the one for S3 stays outside if the other returns."""
        first = with_lines(s3_route[0], from_comment(leading_lines(s3_route[0])))
        s3_route = [first, *s3_route[1:]]
        test, block = self.measure.test(), self.idiom.block(inline)
        if returns(block):
            return [cst.If(test, block), *s3_route]
        return [cst.If(test, block, orelse=cst.Else(self.idiom.block(s3_route)))]

    # -- the upload and the calls ----------------------------------------------------------

    def _with_names(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Return an expression with the names of the arguments that were evaluated before."""
        if node in self.prepared:
            return self.prepared[node]
        return substitute(node, {one: [name] for one, name in self.prepared.items()})

    def _content_type(self) -> cst.BaseExpression:
        content_type = self.candidate.upload.content_type
        assert content_type is not None
        for one in self.candidate.upload.prepared:
            if one.value is content_type:
                return self.prepared[one.name]
        return self._with_names(content_type)

    def _preparing(self) -> list[cst.BaseStatement]:
        """Return what gives arguments of the upload a name."""
        index = self.facts.index
        named = (
            (self.prepared[one.name].value, one.value) for one in self.candidate.upload.prepared
        )
        return [
            assign(name, standing_alone(redented(index, value, len(f"{name} = "))))
            for name, value in named
        ]

    def _upload_statement(self) -> LineOrCompound:
        """Return the upload, taking the measured bytes where a new variable holds them."""
        upload, payload = self.candidate.upload, self.candidate.payload
        named: dict[cst.CSTNode, Replacement] = {
            one.value: [self.prepared[one.name]] for one in upload.prepared
        }
        original = apply(self.facts.index, self.layout.uploading, named)
        comments = () if self.candidate.is_nested else from_comment(original.leading_lines)
        statement = original.with_changes(leading_lines=comments)
        keeps = (
            payload.form in (PayloadForm.PATH, PayloadForm.HANDLE)
            or self.measure.name != self.measure.body
        )
        if upload.via is not None and upload.via.split is not None:
            return self._with_body(statement, upload.via.split)
        takes_text = upload.api == "upload_string_as_file_body"
        if upload.via is not None and not upload.via.takes_bytes:
            return statement
        if keeps or (takes_text and isinstance(payload.node, cst.Name)):
            return statement
        is_wrapped = payload.form in (PayloadForm.BYTES, PayloadForm.BUFFER)
        if upload.given is Given.BODY or is_wrapped:
            name = cst.Name(self.measure.body)
            named[payload.node] = [name]
            changed = apply(self.facts.index, self.layout.uploading, named)
            return changed.with_changes(leading_lines=statement.leading_lines)
        return statement

    def _with_body(self, statement: LineOrCompound, split: Split) -> LineOrCompound:
        """Return the call of a function that uploads, handing over the payload that is there."""
        added = keyword_argument(split.body, cst.Name(self.measure.name))
        call = self.candidate.upload.invocation.carrier
        now = next(
            part
            for part in descendants(statement)
            if isinstance(part, cst.Call) and part.func is call.func
        )
        args = [*now.args[:-1], *with_last(now, now.args[-1], added)] if now.args else [added]
        return substitute(statement, {now: [now.with_changes(args=args)]})

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
            comma=separator(entry, call.invocation.args),
            whitespace_after_arg=cst.SimpleWhitespace(""),
        )

    def _set_request(self, items: list[tuple[str, cst.BaseExpression]]) -> list[cst.BaseStatement]:
        elements = [
            cst.DictElement(self.idiom.string(key), standing_alone(on_one_line(value)))
            for key, value in items
        ]
        return [assign(self.request, cst.Dict(elements))]

    def _edit_call(self, call: LegacyCall, edits: dict[cst.CSTNode, Replacement]) -> None:
        name = cst.Name(self.request)
        entry = call.entry
        if call.parameters is not None or call.through is not None:
            if call.through is None:
                self._remove_entry(call, edits)
            last = call.invocation.carrier.args[-1]
            edits[last] = with_last(call.invocation.carrier, last, cst.Arg(name, star="**"))
        elif isinstance(entry, cst.Arg):
            edits.update(star_in_place(self.facts.index, entry, name))
        else:
            assert isinstance(entry, cst.DictElement)
            edits[entry] = [cst.StarredDictElement(name, comma=entry.comma)]

    def _item_statements(self) -> list[cst.SimpleStatementLine]:
        """Return the statements that set ``params["InputLocation"]`` and are not needed now."""
        found = []
        for call in self.candidate.calls:
            if call.style is Style.DICT_ITEM:
                statement = self.facts.index.statement(call.entry)
                assert isinstance(statement, cst.SimpleStatementLine)
                found.append(statement)
        return found

    def _remove_entry(self, call: LegacyCall, edits: dict[cst.CSTNode, Replacement]) -> None:
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
            edits[nodes[position - 1]] = [_closing_like(nodes[position - 1], call.entry)]


def _without_annotation(statement: cst.SimpleStatementLine) -> cst.SimpleStatementLine:
    """Return ``r: T = …`` as ``r = …``, likewise with a comment: the other route declares it."""
    statement = without_type(statement)
    small = statement.body[0]
    if not isinstance(small, cst.AnnAssign) or small.value is None:
        return statement
    plain = cst.Assign([cst.AssignTarget(small.target)], small.value, semicolon=small.semicolon)
    return statement.with_changes(body=[plain])


def _keeps_value(facts: Facts, candidate: Candidate, layout: Layout) -> bool:
    """Tell whether the payload's variable is certain to be the same in the guard and the call."""
    node = candidate.payload.node
    if not isinstance(node, cst.Name) or node.value in facts.definitions.declared_elsewhere:
        return False
    if any(one.target.value == node.value for one in layout.stand_ins):
        return False
    return not any(
        isinstance(part, cst.NamedExpr)
        and isinstance(part.target, cst.Name)
        and part.target.value == node.value
        for call in candidate.calls
        for part in descendants(facts.index.statement(call.invocation.carrier))
    )


def _commented_like(
    new: list[cst.BaseStatement], old: list[cst.SimpleStatementLine]
) -> list[cst.BaseStatement]:
    """Return new statements with the comments of the old ones that they stand for."""
    if not new or not old:
        return new
    comments = [line for one in old for line in from_comment(one.leading_lines)]
    first = with_lines(new[0], comments)
    if old[0].trailing_whitespace.comment is not None:
        first = first.with_changes(trailing_whitespace=old[0].trailing_whitespace)
    return [first, *new[1:]]


def _closing_like(before: cst.CSTNode, last: cst.CSTNode) -> cst.CSTNode:
    """Return the entry before the last one as the new last one, with its own comment."""
    assert isinstance(before, (cst.Arg, cst.DictElement, cst.StarredDictElement))
    assert isinstance(last, (cst.Arg, cst.DictElement))
    comma = last.comma
    if isinstance(comma, cst.Comma) and isinstance(before.comma, cst.Comma):
        own, closing = before.comma.whitespace_after, comma.whitespace_after
        if isinstance(own, cst.ParenthesizedWhitespace) and isinstance(
            closing, cst.ParenthesizedWhitespace
        ):
            after = closing.with_changes(
                first_line=own.first_line, empty_lines=[*own.empty_lines, *closing.empty_lines]
            )
            comma = comma.with_changes(whitespace_after=after)
    if isinstance(before, cst.Arg) and isinstance(last, cst.Arg):
        return before.with_changes(comma=comma, whitespace_after_arg=last.whitespace_after_arg)
    return before.with_changes(comma=comma)
