"""`orchestrator schedules`: what is scheduled, when it fires, and the outcome of each fire."""

from typing import Annotated

import typer

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.commands.switching import add_part_switches
from orchestrator_cli.context import Context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import day_and_time, duration, plain, print_findings, print_json, print_table

app = typer.Typer()


@app.command("list")
def list_schedules(orchestration: str, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the schedules of an orchestration."""
    where = context(project)
    with where.client() as client:
        items = list(client.items(where.project_path(f"orchestrations/{orchestration}/schedules")))
    if as_json:
        print_json(items)
        return
    print_table(
        ("schedule", "times", "in words", "time zone", "next fire (UTC)", ""),
        (_row(item) for item in items),
        empty=f"{orchestration} has no schedules.",
    )


def _row(item: Json) -> tuple[object, ...]:
    state = "" if item["enabled"] else "disabled"
    return (
        item["name"],
        item["cron"] or f"every {duration(item['every_seconds'])}",
        item.get("words"),
        item["timezone"],
        day_and_time(item.get("next_at")),
        item.get("problem") or state,
    )


add_part_switches(app, "schedules")


@app.command()
def restore(
    orchestration: str, schedule: str, project: ProjectOption = None, as_json: JsonOption = False
) -> None:
    """Restore a deleted schedule with the record of its fires; what it missed is not caught up."""
    where = context(project)
    with where.client() as client:
        found = client.post(
            where.project_path(f"orchestrations/{orchestration}/schedules/{schedule}/restore")
        )
    if as_json:
        print_json(found)
    else:
        print(f"restored {plain(orchestration)} / {plain(schedule)}")


@app.command()
def preview(
    orchestration: Annotated[str | None, typer.Argument(help="The orchestration.")] = None,
    schedule: Annotated[str | None, typer.Argument(help="Its schedule.")] = None,
    cron: Annotated[
        str | None, typer.Option("--cron", help="Instead of a saved one: '30 5 * * 1-5'.")
    ] = None,
    every: Annotated[str | None, typer.Option("--every", help="Instead of a saved one: 45m.")] = None,
    timezone: Annotated[str, typer.Option("--timezone", help="Of --cron.")] = "UTC",
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the next fires of a schedule, or of times that are not saved yet."""
    where = context(project)
    with where.client() as client:
        if orchestration and schedule and not (cron or every):
            times = _saved_times(client, where, orchestration, schedule)
        elif bool(cron) != bool(every) and not orchestration:
            times = _given_times(cron, every, timezone)
        else:
            raise BadInput("give an orchestration and its schedule, or --cron, or --every")
        found = client.post(where.project_path("schedule-previews"), times)
    if as_json:
        print_json(found)
        return
    if found.get("words"):
        print(plain(f"{found['words']} ({times.get('timezone', 'UTC')})"))
    print_table(
        ("fires at (UTC)", "local", ""), (_fire(fire) for fire in found["fires"]), empty="It never fires."
    )
    if changes := found.get("clock_changes"):
        print_table(("clock change (local)", "effect", "what happens"), map(_clock_change, changes), empty="")
    if found.get("warning"):
        print_findings({"warnings": [found["warning"]]})


def _saved_times(client: ApiClient, where: Context, orchestration: str, schedule: str) -> Json:
    saved = client.get(where.project_path(f"orchestrations/{orchestration}/schedules/{schedule}"))
    return {key: saved[key] for key in ("cron", "every_seconds", "timezone") if saved[key] is not None}


def _given_times(cron: str | None, every: str | None, timezone: str) -> Json:
    from orchestrator_shared.domain.durations import parse_duration
    from orchestrator_shared.domain.errors import UserError

    if every is None:
        return {"cron": cron, "timezone": timezone}
    try:
        return {"every_seconds": parse_duration(every), "timezone": timezone}
    except UserError as error:
        raise BadInput(f"--every {every}: {error.detail}") from None


def _fire(fire: Json) -> tuple[object, ...]:
    words = {"moved": "after the gap of daylight saving", "repeated": "in an hour that comes twice"}
    return day_and_time(fire["at"]), fire["local"], ", ".join(words[key] for key in words if fire[key])


def _run(fire: Json) -> str | None:
    """`#42`; of one that started none: `in #42`, `not beside #42`."""
    if fire.get("number") is not None:
        return f"#{fire['number']}"
    words = {"merged": "in #", "skipped": "not beside #"}
    other = fire.get("other_number")
    return None if other is None else words[fire["status"]] + str(other)


def _clock_change(change: Json) -> tuple[object, ...]:
    return change["local"], change["label"], change["words"]


@app.command()
def presets(
    at: Annotated[str | None, typer.Option(help="The time of day, as 02:30.")] = None,
    weekday: Annotated[int | None, typer.Option(min=0, max=7, help="0 and 7 are Sunday.")] = None,
    day: Annotated[int | None, typer.Option(min=1, max=31, help="The day of the month.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List usual schedules to choose from, as cron expressions."""
    where = context(project)
    path = where.project_path("schedule-presets")
    with where.client() as client:
        items = list(client.items(path, at=at, weekday=weekday, day=day))
    if as_json:
        print_json(items)
        return
    rows = ((item["id"], item["cron"], item["words"]) for item in items)
    print_table(("preset", "cron", "in words"), rows, empty="There are no presets.")


@app.command()
def fires(
    orchestration: str,
    schedule: str,
    project: ProjectOption = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest fires: what each started, joined or missed."""
    where = context(project)
    with where.client() as client:
        saved = client.get(where.project_path(f"orchestrations/{orchestration}/schedules/{schedule}"))
        items = list(client.items(where.project_path(f"schedules/{saved['id']}/fires"), most=limit))
    if as_json:
        print_json(items)
        return
    print_table(
        ("scheduled for (UTC)", "outcome", "when (UTC)", "run", "job"),
        (
            (
                day_and_time(item["scheduled_for"]),
                item.get("status") or item["outcome"],
                day_and_time(item["at"]),
                _run(item),
                item["job_id"],
            )
            for item in items
        ),
        empty=f"{schedule} has not fired yet.",
    )
