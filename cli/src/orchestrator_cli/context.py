"""Which server, token and project a command uses: from options, environment, or the local stack's file."""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator_cli.client import ApiClient
from orchestrator_cli.failures import BadInput
from orchestrator_cli.private_files import write_private

STATE_FOLDER = ".orchestrator"
FILE_NAME = "context.json"
URL_VARIABLE = "ORCHESTRATOR_URL"
TOKEN_VARIABLE = "ORCHESTRATOR_TOKEN"  # noqa: S105  # the name of the variable, not a token
PROJECT_VARIABLE = "ORCHESTRATOR_PROJECT"


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
                f"no server configured: set {URL_VARIABLE} and {TOKEN_VARIABLE}, "
                "or start a local one with `orchestrator dev up`"
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
    """Options take precedence over the environment, the environment over the local stack's file."""
    local = find_context(Path.cwd()) or Context()
    named_url = url or os.environ.get(URL_VARIABLE, "")
    # Send a token only to the server that it belongs to.
    local_token = local.token if not named_url or named_url.rstrip("/") == local.url else ""
    return replace(
        local,
        url=(named_url or local.url).rstrip("/"),
        token=token or os.environ.get(TOKEN_VARIABLE, "") or local_token,
        project=project or os.environ.get(PROJECT_VARIABLE, "") or local.project,
    )
