"""A run that finds nothing to do does not load what it does not need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.shell import LEGACY, git

#: What costs time to load: LibCST alone costs more than everything else in such a run.
HEAVY = {
    "asyncio",
    "boto3",
    "concurrent.futures",
    "difflib",
    "libcst",
    "logging",
    "multiprocessing",
    "packaging",
    "pathspec",
    "rich",
    "tempfile",
    "tomli",
    "tomlkit",
    "tomllib",
}

SCRIPT = """
import json, sys
from codemod.cli import main
code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted(sys.modules)]))
"""


def loaded(arguments: Sequence[str], code: int) -> set[str]:
    """Run the command line in a process of its own and return the modules that it has loaded."""
    # A process that measures its coverage loads more than what is measured.
    environment = {name: os.environ[name] for name in os.environ if "COV" not in name.upper()}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(arguments)],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    exit_code, modules = json.loads(done.stdout.splitlines()[-1])
    assert exit_code == code
    return set(modules)


@pytest.mark.parametrize("output_format", ["text", "json", "sarif", "github"])
@pytest.mark.parametrize("command", ["check", "fix"])
def test_a_run_in_which_no_file_matches_loads_nothing_heavy(
    repository: Path, command: str, output_format: str
) -> None:
    for number in range(20):
        (repository / f"{number}.py").write_text("import json\n")
    (repository / "pyproject.toml").write_text("[project]\nname = 'theirs'\n")
    git("add", ".")
    assert loaded([command, "--output-format", output_format], code=0) & HEAVY == set()


def test_a_run_with_findings_does_not_load_the_sdk_or_start_processes(repository: Path) -> None:
    (repository / "app.py").write_bytes(LEGACY)
    modules = loaded(["fix"], code=0)
    assert "libcst" in modules
    unneeded = {"boto3", "concurrent.futures", "libcst.codemod", "libcst.matchers", "pathspec"}
    assert modules & unneeded == set()
