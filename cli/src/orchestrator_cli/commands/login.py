"""`orchestrator login`, `logout`, `whoami`: who you are at which server."""

import getpass
import os
import sys
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

import typer

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.commands.options import JsonOption, ProjectOption, context
from orchestrator_cli.context import URL_VARIABLE, profile_option
from orchestrator_cli.failures import BadInput, CommandFailure
from orchestrator_cli.output import error_console, plain, print_json, print_table
from orchestrator_cli.profiles import (
    DEFAULT_NAME,
    PROFILE_VARIABLE,
    Profile,
    Profiles,
    read_profiles,
    write_profiles,
)

MAX_TOKEN_CHARACTERS = 10_000


def login(
    url: Annotated[str | None, typer.Option("--url", help="The server, as in https://host.")] = None,
    project: ProjectOption = None,
    with_token: Annotated[bool, typer.Option("--with-token", help="Ask for a token.")] = False,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the token from standard input.")
    ] = False,
) -> None:
    """Log in to a server and remember it."""
    profiles = read_profiles()
    name = _profile_name(profiles)
    known = profiles.by_name.get(name, Profile())
    server = _server(url, known)
    with ApiClient(server, _token(with_token=with_token, token_stdin=token_stdin)) as client:
        me = client.get("/me")
        made = Profile(server, client.token, project or _only_project(me) or known.project)
    file = write_profiles(profiles.with_profile(name, made))
    _tell(f"logged in to {server} as {_who(me)}; kept in {file} as profile {name}")


def _profile_name(profiles: Profiles) -> str:
    return profile_option.get() or os.environ.get(PROFILE_VARIABLE) or profiles.current or DEFAULT_NAME


def _server(url: str | None, known: Profile) -> str:
    server = (url or os.environ.get(URL_VARIABLE) or known.url).rstrip("/")
    if not server and sys.stdin.isatty():
        server = input("Server, as in https://host: ").strip().rstrip("/")
    if not server:
        raise BadInput("which server? pass --url https://host")
    parts = urlsplit(server)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        _tell(f"warning: {server} is not encrypted; others on the way can read the token")
    return server


def _token(*, with_token: bool, token_stdin: bool) -> str:
    if token_stdin:
        text = sys.stdin.read(MAX_TOKEN_CHARACTERS).strip()
    elif sys.stdin.isatty():
        text = getpass.getpass("Token: ").strip()
    else:
        raise BadInput("no terminal to ask for the token: pass --token-stdin and pipe it in")
    if not text:
        raise BadInput("no token given")
    return text


def _only_project(me: Json) -> str:
    """The project to begin with, if there is only one."""
    token = me.get("token") or {}
    found = [token["project"]] if token.get("project") else [each["project"] for each in me["memberships"]]
    return str(found[0]) if len(found) == 1 else ""


def _who(me: Json) -> str:
    person, token = me.get("person") or {}, me.get("token") or {}
    return plain(str(person.get("email") or f"token {token.get('name')}"))


def logout() -> None:
    """Forget the token of a login; a token that the login made is revoked."""
    profiles = read_profiles()
    name = _profile_name(profiles)
    profile = profiles.named(name)
    if not profile.token:
        _tell(f"profile {name} is not logged in")
        return
    write_profiles(profiles.logged_out(name))
    if profile.token_id:
        _revoke(profile)
    _tell(f"logged out of {profile.url} (profile {name})")


def _revoke(profile: Profile) -> None:
    try:
        with ApiClient(profile.url, profile.token) as client:
            client.delete(f"/me/tokens/{profile.token_id}")
    except CommandFailure as failure:
        _tell(f"warning: the token could not be revoked and works until it expires: {failure.text}")


def whoami(as_json: JsonOption = False) -> None:
    """Show who you are, and what you may do."""
    where = context()
    with where.client() as client:
        me = client.get("/me")
    if as_json:
        print_json(me)
        return
    print_table(("server", where.url), _identity(me))


def _identity(me: Json) -> Iterator[tuple[object, ...]]:
    if person := me.get("person"):
        yield "person", f"{person['name']} <{person['email']}>"
        if person.get("is_administrator"):
            yield "administrator", "of the installation"
    for each in me["memberships"]:
        yield f"project {each['project']}", each["role"] + (", may run" if each.get("may_run") else "")
    if token := me.get("token"):
        yield "token", token["name"]
        for label in ("project", "scopes", "components", "buckets"):
            if value := token.get(label):
                yield f"token's {label}", value if isinstance(value, str) else ", ".join(value)


def _tell(text: str) -> None:
    error_console().print(plain(text), markup=False)
