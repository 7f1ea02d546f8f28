"""The report as JSON. Its form is a contract: a change that breaks readers raises the version."""

from __future__ import annotations

import json

from codemod.model import Finding, Report
from codemod.report.summary import remaining, shown, summarize

VERSION = 1


def render(report: Report) -> str:
    """Return one JSON document, in ASCII."""
    counted = summarize(report)
    document = {
        "version": VERSION,
        "findings": [_finding(finding) for _, finding in remaining(report)],
        "errors": [
            {"path": shown(result.path), "message": result.error} for result in report.errors
        ],
        "summary": {
            "files": counted.files,
            "findings": counted.findings,
            "safe": counted.safe,
            "unsafe": counted.unsafe,
            "none": counted.none,
            "fixed": counted.fixed if counted.wrote else 0,
            "errors": counted.errors,
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    place, upload = finding.place, finding.upload
    return {
        "code": finding.code,
        "fix": finding.fix.value,
        "reason": finding.reason,
        "message": finding.message,
        "path": shown(place.path),
        "cell": place.cell,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "chain": [
            {
                "name": link.name,
                "path": shown(link.place.path) if link.place is not None else None,
                "cell": link.place.cell if link.place is not None else None,
                "line": link.place.line if link.place is not None else None,
            }
            for link in finding.chain
        ],
        "upload": {"path": shown(upload.path), "cell": upload.cell, "line": upload.line},
    }
