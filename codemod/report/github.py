"""Workflow commands, which GitHub Actions turns into annotations of the changed lines."""

from __future__ import annotations

from codemod.model import Finding, Report
from codemod.report.summary import remaining, shown


def render(report: Report) -> str:
    """Return one command a line, for each finding and each error."""
    lines = [_finding(finding) for _, finding in remaining(report)]
    lines += (
        _command("error", result.error or "", file=shown(result.path)) for result in report.errors
    )
    return "".join(f"{line}\n" for line in lines)


def _finding(finding: Finding) -> str:
    place = finding.place
    title = f"async-inline ({finding.code})"
    if place.cell is not None:
        # Lines count within the cell, which says nothing about the lines of the notebook file.
        message = f"cell {place.cell}, line {place.line}: {finding.message}"
        return _command("warning", message, title=title, file=shown(place.path))
    return _command(
        "warning",
        finding.message,
        title=title,
        file=shown(place.path),
        line=place.line,
        endLine=place.end_line,
        col=place.column,
        endColumn=place.end_column,
    )


def _command(name: str, message: str, **properties: str | int) -> str:
    written = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name} {written}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
