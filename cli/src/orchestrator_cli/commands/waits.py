"""Why jobs wait, the lanes of a project, and ending a job after a look at what that would change."""

import sys
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.job_ids import JobArgument, job_id
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import (
    clock_time,
    duration,
    plain,
    print_json,
    print_table,
    status_text,
)


def why(job: JobArgument, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Show why a job waits now, for whom, and when it is expected to start."""
    where = context(project)
    with where.client() as client:
        explanation = client.get(where.project_path(f"jobs/{job_id(client, where, job)}/explanation"))
    if as_json:
        print_json(explanation)
        return
    print(plain(str(explanation["sentence"])))


def timeline(job: JobArgument, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Show what a run and its tasks waited for, and for whom; the first line is the verdict."""
    where = context(project)
    with where.client() as client:
        found = client.get(where.project_path(f"jobs/{job_id(client, where, job)}/timeline"))
    if as_json:
        print_json(found)
        return
    print(plain(str(found["verdict"]["sentence"])))
    if found["tasks"]:
        print_table(("task", "status", *CAUSES.values()), (_task_row(task) for task in found["tasks"]))


CAUSES = {
    "earlier_phase": "earlier phases",
    "configuration_busy": "configuration",
    "slot_or_limit": "slot or limit",
    "delay": "between attempts",
    "running": "ran",
}


def _task_row(task: Json) -> tuple[object, ...]:
    seconds = task["seconds"]
    shown = (duration(seconds[cause]) if seconds.get(cause, 0) >= 0.05 else "" for cause in CAUSES)
    return (task["id"], status_text(task["status"]), *shown)


def lanes(
    project: ProjectOption = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that only run, and no longer than usual.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show which configurations jobs wait for, who holds them, and when those in line start."""
    where = context(project)
    with where.client() as client:
        found = list(client.items(where.project_path("lanes"), all=everything or None))
    if as_json:
        print_json(found)
        return
    for lane in found:
        print(plain(f"{lane['component']}/{lane['configuration']}: {lane['sentence']}"))
        for each in lane["waiting"]:
            print(plain(f"  {each['place']}. {each['job']['name']}{_expected(each)}"))
        if hidden := lane["waiting_count"] - len(lane["waiting"]):
            print(f"  and {hidden} more")
    if not found:
        print("no job waits for another one" if not everything else "nothing runs")


def _expected(waiting: Json) -> str:
    at = waiting.get("expected_start")
    return f", expected start about {clock_time(at)[:5]} UTC" if at else ""


def terminate(
    job: JobArgument,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; without a terminal nobody is asked.")
    ] = False,
    project: ProjectOption = None,
) -> None:
    """Terminate a job; a run terminates its tasks. On a terminal, first show what that changes, and ask."""
    where = context(project)
    with where.client() as client:
        path = where.project_path(f"jobs/{job_id(client, where, job)}/termination")
        if not yes and sys.stdin.isatty():
            _ask(client.get(path))
        client.post(path)
    print(f"requested termination of {job}")


def _ask(preview: Json) -> None:
    for line in preview["consequences"]:
        print(plain(f"- {line}"), file=sys.stderr)
    print(f"{plain(str(preview['sentence']))} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise BadInput("nothing was stopped")
