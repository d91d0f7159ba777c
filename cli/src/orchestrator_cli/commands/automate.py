"""`orchestrator automate` and `orchestrator usages`: from a configuration to what runs it."""

from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.configurations import path_of
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import day_and_time, plain, print_findings, print_json, print_table

EveryOption = Annotated[
    int | None, typer.Option("--every", min=60, help="Run it every so many seconds, instead of --cron.")
]


def automate(
    name: Annotated[str, typer.Argument(help="The configuration: component/configuration.")],
    new_id: Annotated[str | None, typer.Option("--id", help="The id of the orchestration.")] = None,
    new_name: Annotated[str | None, typer.Option("--name", help="The name of the orchestration.")] = None,
    cron: Annotated[str | None, typer.Option("--cron", help='When to run it, as in "30 5 * * 1-5".')] = None,
    every: EveryOption = None,
    timezone: Annotated[str, typer.Option("--timezone", help="The time zone of --cron.")] = "UTC",
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create an orchestration that has one configuration as its only task, with a schedule if given."""
    body = {"id": new_id, "name": new_name, "schedule": _schedule(cron, every, timezone)}
    where = context(project)
    with where.client() as client:
        made = client.post_once(where.project_path(f"{path_of(name)}/automation"), body)
    if as_json:
        print_json(made)
        return
    print_findings(made)
    fire = made.get("next_fire")
    print(f"created {plain(made['id'])}" + (f", next fire {day_and_time(fire)} UTC" if fire else ""))


def _schedule(cron: str | None, every: int | None, timezone: str) -> Json | None:
    if cron and every:
        raise BadInput("give --cron or --every, not both")
    if cron:
        return {"cron": cron, "timezone": timezone}
    return {"every_seconds": every} if every else None


def usages(
    name: Annotated[str, typer.Argument(help="An orchestration, or component/configuration.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the tasks that run a configuration or an orchestration."""
    where = context(project)
    path = path_of(name) if "/" in name else f"orchestrations/{name}"
    with where.client() as client:
        items = list(client.items(where.project_path(f"{path}/usages")))
    if as_json:
        print_json(items)
        return
    print_table(
        ("orchestration", "phase", "task", "version", ""),
        (
            (item["orchestration"], item["phase"], item["task"], item["version"] or "current", _off(item))
            for item in items
        ),
        empty=f"No task runs {name}.",
    )


def _off(item: Json) -> str:
    if not item["orchestration_enabled"]:
        return "orchestration disabled"
    return "" if item["task_enabled"] else "inactive"
