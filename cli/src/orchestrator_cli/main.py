"""The command `orchestrator`: its groups of commands, and what people see when one fails."""

from importlib import metadata
from typing import Annotated

import typer
from rich.text import Text

from orchestrator_cli import streams
from orchestrator_cli.commands import (
    arranging,
    backfill,
    component,
    components,
    db,
    dead_letters,
    definitions,
    deliveries,
    demo,
    dev,
    jobs,
    orchestrations,
    projects,
    run,
    schedules,
    tables,
    tokens,
    triggers,
    variables,
)
from orchestrator_cli.failures import CommandFailure, ExitCode
from orchestrator_cli.local.processes import ServerError
from orchestrator_cli.output import error_console, plain
from orchestrator_shared.domain.zone_data import TZDATA_VERSION

app = typer.Typer(
    name="orchestrator",
    cls=streams.Group,
    help="Run the components of a data platform in order, by time and by event.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(dev.app, name="dev")
app.add_typer(db.app, name="db")
app.add_typer(orchestrations.app, name="orchestrations")
app.add_typer(jobs.app, name="jobs")
app.add_typer(arranging.tasks, name="tasks")
app.add_typer(arranging.phases, name="phases")
app.add_typer(schedules.app, name="schedules")
app.add_typer(tables.app, name="tables")
app.add_typer(triggers.app, name="triggers")
app.add_typer(variables.app, name="variables")
app.add_typer(components.app, name="components")
app.add_typer(component.app, name="component")
app.add_typer(projects.app, name="projects")
app.add_typer(tokens.app, name="tokens")
app.add_typer(dead_letters.app, name="dead-letters")
app.command("apply")(definitions.apply)
app.command("validate")(definitions.validate)
app.command("diff")(definitions.diff)
app.command("export")(definitions.export)
app.command("run")(run.run)
app.command("deliveries")(deliveries.deliveries)
app.command("audit")(tokens.audit)
app.command("backfill")(backfill.backfill)
app.command("demo")(demo.demo)


def _show_version(wanted: bool) -> None:
    if wanted:
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
    """Run a command line; every failure that has a cause known to us becomes a sentence and an exit code."""
    streams.prepare()
    try:
        code = _run(arguments)
        streams.flush()
    except streams.ReaderLeft:
        streams.drop_output()
        return ExitCode.OK
    except streams.OutputLost as failure:
        streams.drop_output()
        _tell(failure.text, failure.details)
        return failure.code
    return code


def _run(arguments: list[str] | None) -> int:
    try:
        app(args=arguments, prog_name="orchestrator")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except streams.OutputLost:
        raise
    except CommandFailure as failure:
        _tell(failure.text, failure.details)
        return failure.code
    except ServerError as error:
        _tell(str(error), [])
        return ExitCode.UNREACHABLE
    except KeyboardInterrupt:
        return 130
    return ExitCode.OK


def _tell(text: str, details: list[str]) -> None:
    screen = error_console()
    screen.print(Text.assemble(("error: ", "bold red"), plain(text)))
    for line in details:
        screen.print(Text(f"  {plain(line)}"))
