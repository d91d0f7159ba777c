"""`orchestrator completion`: the script that makes a shell complete commands and options."""

from typing import Annotated

import typer

from orchestrator_cli.failures import BadInput

SHELLS = ("bash", "zsh", "fish")


def completion(
    shell: Annotated[
        str,
        typer.Argument(help="bash, zsh or fish.", autocompletion=lambda: list(SHELLS)),
    ],
) -> None:
    """Print the script that completes commands and options in a shell."""
    from typer._completion_shared import get_completion_script

    if shell not in SHELLS:
        raise BadInput(f"no completion for {shell}; expected {', '.join(SHELLS)}")
    print(get_completion_script(prog_name="orchestrator", complete_var="_ORCHESTRATOR_COMPLETE", shell=shell))
