"""Lists for pip: ``requirements*.txt``, ``constraints*.txt`` and the files they include."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from codemod.manifests.requirement import Hindrance, Requirement, pep508
from codemod.manifests.sdk import FLOOR, normalised

_CONTINUATION = re.compile(r"\\\r?\n")
_LINE = re.compile(r"[^\r\n]+")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_OPTION = re.compile(r"\s--?[A-Za-z]")
_EDITABLE = re.compile(r"\s*(?:-e|--editable)[\s=]+")
_INCLUDE = re.compile(r"\s*(?:-[rc]\s*|--(?:requirement|constraint)[\s=]+)(?P<path>\S.*?)\s*$")
_VIA = re.compile(r"#\s*via\b")
_VIA_BELOW = re.compile(r"(?:[^\r\n]*)\r?\n[ \t]+#\s*via\b")
_GENERATED = re.compile(r"^#.*\b(?:auto-?generated|generated) by\b", re.IGNORECASE | re.MULTILINE)
_COMMAND = re.compile(r"^#\s+(?P<command>(?:uv pip compile|pip-compile)\b.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Line:
    """A logical line without its comment: offsets in the text, and whether ``# via`` follows."""

    start: int
    end: int
    written: str
    via: bool


def find(text: str) -> Iterator[Requirement]:
    """Yield the requirements in ``text`` that concern the SDK."""
    generated = _GENERATED.search(text) is not None
    command = _COMMAND.search(text)
    compiler = command["command"] if command else None
    # Blanks of the same length keep every offset.
    joined = _CONTINUATION.sub(lambda match: " " * len(match[0]), text)
    for line in _lines(joined):
        begin, option = line.start, None
        editable = _EDITABLE.match(line.written)
        if editable:
            begin += editable.end()
        elif line.written.lstrip().startswith("-"):
            continue
        else:
            option = _OPTION.search(line.written)
        end = line.start + option.start() if option else line.end
        requirement = pep508(joined, begin, end)
        if requirement is None:
            continue
        if "--hash" in line.written:
            requirement = replace(requirement, hindrance=_hashed(requirement, compiler))
        elif generated or line.via:
            requirement = replace(requirement, hindrance=_generated(requirement, compiler))
        yield requirement


def includes(text: str) -> Iterator[str]:
    """Yield the paths of the files that ``text`` includes, relative to the folder of its file."""
    for line in _lines(_CONTINUATION.sub(" ", text)):
        match = _INCLUDE.match(line.written)
        if match and "://" not in match["path"] and "$" not in match["path"]:
            yield match["path"].strip("\"'")


def _lines(joined: str) -> Iterator[_Line]:
    for match in _LINE.finditer(joined):
        comment = _COMMENT.search(match[0])
        written = match[0][: comment.start()] if comment else match[0]
        inline = comment is not None and _VIA.search(comment[0]) is not None
        below = _VIA_BELOW.match(joined, match.start()) is not None
        if written.strip():
            end = match.start() + len(written.rstrip())
            yield _Line(match.start(), end, written, inline or below)


def _hashed(requirement: Requirement, compiler: str | None) -> Hindrance:
    name = normalised(requirement.name)
    if compiler is not None:
        return Hindrance("hashed-pin", f"run {_upgrade(compiler, name)}")
    return Hindrance(
        "hashed-pin",
        f"write `{name}=={FLOOR}` with the hash that `pip download --no-deps {name}=={FLOOR} &&"
        f" pip hash {name.replace('-', '_')}-{FLOOR}-py3-none-any.whl` prints",
    )


def _generated(requirement: Requirement, compiler: str | None) -> Hindrance:
    name = normalised(requirement.name)
    if compiler is not None:
        return Hindrance("generated-pin", f"run {_upgrade(compiler, name)}")
    return Hindrance(
        "generated-pin",
        f"write `{name}>={FLOOR}` in the file that this one is made from, and make it again",
    )


def _upgrade(compiler: str, name: str) -> str:
    return f"`{compiler} --upgrade-package '{name}>={FLOOR}'`"
