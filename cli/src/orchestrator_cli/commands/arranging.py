"""`orchestrator tasks` and `orchestrator phases`: other arrangements, looked at first, saved with --save."""

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
Phase = Annotated[str, typer.Argument(help="A phase by its name, or #1 for the first.")]
BeforeOption = Annotated[str | None, typer.Option("--before", help="The phase that comes next.")]
AfterOption = Annotated[str | None, typer.Option("--after", help="The phase that comes right before.")]
SaveOption = Annotated[bool, typer.Option("--save", help="Save it; without, it is only shown.")]


class By(StrEnum):
    """What phases are made by."""

    TYPE = "type"
    TASK = "task"


@tasks.command()
def group(
    name: Name,
    by: Annotated[By, typer.Option("--by", help="One phase per type of component, or per task.")] = By.TYPE,
    save: SaveOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lay out the tasks anew: by the type of their component, or one per phase."""
    _propose(name, "grouping", {"by": by.value}, save=save, project=project, as_json=as_json)


@tasks.command("move")
def move_tasks(
    name: Name,
    task: Annotated[list[str], typer.Argument(help="Tasks by their ids.")],
    to: Annotated[str, typer.Option("--to", help="A phase by its name, or #1; a new name makes a new one.")],
    before: BeforeOption = None,
    after: AfterOption = None,
    save: SaveOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move tasks to a phase; a new one comes last, or where --before or --after says."""
    operation = {"operation": "move_tasks", "tasks": task, "to": phase_ref(to), **_place(before, after)}
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
    """Give a phase another name."""
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
    """Put a phase before or after another."""
    operation = {"operation": "move_phase", "phase": phase_ref(phase), **_place(before, after)}
    _arrange(name, operation, save=save, project=project, as_json=as_json)


@phases.command()
def merge(
    name: Name,
    phase: Annotated[list[str], typer.Argument(help="Two phases or more, by name, or #1 for the first.")],
    new_name: Annotated[str | None, typer.Option("--name", help="Else the first one's name.")] = None,
    save: SaveOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make one phase of several, where the first of them is."""
    operation: Json = {"operation": "merge_phases", "phases": [phase_ref(each) for each in phase]}
    if new_name is not None:
        operation["name"] = new_name
    _arrange(name, operation, save=save, project=project, as_json=as_json)


def phase_ref(text: str) -> str | int:
    """`#2` is the second phase, anything else a name."""
    number = text.removeprefix("#")
    if number == text or not (number.isascii() and number.isdigit()):
        return text
    if int(number) == 0:
        raise BadInput("#0: the first phase is #1")
    return int(number) - 1


def _place(before: str | None, after: str | None) -> Json:
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
    """Save the phases, unless somebody has saved others since."""
    path = where.project_path(f"orchestrations/{name}")
    current = client.get(path)
    kept = {key: current[key] for key in ("name", "description", "enabled")}
    body = {**kept, "phases": proposal["phases"], "base_version": proposal["version"]}
    return client.put(path, {**body, "note": "tasks arranged"})


def phase_lines(phases: list[Json]) -> list[str]:
    """The phases and their tasks, as they will follow one another."""
    return [line for number, phase in enumerate(phases, start=1) for line in _lines_of(number, phase)]


def _lines_of(number: int, phase: Json) -> list[str]:
    tasks = [
        f"     {plain(task['id'])}{'' if task['enabled'] else '  (inactive)'}" for task in phase["tasks"]
    ]
    return [f"#{number} {plain(phase['name'])}", *tasks]


def _summary(proposal: Json, shown: Json, *, save: bool) -> str:
    if not proposal["changed"]:
        return "it is arranged so already"
    return f"saved as version {shown['version']}" if save else "not saved; --save does"
