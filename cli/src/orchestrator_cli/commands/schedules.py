"""`orchestrator schedules`: the outcome of each fire."""

from typing import Annotated

import typer

from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import day_and_time, print_json, print_table

app = typer.Typer()


@app.command()
def fires(
    orchestration: str,
    schedule: str,
    project: ProjectOption = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest fires: requested, missed or disabled; for merged and skipped ones: `jobs overlaps`."""
    where = context(project)
    with where.client() as client:
        saved = client.get(where.project_path(f"orchestrations/{orchestration}/schedules/{schedule}"))
        items = list(client.items(where.project_path(f"schedules/{saved['id']}/fires"), most=limit))
    if as_json:
        print_json(items)
        return
    print_table(
        ("scheduled for (UTC)", "outcome", "when (UTC)", "job"),
        (
            (day_and_time(item["scheduled_for"]), item["outcome"], day_and_time(item["at"]), item["job_id"])
            for item in items
        ),
    )
