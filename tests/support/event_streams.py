"""Reads server-sent events as a client does: by name, with the id from which it would resume."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE = 20.0


@dataclass(frozen=True)
class Event:
    """One event; `data` is decoded."""

    name: str
    data: dict[str, Any]


@dataclass
class EventStream:
    """An open stream."""

    response: httpx.Response
    last_id: str | None = None
    comments: int = 0
    _lines: AsyncIterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = self.response.aiter_lines()

    async def next(self) -> Event | None:
        """The next event in bounded time; None at the stream's end."""
        async with asyncio.timeout(PATIENCE):
            return await self._next()

    async def _next(self) -> Event | None:
        name, data = "", ""
        async for line in self._lines:
            key, _, value = line.partition(": ")
            if line.startswith(":"):
                self.comments += 1
            elif key == "id":
                self.last_id = value
            elif key == "event":
                name = value
            elif key == "data":
                data = value
            elif not line and name:
                return Event(name, json.loads(data))
        return None

    async def named(self, name: str) -> dict[str, Any]:
        """The data of the next event, which has this name."""
        event = await self.next()
        assert event is not None, f"the stream ended before {name}"
        assert event.name == name, event
        return event.data

    async def until(self, **fields: Any) -> dict[str, Any]:
        """The data of the next event with these values; others are skipped."""
        async with asyncio.timeout(PATIENCE):
            while (event := await self._next()) is not None:
                if all(event.data.get(name) == value for name, value in fields.items()):
                    return event.data
        raise AssertionError(f"the stream ended before {fields}")

    async def rest(self) -> list[Event]:
        """All events until the stream ends."""
        found: list[Event] = []
        while (event := await self.next()) is not None:
            found.append(event)
        return found


@asynccontextmanager
async def streamed(
    http: httpx.AsyncClient, path: str, *, last_id: str | None = None
) -> AsyncIterator[EventStream]:
    """Open a stream; a path that does not begin with / is one of the project demo."""
    url = path if path.startswith("/") else f"/v1/projects/demo/{path}"
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    async with http.stream("GET", url, headers=headers) as response:
        if response.status_code != 200:
            await response.aread()
            raise AssertionError(f"{response.status_code} {response.text}")
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        yield EventStream(response)
