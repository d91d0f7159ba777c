"""Counts requests by route, and how long they took."""

import time
from functools import cached_property

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator_api.http.metrics import REQUEST_SECONDS, REQUESTS, ROUTE_SECONDS

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"
STREAM = b"text/event-stream"


class Measuring:
    """ASGI middleware: labels are routes as they are declared, never what someone has sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._routes: Routes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        started = time.perf_counter()
        try:
            await self._app(scope, receive, answer)
        except Exception:
            answer.status = 500  # what is answered outside of this
            raise
        finally:
            self._count(scope, answer, time.perf_counter() - started)

    def _count(self, scope: Scope, answer: "_Answer", seconds: float) -> None:
        if self._routes is None:
            self._routes = Routes(scope["app"])
        if not answer.status:  # the client went away before there was one
            return
        route = self._routes.of(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        REQUESTS.labels(route, method, f"{answer.status // 100}xx").inc()
        if not answer.is_stream:
            REQUEST_SECONDS.labels(part_of(route)).observe(seconds)
            ROUTE_SECONDS.labels(route, method).inc(seconds)


class _Answer:
    """Passes an answer on and remembers what it was."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.is_stream = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = dict(message.get("headers", ()))
            self.is_stream = headers.get(b"content-type", b"").startswith(STREAM)
        await self._send(message)


class Routes:
    """The declared paths of an application, by what answers them."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    @cached_property
    def _paths(self) -> dict[object, str]:
        return {
            getattr(route, "endpoint", None): str(getattr(route, "path", NO_ROUTE))
            for route in self._app.routes
        }

    def of(self, scope: Scope) -> str:
        """The path of the route that took the request; `none` if there is no such address."""
        return self._paths.get(scope.get("endpoint"), NO_ROUTE)


def part_of(route: str) -> str:
    """Which part of the api a route belongs to."""
    if route.startswith("/static/"):
        return "static"
    return "api" if route.startswith("/v1/") else "page"
