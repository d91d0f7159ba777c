"""`orchestrator component`: try out a component on this machine, without a server."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator_cli.failures import BadInput

app = typer.Typer()


@app.command()
def run(
    directory: Annotated[Path, typer.Argument(help="The component's folder, or its YAML.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration to run it with.")],
    state: Annotated[
        Path | None, typer.Option(help="Read the state from this file and save the new state to it.")
    ] = None,
) -> None:
    """Run a component as a runner would; exits with the component's exit code."""
    try:
        from orchestrator_components.local import run as run_component
    except ImportError:
        raise BadInput("the components are not installed: install `orchestrator-components`") from None
    raise typer.Exit(run_component(directory, config, state_file=state))


@app.command()
def check(
    directory: Annotated[Path, typer.Argument(help="The component's folder, or its YAML.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="A configuration with which it succeeds.")],
) -> None:
    """Run a component several times, including with bad parameters, and report contract violations."""
    try:
        from orchestrator_components.local import check as check_component
    except ImportError:
        raise BadInput("the components are not installed: install `orchestrator-components`") from None
    raise typer.Exit(check_component(directory, config))
