"""`orchestrator tables`: publish table updates, and list the tables that had some."""

from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import day_and_time, plain, print_json, print_table

app = typer.Typer()


@app.command()
def publish(
    table: Annotated[str, typer.Argument(help="For example in.c-sales.orders.")],
    project: ProjectOption = None,
    event_id: Annotated[str | None, typer.Option("--id", help="Updates with the same id count once.")] = None,
    rows: Annotated[int | None, typer.Option(min=0, help="Number of rows, for information.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Publish a table update; triggers on this table are evaluated."""
    where = context(project)
    body: Json = {"table": table, "id": event_id, "rows": rows}
    with where.client() as client:
        answer = client.post_once(
            where.project_path("table-updates"),
            {key: value for key, value in body.items() if value is not None},
        )
    if as_json:
        print_json(answer)
    else:
        print(plain(f"{table}: accepted as {', '.join(answer.get('ids', []))}"))


@app.command("list")
def list_tables(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the tables that were updated, and when they last were."""
    where = context(project)
    with where.client() as client:
        items = list(client.items(where.project_path("tables")))
    if as_json:
        print_json(items)
        return
    print_table(
        ("table", "updates", "last heard"),
        (
            (
                item["name"],
                item["updates"],
                day_and_time(item.get("last_heard_at")),
            )
            for item in items
        ),
        empty="No tables yet: none was updated. Tell of an update with `orchestrator tables publish TABLE`.",
    )
