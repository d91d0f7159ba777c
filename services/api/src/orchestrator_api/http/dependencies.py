"""Dependencies of routes: the caller's session, common parameters, and descriptions of problems."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Path, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from orchestrator_api.access.browser_sessions import BrowserSessions
from orchestrator_api.access.permissions import Scope
from orchestrator_api.access.token_guard import Presented
from orchestrator_api.http.conditional import IF_MATCH, IF_NONE_MATCH, Condition
from orchestrator_api.http.headers import IDEMPOTENCY_KEY, MAX_KEY_CHARACTERS
from orchestrator_api.http.models import Editable
from orchestrator_api.http.problem_examples import names_for
from orchestrator_api.http.session import Session, Sessions
from orchestrator_shared.domain.ids import SLUG

Tagged = TypeVar("Tagged", bound=Editable)
PREFIX = "/v1/projects/{project}"
_TAGS = {"pattern": r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'}
_bearer = HTTPBearer(
    auto_error=False,
    description="A token (`orc_…`): made by an admin of the project, or by a login of the command line.",
)


_cookie = APIKeyCookie(
    name=BrowserSessions().cookie_name,
    scheme_name="SessionCookie",
    auto_error=False,
    description="Of a person who has signed in with `POST /v1/sessions`; with https its name begins with "
    "`__Host-`. Changes need the header `X-CSRF-Token`, too.",
)


class Caller:
    """The sender of the request."""

    def __init__(self, sessions: Sessions, presented: Presented) -> None:
        self._sessions = sessions
        self._presented = presented

    def session(
        self, scope: Scope | tuple[Scope, ...], project: str | None = None
    ) -> AbstractAsyncContextManager[Session]:
        """A session in the project, or outside any, for a token that has the scope (or one of the scopes)."""
        scopes = scope if isinstance(scope, tuple) else (scope,)
        return self._sessions.open(self._presented, scopes, project)

    @property
    def session_secret(self) -> str | None:
        """The secret of the browser's session that the request came with."""
        return self._presented.session


def _caller(
    request: Request,
    _token: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    _session: Annotated[str | None, Security(_cookie)],
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
        description="Makes the request safe to repeat: sent again with this key, it does nothing more.",
        json_schema_extra={"minLength": 1, "maxLength": MAX_KEY_CHARACTERS, "pattern": "^[ -~]+$"},
    ),
]


def _condition(
    request: Request,
    _if_match: Annotated[
        str | None,
        Header(
            alias=IF_MATCH,
            description="The `etag` of the state that you have seen; `*` to overwrite whatever is there. "
            "Required to change or delete what exists.",
            json_schema_extra=_TAGS,
        ),
    ] = None,
    _if_none_match: Annotated[
        str | None,
        Header(
            alias=IF_NONE_MATCH,
            description="`*` to create it only if it does not exist.",
            json_schema_extra=_TAGS,
        ),
    ] = None,
) -> Condition:
    return Condition.read(_joined(request, IF_MATCH), _joined(request, IF_NONE_MATCH))


def _joined(request: Request, name: str) -> str | None:
    """A list may be sent in several lines."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


If = Annotated[Condition, Depends(_condition)]

_DESCRIPTIONS = {
    400: "Malformed JSON",
    401: "Neither a token nor a session, or one that is unknown, expired or revoked",
    403: "The token or the role does not permit this",
    404: "Does not exist, or is not visible to this token",
    409: "Conflicts with the current state",
    412: "It is no longer as you have seen it; `change` names who changed it, and when",
    413: "The body exceeds the limit of this operation (`x-max-body-bytes`), or has too many values",
    415: "The body has a `Content-Encoding`, which is not supported",
    408: "The body did not arrive in time",
    429: "Too many requests of one token, or invalid tokens or passwords from one address or for one "
    "account, or too many mails to one person, or long-running requests or open streams of one token; "
    "retry after `Retry-After` seconds",
    428: "It exists: send `If-Match` with the `etag` that you have seen",
    422: "Some fields are invalid; `errors` lists them",
    503: "The database or the broker is unavailable, or the api is busy with other long-running requests; "
    "retry after `Retry-After` seconds",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem responses of a route, for the API description."""
    return {status: _problem(status) for status in (401, 403, *statuses, 422, 429, 503)}


def _problem(status: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {name: {"$ref": f"#/components/examples/{name}"} for name in names_for(status)},
    }
    return {"description": _DESCRIPTIONS[status], "content": {"application/problem+json": shown}}


OF_BODY = (400, 408, 413, 415)
"""What an operation with a body answers to one that it cannot read."""
READ = problems(404)
WRITE = problems(*OF_BODY, 404, 409)
ETAG: dict[str, Any] = {
    "headers": {
        "ETag": {
            "description": "The state that was read or saved; also `etag` in the body. "
            "Send it as `If-Match` to change this state and no other.",
            "schema": {"type": "string"},
        }
    }
}
READ_ONE = {200: ETAG, **READ}
EDIT = {200: ETAG, **problems(*OF_BODY, 404, 409, 412, 428)}
CREATE = {201: ETAG, **WRITE}
DELETE = problems(404, 409, 412, 428)


def saved(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The responses of a PUT; 201 if the resource did not exist."""
    return {201: {"description": "Created", "model": model, **ETAG}, **EDIT}


def tagged(response: Response, shown: Tagged) -> Tagged:
    """The same answer, with its tag in the header as well."""
    response.headers["ETag"] = shown.etag
    return shown
