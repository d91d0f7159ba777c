"""`orchestrator deliveries`: which mails were or will be sent, why, and with what result."""

from typing import Annotated, Literal

import typer

from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import day_and_time, nothing, print_json, print_table


def deliveries(
    project: ProjectOption = None,
    orchestration: Annotated[str | None, typer.Option(help="Only those about this orchestration.")] = None,
    status: Annotated[
        Literal["pending", "failed"] | None, typer.Option(help="Only those not sent yet, or given up.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest mails about runs: the reason, the recipient, and whether it was sent."""
    where = context(project)
    with where.client() as client:
        path, wanted = where.project_path("deliveries"), {"orchestration": orchestration, "status": status}
        items = list(client.items(path, most=limit, **wanted))
    if as_json:
        print_json(items)
        return
    print_table(
        ("written", "event", "orchestration", "to", "status", "tries", "last error"),
        (
            (
                day_and_time(item["created_at"]),
                item["event"],
                item["orchestration"],
                item["recipient"],
                item["status"],
                item["attempts"],
                item.get("last_error") or "",
            )
            for item in items
        ),
        empty=nothing("mails", (orchestration, status), "No mails yet."),
    )
