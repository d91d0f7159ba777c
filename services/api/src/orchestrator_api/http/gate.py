"""The gate in front of every route: authorize the caller, then read the body, then do the work."""

import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.types import Scope as AsgiScope

from orchestrator_api.access.permissions import Actor, Scope
from orchestrator_api.http import bodies
from orchestrator_api.http.problems import problem
from orchestrator_api.http.refusals import Forbidden, TooMany, Unauthenticated
from orchestrator_api.http.session import Sessions
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import SLUG

SCOPES, MAX_BODY_BYTES = "x-required-scopes", "x-max-body-bytes"
SMALL, LARGE = 64 * 1024, bodies.MAX_BYTES
SMALL_ENOUGH_FOR_THE_LOOP = 16 * 1024

_SLUG = re.compile(SLUG)
_NOT_PARSED = object()

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def takes(*scopes: Scope, max_bytes: int = SMALL) -> dict[str, Any]:
    """Declare what an operation with a body requires: one of these scopes, and at most this many bytes."""
    return {SCOPES: [scope.value for scope in scopes], MAX_BODY_BYTES: max_bytes}


class GatedRoute(APIRoute):
    """Rejects an unauthorized caller before the body is read or any of its fields is mentioned."""

    def get_route_handler(self) -> Handler:
        inner = super().get_route_handler()
        extra = self.openapi_extra or {}
        model = _adapter(self.body_field.field_info.annotation) if self.body_field else None
        max_bytes = int(extra.get(MAX_BODY_BYTES, SMALL))
        scopes = [Scope(name) for name in extra.get(SCOPES, ())]
        is_open = extra.get("security") == []

        async def handle(request: Request) -> Response:
            sessions: Sessions = request.app.state.sessions
            gated = _GatedRequest(request, sessions, model, max_bytes)
            admitted = is_open
            try:
                if model is not None and not admitted and _has_body(request.scope):
                    actor = await _admit(sessions, request, scopes)
                    gated.caller = actor.token_id
                    admitted = True
                bodies.check_address(request.scope)
                if model is not None and await gated.body():
                    # parsed here: FastAPI would turn every parsing error into a plain 400
                    await gated.json()
                return await inner(gated)
            except (bodies.Refused, RequestValidationError, UserError) as error:
                if not admitted and not _is_of_caller(error):
                    await _admit(sessions, request, scopes)
                if isinstance(error, bodies.Refused):
                    return problem(error.status, error.detail, error.errors)
                raise

        return handle


def _is_of_caller(error: Exception) -> bool:
    """Whether the caller is known, or known not to be: then there is no need to admit them first."""
    if isinstance(error, Forbidden):
        return error.is_of_caller
    return isinstance(error, Unauthenticated | TooMany)


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


async def _admit(sessions: Sessions, request: Request, scopes: Sequence[Scope]) -> Actor:
    project = request.path_params.get("project")
    if project is not None and not _SLUG.fullmatch(project):
        project = None  # the route refuses it later
    return await sessions.admit(sessions.guard.presented(request), scopes, project)


def _has_body(scope: AsgiScope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0").strip(b"0") != b""


class _GatedRequest(Request):
    """Reads its body within limits; a large one is parsed and validated in a thread."""

    def __init__(
        self, request: Request, sessions: Sessions, model: TypeAdapter[Any] | None, max_bytes: int
    ) -> None:
        super().__init__(request.scope, request.receive)
        self._sessions = sessions
        self._model = model
        self._max_bytes = max_bytes
        self._raw: bytes | None = None
        self._parsed: Any = _NOT_PARSED
        self.caller: object = sessions.guard.address(request)
        """Whose quota of threads the request uses: the token, or the address if no token is needed."""

    async def body(self) -> bytes:
        if self._raw is None:
            self._raw = await bodies.read(self.scope, self.receive, self._max_bytes)
        return self._raw

    async def json(self) -> Any:
        """The body as the route's model; FastAPI accepts an instance as it is."""
        if self._parsed is _NOT_PARSED:
            self._parsed = await self._validated(await self.body())
        return self._parsed

    async def _validated(self, body: bytes) -> Any:
        if len(body) <= SMALL_ENOUGH_FOR_THE_LOOP:
            return bodies.validate(body, self._model)
        return await self._sessions.offload.for_caller(self.caller).run(bodies.validate, body, self._model)
