"""Options that several commands share, and what they resolve to."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator_cli.context import STATE_FOLDER, Context, resolve

ProjectOption = Annotated[
    str | None,
    typer.Option("--project", "-p", help="The project; else ORCHESTRATOR_PROJECT.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print what the server answered, as JSON.")]
ConfirmOption = Annotated[bool, typer.Option("--confirm", help="Also if the orchestration is disabled.")]
NotifyOption = Annotated[
    bool, typer.Option("--notify/--no-notify", help="Whether to mail you the end, if you are a person.")
]
StateDirOption = Annotated[
    Path, typer.Option("--state-dir", help="The folder with the local stack's data, logs and keys.")
]
DEFAULT_STATE_DIR = Path(STATE_FOLDER)


def context(project: str | None = None) -> Context:
    return resolve(project=project)
