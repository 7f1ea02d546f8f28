"""What the codes and reasons mean, for ``async-inline explain``."""

from __future__ import annotations

import re
import textwrap

from codemod.rules import FOLLOWED, REASONS, RULES, Reason, Rule

_WIDTH = 88
_QUOTED = re.compile("`[^`]*`")


def overview() -> str:
    """Return a line for each code and, below it, one for each reason; and what is looked at."""
    return "\n".join((*map(_overview, RULES.values()), _paragraph("What is followed", FOLLOWED)))


def explain(name: str) -> str | None:
    """Return the text about a code or the slug of a reason, ``None`` if there is no such name."""
    rule = RULES.get(name.upper())
    if rule is not None:
        return _rule(rule)
    reason = REASONS.get(name.lower())
    return None if reason is None else _reason(reason)


def names() -> list[str]:
    """Return every code and every slug."""
    return [*RULES, *REASONS]


def _overview(rule: Rule) -> str:
    return f"{rule.code}  {rule.title}\n{_reasons(rule)}"


def _rule(rule: Rule) -> str:
    reasons = _reasons(rule)
    return (
        f"{rule.code}: {rule.title}\n\n"
        f"{_paragraph('Why', rule.why)}\n"
        f"{_paragraph('What to do', rule.by_hand)}"
        + (f"\nReasons (`async-inline explain REASON` says more):\n{reasons}" if reasons else "")
    )


def _reason(reason: Reason) -> str:
    rule = RULES[reason.code]
    return (
        f"{reason.slug}: {_title(reason)}\n\n"
        f"{_paragraph(f'A reason of {rule.code}', rule.title)}\n"
        f"{_paragraph('What to do', reason.by_hand)}"
    )


def _reasons(rule: Rule) -> str:
    reasons = [reason for reason in REASONS.values() if reason.code == rule.code]
    width = max((len(reason.slug) for reason in reasons), default=0)
    return "".join(f"  {reason.slug:{width}}  {_title(reason)}\n" for reason in reasons)


def _title(reason: Reason) -> str:
    # What stands there in a finding, such as the name that is returned, is not known here.
    return reason.title.replace(" ({detail})", "")


def _paragraph(head: str, body: str) -> str:
    # Commands and comments stay on one line, to be copied.
    kept = _QUOTED.sub(lambda match: match[0].replace(" ", "\0"), body)
    lines = textwrap.fill(kept, _WIDTH, break_on_hyphens=False).replace("\0", " ")
    return f"{head}:\n" + textwrap.indent(lines, "  ") + "\n"
