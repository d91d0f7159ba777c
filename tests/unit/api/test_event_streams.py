"""Events as bytes, the ids by which a client resumes, and what a stream keeps for a slow reader."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from starlette.types import Message

from orchestrator_api.access.standing import Bearing
from orchestrator_api.events import responses, viewers
from orchestrator_api.events.frames import (
    AHEAD,
    EPOCH,
    WINDOW,
    frame,
    identified,
    instant_id,
    resumed_instant,
    resumed_place,
)
from orchestrator_api.events.models import EndEvent
from orchestrator_api.events.streams import OpenStreams
from orchestrator_api.events.viewers import Holder, ProjectViewer
from orchestrator_shared.domain.errors import Unavailable

NOW = EPOCH + timedelta(days=20_000, microseconds=7)
FRAME = frame("end", EndEvent(job_id=uuid4(), status="line\nend"))


def test_an_event_is_one_line_of_data() -> None:
    assert FRAME.count(b"\n") == 3
    assert FRAME.endswith(b"\n\n")
    assert identified(FRAME, "5") == b"id: 5\n" + FRAME
    assert identified(identified(FRAME, "5"), "6") == b"id: 5\n" + FRAME


def test_an_instant_is_resumed_within_the_window() -> None:
    for at in (NOW, NOW - WINDOW, NOW + AHEAD):
        assert resumed_instant(instant_id(at), NOW) == at
    for at in (NOW - WINDOW - timedelta(seconds=1), NOW + AHEAD + timedelta(seconds=1)):
        assert resumed_instant(instant_id(at), NOW) is None


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "²", "9" * 30, "9" * 5000])
def test_other_ids_are_not_resumed(text: str) -> None:
    assert resumed_instant(text, NOW) is None
    assert resumed_place(f"{text}:1") is None
    assert resumed_place(f"1:{text}") is None


def test_a_place_in_a_log_is_resumed() -> None:
    assert resumed_place("2:17") == (2, 17)
    assert resumed_place("2") is None


async def test_a_slow_reader_is_told_to_load_again_and_nothing_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "MOST_BYTES", 10 * len(FRAME))
    viewer = ProjectViewer(Holder(uuid4(), "demo", reads_project=True))
    for number in range(11):
        viewer.push([FRAME], str(number))
    viewer.push([FRAME], "11")
    sent = await anext(viewer.frames())
    assert sent.count(b"event: reset") == 1
    assert b"too_slow" in sent
    assert sent.count(b"event: end") == 1
    assert sent.startswith(b"id: 10\n")
    assert b"id: 11\n" in sent


async def test_a_heartbeat_carries_an_id_only_if_everything_was_sent() -> None:
    viewer = ProjectViewer(Holder(uuid4(), "demo", reads_project=True))
    assert viewer.heartbeat() is None
    viewer.push([FRAME], "1")
    frames = viewer.frames()
    await anext(frames)
    assert viewer.heartbeat() is None
    viewer.close()
    with pytest.raises(StopAsyncIteration):
        await anext(frames)


async def test_a_closed_stream_does_not_wait_for_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "LAST_WORDS_SECONDS", 0.01)
    viewer = ProjectViewer(Holder(uuid4(), "demo", reads_project=True))
    viewer.push([FRAME], "1")
    left: list[bool] = []
    is_blocked, never = asyncio.Event(), asyncio.Event()

    async def receive() -> Message:
        await never.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            is_blocked.set()
            await never.wait()

    response = responses.StreamResponse(viewer, lambda: left.append(True))
    task = asyncio.create_task(response({"type": "http", "method": "GET"}, receive, send))
    await asyncio.wait_for(is_blocked.wait(), 30)
    assert left == []
    viewer.close()
    await asyncio.wait_for(task, 30)
    assert left == [True]


async def test_what_cannot_be_checked_for_long_is_closed() -> None:
    now = [0.0]

    async def still_good(_: object) -> set[Bearing]:
        raise Unavailable("no database")

    streams = OpenStreams(most=5, most_per_token=5, still_good=still_good, clock=lambda: now[0])
    viewer = ProjectViewer(Holder(uuid4(), "demo", reads_project=True))
    streams.enter(viewer)
    for now[0], is_closed in ((30.0, False), (31.0, True)):
        with pytest.raises(Unavailable):
            await streams.check()
        assert viewer.closed.is_set() is is_closed
    for _ in range(2):
        streams.leave(viewer)
    assert len(streams) == 0
