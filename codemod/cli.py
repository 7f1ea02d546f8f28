"""The commands: arguments in, text and an exit code out."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click
from click.core import ParameterSource

from codemod import __version__
from codemod.files import Excludes, Selection, find, relative
from codemod.live.command import verify
from codemod.model import SERVICE_LIMIT, Report, Settings, Task
from codemod.report import FORMATS, render
from codemod.settings import FileSettings, load
from codemod.source import reason

if TYPE_CHECKING:
    from codemod.run import Progress

# What is imported further down is not needed by most runs, in which no file has anything to do.

NOTHING_LEFT, FINDINGS, FAILED, INTERRUPTED = 0, 1, 2, 130

_STDIN = "-"

#: Seconds after which a terminal shows how far the work is.
_PATIENCE = 1.0

#: Settings that make sense for one call only.
_NOT_IN_FILES = frozenset({"help", "stdin-filename"})


class _Options(NamedTuple):
    """What ``check`` and ``fix`` are called with; the fields are named like the options."""

    paths: tuple[str, ...]
    unsafe_fixes: bool
    diff: bool
    limit: int
    jobs: int | None
    output_format: str
    exit_zero: bool
    exclude: tuple[str, ...]
    force_exclude: bool
    no_manifests: bool
    stdin_filename: str | None
    quiet: bool
    verbose: bool


class _Limit(click.types.IntParamType):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        limit = int(super().convert(value, param, ctx))
        if limit < 1:
            self.fail("the limit must be at least 1, or nothing would be sent inline", param, ctx)
        if limit > SERVICE_LIMIT:
            self.fail(
                f"InvokeEndpointAsync takes at most {SERVICE_LIMIT:,} bytes in Body, so code with"
                f" a limit of {limit:,} would send requests that are refused",
                param,
                ctx,
            )
        return limit


def _load_settings(
    ctx: click.Context, _param: click.Parameter, paths: tuple[str, ...]
) -> tuple[str, ...]:
    """Make the settings of the file that belongs to the first path the defaults of the options."""
    try:
        os.getcwd()
    except OSError as error:
        raise click.UsageError(f"the working folder cannot be used: {reason(error)}") from error
    first = paths[0] if paths else os.curdir
    if first == _STDIN:
        first = ctx.params.get("stdin_filename") or os.curdir
    options = {
        max(param.opts, key=len).lstrip("-"): param
        for param in ctx.command.get_params(ctx)
        if isinstance(param, click.Option)
    }
    settable = {name: option for name, option in options.items() if name not in _NOT_IN_FILES}
    ctx.obj = load(first, settable)
    ctx.default_map = dict(ctx.obj.values)
    return paths or (os.curdir,)


# Made once for both commands.
_PARAMETERS: tuple[click.Parameter, ...] = (
    # Both come first, because the settings that the other options default to depend on them.
    click.Option(
        ["--stdin-filename"],
        metavar="PATH",
        is_eager=True,
        help="What to call standard input in the report; one in .ipynb is a notebook.",
    ),
    # One that cannot be read must not stop the run, so click is not to look.
    click.Argument(
        ["paths"],
        nargs=-1,
        type=click.Path(readable=False),
        is_eager=True,
        callback=_load_settings,
    ),
    click.Option(
        ["--unsafe-fixes"], is_flag=True, help="Count as fixable, and fix, what is unsafe as well."
    ),
    click.Option(
        ["--diff"], is_flag=True, help="Print the changes as a unified diff and write nothing."
    ),
    click.Option(
        ["--limit"],
        type=_Limit(),
        metavar="BYTES",
        default=SERVICE_LIMIT,
        show_default=True,
        help="The largest payload to send inline, in bytes.",
    ),
    click.Option(
        ["--output-format"],
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="How to write the report.",
    ),
    click.Option(
        ["--exclude"],
        metavar="GLOB",
        multiple=True,
        help="Leave out of folders what matches, as in a .gitignore file. May be repeated.",
    ),
    click.Option(
        ["--force-exclude"], is_flag=True, help="Leave it out even where PATHS names the file."
    ),
    click.Option(
        ["--no-manifests"],
        is_flag=True,
        help="Leave the SDK's version in requirements, pyproject.toml and the like alone.",
    ),
    click.Option(["--exit-zero"], is_flag=True, help="Exit with 0 even if there are findings."),
    click.Option(
        ["-j", "--jobs"],
        type=click.IntRange(min=1),
        metavar="N",
        help="The most processes to use.  [default: one for each processor]",
    ),
    click.Option(["-q", "--quiet"], is_flag=True, help="Report findings and errors only."),
    click.Option(
        ["-v", "--verbose"],
        is_flag=True,
        help="Also report calls that are no finding, with the reason, and the files.",
    ),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="async-inline")
def cli() -> None:
    """Send SageMaker asynchronous inference payloads inline instead of by way of S3.

    \b
    Exit codes:
      0  nothing is left to do
      1  there are findings; after `fix`, findings that remain
      2  wrong usage, or a file could not be handled
    """


@cli.command(params=list(_PARAMETERS))
@click.pass_context
def check(ctx: click.Context, /, **options: Any) -> None:
    """Report calls that upload their payload first. Write nothing.

    PATHS are files and folders, by default the current one; `-` is standard input.
    """
    _run(ctx, _Options(**options), fix=False)


@cli.command(params=list(_PARAMETERS))
@click.pass_context
def fix(ctx: click.Context, /, **options: Any) -> None:
    """Rewrite the calls that can be rewritten safely, and report the others.

    PATHS are files and folders, by default the current one; `-` reads standard input, writes the
    result to standard output and the report to standard error.
    """
    _run(ctx, _Options(**options), fix=True)


@cli.command("explain")
@click.argument("code", required=False)
def explain_(code: str | None) -> None:
    """Say what CODE, such as SAI002, or the reason in a report means and what to do by hand."""
    from codemod.report import explain

    if code is None:
        _print(explain.overview())
        return
    explained = explain.explain(code)
    if explained is None:
        from difflib import get_close_matches

        names = {name.lower(): name for name in explain.names()}
        similar = " or ".join(names[name] for name in get_close_matches(code.lower(), names))
        meant = f" (did you mean {similar}?)" if similar else ""
        raise click.UsageError(
            f"no code or reason is called {code!r}{meant}; `async-inline explain` lists them all"
        )
    _print(explained)


cli.add_command(verify)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The arguments without the program's name, by default those of the process.

    Returns:
        The exit code.
    """
    try:
        code = cli.main(arguments, prog_name="async-inline", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return FAILED
    except OSError as error:  # not of a file, which would be named, but of standard output
        with contextlib.suppress(OSError):
            click.echo(f"Error: the output cannot be written: {reason(error)}", err=True)
        return FAILED
    except click.Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else NOTHING_LEFT


def _run(ctx: click.Context, options: _Options, *, fix: bool) -> NoReturn:
    from_stdin = _STDIN in options.paths
    if from_stdin and len(options.paths) > 1:
        raise click.UsageError("`-` cannot be combined with other paths")
    # Both are made to be piped onward: whatever else there is to say goes to standard error.
    stdout_is_taken = options.diff or (fix and from_stdin)
    if stdout_is_taken and options.output_format in ("json", "sarif"):
        what = "the diff" if options.diff else "the rewritten code"
        raise click.UsageError(
            f"standard output is for {what}, and cannot hold a report as"
            f" {options.output_format} as well; use --output-format text"
        )
    task = Task(
        Settings(options.limit, options.unsafe_fixes),
        rewrite=fix or options.diff,
        write=fix and not options.diff,
    )
    excludes = _excludes(ctx, options)
    if from_stdin:
        report = _handle_stdin(options, task, excludes)
    else:
        selection = find(
            options.paths, excludes, force_exclude=options.force_exclude, jobs=options.jobs
        )
        report = _handle(selection, options, task, excludes)
        sends_body = any(result.sends_body for result in report.results)
        if not options.no_manifests and (sends_body or selection.manifests):
            from codemod.floor import with_manifests

            report = with_manifests(report, selection.manifests, options.paths, excludes, task)
    if options.diff:
        # Loads difflib, which only this needs.
        from codemod.report import diff

        click.echo(diff.render(report), nl=False)
    _print_report(report, options, to_stderr=stdout_is_taken)
    ctx.exit(_exit_code(report, options))


def _handle(
    selection: Selection, options: _Options, task: Task, excludes: Excludes | None
) -> Report:
    if not selection.paths:
        return Report(selection.errors, selection.checked, task.write, selection.errors)
    from codemod.run import run

    with _progress(options) as progress:
        return run(selection, task, options.jobs, excludes, progress)


@contextlib.contextmanager
def _progress(options: _Options) -> Iterator[Progress | None]:
    """Count the files on the terminal, once that takes long enough to wonder."""
    if options.quiet or "CI" in os.environ or not sys.stderr.isatty():
        yield None
        return
    begin, width = time.monotonic(), 0

    def progress(done: int, every: int) -> None:
        nonlocal width
        if time.monotonic() - begin > _PATIENCE:
            line = f"{done:,} of {every:,} files"
            width = max(width, len(line))
            click.echo(f"\r{line.ljust(width)}", nl=False, err=True)

    try:
        yield progress
    finally:
        if width:
            click.echo(f"\r{' ' * width}\r", nl=False, err=True)


def _excludes(ctx: click.Context, options: _Options) -> Excludes | None:
    if not options.exclude:
        return None
    settings = FileSettings()
    if ctx.get_parameter_source("exclude") is ParameterSource.DEFAULT_MAP:
        settings = ctx.obj
    try:
        return Excludes.from_globs(settings.folder, options.exclude)
    except ValueError as error:
        if settings.path is not None:
            raise settings.complaint("exclude", str(error)) from error
        raise click.BadParameter(str(error), ctx, param_hint="'--exclude'") from error


def _handle_stdin(options: _Options, task: Task, excludes: Excludes | None) -> Report:
    content = _read_stdin()
    path = relative(options.stdin_filename) if options.stdin_filename else _STDIN
    if options.force_exclude and excludes is not None and excludes.matching([path]):
        report = Report((), checked=0, wrote=task.write)
    else:
        from codemod.run import run_stdin

        report = run_stdin(path, content, task)
    if task.write:
        # Whatever could not be done: who pipes a file through must get it back.
        rewritten = (result.after for result in report.results if result.after is not None)
        click.echo(next(rewritten, content), nl=False)
    return report


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise click.ClickException("standard input is closed")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise click.ClickException(f"standard input: {reason(error)}") from error


def _print_report(report: Report, options: _Options, *, to_stderr: bool) -> None:
    if not options.verbose:
        report = report._replace(results=tuple(r._replace(notes=()) for r in report.results))
    if options.output_format != "text" or report.results:
        _print(render(options.output_format, report), err=to_stderr)
    if options.output_format == "text" and not (options.quiet and not report.results):
        from codemod.report import text

        _print(text.errors(report), err=True)
        if options.verbose:
            _print(text.files(report), err=True)
        if not options.quiet:
            _print(text.summary(report, unsafe_fixes=options.unsafe_fixes), err=to_stderr)


def _exit_code(report: Report, options: _Options) -> int:
    if report.errors:
        return FAILED
    if not report.results:
        return NOTHING_LEFT
    from codemod.report.summary import remaining

    if options.exit_zero or next(remaining(report), None) is None:
        return NOTHING_LEFT
    return FINDINGS


def _print(written: str, *, err: bool = False) -> None:
    stream = sys.stderr if err else sys.stdout
    # A message may quote code that the terminal's encoding has no characters for.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    click.echo(written.encode(encoding, "backslashreplace"), nl=False, err=err)
