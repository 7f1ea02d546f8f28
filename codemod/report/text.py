"""Lines for people and for editors that understand ``path:line:column: message``."""

from __future__ import annotations

from collections.abc import Iterator

from codemod.model import Finding, Link, Place, Report
from codemod.report.summary import Summary, remaining, shown, summarize

#: What would end a line, or do something to the terminal: names of files may hold it.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROLS |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}


def render(report: Report) -> str:
    """Return a line for each finding and note, with what led to it indented below."""
    entries = [(finding.place, _finding(finding)) for _, finding in remaining(report)]
    entries += [
        (note.place, _line(f"{_where(note.place)}: note: {note.message}"))
        for result in report.results
        for note in result.notes
    ]
    # Only by place: two of them may stand on the same one, and have their order.
    entries.sort(key=lambda entry: (entry[0].path, entry[0].cell or 0, entry[0].line))
    return "".join(entry for _, entry in entries)


def errors(report: Report) -> str:
    """Return a line for each file that could not be handled."""
    return "".join(_line(f"error: {shown(r.path)}: {r.error}") for r in report.errors)


def files(report: Report) -> str:
    """Return a line for each file that mentions the call, with what was found in it."""
    lines = []
    for result in report.results:
        if result.error is None:
            count = _count(len(result.findings), "finding")
            fixed = f", {len(result.fixed)} fixed" if result.fixed and report.wrote else ""
            lines.append(_line(f"{shown(result.path)}: {count}{fixed}"))
    return "".join(lines)


def summary(report: Report, *, unsafe_fixes: bool = False) -> str:
    """Return the closing lines.

    Args:
        report: The outcome of the run.
        unsafe_fixes: Whether unsafe fixes count as available.
    """
    counted = summarize(report)
    lines = []
    if counted.fixed:
        verb = "Fixed" if counted.wrote else "Would fix"
        files = _count(counted.fixed_files, "file")
        lines.append(f"{verb} {_count(counted.fixed, 'finding')} in {files}.")
    if counted.findings:
        fixable = ", ".join(_fixable(counted, unsafe_fixes=unsafe_fixes))
        suffix = f" ({fixable})" if fixable else ""
        lines.append(f"Found {_count(counted.findings, 'finding')}{suffix}.")
    elif counted.files and not counted.fixed:
        lines.append(f"No findings in {_count(counted.files, 'file')}.")
    elif not counted.files and not counted.errors:
        lines.append("No Python files or notebooks found.")
    if counted.errors:
        lines.append(f"{_count(counted.errors, 'file')} could not be handled.")
    return "".join(f"{line}\n" for line in lines)


def _finding(finding: Finding) -> str:
    lines = [f"{_where(finding.place)}: {finding.code} {finding.message}"]
    if finding.cause is not None:
        lines.append(f"    because of {_where(finding.cause)} ({finding.reason})")
    elif finding.reason is not None:
        lines.append(f"    because of {finding.reason}")
    if finding.chain:
        lines.append(f"    by way of {' <- '.join(map(_link, finding.chain))}")
    if finding.unlock is not None:
        lines.append(f"    to unlock the fix: {finding.unlock}")
    lines += (f"    note: {note}" for note in finding.notes)
    return "".join(map(_line, lines))


def _link(link: Link) -> str:
    if link.place is None:
        return link.name
    cell = f"cell {link.place.cell}:" if link.place.cell is not None else ""
    return f"{link.name} ({shown(link.place.path)}:{cell}{link.place.line})"


def _line(text: str) -> str:
    return text.translate(_CONTROLS) + "\n"


def _where(place: Place) -> str:
    cell = f"cell {place.cell}:" if place.cell is not None else ""
    return f"{shown(place.path)}:{cell}{place.line}:{place.column}"


def _fixable(counted: Summary, *, unsafe_fixes: bool) -> Iterator[str]:
    """Yield what a next run would fix; what this run has left over, it could not fix."""
    safe = 0 if counted.wrote else counted.safe
    unsafe = 0 if counted.wrote and unsafe_fixes else counted.unsafe
    if unsafe_fixes and safe + unsafe:
        yield f"{safe + unsafe} fixable with `async-inline fix --unsafe-fixes`"
    elif safe:
        yield f"{safe} fixable with `async-inline fix`"
        if unsafe:
            yield f"{unsafe} more with `--unsafe-fixes`"
    elif unsafe:
        yield f"{unsafe} fixable with `async-inline fix --unsafe-fixes`"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
