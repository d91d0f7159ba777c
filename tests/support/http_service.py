"""A service that runs things for others over HTTP, on a real port, and that can be made to misbehave."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Reply:
    """An answer; `raw` is written instead of it, `hang` never answers, `cut` closes without an answer.

    `endless` follows it again and again, every `pause` seconds.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    hang: bool = False
    cut: bool = False
    endless: bytes = b""
    pause: float = 0

    def encoded(self) -> bytes:
        if self.raw is not None:
            return self.raw
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"Content-Length": str(len(content)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} Status", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + content


Handle = Callable[[Received], Awaitable[Reply] | Reply]


class HttpService:
    """Answers every request with what `handle` says, and keeps what it was asked."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.received: list[Received] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, method: str, target: str = "") -> list[Received]:
        return [one for one in self.received if one.method == method and one.target.startswith(target)]

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen; the second time on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._answer(await _read(reader), writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        self.received.append(request)
        made = self.handle(request)
        reply = made if isinstance(made, Reply) else await made
        if reply.cut:
            return
        if reply.hang:
            await asyncio.sleep(600)
        writer.write(reply.encoded())
        await writer.drain()
        while reply.endless:
            writer.write(reply.endless)
            await writer.drain()
            await asyncio.sleep(reply.pause)


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body)


@asynccontextmanager
async def http_service(handle: Handle) -> AsyncIterator[HttpService]:
    """A service for the length of a test."""
    service = HttpService(handle)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()
