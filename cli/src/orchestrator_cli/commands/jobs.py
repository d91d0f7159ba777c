"""`orchestrator jobs`: list and show jobs, read their logs, terminate them."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands import retry, waits
from orchestrator_cli.commands.first_errors import error_lines, first_error
from orchestrator_cli.commands.job_ids import JobArgument, job_id
from orchestrator_cli.commands.options import JobSortOption, JsonOption, ProjectOption, context
from orchestrator_cli.commands.times import instant, seconds
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import (
    console,
    day_and_time,
    duration,
    nothing,
    plain,
    print_json,
    print_table,
    span,
    status_text,
)

app = typer.Typer()
app.command("retry")(retry.retry)
app.command("overlaps")(retry.overlaps)
app.command("why")(waits.why)
app.command("timeline")(waits.timeline)
app.command("terminate")(waits.terminate)


@app.command("list")
def list_jobs(
    project: ProjectOption = None,
    status: Annotated[
        list[str] | None, typer.Option(help="Only jobs with this status; may be given several times.")
    ] = None,
    configuration: Annotated[
        str | None, typer.Option(help="Only jobs of this component/configuration.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="manual, schedule, trigger, api, retry or parent.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="From when on: 2026-11-21T08:00:00Z, or 24h, 7d ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Until when, in the same form.")] = None,
    longer_than: Annotated[
        str | None, typer.Option(help="Only jobs that took longer: 90s, 5m, 2h or 1d.")
    ] = None,
    search: Annotated[str | None, typer.Option(help="An id, a number, or part of a name or message.")] = None,
    query: Annotated[
        str | None,
        typer.Option(help="Filters in one text: 'status:error duration:>10m started:[-7d TO *] by:jana'."),
    ] = None,
    sort: JobSortOption = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest jobs; those of an orchestration are its runs: --configuration orchestrator/NAME."""
    where = context(project)
    component, _, name = (configuration or "").rpartition("/")
    now = datetime.now(UTC)
    filters = {
        "status": status or None,
        "origin": origin or None,
        "component": component or None,
        "configuration": name or None,
        "since": instant("--since", since, now),
        "until": instant("--until", until, now),
        "longer_than_seconds": seconds("--longer-than", longer_than),
        "search": search,
        "query": query,
    }
    with where.client() as client:
        items = list(client.items(where.project_path("jobs"), most=limit, sort=sort, **filters))
    if as_json:
        print_json(items)
        return
    print_table(
        ("id", "what", "status", "started by", "created", "took"),
        (_row(job) for job in items),
        empty=nothing(
            "jobs", filters.values(), "No jobs yet. Run something with `orchestrator run ORCHESTRATION`."
        ),
    )


def _row(job: Json) -> tuple[object, ...]:
    return (
        job["id"],
        name_of(job),
        status_text(job["status"]),
        job["origin"],
        day_and_time(job.get("requested_at")),
        span(job.get("started_at"), job.get("finished_at")),
    )


def name_of(job: Json) -> str:
    """`campaigns #42` for a run, component/configuration for other jobs."""
    if job.get("component") == "orchestrator":
        number = job.get("number")
        return f"{job['configuration']} #{number}" if number else str(job["configuration"])
    return f"{job['component']}/{job['configuration']}"


@app.command()
def show(job: JobArgument, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Show one job; for a run, also its phases and tasks, and why it failed."""
    from orchestrator_cli.progress.tree import run_tree
    from orchestrator_cli.progress.watch import fetch_tasks

    where = context(project)
    with where.client() as client:
        detail = client.get(where.project_path(f"jobs/{job_id(client, where, job)}"))
        phases = fetch_tasks(client, where.project_path(), detail)
        error = first_error(client, where, detail)
    if as_json:
        print_json(
            detail | ({"phases": phases} if phases else {}) | ({"first_error": error} if error else {})
        )
        return
    screen = console()
    screen.print(run_tree(detail, phases))
    for label, value in detail_lines(detail) + error_lines(error):
        screen.print(f"  {label:<16} {plain(value)}", markup=False)


SHOWN = (
    "id",
    "origin",
    "requested_by",
    "retry_of",
    "version",
    "attempt",
    "scheduled_for",
    "started_at",
    "finished_at",
    "expected_end",
)
WAITS = {
    "acceptance_seconds": "to be accepted",
    "configuration_busy_seconds": "for the configuration",
    "delay_seconds": "between attempts",
    "slot_or_limit_seconds": "for a slot or the limit",
    "undivided_seconds": "before earlier attempts",
}


def detail_lines(detail: Json) -> list[tuple[str, str]]:
    """Label and value of everything known about a job."""
    lines = [(key.replace("_", " "), str(detail[key])) for key in SHOWN if detail.get(key) is not None]
    if waiting := detail.get("waiting"):
        lines.append(("waits", f"{waiting['detail']} (place {waiting['place']} in line)"))
    lines += _attempts(detail)
    if waited := _waited(detail.get("waits") or {}):
        lines.append(("waited", waited))
    if (usual := detail.get("usual_duration_seconds")) is not None:
        lines.append(("usually takes", duration(usual)))
    lines += [("retried as", f"{retry['id']} ({retry['status']})") for retry in detail.get("retries") or []]
    lines += [("used update", _update(each)) for each in detail.get("updates_used") or []]
    if written := detail.get("tables_written"):
        lines.append(("wrote", ", ".join(map(str, written))))
    if ran_as := detail.get("ran_as"):
        lines.append(("ran as", f"{ran_as['kind']} {ran_as['name']}"))
    if overlap := detail.get("overlap"):
        lines.append(("became", str(overlap["detail"])))
    return lines


def _update(used: Json) -> str:
    """The table, when it was updated, and the id of the update."""
    told = (used["table"], used.get("heard_at"), used.get("event_id") or f"update {used['seq']}")
    return ", ".join(str(each) for each in told if each)


def _attempts(detail: Json) -> list[tuple[str, str]]:
    """How each attempt ended, if there were several."""
    made = detail.get("attempts") or []
    if len(made) < 2:
        return []
    return [(f"attempt {each['attempt']}", _ending(each)) for each in made]


def _ending(attempt: Json) -> str:
    words = (attempt.get("outcome"), span(attempt["started_at"], attempt.get("finished_at")))
    told = f": {attempt['message']}" if attempt.get("message") else ""
    return ", ".join(word for word in words if word) + told


def _waited(waits: Json) -> str:
    """The total wait, and its causes where each is long enough to matter."""
    causes = [f"{duration(waits[key])} {words}" for key, words in WAITS.items() if waits.get(key, 0) >= 0.05]
    return f"{duration(waits['total_seconds'])}: {', '.join(causes)}" if causes else ""


@app.command()
def logs(
    job: JobArgument,
    project: ProjectOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing until the job ends.")] = False,
    search: Annotated[
        str | None, typer.Option(help="Print the lines that contain this text, with their numbers.")
    ] = None,
    around: Annotated[int | None, typer.Option(min=1, help="Print the lines around this one.")] = None,
    tail: Annotated[int | None, typer.Option(min=1, max=1000, help="Print only the last lines.")] = None,
) -> None:
    """Print the log of a job; for a run, the logs of its tasks."""
    from orchestrator_cli.progress import logs as whole
    from orchestrator_cli.progress import numbered_lines

    if sum((follow, search is not None, around is not None, tail is not None)) > 1:
        raise BadInput("give only one of --follow, --search, --around and --tail")
    where = context(project)
    with where.client() as client:
        found, path = job_id(client, where, job), where.project_path()
        if search is not None:
            numbered_lines.print_hits(client, path, found, search)
        elif around is not None:
            numbered_lines.print_around(client, path, found, around)
        elif tail is not None:
            numbered_lines.print_tail(client, path, found, tail)
        elif follow:
            whole.follow_log(client, path, found)
        else:
            whole.print_log(client, path, found)
