"""Lock files, which are read and never changed: only the tool that wrote one can make it anew."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codemod.manifests.requirement import Hindrance, Requirement
from codemod.manifests.sdk import FLOOR, PACKAGES, normalised

#: A package in poetry.lock, uv.lock and pdm.lock, in Pipfile.lock, and in conda-lock.yml.
_LOCKED = re.compile(
    r"""^name\ =\ "(?P<toml>[\w.-]+)"\r?\nversion\ =\ "(?P<toml_version>[\w.+!-]+)"
    |^[ ]*"(?P<json>[\w.-]+)":\ \{(?=(?P<table>[^{}]*))
    |^[ ]*-\ name:\ ["']?(?P<yaml>[\w.-]+)["']?\r?\n
     [ ]+version:\ ["']?(?P<yaml_version>[\w.+!-]+)["']?""",
    re.MULTILINE | re.VERBOSE,
)
_JSON_VERSION = re.compile(r'"version":\s*"==(?P<version>[\w.+!-]+)"')

#: The command that brings one package up to date, by what the name of the file begins with.
_COMMANDS = (
    ("poetry", "poetry update {packages}"),
    ("uv", "uv lock --upgrade-package {package}"),
    ("pdm", "pdm update {packages}"),
    ("Pipfile", "pipenv update {packages}"),
    ("", "conda-lock lock --update {package}"),
)


def find(text: str, name: str) -> Iterator[Requirement]:
    """Yield the packages that the lock file called ``name`` holds below the floor."""
    pattern = next(command for begin, command in _COMMANDS if name.startswith(begin))
    for match in _LOCKED.finditer(text):
        package, version = _package(match)
        if package is None or version is None or normalised(package) not in PACKAGES:
            continue
        command = pattern.format(packages=_together(normalised(package)), package=package)
        hindrance = Hindrance("lock-file", f"run `{command}` with a floor of {FLOOR} in place")
        end = match.end()
        yield Requirement(
            package, match.start(), end, (end, end), hindrance=hindrance, version=version
        )


def _package(match: re.Match[str]) -> tuple[str | None, str | None]:
    if match["json"] is not None:
        version = _JSON_VERSION.search(match["table"])
        return match["json"], version["version"] if version else None
    if match["toml"] is not None:
        return match["toml"], match["toml_version"]
    return match["yaml"], match["yaml_version"]


def _together(package: str) -> str:
    """Boto3 and botocore go in step: one alone cannot be brought up to date."""
    return "boto3 botocore" if package in ("boto3", "botocore") else package
