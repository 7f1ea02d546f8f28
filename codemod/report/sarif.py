"""SARIF 2.1.0, the form in which code scanning services take findings."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from codemod import __version__
from codemod.model import FileResult, Finding, Fix, Place, Report
from codemod.report.summary import remaining, shown
from codemod.rules import RULES, Rule

#: What ends a line for Python; `splitlines` knows some more.
_NEWLINE = re.compile(r"\r\n?|\n")

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

#: The base that relative paths count from; whoever reads the file knows where the checkout is.
_ROOT = "%SRCROOT%"

_Object = dict[str, object]


def render(report: Report) -> str:
    """Return one SARIF log with one run, in ASCII."""
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "async-inline",
                        "version": __version__,
                        "rules": [_rule(rule) for rule in RULES.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": not report.errors,
                        "toolExecutionNotifications": [_error(e) for e in report.errors],
                    }
                ],
                "results": list(_results(report)),
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: Rule) -> _Object:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.by_hand},
        "defaultConfiguration": {"level": "warning"},
    }


def _error(result: FileResult) -> _Object:
    return {
        "level": "error",
        "message": {"text": result.error},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(result.path)}}],
    }


def _results(report: Report) -> Iterator[_Object]:
    rules = list(RULES)
    seen: Counter[tuple[str, str]] = Counter()
    for result, finding in remaining(report):
        code = _code(result, finding.place, rewritten=report.wrote)
        seen[finding.place.path, code] += 1
        yield {
            "ruleId": finding.code,
            "ruleIndex": rules.index(finding.code),
            "level": "note" if finding.fix is Fix.NONE else "warning",
            "message": {"text": _message(finding)},
            "locations": [_location(finding.place)],
            "relatedLocations": list(_related(finding)),
            "partialFingerprints": {
                "asyncInline/v1": _fingerprint(
                    finding.place.path, code, seen[finding.place.path, code]
                )
            },
            "properties": {
                "fix": finding.fix.value,
                "reason": finding.reason,
                "unlock": finding.unlock,
                "notes": list(finding.notes),
            },
        }


def _message(finding: Finding) -> str:
    if finding.place.cell is None:
        return finding.message
    return f"cell {finding.place.cell}, line {finding.place.line}: {finding.message}"


def _related(finding: Finding) -> Iterator[_Object]:
    if finding.upload != finding.place:  # a requirement has none
        yield _location(finding.upload) | {"id": 1, "message": {"text": "the upload"}}
    if finding.cause is not None:
        yield _location(finding.cause) | {"id": 2, "message": {"text": "the reason"}}


def _location(place: Place) -> _Object:
    artifact = _artifact(place.path)
    if place.cell is not None:
        # SARIF counts the lines of the file, and we know those of the cell. Services want some
        # line, though, so this is the file's first, and the cell has a name.
        return {
            "physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 1}},
            "logicalLocations": [{"name": f"cell {place.cell}, line {place.line}"}],
        }
    return {
        "physicalLocation": {
            "artifactLocation": artifact,
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.end_line,
                "endColumn": place.end_column,
            },
        }
    }


def _artifact(path: str) -> _Object:
    return {"uri": quote(os.fsencode(path)), "uriBaseId": _ROOT}


def _code(result: FileResult, place: Place, *, rewritten: bool) -> str:
    """Return the source of ``place`` without its layout, empty where it cannot be cut out."""
    content = result.after if rewritten and result.after is not None else result.before
    if content is None or place.cell is not None:
        return ""
    lines = _NEWLINE.split(content.decode("utf-8", "replace"))
    return " ".join(" ".join(lines[place.line - 1 : place.end_line]).split())


def _fingerprint(path: str, code: str, occurrence: int) -> str:
    """Tell findings apart by what they say: a line number changes with every edit above it."""
    identity = "\0".join((shown(path), code, str(occurrence)))
    return hashlib.sha256(identity.encode()).hexdigest()
