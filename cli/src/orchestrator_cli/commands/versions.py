"""The commands about versions and copies, the same for orchestrations and configurations."""

from collections.abc import Callable
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import console, day_and_time, plain, print_findings, print_json, print_table
from orchestrator_cli.version_changes import difference_lines

PathOf = Callable[[str], str]
"""From a name on the command line to the path of the resource below its project."""
COLUMNS = ("version", "saved (UTC)", "by", "note")
NoteOption = Annotated[str, typer.Option("--note", help="Why; shown in the list of versions.")]


def add_version_commands(app: typer.Typer, path_of: PathOf) -> None:
    """Add the commands that list, show, compare and restore versions."""

    @app.command()
    def versions(
        name: str,
        project: ProjectOption = None,
        limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20,
        as_json: JsonOption = False,
    ) -> None:
        """List the newest versions: when, by whom and why each was saved."""
        where = context(project)
        with where.client() as client:
            items = list(client.items(where.project_path(f"{path_of(name)}/versions"), most=limit))
        if as_json:
            print_json(items)
            return
        print_table(COLUMNS, (_row(item) for item in items), empty="No versions.")

    @app.command("show-version")
    def show_version(name: str, version: int, project: ProjectOption = None) -> None:
        """Print one version as JSON; secrets are masked."""
        where = context(project)
        with where.client() as client:
            print_json(client.get(where.project_path(f"{path_of(name)}/versions/{version}")))

    @app.command()
    def diff(
        name: str, version: int, other: int, project: ProjectOption = None, as_json: JsonOption = False
    ) -> None:
        """Show what changes from one version to another."""
        where = context(project)
        with where.client() as client:
            found = client.get(where.project_path(f"{path_of(name)}/versions/{version}/diff/{other}"))
        if as_json:
            print_json(found)
            return
        screen = console()
        for line in difference_lines(found):
            screen.print(line, soft_wrap=True)
        if not found["changes"]:
            print("no differences")

    @app.command()
    def restore(name: str, version: int, note: NoteOption = "", project: ProjectOption = None) -> None:
        """Save an old version again, as a new version."""
        where = context(project)
        with where.client() as client:
            path = where.project_path(f"{path_of(name)}/versions/{version}/restore")
            restored = client.post(path, {"note": note})
        print_findings(restored)
        if restored["changed"]:
            print(f"restored version {version} as version {restored['version']}")
        else:
            print(f"no changes: version {restored['version']} is the same as version {version}")


def _row(item: Json) -> tuple[object, ...]:
    return item["version"], day_and_time(item["created_at"]), item["author"], item["note"]


def copy_resource(path: str, body: Json, project: str | None, *, as_json: bool) -> None:
    """Make a copy and show what it is."""
    where = context(project)
    with where.client() as client:
        copy = client.post(where.project_path(f"{path}/copies"), body)
    if as_json:
        print_json(copy)
        return
    print_findings(copy)
    print(f"copied to {plain(copy['id'])}{'' if copy.get('enabled', True) else ', which is disabled'}")
