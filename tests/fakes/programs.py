"""Loading a program so that it sees the fakes, and nothing else in the process does.

Packages such as ``boto3`` are replaced in ``sys.modules``, because programs may import them in any
way. Standard modules such as ``time`` are replaced only for the program's own ``import``
statements: it runs with builtins of its own.
"""

# ruff: noqa: A002 - the parameters are those of the import system

from __future__ import annotations

import builtins
import contextlib
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

from tests.fakes.clock import steady_modules
from tests.fakes.handles import tracking_open
from tests.fakes.modules import STOOD_IN_FOR, stand_ins
from tests.fakes.world import World

Builtins = Mapping[str, Any]

#: The name under which a program is imported; as a script it is ``__main__``.
PROGRAM = "program"


def program_builtins(world: World) -> Builtins:
    """Builtins whose ``open`` counts reads and whose ``import`` finds the steady modules."""
    steady = steady_modules()

    def import_steadily(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> types.ModuleType:
        if level == 0 and name in steady:
            return steady[name]
        return builtins.__import__(name, globals, locals, fromlist, level)

    return {**vars(builtins), "open": tracking_open(world), "__import__": import_steadily}


class ProgramLoader(importlib.machinery.SourceFileLoader):
    """Loads the other modules of a program with the program's builtins, leaving no bytecode."""

    def __init__(self, name: str, path: str, own_builtins: Builtins) -> None:
        super().__init__(name, path)
        self._builtins = own_builtins

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = self._builtins
        super().exec_module(module)

    def set_data(self, path: Any, data: Any, *, _mode: int = 0o666) -> None:
        return None


class ProgramFinder:
    """Finds the other modules of a program in its folder."""

    def __init__(self, folder: Path, own_builtins: Builtins) -> None:
        self._folder = folder
        self._builtins = own_builtins

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        place = self._folder.joinpath(*name.split("."))
        if place.is_dir() and not (place / "__init__.py").is_file():
            namespace = importlib.machinery.ModuleSpec(name, None, is_package=True)
            namespace.submodule_search_locations = [str(place)]
            return namespace
        for file, submodules in ((place / "__init__.py", [str(place)]), (place, None)):
            file = file.with_suffix(".py")
            if file.is_file():
                return importlib.util.spec_from_file_location(
                    name,
                    file,
                    loader=ProgramLoader(name, str(file), self._builtins),
                    submodule_search_locations=submodules,
                )
        return None


@contextlib.contextmanager
def importable(world: World, folder: Path, own_builtins: Builtins) -> Iterator[None]:
    """Let imports find the stand-ins and the modules in ``folder``, and forget them afterwards."""
    hidden = {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in STOOD_IN_FOR
    }
    for name in hidden:
        del sys.modules[name]
    sys.modules.update(stand_ins(world))
    finder = ProgramFinder(folder, own_builtins)
    sys.meta_path.insert(0, finder)
    try:
        with mock.patch("io.open", own_builtins["open"]):
            yield
    finally:
        sys.meta_path.remove(finder)
        sys.modules.pop(PROGRAM, None)
        for name, module in list(sys.modules.items()):
            own = isinstance(getattr(module, "__loader__", None), ProgramLoader) or any(
                path.startswith(str(folder)) for path in getattr(module, "__path__", ())
            )
            if own or name.partition(".")[0] in STOOD_IN_FOR:
                del sys.modules[name]
        sys.modules.update(hidden)


@lru_cache(maxsize=64)
def compiled(source: str | bytes) -> types.CodeType:
    return compile(source, "<program>", "exec", dont_inherit=True)


def run_module(source: str | bytes, name: str, own_builtins: Builtins) -> dict[str, Any]:
    """Execute a program's module and return its namespace; call it inside :func:`importable`."""
    module = types.ModuleType(name)
    module.__dict__["__builtins__"] = own_builtins
    if name == PROGRAM:
        sys.modules[name] = module
    exec(compiled(source), module.__dict__)
    return module.__dict__
