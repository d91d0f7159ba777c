"""`orchestrator tasks` and `orchestrator phases`: rearrange an orchestration; --save keeps the result."""

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.context import Context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import plain, print_findings, print_json

tasks = typer.Typer()
phases = typer.Typer()

Name = Annotated[str, typer.Argument(help="The orchestration.")]
Phase = Annotated[str, typer.Argument(help="A phase: its name, or #1 for the first.")]
BeforeOption = Annotated[str | None, typer.Option("--before", help="Place it before this phase.")]
AfterOption = Annotated[str | None, typer.Option("--after", help="Place it right after this phase.")]
SaveOption = Annotated[bool, typer.Option("--save", help="Save the result; otherwise it is only shown.")]


class By(StrEnum):
    """How tasks are grouped into phases."""

    TYPE = "type"
    TASK = "task"


@tasks.command()
def group(
    name: Name,
    by: Annotated[By, typer.Option("--by", help="One phase per component type, or one per task.")] = By.TYPE,
    save: SaveOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Regroup all tasks into phases: by component type, or one task per phase."""
    _propose(name, "grouping", {"by": by.value}, save=save, project=project, as_json=as_json)


@tasks.command("move")
def move_tasks(
    name: Name,
    task: Annotated[list[str], typer.Argument(help="Task ids.")],
    to: Annotated[
        str, typer.Option("--to", help="A phase: its name, or #1 for the first; a new name creates a phase.")
    ],
    before: BeforeOption = None,
    after: AfterOption = None,
    save: SaveOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move tasks to a phase; a new phase goes last unless --before or --after places it."""
    operation = {"operation": "move_tasks", "tasks": task, "to": phase_ref(to), **place(before, after)}
    _arrange(name, operation, save=save, project=project, as_json=as_json)


@phases.command()
def rename(
    name: Name,
    phase: Phase,
    new_name: str,
    save: SaveOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rename a phase."""
    operation = {"operation": "rename_phase", "phase": phase_ref(phase), "name": new_name}
    _arrange(name, operation, save=save, project=project, as_json=as_json)


@phases.command("move")
def move_phase(
    name: Name,
    phase: Phase,
    before: BeforeOption = None,
    after: AfterOption = None,
    save: SaveOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move a phase before or after another."""
    operation = {"operation": "move_phase", "phase": phase_ref(phase), **place(before, after)}
    _arrange(name, operation, save=save, project=project, as_json=as_json)


@phases.command()
def merge(
    name: Name,
    phase: Annotated[list[str], typer.Argument(help="Two or more phases: names, or #1 for the first.")],
    new_name: Annotated[str | None, typer.Option("--name", help="Default: the name of the first.")] = None,
    save: SaveOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge phases into one, in the place of the first of them."""
    operation: Json = {"operation": "merge_phases", "phases": [phase_ref(each) for each in phase]}
    if new_name is not None:
        operation["name"] = new_name
    _arrange(name, operation, save=save, project=project, as_json=as_json)


def phase_ref(text: str) -> str | int:
    """`#2` is the second phase; anything else is a name."""
    number = text.removeprefix("#")
    if number == text or not (number.isascii() and number.isdigit()):
        return text
    if int(number) == 0:
        raise BadInput("#0: phases are numbered from #1")
    return int(number) - 1


def place(before: str | None, after: str | None) -> Json:
    """Before or after which phase, for an operation."""
    given = {"before": before, "after": after}
    return {key: phase_ref(text) for key, text in given.items() if text is not None}


def _arrange(name: str, operation: Json, *, save: bool, project: str | None, as_json: bool) -> None:
    body = {"operations": [operation]}
    _propose(name, "arrangement", body, save=save, project=project, as_json=as_json)


def _propose(name: str, how: str, body: Json, *, save: bool, project: str | None, as_json: bool) -> None:
    where = context(project)
    with where.client() as client:
        proposal = client.post(where.project_path(f"orchestrations/{name}/{how}"), body)
        shown = save_proposal(client, where, name, proposal) if save and proposal["changed"] else proposal
    if as_json:
        print_json(shown)
        return
    for line in phase_lines(shown["phases"]):
        print(line)
    print_findings(shown)
    print(_summary(proposal, shown, save=save))


def save_proposal(client: ApiClient, where: Context, name: str, proposal: Json) -> Json:
    """Save the phases, unless someone else has saved a newer version."""
    path = where.project_path(f"orchestrations/{name}")
    current = client.get(path)
    kept: Json = {key: current[key] for key in ("name", "description", "labels", "enabled") if key in current}
    body = {**kept, "phases": proposal["phases"], "note": "tasks arranged"}
    return client.put(path, body, etag=proposal["etag"])


def phase_lines(phases: list[Json]) -> list[str]:
    """The phases and their tasks, in execution order."""
    return [line for number, phase in enumerate(phases, start=1) for line in _lines_of(number, phase)]


def _lines_of(number: int, phase: Json) -> list[str]:
    tasks = [
        f"     {plain(task['id'])}{'' if task['enabled'] else '  (inactive)'}" for task in phase["tasks"]
    ]
    return [f"#{number} {plain(phase['name'])}", *tasks]


def _summary(proposal: Json, shown: Json, *, save: bool) -> str:
    if not proposal["changed"]:
        return "no changes: it is already arranged that way"
    return f"saved as version {shown['version']}" if save else "not saved; add --save to save it"
