"""`orchestrator orchestrations`: what is saved, what starts it, and its errors and warnings."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.arranging import phase_lines
from orchestrator_cli.commands.drafts import draft
from orchestrator_cli.commands.options import JsonOption, OrchestrationSortOption, ProjectOption, context
from orchestrator_cli.commands.switching import add_orchestration_switches
from orchestrator_cli.commands.versions import add_version_commands, copy_resource
from orchestrator_cli.output import (
    counted,
    day_and_time,
    duration,
    nothing,
    plain,
    print_findings,
    print_json,
    print_table,
)

app = typer.Typer()
add_orchestration_switches(app)
add_version_commands(app, lambda name: f"orchestrations/{name}")
app.add_typer(draft, name="draft", help="Your draft of the tasks of an orchestration.", no_args_is_help=True)


class LastRunIs(StrEnum):
    """How the last run is."""

    FAILED = "failed"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCESS = "success"
    WARNING = "warning"
    STOPPED = "stopped"
    NEVER_RUN = "never_run"


class StartsBy(StrEnum):
    """What starts it."""

    TIME = "time"
    TABLES = "tables"
    MANUAL = "manual"


@app.command("list")
def list_orchestrations(
    project: ProjectOption = None,
    search: Annotated[str | None, typer.Option(help="Part of the id, name or description.")] = None,
    enabled: Annotated[
        bool | None,
        typer.Option("--enabled/--disabled", help="Only those that are.", show_default=False),
    ] = None,
    status: Annotated[
        list[LastRunIs] | None, typer.Option(help="Only those whose last run is so; repeatable.")
    ] = None,
    starts: Annotated[
        StartsBy | None, typer.Option(help="Only those with a schedule, a trigger, or neither.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="Only those with this label; repeatable.")] = None,
    sort: OrchestrationSortOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the orchestrations with their last and next runs."""
    where = context(project)
    with where.client() as client:
        items = list(
            client.items(
                where.project_path("orchestrations"),
                search=search,
                enabled=None if enabled is None else str(enabled).lower(),
                status=[each.value for each in status or []],
                starts=starts.value if starts else None,
                label=label or [],
                sort=sort,
            )
        )
    if as_json:
        print_json(items)
        return
    print_table(
        ("orchestration", "last run", "next fire (UTC)", "usually takes", ""),
        (_row(item) for item in items),
        empty=nothing(
            "orchestrations",
            (search, enabled),
            "No orchestrations yet. Describe one in YAML, and save it with `orchestrator apply FILE`.",
        ),
    )


def _row(item: Json) -> tuple[object, ...]:
    last = item.get("last_run")
    words = [] if item["enabled"] else ["disabled"]
    words += [counted(len(item[f"{kind}s"]), kind) for kind in ("error", "warning") if item.get(f"{kind}s")]
    return (
        item["id"],
        f"#{last['number']} {last['status']}" if last else "",
        day_and_time(item.get("next_fire")),
        _usual(item),
        ", ".join(words),
    )


def _usual(item: Json) -> str:
    seconds = item.get("usual_duration_seconds")
    return "" if seconds is None else duration(seconds)


@app.command()
def counts(
    name: Annotated[str | None, typer.Argument(help="Count the runs of this one instead.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count the orchestrations that each filter of the list shows, or the runs of one by how they ended."""
    where = context(project)
    with where.client() as client:
        path = "orchestration-counts" if name is None else f"orchestrations/{name}/run-counts"
        found = client.get(where.project_path(path))
    if as_json:
        print_json(found)
        return
    if name is not None:
        more = found.pop("more")
        print_table(
            ("runs", "count"), [(each, _count({"count": n, "more": more})) for each, n in found.items()]
        )
        return
    labels = found.pop("labels")
    rows = [(name.replace("_", " "), _count(each)) for name, each in found.items()]
    rows += [(f"label {each['label']}", str(each["orchestrations"])) for each in labels]
    print_table(("orchestrations", "count"), rows)


def _count(count: Json) -> str:
    return f"{count['count']:,}{'+' if count['more'] else ''}"


@app.command()
def show(name: str, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Show one orchestration: phases, schedules, triggers, errors and warnings."""
    where = context(project)
    with where.client() as client:
        item = client.get(where.project_path(f"orchestrations/{name}"))
    if as_json:
        print_json(item)
        return
    for line in (*phase_lines(item["phases"]), *_lines(item)):
        print(line)
    print_findings(item)


def _lines(item: Json) -> Iterator[str]:
    yield f"version {item['version']}{'' if item['enabled'] else ', disabled'}"
    if item.get("labels"):
        yield plain(f"labels: {', '.join(item['labels'])}")
    for schedule in item.get("schedules") or []:
        times = (
            schedule.get("words") or schedule.get("cron") or f"every {duration(schedule['every_seconds'])}"
        )
        yield plain(f"schedule {schedule['name']}: {times} {schedule['timezone']}{_off(schedule)}")
    for trigger in item.get("triggers") or []:
        yield plain(f"trigger {trigger['name']}: {', '.join(trigger['tables'])}{_off(trigger)}")
    if item.get("next_fire"):
        yield f"next fire {day_and_time(item['next_fire'])} UTC"
    if usual := _usual(item):
        yield f"usually takes {usual}"


def _off(item: Json) -> str:
    return "" if item["enabled"] else " (off)"


class Part(StrEnum):
    """What an orchestration has besides its phases."""

    SCHEDULES = "schedules"
    TRIGGERS = "triggers"
    NOTIFICATIONS = "notifications"


@app.command()
def copy(
    name: str,
    new_id: Annotated[str, typer.Argument(help="The id of the copy.")],
    new_name: Annotated[str | None, typer.Option("--name", help="The name of the copy.")] = None,
    include: Annotated[
        list[Part] | None,
        typer.Option("--with", help="Also copy its schedules, triggers or notifications; repeatable."),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy an orchestration; the copy is disabled until it is enabled."""
    body = {"id": new_id, "name": new_name, "include": [part.value for part in include or []]}
    copy_resource(f"orchestrations/{name}", body, project, as_json=as_json)
