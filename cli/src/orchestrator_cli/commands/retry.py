"""`orchestrator jobs retry` and `jobs overlaps`: rerun what failed; list fires that did not become runs."""

from typing import Annotated

import typer

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.commands.options import ConfirmOption, JsonOption, NotifyOption, ProjectOption, context
from orchestrator_cli.commands.run import exit_code, flags
from orchestrator_cli.output import (
    console,
    day_and_time,
    error_console,
    print_json,
    print_table,
    status_text,
)


def retry(
    job: str,
    project: ProjectOption = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task", "-t", help="Rerun this task instead of every task that did not succeed; repeatable."
        ),
    ] = None,
    original: Annotated[
        bool, typer.Option("--original", help="Use the versions that ran then instead of the current ones.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would run without starting anything.")
    ] = False,
    confirm: ConfirmOption = False,
    notify: NotifyOption = True,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow it until it ends.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a finished job again; for a run, only the tasks that did not succeed."""
    where = context(project)
    path = where.project_path(f"jobs/{job}")
    with where.client() as client:
        made = client.get(f"{path}/retry-plan", tasks=task, version="original" if original else None)
        if plan:
            show_plan(made, as_json=as_json)
            return
        body: Json = {"plan_id": made["id"], **flags(confirm=confirm, notify=notify)}
        answer = client.post_once(f"{path}/retries", {**body, "tasks": task} if task else body)
        if not follow:
            _print_job_id(answer, as_json=as_json)
            return
        ended = _follow(client, where.project_path(), str(answer["job_id"]), as_json=as_json)
    raise typer.Exit(exit_code(ended, strict=False))


def _print_job_id(answer: Json, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print(answer["job_id"])


def _follow(client: ApiClient, project_path: str, job_id: str, *, as_json: bool) -> Json:
    from orchestrator_cli.progress.watch import follow as follow_job

    ended = follow_job(client, project_path, job_id, error_console() if as_json else console())
    if as_json:
        print_json(ended)
    return ended


def show_plan(made: Json, *, as_json: bool) -> None:
    """The tasks, how they ended, and which would run again."""
    if as_json:
        print_json(made)
        return
    rows = [
        (
            task["id"],
            task["phase"],
            _status(task["status_before"]),
            plan_word(task),
            task.get("version") or "",
        )
        for task in made["tasks"]
    ]
    rows += [(task["id"], "", _status(task["status_before"]), "is gone", "") for task in made["missing"]]
    if rows:
        print_table(("task", "phase", "before", "retry", "version"), rows)
    print(f"version {made['version']}")


def _status(status: str | None) -> object:
    return status_text(status) if status else "new"


def plan_word(task: Json) -> str:
    """What the plan does with a task."""
    if not task["exists"]:
        return "its configuration was deleted"
    if task["selected"]:
        return "runs"
    return "stays out" if task["active"] else "left out (inactive)"


def overlaps(
    orchestration: str,
    project: ProjectOption = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    as_json: JsonOption = False,
) -> None:
    """List fires that were merged into a waiting run or skipped."""
    where = context(project)
    with where.client() as client:
        path = where.project_path(f"orchestrations/{orchestration}/overlaps")
        items = list(client.items(path, most=limit))
    if as_json:
        print_json(items)
        return
    print_table(
        ("scheduled for (UTC)", "schedule", "outcome"),
        ((day_and_time(item["scheduled_for"]), item["schedule"], item["detail"]) for item in items),
        empty=f"No fire of {orchestration} was merged or skipped.",
    )
