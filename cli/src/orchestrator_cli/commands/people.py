"""`orchestrator people` and `orchestrator whoami`: accounts of the installation, and who one is."""

from typing import Annotated

import typer

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.commands.options import JsonOption, context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import day_and_time, plain, print_json, print_table

app = typer.Typer()

LinkOption = Annotated[
    bool,
    typer.Option("--link", help="Print the link, which works once, instead of mailing it."),
]


@app.command("list")
def list_people(as_json: JsonOption = False) -> None:
    """List all accounts (administrators only)."""
    with context().client() as client:
        items = list(client.items("/people"))
    if as_json:
        print_json(items)
        return
    print_table(
        ("email", "name", "is", "state", "since (UTC)"),
        (_row(item) for item in items),
        empty="No accounts yet. Make one with `orchestrator people invite EMAIL`.",
    )


def _row(item: Json) -> tuple[object, ...]:
    role = "administrator" if item["is_administrator"] else ""
    state = "disabled" if item["disabled_at"] else ""
    return item["email"], item["name"], role, state, day_and_time(item["disabled_at"] or item["created_at"])


@app.command()
def invite(
    email: str,
    name: Annotated[str | None, typer.Option("--name", help="Display name; default: the address.")] = None,
    administrator: Annotated[
        bool, typer.Option("--administrator", help="Make them an administrator of the installation.")
    ] = False,
    link: LinkOption = False,
) -> None:
    """Create an account, and mail the person a link to choose a password (administrators only)."""
    body: Json = {"email": email, "is_administrator": administrator}
    with context().client() as client:
        issued = client.post("/people", body if name is None else {**body, "name": name}, **_asked(link))
        _print_link(client, issued, email)


@app.command()
def reset(email: str, link: LinkOption = False) -> None:
    """Mail a person a link for a new password (administrators only)."""
    with context().client() as client:
        person = find(client, "/people", email)
        _print_link(client, client.post(f"/people/{person['id']}/reset", **_asked(link)), email)


def _asked(link: bool) -> Json:
    return {"show_link": "true"} if link else {}


def _print_link(client: ApiClient, issued: Json, email: str) -> None:
    link = issued["link"]
    if link is None:
        print(f"mailed a link to {email}")
    else:
        print(plain(link if "://" in link else f"{client.url}{link}"))


@app.command()
def disable(email: str) -> None:
    """Disable an account: it is signed out at once and cannot sign in (administrators only)."""
    _switch(email, disabled=True)
    print(f"disabled {email}")


@app.command()
def enable(email: str) -> None:
    """Enable a disabled account (administrators only)."""
    _switch(email, disabled=False)
    print(f"enabled {email}")


@app.command()
def unlink(email: str) -> None:
    """Unlink an account from its identity at the OpenID Connect provider (administrators only)."""
    with context().client() as client:
        person = find(client, "/people", email)
        client.discard(f"/people/{person['id']}/identity")
    print(f"unlinked {email} from the identity provider, and signed it out")
    print("a sign-in there with this verified address links it again, unless you disable the account")


def _switch(email: str, *, disabled: bool) -> None:
    with context().client() as client:
        person = find(client, "/people", email)
        client.patch(f"/people/{person['id']}", {"disabled": disabled}, etag=person["etag"])


def find(client: ApiClient, path: str, email: str) -> Json:
    """The entry of a list of people that has this address."""
    for item in client.items(path):
        if str(item["email"]).lower() == email.lower():
            return item
    raise BadInput(f"no one here has the address {email}: check it against the list")


def whoami(as_json: JsonOption = False) -> None:
    """Show who you are to the server: a person and their roles, or a token and its scopes."""
    server = context()
    with server.client() as client:
        found = client.get("/me")
    if as_json:
        print_json(found)
        return
    person, token = found["person"], found["token"]
    if person is None:
        where = token["project"] or "every project"
        print(plain(f"the token {token['name']} of {where}: {', '.join(token['scopes'])}"))
        return
    everything = ", administrator of the installation" if person["is_administrator"] else ""
    print(plain(f"{_named(person)}{everything}"))
    for each in found["memberships"]:
        print(plain(f"{each['role']}{' who may run' if each['may_run'] else ''} in {each['project']}"))
    if token is not None:
        print(plain(f"at {server.url}, with the token {token['name']}"))


def _named(person: Json) -> str:
    """Someone who gave no name has their address for a name."""
    name, email = str(person["name"]), str(person["email"])
    return email if name == email else f"{name} <{email}>"
