"""Bodies that never arrive completely."""

import asyncio

import pytest
from starlette.types import Message

from orchestrator_api.http import bodies


async def test_a_body_that_does_not_arrive_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "ARRIVAL_SECONDS", 0.05)

    async def receive() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async with asyncio.timeout(30):
        with pytest.raises(bodies.Refused) as caught:
            await bodies.read({"type": "http", "headers": []}, receive, bodies.MAX_BYTES)
    assert caught.value.status == 408
