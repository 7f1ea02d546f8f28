"""Measures a payload: binds its bytes to a name, reading no more than the limit and one byte."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from codemod.idiom import Idiom
from codemod.nodes import assign, encoded, function_call, method_call, standing_alone
from codemod.payload import Form, Payload

#: What is measured as it is.
_MEASURED = (Form.BYTES, Form.BUFFER)


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """How one payload is measured.

    Attributes:
        payload: What is known of the payload.
        keeps_value: Whether the variable that holds it, if one does, keeps its value.
        idiom: How the file is written.
        limit: The name of the constant with the limit.
        body: A free name for the bytes.
        file: A free name for an open file.
        start: A free name for the position of a handle.
    """

    payload: Payload
    keeps_value: bool
    idiom: Idiom
    limit: str
    body: str
    file: str
    start: str

    @property
    def _is_measured(self) -> bool:
        """Whether a variable of the user's own can stand for the bytes."""
        is_name = isinstance(self.payload.node, cst.Name)
        return self.payload.form in _MEASURED and is_name and self.keeps_value

    @property
    def name(self) -> str:
        """The variable that holds the bytes: the user's own where it does already."""
        payload = self.payload
        if self._is_measured and isinstance(payload.node, cst.Name):
            return payload.node.value
        return self.body

    def statements(self) -> list[cst.BaseStatement]:
        """Return what comes in front of the guard: the bytes, or at most one more than fit."""
        payload = self.payload
        node = standing_alone(payload.node)
        if payload.form in _MEASURED:
            if self._is_measured:
                return []
            return [assign(self.body, node)]
        if payload.form is Form.TEXT:
            return [assign(self.body, self._encoded(node))]
        if payload.form is Form.UNKNOWN:
            return self._measure_unknown(node)
        if payload.form is Form.PATH:
            return [self._read_file(node)]
        read = self._read(node)
        if payload.at_start:
            return [read]
        return [assign(self.start, method_call(node, "tell")), read]

    def _measure_unknown(self, node: cst.BaseExpression) -> list[cst.BaseStatement]:
        name = cst.Name(self.body)
        if isinstance(node, cst.Name):
            value = cst.IfExp(
                test=function_call("isinstance", node, cst.Name("str")),
                body=self._encoded(node),
                orelse=node,
            )
            return [assign(self.body, value)]
        check = cst.If(
            test=function_call("isinstance", name, cst.Name("str")),
            body=self.idiom.block([assign(self.body, self._encoded(name))]),
        )
        return [assign(self.body, node), check]

    def _encoded(self, node: cst.BaseExpression) -> cst.Call:
        return encoded(node, self.idiom.string("utf-8"))

    def _read(self, handle: cst.BaseExpression) -> cst.SimpleStatementLine:
        at_most = cst.BinaryOperation(cst.Name(self.limit), cst.Add(), cst.Integer("1"))
        return assign(
            self.body,
            cst.Call(cst.Attribute(handle, cst.Name("read")), [cst.Arg(at_most)]),
        )

    def _read_file(self, path: cst.BaseExpression) -> cst.With:
        opened = cst.Call(
            cst.Name("open"),
            [
                cst.Arg(path, comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))),
                cst.Arg(self.idiom.string("rb")),
            ],
        )
        name = cst.Name(self.file)
        return cst.With(
            [cst.WithItem(opened, cst.AsName(name))], self.idiom.block([self._read(name)])
        )

    def rewinding(self) -> list[cst.BaseStatement]:
        """Put a handle back where it stood before it was measured."""
        payload = self.payload
        if payload.form is not Form.HANDLE:
            return []
        to = cst.Integer("0") if payload.at_start else cst.Name(self.start)
        seek = method_call(payload.node, "seek", to)
        return [cst.SimpleStatementLine([cst.Expr(seek)])]

    def test(self) -> cst.BaseExpression:
        """Return the test for a payload that fits; an empty ``Body`` is sent as none at all."""
        name = cst.Name(self.name)
        test: cst.BaseExpression = cst.Comparison(
            cst.Integer("0"),
            [
                cst.ComparisonTarget(cst.LessThan(), function_call("len", name)),
                cst.ComparisonTarget(cst.LessThanEqual(), cst.Name(self.limit)),
            ],
        )
        if self.payload.form in (Form.UNKNOWN, Form.BUFFER):
            is_bytes = function_call("isinstance", name, cst.Name("bytes"))
            test = cst.BooleanOperation(is_bytes, cst.And(), test)
        return test
