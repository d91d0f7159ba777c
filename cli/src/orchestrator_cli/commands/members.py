"""`orchestrator members`: who belongs to a project, in which role."""

from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.commands.people import find
from orchestrator_cli.output import day_and_time, print_json, print_table

app = typer.Typer()

SOURCES = {"manual": "by hand", "provider": "groups at the identity provider"}
RoleArgument = Annotated[str, typer.Argument(help="viewer, editor or admin.")]
MayRunOption = Annotated[
    bool,
    typer.Option("--may-run", help="A viewer who may also run, retry, terminate, and switch on and off."),
]


@app.command("list")
def list_members(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the members of a project and their roles (admins of the project)."""
    where = context(project)
    with where.client() as client:
        items = list(client.items(where.project_path("members")))
    if as_json:
        print_json(items)
        return
    print_table(
        ("email", "name", "role", "source", "state", "since (UTC)"),
        (_row(item) for item in items),
        empty="No members yet. Add one with `orchestrator members invite EMAIL ROLE`.",
    )


def _row(item: Json) -> tuple[object, ...]:
    role = f"{item['role']}{', may run' if item['may_run'] else ''}"
    state = "disabled" if item["disabled_at"] else ""
    source = SOURCES.get(item.get("source", ""), "")
    return item["email"], item["name"], role, source, state, day_and_time(item["created_at"])


@app.command()
def invite(
    email: str,
    role: RoleArgument,
    may_run: MayRunOption = False,
    name: Annotated[
        str | None, typer.Option("--name", help="Of a new account; default: the address.")
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Add a person to a project; a new one is mailed a link to choose a password (admins of the project)."""
    where = context(project)
    body: Json = {"email": email, "role": role, "may_run": may_run}
    with where.client() as client:
        client.post(where.project_path("members"), body if name is None else {**body, "name": name})
    print(f"{email} is now {role}{_extra(may_run)} in {where.project}")


@app.command("role")
def set_role(
    email: str, role: RoleArgument, may_run: MayRunOption = False, project: ProjectOption = None
) -> None:
    """Give a member another role; the last admin stays one (admins of the project)."""
    where = context(project)
    with where.client() as client:
        path = where.project_path("members")
        member = find(client, path, email)
        client.put(f"{path}/{member['person_id']}", {"role": role, "may_run": may_run}, etag=member["etag"])
    print(f"{email} is now {role}{_extra(may_run)} in {where.project}")


def _extra(may_run: bool) -> str:
    return " who may run" if may_run else ""


@app.command()
def remove(email: str, project: ProjectOption = None) -> None:
    """Remove a member; the account stays, and so does the last admin (admins of the project)."""
    where = context(project)
    with where.client() as client:
        path = where.project_path("members")
        member = find(client, path, email)
        client.delete(f"{path}/{member['person_id']}", etag=member["etag"])
    print(f"removed {email} from {where.project}")
