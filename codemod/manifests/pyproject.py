"""``pyproject.toml``: PEP 621 and 735, Poetry, PDM, Hatch and uv."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from codemod.manifests.requirement import Requirement, too_old
from codemod.manifests.specifiers import Dialect
from codemod.manifests.toml_places import Document, Path
from codemod.manifests.toml_tables import all_too_old, in_array, in_table, python_note

_ARRAYS: tuple[Path, ...] = (
    ("project", "dependencies"),
    ("tool", "uv", "dev-dependencies"),
    ("tool", "uv", "constraint-dependencies"),
    ("tool", "uv", "override-dependencies"),
)

#: Tables whose every value is an array of requirements.
_TABLES_OF_ARRAYS = (
    ("project", "optional-dependencies"),
    ("dependency-groups",),
    ("tool", "pdm", "dev-dependencies"),
)

_HATCH_KEYS = ("dependencies", "extra-dependencies", "dev-dependencies")


def find(text: str) -> Iterator[Requirement]:
    """Yield the requirements in ``text`` that concern the SDK.

    Raises:
        TomlError: If ``text`` is no TOML.
    """
    document = Document(text)
    supported = _supported(document)
    hindrance = too_old(supported) if all_too_old(supported) else None
    notes = () if hindrance is not None else python_note(supported)
    for requirement in (*_in_arrays(document, text), *_in_poetry(document, text)):
        yield replace(
            requirement,
            notes=requirement.notes or notes,
            hindrance=requirement.hindrance or hindrance,
        )


def _in_arrays(document: Document, text: str) -> Iterator[Requirement]:
    paths = list(_ARRAYS)
    for table in _TABLES_OF_ARRAYS:
        paths.extend((*table, name) for name in document.table(*table))
    for name in document.table("tool", "hatch", "envs"):
        paths.extend(("tool", "hatch", "envs", name, key) for key in _HATCH_KEYS)
    for path in paths:
        yield from in_array(document, text, path)


def _in_poetry(document: Document, text: str) -> Iterator[Requirement]:
    poetry = ("tool", "poetry")
    groups = document.table(*poetry, "group")
    for path in (
        (*poetry, "dependencies"),
        (*poetry, "dev-dependencies"),
        *((*poetry, "group", name, "dependencies") for name in groups),
    ):
        yield from in_table(document, text, path, Dialect.POETRY)


def _supported(document: Document) -> str:
    """Return the Pythons that a project is for, nothing if it does not say."""
    supported = document.table("project").get("requires-python") or document.table(
        "tool", "poetry", "dependencies"
    ).get("python")
    return supported if isinstance(supported, str) else ""
