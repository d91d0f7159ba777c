"""HTTP requests at a fixed rate, or as fast as they are answered, over kept connections."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

CONNECTIONS = 16


@dataclass(frozen=True)
class Request:
    """What is sent; a body makes it a POST."""

    path: str
    body: bytes | None = None


class Load:
    """A pool of connections to one server on this machine."""

    def __init__(self, port: int, who: str, pool: asyncio.Queue["_Connection"]) -> None:
        self._head = f"Host: 127.0.0.1:{port}\r\n{who}\r\n"
        self._pool = pool
        self.port = port

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int, who: str) -> AsyncIterator[Self]:
        """`who` is the header that says who asks."""
        pool: asyncio.Queue[_Connection] = asyncio.Queue()
        for _ in range(CONNECTIONS):
            pool.put_nowait(await _Connection.open(port))
        try:
            yield cls(port, who, pool)
        finally:
            while not pool.empty():
                pool.get_nowait().writer.close()

    async def ask(self, request: Request) -> float:
        """Seconds from when it is due until its answer is read; waiting for a connection counts."""
        began = time.perf_counter()
        connection = await self._pool.get()
        if connection.reader.at_eof():  # the server ends connections that were idle
            connection = await _Connection.open(self.port)
        try:
            await connection.exchange(self._head, request)
        finally:
            self._pool.put_nowait(connection)
        return time.perf_counter() - began

    async def at_rate(self, request: Request, rate: float, count: int) -> list[float]:
        """Seconds of each of `count` requests, sent evenly whether or not those before are answered."""
        asked: list[asyncio.Task[float]] = []
        began = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            asked.append(asyncio.create_task(self.ask(request)))
        return list(await asyncio.gather(*asked))

    async def limit(self, request: Request, seconds: float) -> float:
        """Requests per second when every connection sends its next one at once."""
        until = time.perf_counter() + seconds

        async def repeat() -> int:
            count = 0
            while time.perf_counter() < until:
                await self.ask(request)
                count += 1
            return count

        counts = await asyncio.gather(*(repeat() for _ in range(CONNECTIONS)))
        return sum(counts) / seconds


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def exchange(self, head: str, request: Request) -> None:
        method, body = ("GET", b"") if request.body is None else ("POST", request.body)
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        self.writer.write(f"{method} {request.path} HTTP/1.1\r\n{head}{kind}\r\n".encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        status, _, fields = answer.decode("latin-1").partition("\r\n")
        length = next(
            int(line.split(":")[1])
            for line in fields.splitlines()
            if line.lower().startswith("content-length:")
        )
        content = await self.reader.readexactly(length)
        if status.split()[1][0] != "2":
            raise RuntimeError(f"{request.path}: {status} {content[:500]!r}")
