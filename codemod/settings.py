"""The user's settings: ``[tool.async-inline]`` of the nearest pyproject.toml."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import click

from codemod.source import read, reason

_TABLE = "async-inline"


class SettingsError(click.UsageError):
    """Settings that cannot be meant; the message names the file."""


class FileSettings(NamedTuple):
    """The settings of one pyproject.toml.

    ``path`` is ``None`` if there is no such file or no table of ours in it, and ``values`` has the
    form of click's ``default_map``: parameter names and values of their types.
    """

    path: str | None = None
    values: Mapping[str, object] = MappingProxyType({})

    @property
    def folder(self) -> str:
        """The folder that globs in these settings are relative to."""
        return os.path.dirname(self.path) if self.path else os.curdir

    def complaint(self, key: str, why: str) -> SettingsError:
        """Return the error that says what is wrong with the value of a key."""
        assert self.path is not None
        return SettingsError(f"{_shown(self.path)}: '{key}' in [tool.{_TABLE}]: {why}")


def load(start: str, options: Mapping[str, click.Option]) -> FileSettings:
    """Read the settings that apply to ``start``.

    Args:
        start: A file or folder; the pyproject.toml next to it or nearest above it counts, whether
            it has a table of ours or not.
        options: The options that may be set, by their long name without ``--``.

    Raises:
        SettingsError: If the file cannot be read, is no TOML, has keys that are no option, or
            values of another type than the option takes.
    """
    path = _nearest(start)
    if path is None:
        return FileSettings()
    try:
        content = read(path)
    except OSError as error:
        raise SettingsError(f"{_shown(path)}: {reason(error)}") from error
    if _TABLE.encode() not in content:
        return FileSettings()
    table = _table(path, content)
    if table is None:
        return FileSettings()
    unknown = sorted(table.keys() - options.keys())
    if unknown:
        raise SettingsError(f"{_shown(path)}: {_unknown(unknown, options)}")
    found = FileSettings(path, {str(options[key].name): value for key, value in table.items()})
    for key, value in table.items():
        complaint = _complaint(value, options[key])
        if complaint:
            raise found.complaint(key, complaint)
    return found


def _nearest(start: str) -> str | None:
    folder = os.path.abspath(start)  # a file may stand here as well: nothing is found inside it
    while True:
        path = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(path):
            return path
        inner, folder = folder, os.path.dirname(folder)
        if inner == folder:
            return None


def _table(path: str, content: bytes) -> Mapping[str, object] | None:
    # Only here, because most runs have no such table and need no parser.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        # UnicodeDecodeError and TOMLDecodeError are both a ValueError.
        document = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{_shown(path)}: not valid TOML: {error}") from error
    tool = document.get("tool")
    if not isinstance(tool, dict) or _TABLE not in tool:
        return None
    table = tool[_TABLE]
    if not isinstance(table, dict):
        raise SettingsError(f"{_shown(path)}: 'tool.{_TABLE}' must be a table, not {table!r}")
    return table


def _unknown(keys: list[str], options: Mapping[str, click.Option]) -> str:
    from difflib import get_close_matches

    named = []
    for key in keys:
        similar = get_close_matches(key.replace("_", "-"), options, n=1)
        named.append(repr(key) + (f" (did you mean '{similar[0]}'?)" if similar else ""))
    noun = "unknown key" if len(keys) == 1 else "unknown keys"
    return f"{noun} in [tool.{_TABLE}]: {', '.join(named)}"


def _complaint(value: object, option: click.Option) -> str | None:
    """Return what is wrong with ``value``, or ``None``.

    Click itself is too lenient here: from an environment or a command line it gets only strings,
    so it takes "1" for an integer and "yes" for true.
    """
    kind, expected = _expected(option)
    # Not `isinstance`: `true` is no integer in TOML, though it is in Python.
    if type(value) is not kind:
        return f"must be {expected}, not {value!r}"
    if isinstance(value, list):
        odd = [item for item in value if not isinstance(item, str)]
        return f"must be {expected}, not of {odd[0]!r}" if odd else None
    try:
        option.type.convert(value, option, None)
    except click.BadParameter as error:
        return error.message
    return None


def _expected(option: click.Option) -> tuple[type, str]:
    if option.is_flag:
        return bool, "true or false"
    if option.multiple:
        return list, "a list of strings"
    if isinstance(option.type, click.types.IntParamType):
        return int, "an integer"
    return str, "a string"


def _shown(path: str) -> str:
    return os.path.relpath(path).replace(os.sep, "/")
