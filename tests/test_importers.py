"""Which files may import a module, by their text: never fewer than those that do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from codemod.importers import Importers, hands_on_everything
from codemod.repository import Repository
from tests.project_cases import ProjectCase, discovered

HOME = "app/jobs.py"


def put_down(files: Mapping[str, str]) -> Importers:
    for name, content in {"pyproject.toml": "", HOME: "def run(uri): ...\n", **files}.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    importers = Importers(Repository())
    for name, content in files.items():
        importers.take(name, content.encode())
    return importers


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("main.py", "from app.jobs import run"),
        ("main.py", "from app import jobs"),
        ("main.py", "from app import (\n    clock,  # (tells the time)\n    jobs,\n)"),
        ("main.py", "from app import clock, \\\n    jobs"),
        ("main.py", "from app . jobs import run"),
        ("main.py", "import app.jobs"),
        ("main.py", "import json, app.jobs as work"),
        ("main.py", "import app"),
        ("main.py", "import app.clock"),
        ("main.py", "from app import *"),
        ("main.py", "if True: import app.jobs"),
        ("main.py", "x = 1; import app.jobs"),
        ("main.py", "def f():\n\timport app.jobs"),
        ("main.py", '"import app.jobs\\n",'),
        ("app/other.py", "from . import jobs"),
        ("app/other.py", "from .jobs import run"),
        ("app/other.py", "from.jobs import run"),
        ("app/sub/other.py", "from ..jobs import run"),
        ("app/sub/other.py", "from .. import jobs"),
        ("app/sub/other.py", "from app.jobs import run"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_finds_an_import_in_every_spelling(path: str, code: str) -> None:
    importers = put_down({path: f"{code}\n", "app/clock.py": ""})

    assert path in importers.of(HOME)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("main.py", "from jobs import run"),
        ("main.py", "from app.clock import jobs"),
        ("main.py", "from app import clock"),
        ("main.py", "# import app.jobs"),
        ("main.py", "app = jobs = run = 1"),
        ("app/other.py", "from .clock import run"),
        ("app/other.py", "from .. import jobs"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_leaves_out_what_imports_something_else(path: str, code: str) -> None:
    importers = put_down({path: f"{code}\n", "app/clock.py": ""})

    assert path not in importers.of(HOME)


@pytest.mark.usefixtures("folder")
def test_an_import_may_go_through_other_modules() -> None:
    importers = put_down(
        {
            "app/__init__.py": "from .api import *\n",
            "app/api.py": "from .jobs import run\n",
            "main.py": "from app import run\n",
            "other.py": "from appendix import run\n",
        }
    )

    assert importers.of(HOME) == {HOME, "app/api.py", "app/__init__.py", "main.py"}


@pytest.mark.usefixtures("folder")
def test_files_are_taken_note_of_at_any_time() -> None:
    importers = put_down({"app/api.py": "from .jobs import run\n"})
    before = importers.of(HOME)

    importers.take("main.py", b"from app.api import run\n")

    assert "main.py" not in before
    assert "main.py" in importers.of(HOME)


@pytest.mark.parametrize("case", discovered(), ids=lambda case: case.folder.name)
@pytest.mark.usefixtures("folder")
def test_nothing_is_left_out_that_a_parser_finds(case: ProjectCase) -> None:
    repository = Repository()
    importers = Importers(repository)
    Path("pyproject.toml").touch()
    for name, content in case.before.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    modules = [name for name in case.before if name.endswith(".py")]
    for name in modules:
        importers.take(name, case.before[name])

    for name in modules:
        for module in repository.imported(name) - {name}:
            assert name in importers.of(module), f"{name} imports {module}"


@pytest.mark.parametrize("code", [b"from a import *", b"from a import(*)", b"from .  import\t*"])
def test_tells_what_hands_on_everything(code: bytes) -> None:
    assert hands_on_everything(code)
    assert not hands_on_everything(code.replace(b"*", b"b"))
