"""Which server, token and project a command uses: from options, environment, local stack, or a login."""

import json
import os
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator_cli.client import ApiClient
from orchestrator_cli.failures import BadInput
from orchestrator_cli.private_files import write_private
from orchestrator_cli.profiles import PROFILE_VARIABLE, read_profiles
from orchestrator_shared.secret_files import SecretFileError, secret_of

STATE_FOLDER = ".orchestrator"
FILE_NAME = "context.json"
URL_VARIABLE = "ORCHESTRATOR_URL"
TOKEN_VARIABLE = "ORCHESTRATOR_TOKEN"  # noqa: S105  # the name of the variable, not a token
PROJECT_VARIABLE = "ORCHESTRATOR_PROJECT"

profile_option: ContextVar[str | None] = ContextVar("profile_option", default=None)
"""What `--profile` says; every command that talks to a server takes it."""


@dataclass(frozen=True, repr=False)
class Context:
    """The server a command talks to; the file that `dev up` writes also lists what else the stack has."""

    url: str = ""
    token: str = ""
    project: str = ""
    state_folder: str = ""
    warehouse_url: str = ""
    amqp_url: str = ""
    """For programs that publish `table.updated` themselves."""

    def client(self) -> ApiClient:
        if not self.url:
            raise BadInput(
                f"no server configured: log in with `orchestrator login`, set {URL_VARIABLE} and "
                f"{TOKEN_VARIABLE}, or start a local one with `orchestrator dev up`"
            )
        return ApiClient(self.url, self.token)

    def project_path(self, rest: str = "") -> str:
        if not self.project:
            raise BadInput(f"no project selected: pass --project or set {PROJECT_VARIABLE}")
        return f"/projects/{self.project}" + (f"/{rest}" if rest else "")


def write_context(folder: Path, context: Context) -> None:
    """Readable by its owner only: it holds the administrator's token."""
    write_private(folder / FILE_NAME, json.dumps(asdict(context), indent=2) + "\n")


def read_context(folder: Path) -> Context | None:
    """The context of a local stack; a file owned by another user is not trusted."""
    file = folder / FILE_NAME
    try:
        if file.stat().st_uid != os.geteuid():
            return None
        found: Any = json.loads(file.read_text())
        return Context(**{key: str(value) for key, value in found.items()})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def find_context(start: Path) -> Context | None:
    """The nearest local stack, in this folder or one above it."""
    for folder in (start, *start.parents):
        if found := read_context(folder / STATE_FOLDER):
            return found
    return None


def resolve(*, project: str | None = None, url: str | None = None, token: str | None = None) -> Context:
    """Options take precedence over the environment, the environment over the local stack and the last login.

    `--profile` is an option: what the environment says about server, token and project does not count then.
    """
    chosen = profile_option.get()
    environment = os.environ if chosen is None else {}
    own_token = token or (token_of_environment() if chosen is None else "")
    known = _of_profile(chosen) if chosen is not None else _known()
    named_url = url or environment.get(URL_VARIABLE, "")
    # Send a token only to the server that it belongs to.
    known_token = known.token if not named_url or named_url.rstrip("/") == known.url else ""
    return replace(
        known,
        url=(named_url or known.url).rstrip("/"),
        token=own_token or known_token,
        project=project or environment.get(PROJECT_VARIABLE, "") or known.project,
    )


def token_of_environment() -> str:
    """The token of ORCHESTRATOR_TOKEN, or of the file that is named instead."""
    try:
        return secret_of(TOKEN_VARIABLE) or ""
    except SecretFileError as error:
        raise BadInput(str(error)) from None


def _known() -> Context:
    """What is known besides options and variables of server, token and project."""
    if name := os.environ.get(PROFILE_VARIABLE):
        return _of_profile(name)
    if local := find_context(Path.cwd()):
        return local
    if os.environ.get(URL_VARIABLE) and token_of_environment():
        return Context()
    current = read_profiles().current
    return _of_profile(current) if current else Context()


def _of_profile(name: str) -> Context:
    found = read_profiles().named(name)
    return Context(found.url, found.token, found.project)
