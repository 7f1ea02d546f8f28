"""Measures everything, prints the tables and writes them down.

    python -m benchmarks

Takes some ten minutes. `semgrep` and `ruff` are compared with where they are installed.
"""

# ruff: noqa: T201 - a command-line tool for developers

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import click

from benchmarks import trees
from benchmarks.measuring import Command, Costs, in_turn

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
#: As the installed script does.
_TOOL = (sys.executable, "-c", "import sys; from codemod.__main__ import main; sys.exit(main())")
_PARSE = (
    "import pathlib, libcst\n"
    "for path in sorted(pathlib.Path('.').glob('matching_*.py')):\n"
    "    libcst.parse_module(path.read_bytes())\n"
)
_RULE = """\
rules:
  - id: invoke-endpoint-async
    languages: [python]
    severity: WARNING
    message: legacy call
    pattern: $CLIENT.invoke_endpoint_async(..., InputLocation=$URI, ...)
"""


def _python(code: str) -> Command:
    return (sys.executable, "-c", code)


def _check(*arguments: str) -> Command:
    return (*_TOOL, "check", "--exit-zero", "--no-manifests", "-q", *arguments)


def _fix(*arguments: str) -> Command:
    return (*_TOOL, "fix", "--diff", "--exit-zero", "--no-manifests", "-q", *arguments)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the first table: a figure, and the goal that it is to meet."""

    work: str
    against: str
    figure: str
    value: float
    goal: float | None
    unit: str = "x"

    def __str__(self) -> str:
        goal = f"≤ {self.goal:g}{_spaced(self.unit)}" if self.goal is not None else "-"
        met = "" if self.goal is None else "yes" if self.value <= self.goal else "**no**"
        shown = f"{self.value:.2f}x" if self.unit == "x" else f"{self.value:.0f} {self.unit}"
        return f"| {self.work} | {self.against} | {self.figure} | {shown} | {goal} | {met} |"


def _spaced(unit: str) -> str:
    return unit if unit == "x" else f" {unit}"


def _ratios(
    work: str, against: str, costs: Sequence[Costs], *, cpu: float | None, wall: float | None
) -> Iterator[Row]:
    own, other = costs
    if cpu is not None:
        yield Row(work, against, "CPU", own.cpu / other.cpu, cpu)
    if wall is not None:
        yield Row(work, against, "wall", own.wall / other.wall, wall)


def _hooks(folder: Path, rounds: int) -> Iterator[Row]:
    """Ten files, as a commit hook passes them."""
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.py"))]
    none = names[:10]
    (folder / "matching_one.py").write_text(trees.LEGACY, encoding="utf-8")
    imports_click, imports_libcst = _python("import click"), _python("import libcst")
    costs = in_turn((_check(*none), imports_click), folder, rounds * 4)
    yield from _ratios(
        "`check` of ten files, none matching", "`import click`", costs, cpu=None, wall=1.3
    )
    one = (*none[:9], "matching_one.py")
    costs = in_turn((_check(*one), imports_libcst), folder, rounds * 4)
    yield from _ratios(
        "`check` of ten files, one matching", "`import libcst`", costs, cpu=None, wall=1.4
    )
    (folder / "matching_one.py").unlink()


def _scan(folder: Path, rounds: int) -> Iterator[Row]:
    grep = ("git", "grep", "-lF", "--untracked", "invoke_endpoint_async")
    costs = in_turn((_check("."), grep), folder, rounds)
    files = sum(1 for _ in folder.rglob("*.py"))
    work = f"`check .`, {files:,} files, none matching"
    yield from _ratios(work, "`git grep -lF --untracked`", costs, cpu=1.3, wall=1.7)
    yield Row(work, "", "peak", costs[0].peak, 40, "MiB")
    # Anything may call it, and very much is called `run`.
    (folder / "jobs.py").write_text(trees.CALLED, encoding="utf-8")
    costs = in_turn((_check("jobs.py"), grep), folder, rounds)
    work = f"`check` of one file with a function `run`, among {files:,} files"
    yield Row(work, "`git grep -lF --untracked`", "wall", costs[0].wall / costs[1].wall, None)
    (folder / "jobs.py").unlink()


def _matching(folder: Path, rounds: int) -> Iterator[Row]:
    files = list(folder.glob("matching_*.py"))
    lines = sum(path.read_text(encoding="utf-8").count("\n") for path in files)
    what = f"{len(files)} matching files ({lines:,} lines), one worker"
    commands = (_check("-j1", "."), _fix("-j1", "."), _python(_PARSE), _check("-j2", "."))
    check, fix, parse, both = in_turn(commands, folder, rounds)
    against = "`libcst.parse_module`"
    yield Row(f"`check` of {what}", against, "CPU", check.cpu / parse.cpu, 1.5)
    yield Row("`fix --diff` of the same", against, "CPU", fix.cpu / parse.cpu, 3.0)
    yield Row("two workers", "one worker", "wall", both.wall / check.wall, 0.65)
    yield Row(f"`check` of {what}", "", "peak", check.peak, 120, "MiB")
    yield Row("`fix --diff` of the same", "", "peak", fix.peak, 120, "MiB")
    yield Row("two workers", "", "peak a process", both.peak, 120, "MiB")


def _others(folder: Path, rounds: int) -> Iterator[Row]:
    """The whole tree against other tools that read it."""
    work = "`check .`, the whole tree with 200 matching files"
    semgrep, ruff = shutil.which("semgrep"), shutil.which("ruff")
    if semgrep is not None:
        rule = folder.parent / "rule.yaml"
        rule.write_text(_RULE, encoding="utf-8")
        command = (
            semgrep, "scan", "--config", str(rule), "--metrics=off", "--disable-version-check",
            "--quiet", ".",
        )  # fmt: skip
        costs = in_turn((_check("."), command), folder, 1)
        yield from _ratios(work, "`semgrep`, one rule", costs, cpu=None, wall=0.6)
    if ruff is not None:
        command = (ruff, "check", "--select", "UP", "--no-cache", "--exit-zero", "-q", ".")
        costs = in_turn((_check("."), command), folder, rounds)
        yield Row(work, "`ruff check --select UP`", "wall", costs[0].wall / costs[1].wall, None)


@dataclass(frozen=True, slots=True)
class Growth:
    """What one more unit of work costs in CPU, between the amounts that were measured."""

    what: str
    units: tuple[int, ...]
    seconds: tuple[float, ...]

    def __str__(self) -> str:
        spans = list(pairwise(zip(self.units, self.seconds, strict=True)))
        each = [1e6 * (cost - before) / (more - fewer) for (fewer, before), (more, cost) in spans]
        shown = " | ".join(
            f"{fewer:,} to {more:,}: {cost:,.0f} µs"
            for ((fewer, _), (more, _)), cost in zip(spans, each, strict=True)
        )
        growth = each[-1] / each[0]
        return f"| {self.what} | {shown} | {growth:.2f}x | {'yes' if growth <= 1.5 else '**no**'} |"


def _growth(what: str, folders: dict[int, Path], command: Command, rounds: int) -> Growth:
    """Measure one command over folders of growing size."""
    costs = [in_turn((command,), folder, rounds)[0] for folder in folders.values()]
    return Growth(what, tuple(folders), tuple(cost.cpu for cost in costs))


def _amounts(folder: Path, make: str, amounts: Sequence[int]) -> dict[int, Path]:
    made: dict[int, Path] = {}
    for amount in amounts:
        place = folder / f"{make}_{amount}"
        if make == "plain":
            trees.plain(place, amount)
        elif make == "matching":
            trees.matching(place, amount, amount * 300)
        elif make == "one_file":
            trees.one_file(place, amount)
        else:
            trees.one_function(place, amount)
        made[amount] = place
    return made


@click.command()
@click.option("--rounds", default=5, show_default=True, help="How often to run each command.")
@click.option("--files", default=20_000, show_default=True, help="Files of the whole tree.")
@click.option("--growth-only", is_flag=True, help="Leave the first table as it is.")
def main(rounds: int, files: int, growth_only: bool) -> None:
    """Measure everything, print the tables and write them to RESULTS.md."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        if growth_only:
            work = RESULTS.read_text(encoding="utf-8").partition(_GROWTH_HEAD)[0].strip()
        else:
            work = _work_table(_told(_work(folder, rounds, files)), rounds)
        growth = _growth_table(_told(_growths(folder, rounds, files)))
    notes = (HERE / "NOTES.md").read_text(encoding="utf-8").strip()
    RESULTS.write_text(f"{work}\n\n{growth}\n\n{notes}\n", encoding="utf-8")


def _told(rows: Iterable[object]) -> list[str]:
    """Print each line as soon as it is there."""
    lines = []
    for row in rows:
        lines.append(str(row))
        print(row, flush=True)
    return lines


def _work(folder: Path, rounds: int, files: int) -> Iterator[Row]:
    trees.plain(folder / "tree", files)
    trees.matching(folder / "matching", 200, 120_000)
    yield from _hooks(folder / "tree", rounds)
    yield from _scan(folder / "tree", rounds)
    yield from _matching(folder / "matching", max(3, rounds // 2))
    trees.matching(folder / "tree", 200, 120_000)
    yield from _others(folder / "tree", 1)
    shutil.rmtree(folder / "tree")


def _growths(folder: Path, rounds: int, files: int) -> Iterator[Growth]:
    for what, make, amounts in (
        ("files, none matching", "plain", (1_000, 5_000, files)),
        ("matching files", "matching", (10, 50, 200)),
        ("lines of one file", "one_file", (500, 5_000, 50_000)),
        ("uploads and calls in one function, `check`", "one_function", (10, 100, 1_000)),
    ):
        made = _amounts(folder, make, amounts)
        yield _growth(what, made, _check("-j1", "."), max(2, rounds // 2))
        for place in made.values():
            shutil.rmtree(place)


_HOW = (
    "Made by `python -m benchmarks` on Python {python}, {system}. Medians of {rounds} runs (fewer"
    " for the long ones), the commands of a row run in turn. Machines are noisy: read the ratios,"
    " not the second digit."
)
_GROWTH_HEAD = "## Growth"


def _work_table(rows: Sequence[str], rounds: int) -> str:
    how = _HOW.format(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        rounds=rounds,
    )
    head = "| work | against | figure | measured | goal | met |\n|---|---|---|---|---|---|"
    return "\n".join(("# Results", "", how, "", head, *rows))


def _growth_table(rows: Sequence[str]) -> str:
    what = "CPU for one more unit; among many against among few, goal ≤ 1.5x."
    head = "| units | among few | among many | ratio | met |\n|---|---|---|---|---|"
    return "\n".join((_GROWTH_HEAD, "", what, "", head, *rows))


if __name__ == "__main__":
    main()
