"""Answers every error with application/problem+json (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from orchestrator_api.http.refusals import (
    FieldError,
    Forbidden,
    Invalid,
    LastChange,
    Overtaken,
    PreconditionFailed,
    PreconditionRequired,
    SavedSince,
    TooMany,
    Unauthenticated,
)
from orchestrator_shared.clock import stamp
from orchestrator_shared.definitions.operations import OPERATIONS
from orchestrator_shared.domain.errors import Conflict, NotFound, Unavailable, UserError
from orchestrator_shared.runtime.answers import current_request_id
from orchestrator_shared.validation import JSON, describe

log = structlog.get_logger(__name__)

RejectedByDatabase = asyncpg.DataError
"""A value that PostgreSQL cannot store."""
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
MAX_ERRORS = 50
METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")


def problem(
    status: int,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    change: LastChange | None = None,
    saved: Sequence[SavedSince] = (),
) -> JSONResponse:
    """A response with one problem."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [_shown(error) for error in errors[:MAX_ERRORS]],
        "request_id": current_request_id(),
    }
    if change is not None:
        body["change"] = {"by": change.by, "at": stamp(change.at), "how": change.how}
    if saved:
        body["saved"] = [{**asdict(each), "saved_at": stamp(each.saved_at)} for each in saved[:MAX_ERRORS]]
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def _shown(error: FieldError) -> dict[str, Any]:
    shown: dict[str, Any] = {"field": error.field, "detail": error.detail}
    return shown if error.position is None else {**shown, "position": error.position}


def from_user_error(error: UserError) -> JSONResponse:
    """Convert a UserError to a problem."""
    errors = [FieldError.of(error, error.field)] if error.field else []
    if isinstance(error, Invalid):
        errors = list(error.errors)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    change = None
    if isinstance(error, PreconditionFailed):
        change = error.change
        headers |= {"ETag": error.etag} if error.etag else {}
    saved = error.saved if isinstance(error, Overtaken) else ()
    status = _status(error)
    return problem(status, _detail(error, errors, status), errors, headers, change, saved)


def _status(error: UserError) -> int:
    statuses: list[tuple[type[UserError], int]] = [
        (Unauthenticated, 401),
        (Forbidden, 403),
        (NotFound, 404),
        (Conflict, 409),
        (PreconditionFailed, 412),
        (PreconditionRequired, 428),
        (TooMany, 429),
    ]
    return next((status for kind, status in statuses if isinstance(error, kind)), 422)


def _detail(error: UserError, errors: Sequence[FieldError], status: int) -> str:
    if len(errors) > 1:
        return f"{len(errors)} fields are invalid; the first is {errors[0].field}: {errors[0].detail}"
    if errors and status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return f"{errors[0].field}: {errors[0].detail}"
    return error.detail


def from_validation(error: RequestValidationError) -> JSONResponse:
    """Convert pydantic's errors, leaving out the values."""
    errors = [FieldError(_path(item), _text(item)) for item in error.errors()[:MAX_ERRORS]]
    detail = errors[0].detail if len(errors) == 1 else f"{len(errors)} fields are invalid"
    return problem(422, f"{errors[0].field}: {detail}" if len(errors) == 1 else detail, errors)


def _path(error: Mapping[str, Any]) -> str:
    parts = [str(part) for part in error["loc"]]
    if parts and parts[0] in ("body", "path", "query") and len(parts) > 1:
        parts = parts[1:]
    if error["type"].startswith("union_tag_"):
        parts.append(error["ctx"]["discriminator"].strip("'"))
    if parts[0] == "operations":  # pydantic inserts the name of the operation, which is not a field
        parts = [part for part in parts if part not in OPERATIONS and not part.startswith("constrained-")]
    return ".".join(parts)


_WORDS = JSON._replace(unknown="there is no such field; see /docs for those that exist")


def _text(error: Mapping[str, Any]) -> str:
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return f"must be one of {', '.join(OPERATIONS)}"
    return describe(error, _WORDS)


def unavailable(error: Unavailable) -> JSONResponse:
    """The database or the broker is unavailable."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return problem(503, f"{error}: try again in a few seconds", headers=headers)


async def _user_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, UserError)
    return from_user_error(error)


async def _validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return from_validation(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    detail = (
        f"{error.detail}: see /docs for the paths that exist" if error.status_code == 404 else error.detail
    )
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = _allowed(request)
        headers["Allow"] = ", ".join(allowed)
        detail = f"{request.method} is not allowed here; use {' or '.join(allowed)}"
    return problem(error.status_code, detail, headers=headers)


def _allowed(request: Request) -> list[str]:
    """All methods of this path; the router itself reports only those of the first matching route."""
    methods = [method for method in METHODS if _serves(request, method)]
    return methods + ["HEAD"] * _serves(request, "HEAD")


def _serves(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)


async def _server(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Unavailable)
    log.warning("request.unavailable", reason=str(error))
    return unavailable(error)


async def _data(_request: Request, error: Exception) -> Response:
    log.warning("request.data_refused", reason=type(error).__name__)
    return problem(422, "the database rejected a value in this request: it is too large, or not valid text")


async def _unhandled(request: Request, error: Exception) -> Response:
    log.error("request.failed", path=request.url.path, exc_info=error)
    return problem(500, "internal error; the api's log has the details under this request's id")


def install(app: FastAPI) -> None:
    """Register a handler for every kind of error."""
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Unavailable, _server)
    app.add_exception_handler(RejectedByDatabase, _data)
    app.add_exception_handler(Exception, _unhandled)
