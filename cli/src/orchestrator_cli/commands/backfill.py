"""`orchestrator backfill`: run a schedule's past fires."""

import re
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import ConfirmOption, JsonOption, ProjectOption, context
from orchestrator_cli.output import counted, day_and_time, print_json, print_table

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def backfill(
    name: Annotated[str, typer.Argument(help="The orchestration.")],
    schedule: Annotated[str, typer.Option("--schedule", help="The schedule to backfill.")],
    start: Annotated[
        str, typer.Option("--from", help="Start: a day (UTC) or a timestamp (RFC 3339), inclusive.")
    ],
    end: Annotated[str, typer.Option("--to", help="End: a day (UTC) or a timestamp (RFC 3339), exclusive.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the runs without starting any.")] = False,
    confirm: ConfirmOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a schedule's past fires, oldest first, one run each; repeating it adds nothing."""
    where = context(project)
    body: Json = {
        "orchestration": name,
        "schedule": schedule,
        "from": instant(start),
        "to": instant(end),
        "dry_run": dry_run,
        "confirm": confirm,
    }
    with where.client() as client:
        answer = client.post_once(where.project_path("backfills"), body)
    if as_json:
        print_json(answer)
        return
    print_table(
        ("scheduled for (UTC)", "local", "job", ""),
        (_row(fire) for fire in answer["fires"]),
        empty="The schedule has no fires in this time.",
    )
    print(summary(answer))


def instant(text: str) -> str:
    """A bare day means midnight UTC."""
    return f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text


def _row(fire: Json) -> tuple[object, ...]:
    asked = "" if fire["is_new"] else "already requested"
    return day_and_time(fire["scheduled_for"]), fire["local"], fire["job_id"], asked


def summary(answer: Json) -> str:
    """How many runs were requested, and how many had been requested before."""
    new = sum(fire["is_new"] for fire in answer["fires"])
    known = len(answer["fires"]) - new
    if answer["dry_run"]:
        begin = f"{counted(new, 'run')} would be started"
    else:
        begin = f"{counted(answer['requested'], 'run')} requested"
    return begin + (f", {known} already requested" if known else "")
