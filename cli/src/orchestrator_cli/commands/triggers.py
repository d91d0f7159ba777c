"""`orchestrator triggers`: which there are, and why one did or did not start its orchestration."""

from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.commands.switching import add_part_switches
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import day_and_time, duration, plain, print_findings, print_json, print_table

COLUMNS = ("table", "updated since the last run", "last heard", "usually", "late", "missing since", "because")
app = typer.Typer()


@app.command("list")
def list_triggers(orchestration: str, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the triggers of an orchestration."""
    where = context(project)
    with where.client() as client:
        items = list(client.items(where.project_path(f"orchestrations/{orchestration}/triggers")))
    if as_json:
        print_json(items)
        return
    print_table(
        ("trigger", "tables", ""),
        ((each["name"], ", ".join(each["tables"]), "" if each["enabled"] else "disabled") for each in items),
        empty=f"{orchestration} has no triggers.",
    )


add_part_switches(app, "triggers")


@app.command()
def explain(
    orchestration: str,
    name: Annotated[str | None, typer.Argument(help="The trigger; required if there are several.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which updates a trigger has, which are missing, and what started its last run."""
    where = context(project)
    with where.client() as client:
        triggers = list(client.items(where.project_path(f"orchestrations/{orchestration}/triggers")))
        trigger = choose(triggers, orchestration, name)
        explanation = client.get(where.project_path(f"triggers/{trigger['id']}/explanation"))
    if as_json:
        print_json(explanation)
        return
    for line in summary_lines(explanation):
        print(plain(line))
    print_table(COLUMNS, _rows(explanation), empty="It has no tables.")
    if warning := (explanation.get("starvation") or {}).get("warning"):
        print_findings({"warnings": [warning]})


@app.command()
def preview(
    tables: Annotated[list[str], typer.Argument(help="The tables: bucket.table, or project/bucket.table.")],
    cool_down: Annotated[int, typer.Option(min=0, help="In seconds.")] = 0,
    timezone: Annotated[str, typer.Option(help="Of the usual times.")] = "UTC",
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how regular tables are, and what a cool-down would have cost, before a trigger is saved."""
    where = context(project)
    body = {"tables": tables, "cool_down_seconds": cool_down, "timezone": timezone}
    with where.client() as client:
        found = client.post(where.project_path("trigger-previews"), body)
    if as_json:
        print_json(found)
        return
    dropped = {each["table"]: each for each in found["starvation"]["tables"]}
    print_table(
        ("table", "last heard", "usually", "dropped by ignore"),
        (
            (
                each["table"],
                day_and_time(each["last_heard_at"]),
                (each["rhythm"] or {}).get("words") or "",
                f"{dropped[each['table']]['dropped']} of {dropped[each['table']]['updates']}",
            )
            for each in found["tables"]
        ),
        empty="It has no tables.",
    )
    if warning := found["starvation"]["warning"]:
        print_findings({"warnings": [warning]})


def choose(triggers: list[Json], orchestration: str, name: str | None) -> Json:
    """The trigger of that name, or the only one."""
    found = [trigger for trigger in triggers if name is None or trigger["name"] == name]
    names = ", ".join(str(trigger["name"]) for trigger in triggers) or "none"
    if not found:
        raise BadInput(f"{orchestration} has no such trigger; its triggers: {names}")
    if len(found) > 1:
        raise BadInput(f"{orchestration} has several triggers; choose one of: {names}")
    return found[0]


def summary_lines(explanation: Json) -> list[str]:
    """The same sentences as in the HTTP API."""
    first, *others = explanation.get("reasons") or [explanation.get("summary", "")]
    return [f"{explanation['orchestration']} / {explanation['name']}: {first}", *others]


def _rows(explanation: Json) -> list[tuple[object, ...]]:
    return [
        (
            table["table"],
            "yes" if table.get("updated_since_last_run") else "no",
            day_and_time(table.get("last_heard_at")),
            (table.get("rhythm") or {}).get("words") or "",
            duration(table["late_seconds"]) if table.get("late_seconds") else "",
            day_and_time(table.get("missing_since")),
            table.get("missing_because") or "",
        )
        for table in explanation.get("tables", [])
    ]
