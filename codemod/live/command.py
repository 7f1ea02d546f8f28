"""``async-inline verify``: arguments in, text and an exit code out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

# Nothing of ours: the command line is loaded by every run, and hardly one talks to AWS.

if TYPE_CHECKING:
    from codemod.live.aws import Location

_VERIFIED, _WRONG, _FAILED = 0, 1, 2


def _location(ctx: click.Context, param: click.Parameter, value: str | None) -> Location | None:
    from codemod.live.aws import Location

    try:
        return Location.of(value) if value is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


@click.command()
@click.argument("endpoint")
@click.option("--payload", required=True, metavar="FILE", help="What to send; 1 to 128,000 bytes.")
@click.option("--content-type", metavar="TYPE", help="The payload's content type.")
@click.option("--accept", metavar="TYPE", help="The content type to ask for.")
@click.option("--region", metavar="REGION", help="The region, else that of the environment.")
@click.option("--profile", metavar="PROFILE", help="The profile of the AWS configuration to use.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for each output.",
)
@click.option(
    "--compare-s3",
    callback=_location,
    metavar="S3://BUCKET/PREFIX",
    help="Send the payload by way of S3 as well and compare the outputs.",
)
@click.option(
    "--probe-limits",
    is_flag=True,
    help="Show that too large and contradictory requests are refused.",
)
@click.pass_context
def verify(
    ctx: click.Context,
    endpoint: str,
    payload: str,
    content_type: str | None,
    accept: str | None,
    region: str | None,
    profile: str | None,
    timeout: float,
    compare_s3: Location | None,
    probe_limits: bool,
) -> None:
    """Send a payload inline to ENDPOINT, a real one, and show what comes back in S3.

    This calls AWS with your credentials, and the endpoint processes the payload. Exits with 0 if
    an output came, with 1 if the request failed or something was not as it should be, and with 2
    if it could not be tried.
    """
    from codemod.live import check
    from codemod.live.failures import LiveError

    request = check.Request(
        endpoint=endpoint,
        payload=payload,
        content_type=content_type,
        accept=accept,
        region=region,
        profile=profile,
        timeout=timeout,
        compare_s3=compare_s3,
        probe_limits=probe_limits,
    )
    progress = _Progress()
    try:
        is_right = check.verify(request, check.Console(progress.say, progress.show))
    except LiveError as error:
        progress.end()
        click.echo(f"Error: {error}.", err=True)
        ctx.exit(_FAILED)
    ctx.exit(_VERIFIED if is_right else _WRONG)


class _Progress:
    """A line on standard error that is written again and again; once if it is no terminal."""

    def __init__(self) -> None:
        self._shown = 0

    def show(self, text: str) -> None:
        if not sys.stderr.isatty():
            if not self._shown:
                click.echo(text, err=True)
        else:
            click.echo(f"\r{text:{self._shown}}", nl=False, err=True)
        self._shown = max(self._shown, len(text))

    def end(self) -> None:
        """Leave the line as it is and go on below."""
        if self._shown and sys.stderr.isatty():
            click.echo(err=True)
        self._shown = 0

    def say(self, text: str) -> None:
        self.end()
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        click.echo(text.encode(encoding, "backslashreplace"))
