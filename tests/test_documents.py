"""The documents say what is so: codes, options, rooms and dependencies."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
import pytest

from codemod.cli import check
from codemod.rules import RULES, Rule
from tests.test_layers import ROOMS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_the_readme_has_every_code(rule: Rule) -> None:
    assert f"| {rule.code} | {rule.title} |" in README


def test_the_readme_has_every_option() -> None:
    documented = set(re.findall(r"`(--[a-z-]+)", README))
    options = {
        max(param.opts, key=len) for param in check.params if isinstance(param, click.Option)
    }
    assert options <= documented


def test_the_rooms_are_described_in_their_order() -> None:
    table = CONTRIBUTING.partition("<!-- rooms -->")[2].partition("<!-- end -->")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == ROOMS


def test_every_dependency_has_a_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in project["dependencies"]:
        name = re.match(r"[\w-]+", requirement)
        assert name is not None
        assert f"\n| {name[0]} | " in CONTRIBUTING
