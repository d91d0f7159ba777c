"""Options that several commands share, and what they resolve to."""

from typing import Annotated

import typer

from orchestrator_cli.context import Context, resolve

ProjectOption = Annotated[
    str | None,
    typer.Option("--project", "-p", help="The project; else ORCHESTRATOR_PROJECT.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print what the server answered, as JSON.")]
ConfirmOption = Annotated[bool, typer.Option("--confirm", help="Also if the orchestration is disabled.")]
NotifyOption = Annotated[
    bool, typer.Option("--notify/--no-notify", help="Whether to mail you the end, if you are a person.")
]


def context(project: str | None = None) -> Context:
    return resolve(project=project)
