"""What every route needs: the caller's session, and the problems it may answer with."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from orchestrator_api.access.permissions import Scope
from orchestrator_api.access.token_guard import Presented
from orchestrator_api.http.headers import IDEMPOTENCY_KEY, MAX_KEY_CHARACTERS
from orchestrator_api.http.session import Session, Sessions
from orchestrator_shared.domain.ids import SLUG

PREFIX = "/v1/projects/{project}"
_bearer = HTTPBearer(auto_error=False, description="A token: `orc_…`, made by the administrator.")


class Caller:
    """The sender of the request."""

    def __init__(self, sessions: Sessions, presented: Presented) -> None:
        self._sessions = sessions
        self._presented = presented

    def session(
        self, scope: Scope | tuple[Scope, ...], project: str | None = None
    ) -> AbstractAsyncContextManager[Session]:
        """A session in the project (or outside any), for a token that has the scope or one of several."""
        scopes = scope if isinstance(scope, tuple) else (scope,)
        return self._sessions.open(self._presented, scopes, project)


def _caller(
    request: Request, _described: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Caller:
    sessions: Sessions = request.app.state.sessions
    return Caller(sessions, sessions.guard.presented(request))


Call = Annotated[Caller, Depends(_caller)]
Project = Annotated[str, Path(pattern=SLUG, description="The project's id.")]
Identifier = Annotated[str, Path(pattern=SLUG)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=IDEMPOTENCY_KEY,
        description="Within project and token: a request sent again with the same key is one request.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_KEY_CHARACTERS, "pattern": "^[ -~]+$"},
    ),
]

_DESCRIPTIONS = {
    400: "Malformed JSON",
    401: "No token, or one that is not good any more",
    403: "The token may not do this",
    404: "Not there (or not to be known)",
    409: "Contradicts the present state",
    413: "The body is larger than this operation takes (`x-max-body-bytes`), or has too many values",
    415: "The body has a `Content-Encoding`: send it as it is",
    408: "The body did not arrive in time",
    429: "Too many wrong tokens from one address, or too many long requests of one token at once; "
    "try again after `Retry-After`",
    422: "Fields are wrong; `errors` names them",
    503: "The database does not answer, or the api is busy with other long requests; try again after "
    "`Retry-After`",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for the API description."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _DESCRIPTIONS[status], "content": content}
        for status in (401, 403, *statuses, 422, 429, 503)
    }


READ = problems(404)
WRITE = problems(400, 404, 409, 413, 415)


def saved(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The answers of a PUT: 201 if nothing existed before."""
    return {201: {"description": "It is new", "model": model}, **WRITE}
