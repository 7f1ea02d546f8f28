"""Running commands in turn, and what they cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
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


#: Starts a command and tells what it cost. A process counts the memory of the one that started it
#: as its own peak, so that has to be a small one.
_LAUNCHER = """
import os, sys, time
start = time.perf_counter()
child = os.fork()
if not child:
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    finally:
        os._exit(127)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - start
cpu = usage.ru_utime + usage.ru_stime
print(os.waitstatus_to_exitcode(status), wall, cpu, usage.ru_maxrss, file=sys.stderr)
"""


def run(command: Command, folder: Path) -> Cost:
    """Run a command once and throw away what it prints.

    Raises:
        RuntimeError: If it fails in another way than a linter that has found something.
    """
    done = subprocess.run(
        (sys.executable, "-IS", "-c", _LAUNCHER, *command),
        cwd=folder,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=True,
    )
    message, _, told = done.stderr.rstrip().rpartition("\n")
    code, wall, cpu, peak = told.split()
    if int(code) not in (0, 1):
        raise RuntimeError(f"{' '.join(command)}: {message}")
    in_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Cost(float(wall), float(cpu), int(peak) / in_mib)


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
