"""`orchestrator configurations`: their versions and copies."""

from typing import Annotated

import typer

from orchestrator_cli.commands.options import JsonOption, ProjectOption, SortOption, context
from orchestrator_cli.commands.versions import add_version_commands, copy_resource
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import day_and_time, nothing, print_json, print_table

app = typer.Typer()


def path_of(name: str) -> str:
    """The path of `component/configuration` below its project."""
    component, slash, configuration = name.partition("/")
    if not (component and slash and configuration) or "/" in configuration:
        raise BadInput(f"{name}: expected component/configuration, as in csv-extractor/orders")
    return f"configurations/{name}"


add_version_commands(app, path_of)


@app.command("list")
def list_configurations(
    project: ProjectOption = None,
    component: Annotated[str | None, typer.Option(help="Only those of this component.")] = None,
    search: Annotated[
        str | None, typer.Option(help="Part of component/id, the name or the description.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--type", help="Only those of extractors, transformations, applications or writers."),
    ] = None,
    sort: SortOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the configurations of components."""
    where = context(project)
    with where.client() as client:
        path = where.project_path("configurations")
        items = list(client.items(path, component=component, search=search, type=kind, sort=sort))
    if as_json:
        print_json(items)
        return
    print_table(
        ("configuration", "name", "version", "saved (UTC)", "by"),
        (
            (
                f"{item['component']}/{item['id']}",
                item["name"],
                item["version"],
                day_and_time(item["updated_at"]),
                item["author"],
            )
            for item in items
        ),
        empty=nothing(
            "configurations",
            (component, search, kind),
            "No configurations yet. Describe one in YAML, and save it with `orchestrator apply FILE`.",
        ),
    )


@app.command()
def copy(
    name: str,
    new_id: Annotated[str, typer.Argument(help="The id of the copy.")],
    new_name: Annotated[str | None, typer.Option("--name", help="The name of the copy.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a configuration; secrets are copied without being shown."""
    copy_resource(path_of(name), {"id": new_id, "name": new_name}, project, as_json=as_json)
