"""`orchestrator tokens`: who may do what."""

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.context import Context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import day_and_time, plain, print_json, print_table

app = typer.Typer()

InstanceOption = Annotated[
    bool,
    typer.Option("--instance", help="Administrators' tokens (of the installation) instead of a project's."),
]


class Kind(StrEnum):
    """Who a token is for."""

    API = "api"
    ORCHESTRATION = "orchestration"


@app.command("list")
def list_tokens(
    project: ProjectOption = None,
    instance: InstanceOption = False,
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="Only those made for programs, or orchestrations' own.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List tokens, without secrets: what they may do and when they were last used (admins of the project)."""
    where = context(None if instance else project)
    path = "/tokens" if instance else where.project_path("tokens")
    with where.client() as client:
        items = list(client.items(path, kind=kind))
    if as_json:
        print_json(items)
        return
    print_table(
        ("id", "name", "prefix", "may", "components", "state", "last used (UTC)", "made by"),
        (_row(item) for item in items),
        empty="No tokens yet. Make one with `orchestrator tokens create NAME --scope read`.",
    )


def _row(item: Json) -> tuple[object, ...]:
    return (
        item["id"],
        item["name"],
        item.get("prefix") or "",
        _may(item),
        _components(item),
        _state(item),
        day_and_time(item["last_used_at"]),
        item["created_by"] or "",
    )


def _may(item: Json) -> str:
    if "email" in item:
        return f"everything, as {item['email']}"
    scopes = (
        f"publish to {' and '.join(_buckets(item))}" if scope == "publish" else scope
        for scope in item["scopes"]
    )
    return ", ".join(scopes)


def _buckets(item: Json) -> list[str]:
    return ["all buckets"] if "*" in item["buckets"] else item["buckets"]


def _components(item: Json) -> str:
    """Those that it may run and use in tasks."""
    names = item.get("components") or []
    return "all" if "*" in names else ", ".join(names)


def _state(item: Json) -> str:
    if item["revoked_at"]:
        return "revoked"
    return f"until {item['expires_at']}" if item["expires_at"] else "valid"


@app.command()
def show(
    token: str,
    project: ProjectOption = None,
    instance: InstanceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show one token by its id, without its secret (admins of the project)."""
    where = context(None if instance else project)
    with where.client() as client:
        item = client.get(_path(where, token, instance))
    if as_json:
        print_json(item)
        return
    rows = {
        "name": item["name"],
        "description": item.get("description") or "",
        "prefix": item.get("prefix") or "",
        "may": _may(item),
        "components": _components(item),
        "state": _state(item),
        "made by": item["created_by"] or "",
        "made at (UTC)": day_and_time(item["created_at"]),
        "last used (UTC)": day_and_time(item["last_used_at"]),
    }
    print_table(("token", item["id"]), rows.items())


def _path(where: Context, token: str, instance: bool) -> str:
    return f"/tokens/{token}" if instance else where.project_path(f"tokens/{token}")


ScopesOption = Annotated[
    list[str], typer.Option("--scope", help="read, configure, run or publish; repeatable.")
]
ComponentsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--component",
        help="A component it may run, or *, or one to start only, as orchestrator/campaigns; repeatable.",
    ),
]
BucketsOption = Annotated[
    list[str] | None,
    typer.Option("--bucket", help="A bucket whose table updates it may publish, or *; repeatable."),
]
ExpiresOption = Annotated[
    str | None, typer.Option("--expires", help="When it ends, as in 2027-06-30T00:00:00Z.")
]
DescriptionOption = Annotated[str | None, typer.Option("--description", help="What it is for.")]


@app.command()
def create(
    name: str,
    scope: ScopesOption,
    component: ComponentsOption = None,
    bucket: BucketsOption = None,
    description: DescriptionOption = None,
    expires: ExpiresOption = None,
    project: ProjectOption = None,
) -> None:
    """Create a token and print it; it is shown only once (admins of the project)."""
    where = context(project)
    body: Json = {
        "name": name,
        "description": description or "",
        "scopes": scope,
        "components": component or [],
        "buckets": bucket or [],
        "expires_at": expires,
    }
    with where.client() as client:
        print(plain(client.post_once(where.project_path("tokens"), body)["token"]))


@app.command()
def change(
    token: str,
    name: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    description: DescriptionOption = None,
    expires: ExpiresOption = None,
    never_expires: Annotated[bool, typer.Option("--never-expires", help="Take its expiry away.")] = False,
    project: ProjectOption = None,
) -> None:
    """Change a token's name, description or expiry (admins of the project)."""
    if expires and never_expires:
        raise BadInput("give --expires or --never-expires, not both")
    where = context(project)
    given = {"name": name, "description": description, "expires_at": expires}
    body: Json = {key: value for key, value in given.items() if value is not None}
    if never_expires:
        body["expires_at"] = None
    if not body:
        raise BadInput("nothing to change: give --name, --description, --expires or --never-expires")
    with where.client() as client:
        client.patch(where.project_path(f"tokens/{token}"), body)
    print(f"changed {plain(token)}")


@app.command()
def refresh(token: str, project: ProjectOption = None) -> None:
    """Give a token a new secret and print it; the old one ends at once (admins of the project)."""
    where = context(project)
    with where.client() as client:
        print(plain(client.post(where.project_path(f"tokens/{token}/refresh"))["token"]))


@app.command()
def revoke(token: str, project: ProjectOption = None, instance: InstanceOption = False) -> None:
    """Revoke a token by its id (admins of the project)."""
    where = context(None if instance else project)
    with where.client() as client:
        client.delete(_path(where, token, instance))
    print(f"revoked {plain(token)}")
