"""``Pipfile``: tables of names, one per category."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemod.manifests.requirement import Requirement, in_environment
from codemod.manifests.specifiers import Dialect
from codemod.manifests.toml_places import Document
from codemod.manifests.toml_tables import in_table

_VERSION = re.compile(r"(\d)\.(\d+)")

#: Tables that are no category of packages.
_OTHERS = frozenset({"pipenv", "requires", "scripts", "source"})


def find(text: str) -> Iterator[Requirement]:
    """Yield the requirements in ``text`` that concern the SDK.

    Raises:
        TomlError: If ``text`` is no TOML.
    """
    document = Document(text)
    requires = document.table("requires")
    python = _VERSION.match(
        str(requires.get("python_full_version", requires.get("python_version")))
    )
    found = _found(document, text)
    yield from found if python is None else in_environment(found, int(python[1]), int(python[2]))


def _found(document: Document, text: str) -> Iterator[Requirement]:
    for category in document.content:
        if category not in _OTHERS:
            yield from in_table(document, text, (category,), Dialect.PEP440)
