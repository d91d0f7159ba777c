"""The command `orchestrator`: its command groups, and what people see when one fails."""

from typing import Annotated

import typer

from orchestrator_cli import streams
from orchestrator_cli.failures import CommandFailure, ExitCode, Interrupted
from orchestrator_cli.lazy_commands import LazyGroup

app = typer.Typer(
    name="orchestrator",
    cls=LazyGroup,
    help="Run the components of a data platform in order, by time and by event.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        from orchestrator_shared.domain.zone_data import TZDATA_VERSION

        print(f"orchestrator {metadata.version('orchestrator-cli')} (time zones of tzdata {TZDATA_VERSION})")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Run the components of a data platform in order, by time and by event."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command line; every expected failure becomes a sentence and an exit code."""
    streams.prepare()
    try:
        code = _run(arguments)
        streams.flush()
    except streams.ReaderLeft:
        streams.drop_output()
        return ExitCode.OK
    except streams.OutputLost as failure:
        streams.drop_output()
        _print_failure(failure.text, failure.details)
        return failure.code
    return code


def _run(arguments: list[str] | None) -> int:
    try:
        app(args=arguments, prog_name="orchestrator")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except streams.OutputLost:
        raise
    except Interrupted as stop:
        _print_failure(stop.text, stop.details, title="")
        return stop.code
    except CommandFailure as failure:
        _print_failure(failure.text, failure.details)
        return failure.code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _print_failure(text: str, details: list[str], *, title: str = "error: ") -> None:
    from rich.text import Text

    from orchestrator_cli.output import error_console, plain

    screen = error_console()
    screen.print(Text.assemble((title, "bold red"), plain(text)))
    for line in details:
        screen.print(Text(f"  {plain(line)}"))
