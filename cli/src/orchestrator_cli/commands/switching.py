"""`enable` and `disable`, the same for orchestrations, schedules and triggers."""

from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import plain, print_json

WHATEVER_IS_THERE = "*"
"""A switch is meant whatever else has changed since."""


def add_orchestration_switches(app: typer.Typer) -> None:
    """`enable` and `disable` of an orchestration."""

    @app.command()
    def enable(name: str, project: ProjectOption = None, as_json: JsonOption = False) -> None:
        """Enable an orchestration: its schedules and triggers start runs."""
        _switch(f"orchestrations/{name}", name, project, on=True, as_json=as_json)

    @app.command()
    def disable(name: str, project: ProjectOption = None, as_json: JsonOption = False) -> None:
        """Disable an orchestration: its schedules and triggers start nothing; current runs go on."""
        _switch(f"orchestrations/{name}", name, project, on=False, as_json=as_json)


def add_part_switches(app: typer.Typer, kind: str) -> None:
    """`enable` and `disable` of an orchestration's schedules or triggers."""
    one = kind.removesuffix("s")
    Name = Annotated[str, typer.Argument(metavar="NAME", help=f"The {one}.")]  # noqa: N806  # a type

    @app.command(help=f"Enable a {one}.")
    def enable(
        orchestration: str, name: Name, project: ProjectOption = None, as_json: JsonOption = False
    ) -> None:
        path, title = f"orchestrations/{orchestration}/{kind}/{name}", f"{orchestration} / {name}"
        _switch(path, title, project, on=True, as_json=as_json)

    @app.command(help=f"Disable a {one}; nothing else about it changes.")
    def disable(
        orchestration: str, name: Name, project: ProjectOption = None, as_json: JsonOption = False
    ) -> None:
        path, title = f"orchestrations/{orchestration}/{kind}/{name}", f"{orchestration} / {name}"
        _switch(path, title, project, on=False, as_json=as_json)


def _switch(path: str, title: str, project: str | None, *, on: bool, as_json: bool) -> None:
    where = context(project)
    with where.client() as client:
        found: Json = client.patch(where.project_path(path), {"enabled": on}, etag=WHATEVER_IS_THERE)
    if as_json:
        print_json(found)
    else:
        print(f"{'enabled' if on else 'disabled'} {plain(title)}")
