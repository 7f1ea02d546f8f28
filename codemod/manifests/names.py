"""What kind of manifest a file is, by its name alone."""

from __future__ import annotations

import enum
import re
from functools import cache


class Kind(str, enum.Enum):
    """The formats, one module each."""

    REQUIREMENTS = "requirements"
    PYPROJECT = "pyproject"
    SETUP_CFG = "setup_cfg"
    SETUP_PY = "setup_py"
    PIPFILE = "pipfile"
    CONDA = "conda"
    DOCKERFILE = "dockerfile"
    SHELL = "shell"
    WORKFLOW = "workflow"
    NOTEBOOK = "notebook"
    LOCK = "lock"


#: In this order: a lock file of conda is no environment, and `requirements.lock` is no list.
_NAMES: tuple[tuple[Kind, str], ...] = (
    (Kind.LOCK, r"(?:poetry|uv|pdm|Pipfile)\.lock|(?:[^/\t]*[.-])?conda-lock\.ya?ml"),
    (Kind.PYPROJECT, r"pyproject\.toml"),
    (Kind.SETUP_CFG, r"setup\.cfg"),
    (Kind.SETUP_PY, r"setup\.py"),
    (Kind.PIPFILE, r"Pipfile"),
    (Kind.WORKFLOW, r"\.github/workflows/[^/\t]*\.ya?ml"),
    (Kind.CONDA, r"[^/\t]*environment[^/\t]*\.ya?ml"),
    (Kind.DOCKERFILE, r"(?:Docker|Container)file(?:\.[^/\t]+)?|[^/\t]+\.[Dd]ockerfile"),
    (Kind.SHELL, r"[^/\t]+\.(?:sh|bash)"),
    (
        Kind.REQUIREMENTS,
        r"[^/\t]*(?:requirements|constraints)[^/\t]*\.(?:txt|in)|requirements/[^/\t]+\.(?:txt|in)",
    ),
    (Kind.NOTEBOOK, r"[^/\t]+\.ipynb"),
)

#: What every such name ends in or has in it, for a quick look at tens of thousands of names.
_ENDINGS = tuple(".txt .in .toml .cfg setup.py file .yml .yaml .lock .sh .bash .ipynb".split())
_INNER = "file."


@cache
def _any() -> re.Pattern[str]:
    # Hardly a run needs it. A tab, too, may stand in front of a name: `git ls-files --stage`
    # writes one there.
    names = "|".join(f"(?P<{kind.value}>{name})" for kind, name in _NAMES)
    return re.compile(rf"(?:\A|[/\\\t])(?:{names})\Z")


def kind(path: str) -> Kind | None:
    """Return the format of the file at ``path`` (with ``/``), ``None`` if it is no manifest."""
    if not path.endswith(_ENDINGS) and _INNER not in path:
        return None
    match = _any().search(path)
    return Kind(match.lastgroup) if match else None


def is_manifest(path: str) -> bool:
    """Whether the file at ``path`` (with ``/``) is a manifest."""
    return kind(path) is not None
