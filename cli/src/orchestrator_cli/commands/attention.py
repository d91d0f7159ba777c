"""`orchestrator attention`: what is wrong in a project."""

from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import day_and_time, print_json, print_table


def attention(
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many to show.")] = 20,
    timezone: Annotated[str, typer.Option(help="Of the usual times of tables.")] = "UTC",
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what needs attention: failures, runs that take long, late tables, missed fires."""
    where = context(project)
    with where.client() as client:
        found = client.get(where.project_path("attention"), limit=limit, timezone=timezone)
    if as_json:
        print_json(found)
        return
    if not found["items"]:
        print("nothing needs attention")
        return
    print_table(("since (UTC)", "what", "message"), map(_row, found["items"]))
    if found["more"]:
        print(f"and {found['more']:,} more")


def _row(item: Json) -> tuple[object, ...]:
    return day_and_time(item["since"]), item["summary"], item["message"] or ""
