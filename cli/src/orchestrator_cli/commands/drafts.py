"""`orchestrator orchestrations draft`: edit the tasks of an orchestration step by step, and save them."""

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.arranging import AfterOption, BeforeOption, phase_lines, phase_ref, place
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.commands.versions import NoteOption
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import counted, duration, error_console, plain, print_json

draft = typer.Typer()
Name = Annotated[str, typer.Argument(help="The orchestration.")]


class Side(StrEnum):
    """Whose tasks to go on with."""

    MINE = "mine"
    THEIRS = "theirs"


@draft.command()
def show(name: Name, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Show your draft: phases, changes, errors and warnings; the saved tasks if you have none."""
    where = context(project)
    with where.client() as client:
        board = client.get(where.project_path(f"orchestrations/{name}/draft"))
    _print(board, as_json=as_json)


@draft.command()
def move(
    name: Name,
    task: Annotated[list[str], typer.Argument(help="Task ids.")],
    to: Annotated[
        str | None,
        typer.Option("--to", help="A phase: its name, or #1 for the first. Default: a new phase."),
    ] = None,
    before: BeforeOption = None,
    after: AfterOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move tasks to a phase in your draft."""
    operation: Json = {"operation": "move_tasks", "tasks": task, **place(before, after)}
    if to is not None:
        operation["to"] = phase_ref(to)
    _step(name, {"operations": [operation]}, project, as_json=as_json)


@draft.command()
def apply(
    name: Name,
    operations: Annotated[
        str, typer.Argument(help="A file with a JSON list of operations; - for standard input.")
    ],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Apply operations from a file to your draft, as one step."""
    _step(name, {"operations": _read(operations)}, project, as_json=as_json)


@draft.command()
def undo(name: Name, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Take back the last step."""
    _step(name, {"undo": True}, project, as_json=as_json)


@draft.command()
def redo(name: Name, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Do the step again that was undone last."""
    _step(name, {"redo": True}, project, as_json=as_json)


@draft.command()
def keep(
    name: Name,
    warning: Annotated[str, typer.Argument(help="The id of the warning.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep what a warning is about."""
    _step(name, {"keep": warning}, project, as_json=as_json)


@draft.command()
def resolve(
    name: Name,
    side: Annotated[Side, typer.Argument(help="Put your tasks on top, or take theirs.")],
    version: Annotated[int, typer.Option("--version", min=1, help="The newest version, as shown.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on after someone else has saved a version."""
    _step(name, {"resolve": {"keep": side.value, "version": version}}, project, as_json=as_json)


@draft.command()
def save(
    name: Name, note: NoteOption = "", project: ProjectOption = None, as_json: JsonOption = False
) -> None:
    """Save your draft as a new version, which ends the draft."""
    where = context(project)
    path = where.project_path(f"orchestrations/{name}/draft")
    with where.client() as client:
        saved = client.step(f"{path}/save", {"note": note}, etag=client.get(path)["etag"])
    if as_json:
        print_json(saved)
    else:
        print(f"saved as version {saved['version']}" if saved["changed"] else "no changes")


@draft.command()
def discard(name: Name, project: ProjectOption = None) -> None:
    """Discard your draft; the saved tasks stay as they are."""
    where = context(project)
    with where.client() as client:
        client.delete(where.project_path(f"orchestrations/{name}/draft"))
    print("discarded")


def _step(name: str, body: Json, project: str | None, *, as_json: bool) -> None:
    where = context(project)
    path = where.project_path(f"orchestrations/{name}/draft")
    with where.client() as client:
        board = client.step(f"{path}/steps", body, etag=client.get(path)["etag"])
    _print(board, as_json=as_json)


def _read(place: str) -> list[Json]:
    try:
        text = sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError) as error:
        raise BadInput(f"{place}: {error}") from None
    if not isinstance(found, list):
        raise BadInput(f"{place}: must be a JSON list of operations")
    return found


def _print(board: Json, *, as_json: bool) -> None:
    if as_json:
        print_json(board)
        return
    for line in (*phase_lines(board["phases"]), *_lines(board)):
        print(plain(line))
    for check in board["checks"]:
        if not check["kept"]:
            card = check["task"] or _phase(board, check["phase"])
            text = f"{check['level']}: {card}: {check['text']} ({check['id']})"
            error_console().print(plain(text), markup=False)


def _phase(board: Json, index: int | None) -> str:
    return str(board["orchestration"] if index is None else board["phases"][index]["name"])


def _lines(board: Json) -> Iterator[str]:
    if not board["is_open"]:
        yield f"no draft; these are the tasks of version {board['version']}"
    else:
        yield f"a draft of {counted(len(board['changes']), 'change')} from version {board['base_version']}"
        yield from (f"  {change['text']}" for change in board["changes"])
    if board["usual_seconds"] is not None:
        yield f"usually takes {duration(board['usual_seconds'])}"
    if board["undo"]:
        yield f"undo takes back: {board['undo']}"
    if conflict := board["conflict"]:
        yield f"{conflict['author']} has saved version {conflict['version']} meanwhile: {conflict['note']}"
        yield from (f"  {change['text']}" for change in conflict["changes"])
        resolve = f"draft resolve {board['orchestration']} mine|theirs --version {conflict['version']}"
        yield f"go on with `orchestrator orchestrations {resolve}`"
