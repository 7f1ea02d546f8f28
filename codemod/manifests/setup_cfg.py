"""``setup.cfg``: the lists of requirements in ``[options]`` and its extras."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemod.manifests.requirement import Requirement, pep508

_LINE = re.compile(r"[^\r\n]+")
_SECTION = re.compile(r"\[(?P<name>[^\]]+)\]")
_OPTION = re.compile(r"(?P<key>[^\s=:#;][^=:]*?)\s*[=:][ \t]*(?P<value>.*)")
_OPTIONS = frozenset({"install_requires", "setup_requires", "tests_require"})
_COMMENT = re.compile(r"\s#.*")


def find(text: str) -> Iterator[Requirement]:
    """Yield the requirements in ``text`` that concern the SDK."""
    section, wanted = "", False
    for line in _LINE.finditer(text):
        written = line[0]
        header = _SECTION.match(written)
        if header is not None:
            section, wanted = header["name"].strip(), False
            continue
        if written.lstrip().startswith(("#", ";")):
            continue
        if written[0].isspace():
            if wanted:
                yield from _requirements(text, line.start(), line.end(), several=False)
            continue
        option = _OPTION.match(written)
        wanted = option is not None and _holds_requirements(section, option["key"])
        if option is not None and wanted:
            start, end = (line.start() + offset for offset in option.span("value"))
            # Setuptools takes a semicolon for a separator if the list is on one line.
            yield from _requirements(text, start, end, several=True)


def _holds_requirements(section: str, key: str) -> bool:
    if section == "options":
        return key.replace("-", "_") in _OPTIONS
    return section == "options.extras_require"


def _requirements(text: str, start: int, end: int, *, several: bool) -> Iterator[Requirement]:
    comment = _COMMENT.search(text, start, end)
    end = comment.start() if comment else end
    for part in re.compile(r"[^;]+" if several else r".+").finditer(text, start, end):
        requirement = pep508(text, *part.span())
        if requirement is not None:
            yield requirement
