"""Jobs on the command line: by id, or a run by its orchestration and number."""

from typing import Annotated

import typer

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.failures import BadInput

JobArgument = Annotated[str, typer.Argument(help="A job's id, or a run as NAME#NUMBER: campaigns#42.")]


def job_id(client: ApiClient, where: Context, job: str) -> str:
    """The id of a job; a run is looked up by its number."""
    name, mark, number = (part.strip() for part in job.partition("#"))
    if not mark:
        return job
    if not (name and number.isascii() and number.isdigit()):
        raise BadInput(f"{job!r} is neither a job's id nor a run such as campaigns#42")
    return str(client.get(where.project_path(f"orchestrations/{name}/runs/{number}"))["id"])
