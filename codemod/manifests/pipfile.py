"""``Pipfile``: tables of names, one per category."""

from __future__ import annotations

from collections.abc import Iterator

from codemod.manifests.requirement import Requirement
from codemod.manifests.specifiers import Dialect
from codemod.manifests.toml_places import Document
from codemod.manifests.toml_tables import in_table

#: Tables that are no category of packages.
_OTHERS = frozenset({"pipenv", "requires", "scripts", "source"})


def find(text: str) -> Iterator[Requirement]:
    """Yield the requirements in ``text`` that concern the SDK.

    Raises:
        TomlError: If ``text`` is no TOML.
    """
    document = Document(text)
    for category in document.content:
        if category not in _OTHERS:
            yield from in_table(document, text, (category,), Dialect.PEP440)
