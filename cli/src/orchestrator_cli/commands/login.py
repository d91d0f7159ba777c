"""`orchestrator login` and `logout`: who you are at which server."""

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.commands.options import ProjectOption
from orchestrator_cli.context import URL_VARIABLE, Context, find_context, profile_option
from orchestrator_cli.failures import BadInput, CommandFailure
from orchestrator_cli.output import error_console, plain
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
    with_token: Annotated[
        bool, typer.Option("--with-token", help="Ask for a token instead of opening the browser.")
    ] = False,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read a token from standard input.")
    ] = False,
) -> None:
    """Log in to a server in the browser, or with a token, and remember it."""
    profiles = read_profiles()
    name = _profile_name(profiles)
    local = find_context(Path.cwd())
    known = _known(profiles, name, local)
    server = _server(url, known)
    if with_token or token_stdin:
        token, token_id = _given_token(from_stdin=token_stdin), ""
    else:
        token, token_id = _token_by_browser(server)
    with ApiClient(server, token) as client:
        me = client.get("/me")
    made = Profile(server, token, project or _only_project(me) or known.project, token_id)
    file = write_profiles(profiles.with_profile(name, made))
    _tell(f"logged in to {server} as {_who(me)}; kept in {file} as profile {name}")
    if local is not None and not os.environ.get(PROFILE_VARIABLE):
        _tell(
            "note: commands in this folder still use the local stack's own token; to use this login, "
            f"pass --profile {name} or set {PROFILE_VARIABLE}={name}"
        )


def _known(profiles: Profiles, name: str, local: Context | None) -> Profile:
    """The profile as it is; a new one begins with the local stack of this folder, if there is one."""
    new = Profile(local.url, "", local.project) if local is not None else Profile()
    return profiles.by_name.get(name, new)


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


def _given_token(*, from_stdin: bool) -> str:
    if from_stdin:
        text = sys.stdin.read(MAX_TOKEN_CHARACTERS).strip()
    elif sys.stdin.isatty():
        text = getpass.getpass("Token: ").strip()
    else:
        raise BadInput("no terminal to ask for the token: pass --token-stdin and pipe it in")
    if not text:
        raise BadInput("no token given")
    return text


def _token_by_browser(server: str) -> tuple[str, str]:
    """A new token of the person who confirms, and its id."""
    from orchestrator_cli.browser_login import Login, code_from_browser

    if not _is_at_terminal():
        raise BadInput("no terminal to log in at: pass --token-stdin and pipe a token in")
    attempt = Login()
    code = code_from_browser(attempt, server, _show_address)
    with ApiClient(server, "") as client:
        made = client.post("/cli-logins", {"code": code, "verifier": attempt.verifier})
    return str(made["token"]), str(made["id"])


def _is_at_terminal() -> bool:
    return sys.stderr.isatty()


def _show_address(address: str) -> None:
    _tell("Confirm the login in a browser on this computer:")
    print(address, file=sys.stderr, flush=True)
    _tell("Waiting … (on a computer without a browser: Ctrl-C, then orchestrator login --with-token)")


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
            client.discard(f"/me/tokens/{profile.token_id}")
    except CommandFailure as failure:
        _tell(f"warning: the token could not be revoked and works until it expires: {failure.text}")


def _tell(text: str) -> None:
    error_console().print(plain(text), markup=False)
