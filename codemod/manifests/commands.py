"""``pip install`` lines: Dockerfiles, shell scripts, GitHub workflows and cells of notebooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from codemod.manifests.requirement import Requirement, in_environment, pep508

_CONTINUATION = re.compile(r"\\\r?\n")
#: In a Dockerfile, comments are never continued, and may stand between the lines of a command.
_CONTINUATION_IN_DOCKER = re.compile(
    r"^[ \t]*#[^\n]*|\\[ \t]*\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*", re.MULTILINE
)
_LINE = re.compile(r"[^\r\n]+")
_INSTALL = re.compile(r"(?<![\w.$-])pip(?:3(?:\.\d+)?)?(?=\s)[^\r\n#;&|]*?\sinstall\b")
#: What only talks about a command.
_SAID = re.compile(r"\b(?:echo|printf)\b[^;&|]*\Z")
_COMMENT = re.compile(r"(?:^|\s)#")

#: A cell for a shell, and a line for one.
_SCRIPT = re.compile(r"\s*%%(?:bash|sh|!|script\s+(?:ba)?sh)\b|\s*!!")
_MAGIC = re.compile(r"\s*(?:[%!]|pip3?\s+install\s)")

#: A step of a workflow may be called what it does.
_TITLE = re.compile(r"\s*(?:-\s+)?name\s*:")

#: The image that a stage of a Dockerfile is built on, and what tells its Python: `python:3.7-slim`
#: does, `pytorch-inference:2.6.0-gpu-py312` as well, and the name of an earlier stage.
_FROM = re.compile(
    r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(?P<image>\S+)(?:[ \t]+AS[ \t]+(?P<name>\S+))?",
    re.IGNORECASE | re.MULTILINE,
)
_PYTHON = re.compile(r"(?:python[:-]?|\bpy)(\d)\.?(\d{1,2})(?!\d)")

#: Up to a blank or what ends a command; what is in quotes or braces is a part of the word.
_WORD = re.compile(r"(?:\"[^\"]*\"|'[^']*'|\$\{\{.*?\}\}|\$\{[^}]*\}|\\.|[^\s\"';&|()`])+")
_BLANKS = re.compile(r"[ \t]+")
_QUOTED = re.compile(r"(?P<quote>[\"'])(?P<inner>[^\"']*)(?P=quote)")

#: Options of `pip install` that take the next word as their value.
_TAKE_A_VALUE = frozenset(
    """-r --requirement -c --constraint -i --index-url --extra-index-url -f --find-links
    -t --target --prefix --root --platform --python-version --implementation --abi --src
    --trusted-host --proxy --timeout --retries --cache-dir --log --progress-bar --no-binary
    --only-binary --upgrade-strategy --report --cert --client-cert -C --config-settings
    --python -p --exists-action --root-user-action""".split()
)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a shell: its span, and that of what is within its quotes."""

    start: int
    end: int
    inner: tuple[int, int]
    is_quoted: bool


def find(text: str) -> Iterator[Requirement]:
    """Yield the requirements on the ``pip install`` lines of ``text`` that concern the SDK."""
    yield from _between(_joined(_CONTINUATION, text), 0, len(text))


def _between(joined: str, start: int, end: int) -> Iterator[Requirement]:
    for line in _LINE.finditer(joined, start, end):
        if _TITLE.match(line[0]) is None:
            yield from find_in_line(joined, line.start(), line.end())


def find_in_dockerfile(text: str) -> Iterator[Requirement]:
    """Yield the same of a Dockerfile, where the image of each stage may tell its Python."""
    text = _joined(_CONTINUATION_IN_DOCKER, text)
    pythons: dict[str, tuple[int, int] | None] = {}
    stages = [*_FROM.finditer(text)]
    ends = [*(stage.start() for stage in stages), len(text)]
    yield from _between(text, 0, ends[0])
    for stage, end in zip(stages, ends[1:], strict=True):
        image = stage["image"]
        told = _PYTHON.search(image)
        python = (int(told[1]), int(told[2])) if told else pythons.get(image.lower())
        pythons[(stage["name"] or "").lower()] = python
        found = _between(text, stage.start(), end)
        yield from found if python is None else in_environment(found, *python)


def find_in_cell(source: str) -> Iterator[Requirement]:
    """Yield the same of a cell of a notebook: lines that begin with ``%``, ``!`` or ``pip``."""
    joined = _joined(_CONTINUATION, source)
    is_script = _SCRIPT.match(joined) is not None
    for line in _LINE.finditer(joined):
        if is_script or _MAGIC.match(line[0]):
            yield from find_in_line(joined, line.start(), line.end())


def _joined(continuation: re.Pattern[str], text: str) -> str:
    """Return a text with lines joined; blanks of the same length keep every offset."""
    return continuation.sub(lambda match: " " * len(match[0]), text)


def find_in_line(text: str, start: int, end: int) -> Iterator[Requirement]:
    """Yield the requirements in the ``pip install`` commands of the line ``text[start:end]``."""
    for command in _INSTALL.finditer(text, start, end):
        before = text[start : command.start()]
        if _COMMENT.search(before):
            return
        if _SAID.search(before):
            continue
        around = "".join(quote for quote in "\"'" if before.count(quote) % 2)
        yield from _requirements(text, command.end(), end, around)


def _requirements(text: str, start: int, end: int, around: str) -> Iterator[Requirement]:
    """Read the words of one command; ``around`` holds the quotes that it stands within."""
    skip = False
    for word in _words(text, start, end, around):
        written = text[word.start : word.end]
        if skip or written in _TAKE_A_VALUE:
            skip = not skip
            continue
        requirement = pep508(text, *word.inner)
        if requirement is None:
            continue
        if not word.is_quoted:
            quote = "'" if '"' in around else '"'
            requirement = replace(requirement, quote=quote, start=word.start, end=word.end)
        yield requirement


def _words(text: str, start: int, end: int, around: str) -> Iterator[_Word]:
    limit = end
    for quote in around:
        closing = text.find(quote, start, end)
        limit = min(limit, closing) if closing >= 0 else limit
    position = start
    while position < limit:
        blanks = _BLANKS.match(text, position, limit)
        if blanks is not None:
            position = blanks.end()
            continue
        match = None if text[position] == "#" else _WORD.match(text, position, limit)
        if match is None:
            return
        quoted = _QUOTED.fullmatch(match[0])
        inner = (match.start() + 1, match.end() - 1) if quoted else match.span()
        yield _Word(*match.span(), inner, quoted is not None)
        position = match.end()
