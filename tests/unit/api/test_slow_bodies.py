"""Bodies that do not come to their end."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from orchestrator_api import bodies


async def test_a_body_that_does_not_arrive_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "ARRIVAL_SECONDS", 0.05)
    said: list[Message] = []

    async def application(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError("no route sees half a body")

    async def receive() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/callbacks/x", "query_string": b"", "headers": []}
    async with asyncio.timeout(5):
        await bodies.BodyGuard(application)(scope, receive, send)
    assert said[0]["status"] == 408
