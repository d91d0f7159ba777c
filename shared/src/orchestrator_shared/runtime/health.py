"""`/livez`, `/readyz` and `/metrics` on every service, served inside its own event loop."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from http import HTTPStatus
from pathlib import Path

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator_shared.domain.errors import OrchestratorError
from orchestrator_shared.runtime.answers import Answers, current_request_id
from orchestrator_shared.runtime.connections import BoundedConfig, Connections
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.settings import RuntimeSettings, variable

log = structlog.get_logger(__name__)

STOP_SECONDS = 5.0


def public_app(lifecycle: Lifecycle) -> ASGIApp:
    """The health routes, and behind them the application that the service currently serves."""
    return _app(_routes(lifecycle), otherwise=_own_app(lifecycle))


def health_app(lifecycle: Lifecycle) -> ASGIApp:
    """The same with `/metrics`, for a port that is not public."""
    return _app([_metrics(lifecycle), *_routes(lifecycle)], otherwise=_own_app(lifecycle))


def metrics_app(lifecycle: Lifecycle) -> ASGIApp:
    """`/metrics` alone."""

    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        await _problem(404, "not found: there is only /metrics here")(scope, receive, send)

    return _app([_metrics(lifecycle)], otherwise=nothing)


def _app(routes: list[BaseRoute], *, otherwise: ASGIApp) -> ASGIApp:
    """The routes; every other address belongs to `otherwise` (a mount misses one with a line end)."""
    app = Starlette(routes=routes)
    app.router.default = otherwise
    app.router.redirect_slashes = False  # a redirect would repeat whatever the request calls its host
    return Answers(app)


def _routes(lifecycle: Lifecycle) -> list[BaseRoute]:
    async def livez(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        checks = await lifecycle.readiness()
        ready = all(checks.values())
        body = {"service": lifecycle.name, "ready": ready, "checks": checks}
        return JSONResponse(body, status_code=200 if ready else 503)

    return [Route("/livez", livez), Route("/readyz", readyz)]


def _own_app(lifecycle: Lifecycle) -> ASGIApp:
    async def own_app(scope: Scope, receive: Receive, send: Send) -> None:
        if lifecycle.app is not None:
            await lifecycle.app(scope, receive, send)
            return
        starting_or_stopping = not lifecycle.started or lifecycle.stopping.is_set()
        status, detail = (503, "the service is not ready") if starting_or_stopping else (404, "not found")
        await _problem(status, detail)(scope, receive, send)

    return own_app


def _metrics(lifecycle: Lifecycle) -> Route:
    async def metrics(_request: Request) -> Response:
        await lifecycle.readiness()  # sets its gauge: not everybody asks /readyz
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", metrics)


def _problem(status: int, detail: str) -> Response:
    title = HTTPStatus(status).phrase
    body: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body |= {"errors": [], "request_id": current_request_id()}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


class _Server(uvicorn.Server):
    """Leaves the signals to the service."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve_health(lifecycle: Lifecycle, settings: RuntimeSettings) -> AsyncIterator[int]:
    """Serve while entered; yields the port. `/metrics` has its own port if one is set."""
    async with AsyncExitStack() as stack:
        if settings.metrics_port is None:
            app = health_app(lifecycle)
        else:
            app = public_app(lifecycle)
            host = settings.metrics_host or settings.http_host
            only_metrics = metrics_app(lifecycle)
            serving = _serving(lifecycle, settings, only_metrics, "metrics", host, settings.metrics_port)
            await stack.enter_async_context(serving)
        host, port = settings.http_host, settings.http_port
        found = await stack.enter_async_context(_serving(lifecycle, settings, app, "http", host, port))
        if settings.http_port_file is not None:
            _write_whole(settings.http_port_file, f"{found}\n")
        yield found


@asynccontextmanager
async def _serving(
    lifecycle: Lifecycle, settings: RuntimeSettings, app: ASGIApp, what: str, host: str, port: int
) -> AsyncIterator[int]:
    listener = _listen(what, host, port)
    port = int(listener.getsockname()[1])
    stop_seconds = max(1, int(STOP_SECONDS) - 1)
    server = _Server(BoundedConfig(app, Connections.of(settings), stop_seconds=stop_seconds))
    task = lifecycle.supervise(f"{what}-server", server.serve(sockets=[listener]))
    log.info("http.listening", what=what, host=host, port=port)
    try:
        yield port
    finally:
        lifecycle.may_end(task)
        server.should_exit = True
        await _stop(lifecycle, task)
        listener.close()


def _listen(what: str, host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Told that it is TCP, asyncio sets TCP_NODELAY; without, answers on kept connections wait 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise OrchestratorError(f"{variable(f'{what}_host')}: {error.strerror or error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(256)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise OrchestratorError(
            f"cannot listen on {host}:{port} ({error.strerror or error}): "
            f"change {variable(f'{what}_port')} or {variable(f'{what}_host')}"
        ) from error
    return listener


def _write_whole(path: Path, text: str) -> None:
    """A reader sees the whole file or none."""
    try:
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(text)
        temporary.replace(path)
    except OSError as error:
        raise OrchestratorError(f"{variable('http_port_file')}: cannot write it: {error.strerror}") from error


async def _stop(lifecycle: Lifecycle, task: "asyncio.Task[None]") -> None:
    await asyncio.wait([task], timeout=STOP_SECONDS)
    await lifecycle.cancel(task)
