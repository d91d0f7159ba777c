"""`orchestrator variables`: values that parameters use as {{ vars.name }}."""

import getpass
import sys
from typing import Annotated

import typer

from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import print_json, print_table

app = typer.Typer()


@app.command("set")
def set_variable(
    name: str,
    value: Annotated[
        str | None, typer.Argument(help="If omitted, it is prompted for or read from standard input.")
    ] = None,
    project: ProjectOption = None,
    secret: Annotated[bool, typer.Option("--secret", help="Encrypt it and never show it again.")] = False,
) -> None:
    """Set a variable; do not pass a secret as an argument, where others on the machine may see it."""
    where = context(project)
    text = _read_value(name) if value is None else value
    with where.client() as client:
        client.put(where.project_path(f"variables/{name}"), {"value": text, "secret": secret})
    print(f"set {name}")


def _read_value(name: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{name}: ")
    return sys.stdin.read().removesuffix("\n")


@app.command("list")
def list_variables(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List names and values; secrets stay hidden."""
    where = context(project)
    with where.client() as client:
        items = list(client.items(where.project_path("variables")))
    if as_json:
        print_json(items)
        return
    print_table(
        ("name", "value"),
        ((item["name"], "(secret)" if item.get("secret") else item.get("value")) for item in items),
        empty="No variables yet. Set one with `orchestrator variables set NAME VALUE`.",
    )


@app.command()
def usages(name: str, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the configurations and tasks that use a variable."""
    where = context(project)
    with where.client() as client:
        items = list(client.items(where.project_path(f"variables/{name}/usages")))
    if as_json:
        print_json(items)
        return
    print_table(
        ("configuration", "version", "orchestration", "task"),
        (
            (
                f"{item['component']}/{item['configuration']}",
                "" if item["task"] else item["version"],
                item["orchestration"],
                item["task"],
            )
            for item in items
        ),
        empty=f"No configuration and no task uses {name}.",
    )
