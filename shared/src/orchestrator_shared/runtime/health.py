"""`/livez`, `/readyz` and `/metrics` on every service, served inside its own event loop."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from orchestrator_shared.domain.errors import OrchestratorError
from orchestrator_shared.runtime.connections import BoundedConfig, Connections
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.settings import RuntimeSettings, variable

log = structlog.get_logger(__name__)

STOP_SECONDS = 5.0


def health_routes(lifecycle: Lifecycle) -> list[BaseRoute]:
    """The three routes; an application of one's own may mount them too."""

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        checks = await lifecycle.readiness()
        ready = all(checks.values())
        body = {"service": lifecycle.name, "ready": ready, "checks": checks}
        return JSONResponse(body, status_code=200 if ready else 503, headers={"cache-control": "no-store"})

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


def health_app(lifecycle: Lifecycle) -> Starlette:
    """The health routes, and behind them whatever application the service serves at the time."""

    async def own_app(scope: Scope, receive: Receive, send: Send) -> None:
        if lifecycle.app is not None:
            await lifecycle.app(scope, receive, send)
            return
        starting_or_stopping = not lifecycle.started or lifecycle.stopping.is_set()
        status, text = (503, "not ready\n") if starting_or_stopping else (404, "not found\n")
        await PlainTextResponse(text, status_code=status)(scope, receive, send)

    return Starlette(routes=[*health_routes(lifecycle), Mount("", app=own_app)])


class _Server(uvicorn.Server):
    """Leaves the signals to the service."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve_health(lifecycle: Lifecycle, settings: RuntimeSettings) -> AsyncIterator[int]:
    """Serve from entering to leaving; yields the port."""
    listener = _listen(settings)
    port = int(listener.getsockname()[1])
    server = _Server(
        BoundedConfig(
            health_app(lifecycle),
            Connections.of(settings),
            stop_seconds=max(1, int(STOP_SECONDS) - 1),
        )
    )
    task = lifecycle.supervise("http-server", server.serve(sockets=[listener]))
    _announce(settings, port)
    try:
        yield port
    finally:
        lifecycle.may_end(task)
        server.should_exit = True
        await _stop(lifecycle, task)
        listener.close()


def _listen(settings: RuntimeSettings) -> socket.socket:
    try:
        family, _, _, _, where = socket.getaddrinfo(
            settings.http_host, settings.http_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise OrchestratorError(f"{variable('http_host')}: {error.strerror or error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(256)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise OrchestratorError(
            f"cannot listen on {settings.http_host}:{settings.http_port} ({error.strerror or error}): "
            f"change {variable('http_port')} or {variable('http_host')}"
        ) from error
    return listener


def _announce(settings: RuntimeSettings, port: int) -> None:
    log.info("http.listening", host=settings.http_host, port=port)
    if settings.http_port_file is not None:
        _write_whole(settings.http_port_file, f"{port}\n")


def _write_whole(path: Path, text: str) -> None:
    """A reader sees the whole text or no file."""
    try:
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(text)
        temporary.replace(path)
    except OSError as error:
        raise OrchestratorError(f"{variable('http_port_file')}: cannot write it: {error.strerror}") from error


async def _stop(lifecycle: Lifecycle, task: "asyncio.Task[None]") -> None:
    await asyncio.wait([task], timeout=STOP_SECONDS)
    await lifecycle.cancel(task)
