"""`orchestrator trash`: what was deleted, until it is restored or purged."""

import sys
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import counted, day_and_time, plain, print_findings, print_json, print_table

ORCHESTRATOR = "orchestrator"
Name = Annotated[str, typer.Argument(help="An orchestration, or component/configuration.")]
app = typer.Typer()


@app.command("list")
def list_trash(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List deleted orchestrations and configurations, the last deleted first."""
    where = context(project)
    with where.client() as client:
        items = list(client.items(where.project_path("trash")))
    if as_json:
        print_json(items)
        return
    print_table(
        ("what", "name", "deleted (UTC)", "by", "starts by"),
        (_row(item) for item in items),
        empty="The trash is empty.",
    )


def _row(item: Json) -> tuple[object, ...]:
    starters = [counted(item[f"{kind}s"], kind) for kind in ("schedule", "trigger") if item[f"{kind}s"]]
    return (
        _shown(item),
        item["name"],
        day_and_time(item["deleted_at"]),
        item["deleted_by"] or "",
        ", ".join(starters),
    )


def _shown(item: Json) -> str:
    """As the other commands name it."""
    is_orchestration = item["component"] == ORCHESTRATOR
    return str(item["id"]) if is_orchestration else f"{item['component']}/{item['id']}"


@app.command()
def restore(name: Name, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Restore something from the trash, with its schedules, triggers and notifications."""
    where = context(project)
    with where.client() as client:
        found = client.post(where.project_path(f"{_path(name)}/restore"))
    if as_json:
        print_json(found)
        return
    print_findings(found)
    print(f"restored {plain(_shown(found))}")
    for kind in ("schedules", "triggers"):
        if found[kind]:
            print(f"{kind} enabled again: {plain(', '.join(found[kind]))}")


@app.command()
def purge(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    project: ProjectOption = None,
) -> None:
    """Delete something in the trash for good, with all its versions; jobs of the past stay."""
    where = context(project)
    path = where.project_path(_path(name))
    if not yes:
        _ask(f"Delete {plain(name)} for good, with all its versions?")
    with where.client() as client:
        client.delete(path, etag="*")  # nobody edits what is in the trash
    print(f"purged {plain(name)}")


def _ask(question: str) -> None:
    """Return if the person agrees; a question that nobody can answer is refused."""
    if not sys.stdin.isatty():
        raise BadInput("there is no terminal to ask at: pass --yes to delete without a question")
    typer.confirm(question, abort=True, err=True)


def _path(name: str) -> str:
    component, slash, configuration = name.partition("/")
    if not slash:
        return f"trash/{ORCHESTRATOR}/{name}"
    if not component or not configuration or "/" in configuration:
        raise BadInput(f"{name}: expected an orchestration, or component/configuration")
    return f"trash/{component}/{configuration}"
