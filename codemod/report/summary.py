"""What is left to report after a run, and how much of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from codemod.model import FileResult, Finding, Fix, Report


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of a run.

    ``findings`` is the sum of ``safe``, ``unsafe`` and ``none``: what remains. ``fixed`` and
    ``fixed_files`` count what was rewritten, or what would be if ``wrote`` is false.
    """

    files: int
    findings: int
    safe: int
    unsafe: int
    none: int
    fixed: int
    fixed_files: int
    errors: int
    wrote: bool


def remaining(report: Report) -> Iterator[tuple[FileResult, Finding]]:
    """Yield the findings that are still in the files, each with the result of its file."""
    for result in report.results:
        for finding in result.findings:
            if not (report.wrote and finding in result.fixed):
                yield result, finding


def summarize(report: Report) -> Summary:
    """Count what the report holds."""
    fixes = Counter(finding.fix for _, finding in remaining(report))
    fixed = [len(result.fixed) for result in report.results if result.fixed or result.after]
    return Summary(
        files=report.checked,
        findings=fixes.total(),
        safe=fixes[Fix.SAFE],
        unsafe=fixes[Fix.UNSAFE],
        none=fixes[Fix.NONE],
        fixed=sum(fixed),
        fixed_files=len(fixed),
        errors=len(report.errors),
        wrote=report.wrote,
    )


def shown(path: str) -> str:
    """Return ``path`` with bytes that are no UTF-8, which POSIX allows in names, as ``\\xff``.

    A path without a name, such as that of a variable that is not set, is shown as one.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace") or "''"
