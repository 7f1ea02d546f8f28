"""Running commands in turn, and what they cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process and those it started took: seconds, and the largest peak in MiB."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of several runs of one command."""

    runs: tuple[Cost, ...]

    @property
    def wall(self) -> float:
        """The median time in seconds."""
        return statistics.median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        """The median of the processors' time in seconds."""
        return statistics.median(run.cpu for run in self.runs)

    @property
    def peak(self) -> float:
        """The largest peak in MiB."""
        return max(run.peak for run in self.runs)


def run(command: Command, folder: Path) -> Cost:
    """Run a command once and throw away what it prints.

    Raises:
        RuntimeError: If it fails in another way than a linter that has found something.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    message = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)}: {message.decode(errors='replace')}")
    in_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / in_mib)


def _environment() -> dict[str, str]:
    """The environment of a user, in which modules are compiled once and not for every run."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def in_turn(commands: Sequence[Command], folder: Path, rounds: int) -> list[Costs]:
    """Run some commands one after the other, several times, so that noise meets all of them.

    A first round fills the caches, of the file system and of compiled modules, and is not counted.
    """
    for command in commands:
        run(command, folder)
    runs = [[run(command, folder) for command in commands] for _ in range(rounds)]
    return [Costs(tuple(column)) for column in zip(*runs, strict=True)]
