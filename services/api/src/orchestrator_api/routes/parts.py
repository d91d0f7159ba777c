"""What every route needs: the caller's session, cursors, and the problems it may answer with."""

import base64
import binascii
import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from orchestrator_api.domain.access import Scope
from orchestrator_api.session import Session, Sessions
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import SLUG

PREFIX = "/v1/projects/{project}"
MOST_ITEMS = 500
_bearer = HTTPBearer(auto_error=False, description="A token: `orc_…`, made by the administrator.")


class Caller:
    """Whoever sends the request."""

    def __init__(self, sessions: Sessions, token: str | None) -> None:
        self._sessions = sessions
        self._token = token

    def session(self, scope: Scope, project: str | None = None) -> AbstractAsyncContextManager[Session]:
        """A session in the project (or outside of any) with a right to the scope."""
        return self._sessions.open(self._token, scope, project)


def _caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Caller:
    return Caller(request.app.state.sessions, credentials.credentials if credentials else None)


Call = Annotated[Caller, Depends(_caller)]
Project = Annotated[str, Path(pattern=SLUG, description="The project's id.")]
Identifier = Annotated[str, Path(pattern=SLUG)]
Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS, description="Most items in the answer.")]
Cursor = Annotated[str | None, Query(max_length=1000, description="`next` of the answer before.")]

_DESCRIPTIONS = {
    400: "Malformed JSON",
    401: "No token, or one that is not good any more",
    403: "The token may not do this",
    404: "Not there (or not to be known)",
    409: "Contradicts the present state",
    413: "The body is larger than 1 MiB",
    422: "Fields are wrong; `errors` names them",
    503: "The database does not answer; try again",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems a route may answer with, for the API description."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _DESCRIPTIONS[status], "content": content}
        for status in (401, 403, *statuses, 422, 503)
    }


READ = problems(404)
WRITE = problems(400, 404, 409, 413)


def encode_cursor(*parts: Any) -> str:
    """An opaque place in a list."""
    text = json.dumps([part.isoformat() if isinstance(part, datetime) else str(part) for part in parts])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type) -> tuple[Any, ...]:
    """The place again: one value per kind, or as many Nones; refuses what is no cursor of this list."""
    if cursor is None:
        return (None,) * len(kinds)
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != len(kinds):
            raise ValueError("another list's cursor")
        return tuple(_read(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError):
        raise UserError("give `next` of the answer before, unchanged", field="cursor") from None


def _read(part: str, kind: type) -> Any:
    if "\x00" in part:
        raise ValueError("NUL")
    if kind is datetime:
        at = datetime.fromisoformat(part)
        if at.tzinfo is None or not 1970 <= at.year <= 9000:
            raise ValueError("no instant of ours")
        return at
    if kind is UUID:
        return UUID(part)
    if kind is int:
        number = int(part)
        if not -(2**31) <= number < 2**31:
            raise ValueError("too large")
        return number
    return part


def page(rows: Sequence[dict[str, Any]], limit: int, *names: str) -> dict[str, Any]:
    """A part of a list: with one row more than the limit there is a next one."""
    shown = list(rows[:limit])
    more = len(rows) > limit
    return {"items": shown, "next": encode_cursor(*(shown[-1][name] for name in names)) if more else None}
