"""The forms a report can be written in, each a pure function from the report to its text."""

from __future__ import annotations

from importlib import import_module

from codemod.model import Report

#: Each is a module of this package with a function ``render``; loaded when it is asked for.
FORMATS = ("text", "json", "sarif", "github")


def render(output_format: str, report: Report) -> str:
    """Return a report in one of the ``FORMATS``."""
    text: str = import_module(f"codemod.report.{output_format}").render(report)
    return text
