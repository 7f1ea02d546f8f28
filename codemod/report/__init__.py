"""The forms a report can be written in, each a pure function from the report to its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from codemod.model import Report
from codemod.report import github, json, sarif, text

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text.render,
    "json": json.render,
    "sarif": sarif.render,
    "github": github.render,
}
