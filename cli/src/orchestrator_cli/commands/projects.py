"""`orchestrator projects`: the tenants, and how many of their jobs may run at once."""

from typing import Annotated

import typer

from orchestrator_cli.commands.options import JsonOption, context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import print_json, print_table

app = typer.Typer()


@app.command("list")
def list_projects(as_json: JsonOption = False) -> None:
    """List the projects that the token can access."""
    with context().client() as client:
        items = list(client.items("/projects"))
    if as_json:
        print_json(items)
        return
    print_table(
        ("project", "name", "parallel jobs"),
        ((item["id"], item["name"], item["parallel_limit"] or "no limit") for item in items),
        empty="No projects that you may see. An administrator makes one with `orchestrator projects create`.",
    )


@app.command()
def create(
    project: str,
    name: Annotated[str | None, typer.Option("--name", help="Display name; default: the id.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Maximum number of component jobs at once.")
    ] = None,
) -> None:
    """Create a project (administrators only)."""
    given = {"id": project, "name": name, "parallel_limit": limit}
    with context().client() as client:
        client.post("/projects", {key: value for key, value in given.items() if value is not None})
    print(f"created {project}")


@app.command("limit")
def set_limit(
    project: str,
    limit: Annotated[str, typer.Argument(help="Maximum number of component jobs at once, or `none`.")],
) -> None:
    """Set or remove the limit on parallel jobs (administrators only)."""
    with context().client() as client:
        client.patch(f"/projects/{project}", {"parallel_limit": parse_limit(limit)})
    print(f"{project} now has {'no limit' if limit == 'none' else f'a limit of {limit} parallel jobs'}")


def parse_limit(text: str) -> int | None:
    if text == "none":
        return None
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise BadInput(f"{text!r} is not a limit: expected a whole number from 1 up, or none")
    return int(text)
