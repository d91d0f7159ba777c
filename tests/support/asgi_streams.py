"""httpx on an application in this process, with answers that do not end: httpx's transport waits for that."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.types import ASGIApp, Message

END = object()


class StreamingTransport(httpx.AsyncBaseTransport):
    """Runs each request in a task; closing its answer is the client's disconnect. What is not read, waits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(await request.aread())
        exchange.task = asyncio.create_task(exchange.run(self._app, _scope(request)))
        head = await exchange.head()
        return httpx.Response(head["status"], headers=head["headers"], stream=exchange)


class _Exchange(httpx.AsyncByteStream):
    task: asyncio.Task[None]

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._is_sent = False
        self._gone = asyncio.Event()
        self._answers: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)

    async def run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        finally:
            if not self._gone.is_set():
                await self._answers.put(END)

    async def head(self) -> Message:
        head: Message = await self._answers.get()
        assert head is not END, "the application sent nothing"
        return head

    async def _receive(self) -> Message:
        if not self._is_sent:
            self._is_sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if not self._gone.is_set():
            await self._answers.put(message)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self._answers.get()) is not END:
            if message.get("body"):
                yield message["body"]

    async def aclose(self) -> None:
        self._gone.set()
        while not self.task.done():
            with contextlib.suppress(asyncio.QueueEmpty):
                self._answers.get_nowait()
            await asyncio.wait([self.task], timeout=0.01)
        for problem in await asyncio.gather(self.task, return_exceptions=True):
            if problem is not None:
                raise problem


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 123),
        "root_path": "",
    }
