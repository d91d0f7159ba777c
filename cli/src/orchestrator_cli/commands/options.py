"""Options shared by several commands, and what they resolve to."""

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator_cli.context import Context, resolve

ProjectOption = Annotated[
    str | None,
    typer.Option("--project", "-p", help="The project; default: ORCHESTRATOR_PROJECT.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the server's response as JSON.")]
ConfirmOption = Annotated[bool, typer.Option("--confirm", help="Run even if the orchestration is disabled.")]
NotifyOption = Annotated[
    bool,
    typer.Option(
        "--notify/--no-notify", help="Whether to mail the result to you, if the token belongs to a person."
    ),
]


class Sort(StrEnum):
    """The order of a list."""

    ID = "id"
    ID_BACKWARDS = "-id"
    NAME = "name"
    NAME_BACKWARDS = "-name"
    UPDATED = "updated_at"
    LAST_UPDATED = "-updated_at"


class OrchestrationSort(StrEnum):
    """The order of a list of orchestrations."""

    ID = "id"
    ID_BACKWARDS = "-id"
    NAME = "name"
    NAME_BACKWARDS = "-name"
    UPDATED = "updated_at"
    LAST_UPDATED = "-updated_at"
    NEXT_FIRE = "next_fire"


class JobSort(StrEnum):
    """The order of a list of jobs."""

    ACCEPTED = "-accepted_at"
    FINISHED = "-finished_at"
    DURATION = "-duration"


SortOption = Annotated[
    Sort | None, typer.Option("--sort", help="The order; with - it is reversed: --sort=-name.")
]


OrchestrationSortOption = Annotated[
    OrchestrationSort | None,
    typer.Option("--sort", help="The order, such as --sort=next_fire; with - it is reversed: --sort=-name."),
]


JobSortOption = Annotated[
    JobSort | None,
    typer.Option("--sort", help="Last accepted, last finished or longest first, such as --sort=-duration."),
]


def context(project: str | None = None) -> Context:
    return resolve(project=project)
