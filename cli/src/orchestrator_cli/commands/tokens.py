"""`orchestrator tokens` and `orchestrator audit`: who may do what, and who did what."""

import json
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.output import day_and_time, plain, print_json, print_table

app = typer.Typer()

InstanceOption = Annotated[
    bool,
    typer.Option("--instance", help="Administrators' tokens (of the installation) instead of a project's."),
]


@app.command("list")
def list_tokens(
    project: ProjectOption = None, instance: InstanceOption = False, as_json: JsonOption = False
) -> None:
    """List tokens, without secrets: what they may do and when they were last used (administrators only)."""
    where = context(None if instance else project)
    path = "/tokens" if instance else where.project_path("tokens")
    with where.client() as client:
        items = list(client.items(path))
    if as_json:
        print_json(items)
        return
    print_table(("id", "name", "may", "state", "last used (UTC)"), (_row(item) for item in items))


def _row(item: Json) -> tuple[object, ...]:
    if "email" in item:
        may = f"everything, as {item['email']}"
    else:
        may = " ".join([*item["scopes"], *(f"[{component}]" for component in item["components"])])
    state = (
        "revoked" if item["revoked_at"] else f"until {item['expires_at']}" if item["expires_at"] else "good"
    )
    return item["id"], item["name"], may, state, day_and_time(item["last_used_at"])


@app.command()
def create(
    name: str,
    scope: Annotated[list[str], typer.Option("--scope", help="read, configure, run or tables; repeatable.")],
    component: Annotated[
        list[str] | None, typer.Option("--component", help="A component it may run, or *; repeatable.")
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Create a token and print it; it is shown only once (administrators only)."""
    where = context(project)
    body: Json = {"name": name, "scopes": scope, "components": component or []}
    with where.client() as client:
        print(plain(client.post(where.project_path("tokens"), body)["token"]))


@app.command()
def revoke(token: str, project: ProjectOption = None, instance: InstanceOption = False) -> None:
    """Revoke a token by its id (administrators only)."""
    where = context(None if instance else project)
    path = f"/tokens/{token}" if instance else where.project_path(f"tokens/{token}")
    with where.client() as client:
        client.delete(path)
    print(f"revoked {token}")


def audit(
    project: ProjectOption = None,
    instance: Annotated[
        bool, typer.Option("--instance", help="Records that belong to no project (administrators only).")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest changes and run requests: who did what, and when."""
    where = context(None if instance else project)
    path = "/audit" if instance else where.project_path("audit")
    with where.client() as client:
        items = list(client.items(path, most=limit))
    if as_json:
        print_json(items)
        return
    print_table(
        ("at (UTC)", "who", "what", "of", "detail"),
        (
            (
                day_and_time(item["at"]),
                item["actor"],
                item["action"],
                item["subject"],
                json.dumps(item["detail"], ensure_ascii=False) if item["detail"] else "",
            )
            for item in items
        ),
    )
