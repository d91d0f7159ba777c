"""`orchestrator search`: find things of a project by a few letters."""

from collections.abc import Iterator
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import print_json, print_table, status_text


def search(
    text: Annotated[
        list[str], typer.Argument(help="Words of a name, `campaigns 42` for a run, or a job's id.")
    ],
    project: ProjectOption = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many of each kind.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Find orchestrations, runs, configurations, tables and jobs by a few letters."""
    where = context(project)
    query = " ".join(text)
    with where.client() as client:
        found = client.get(where.project_path("search"), q=query, limit=limit)
    if as_json:
        print_json(found)
        return
    print_table(("kind", "what", "name or status"), _rows(found), empty="Nothing matches.")


def _rows(found: Json) -> Iterator[tuple[object, ...]]:
    for each in found["orchestrations"]:
        yield ("orchestration", each["id"], each["name"])
    for each in found["runs"]:
        yield ("run", f"{each['orchestration']}#{each['number']}", status_text(each["status"]))
    for each in found["configurations"]:
        yield ("configuration", f"{each['component']}/{each['id']}", each["name"])
    for each in found["tables"]:
        yield ("table", each["name"], each["project"])
    for each in found["jobs"]:
        yield ("job", each["id"], f"{each['component']}/{each['configuration']} {each['status']}")
