"""`orchestrator tables`: tell that a table was updated, and list what was heard of."""

from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import day_and_time, plain, print_json, print_table

app = typer.Typer()


@app.command()
def publish(
    table: Annotated[str, typer.Argument(help="Such as in.c-sales.orders.")],
    project: ProjectOption = None,
    event_id: Annotated[
        str | None, typer.Option("--id", help="Saying it twice with one id counts once.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=0, help="How many rows, for people.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell that a table was updated; triggers that select it are judged."""
    where = context(project)
    body: Json = {"table": table, "id": event_id, "rows": rows}
    with where.client() as client:
        answer = client.post(
            where.project_path("table-updates"),
            {key: value for key, value in body.items() if value is not None},
        )
    if as_json:
        print_json(answer)
    else:
        print(plain(f"{table}: accepted as {', '.join(answer.get('ids', []))}"))


@app.command("list")
def list_tables(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """The tables that were heard of, and when last."""
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
    )
