"""`orchestrator component`: try a component on this machine, without any server."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator_cli.failures import BadInput

app = typer.Typer(help="Write a component of your own.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keeps `run` a command of its own: a group with one command would swallow its name."""


@app.command()
def run(
    directory: Annotated[Path, typer.Argument(help="The component's folder, or its YAML.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration to run it with.")],
    state: Annotated[
        Path | None, typer.Option(help="Read the state from here, and keep the new one.")
    ] = None,
) -> None:
    """Run a component as a runner would; the exit code is the component's own."""
    try:
        from orchestrator_components.local import run as run_component
    except ImportError:
        raise BadInput("the components are not installed: install `orchestrator-cli[dev]`") from None
    raise typer.Exit(run_component(directory, config, state_file=state))
