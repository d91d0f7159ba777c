"""Streams of changes: to whom they tell what, when they end, and how many there may be."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.integration.api.conftest import (
    Client,
    RunningApi,
    running,
)
from tests.integration.api.event_stage import HEARD, fed, finish, hinted, viewing
from tests.integration.api.people import person_with_password, person_with_role, signed_in
from tests.integration.api.test_api_jobs import Runner
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.event_streams import Event, streamed
from tests.support.waiting import eventually

from orchestrator_api.events import feed
from orchestrator_api.events.store import EventStore
from orchestrator_api.settings import ApiSettings


def _counted(call: Callable[..., Any], name: str, calls: list[str]) -> Callable[..., Any]:
    async def counted(*values: Any, **named: Any) -> Any:
        calls.append(name)
        return await call(*values, **named)

    return counted


async def test_a_token_that_may_only_run_sees_its_own_runs(
    api: RunningApi, furnished: Client, runner: Runner, database: Database
) -> None:
    token = (await furnished.post("tokens", {"name": "start", "scopes": ["run"]}))["token"]
    async with viewing(api, token) as http, api.http(token) as own:
        job = UUID((await Client(own).post("orchestrations/daily/runs"))["job_id"])
        async with streamed(http, "events") as stream, streamed(http, f"jobs/{job}/events") as alone:
            for each in (stream, alone):
                await each.named("reset")
            await database.execute(HEARD, "in.c-crm.contacts")
            other = await runner.job("other", 1, "processing", component="orchestrator")
            await runner.job("daily", 1, "processing", component="orchestrator", id=job)
            below = await runner.job("one", 1, "processing", parent=job)
            await finish(database, other)
            await finish(database, below)
            await finish(database, job)
            told: dict[str, str] = {}
            while (str(job), "success") not in told.items():
                event = await stream.named("job")
                told[event["id"]] = event["status"]
                assert event["message"] == (None if event["id"] == str(below) else event["message"])
            assert set(told) == {str(job), str(below)}
            assert {event.data.get("id") for event in await alone.rest()} <= {str(job), str(below), None}
        for path in (f"jobs/{other}/events", f"jobs/{job}/log/stream"):
            response = await http.get(f"/v1/projects/demo/{path}")
            assert response.status_code == (404 if "events" in path else 403)


async def test_streams_end_with_their_token(
    settings: ApiSettings, api: RunningApi, furnished: Client, runner: Runner, database: Database
) -> None:
    job = await runner.job("one", 1, "processing")
    tokens = [await furnished.post("tokens", {"name": name, "scopes": ["read"]}) for name in ("a", "b", "c")]
    await database.execute(
        "UPDATE catalog.tokens SET expires_at = now() + interval '1 second' WHERE id = $1",
        UUID(tokens[1]["id"]),
    )
    async with (
        viewing(api, tokens[0]["token"]) as revoked,
        viewing(api, tokens[1]["token"]) as expired,
        viewing(api, tokens[2]["token"]) as good,
        streamed(revoked, "events") as first,
        streamed(revoked, f"jobs/{job}/log/stream") as second,
        streamed(expired, f"jobs/{job}/events") as third,
        streamed(good, "events") as other,
    ):
        await furnished.delete(f"tokens/{tokens[0]['id']}", status=204)
        for stream in (first, second, third):
            assert "end" not in [event.name for event in await stream.rest()]
        assert (await revoked.get("/v1/projects/demo/events")).status_code == 401
        await runner.job("two", 1, "processing")
        assert await other.until(configuration="two")


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM catalog.members USING catalog.people WHERE id = person_id AND email = 'a@x.org'",
        "UPDATE catalog.people SET disabled_at = now() WHERE email = 'a@x.org'",
    ],
    ids=["no member", "disabled"],
)
async def test_streams_end_with_the_membership(
    api: RunningApi, furnished: Client, runner: Runner, database: Database, loss: str
) -> None:
    tokens = [
        await person_with_role(furnished, database, email, role="viewer") for email in ("a@x.org", "b@x.org")
    ]
    async with (
        viewing(api, tokens[0]) as one,
        viewing(api, tokens[1]) as two,
        streamed(one, "events") as first,
        streamed(two, "events") as second,
    ):
        await runner.job("one", 1, "processing")
        for stream in (first, second):
            assert await stream.until(configuration="one")
        await database.execute(loss)
        assert "end" not in [event.name for event in await first.rest()]
        await runner.job("two", 1, "processing")
        assert await second.until(configuration="two")


async def test_streams_end_when_their_person_signs_out(
    api: RunningApi, furnished: Client, runner: Runner, database: Database
) -> None:
    await person_with_password(furnished, database, "ada@example.com", role="viewer")
    async with (
        signed_in(api, "ada@example.com") as leaving,
        signed_in(api, "ada@example.com") as staying,
        api.streaming(None) as one,
        api.streaming(None) as two,
    ):
        one.cookies, two.cookies = leaving.http.cookies, staying.http.cookies
        async with streamed(one, "events") as first, streamed(two, "events") as second:
            await first.named("reset")
            await second.named("reset")
            await leaving.delete("/v1/sessions/current", status=204)
            assert await first.rest() == []
            await runner.job("two", 1, "processing")
            assert await second.until(configuration="two")


async def test_streams_end_when_the_service_stops(settings: ApiSettings, furnished: Client) -> None:
    async with running(settings) as api, viewing(api) as http, streamed(http, "events") as stream:
        await stream.named("reset")
        api.lifecycle.stopping.set()
        assert await stream.rest() == []
        assert (await http.get("/v1/projects/demo/events")).status_code == 503


async def test_streams_are_limited_by_token_and_in_all(
    settings: ApiSettings, furnished: Client, database: Database
) -> None:
    few = settings.model_copy(update={"streams_max_per_token": 2, "streams_max": 3})
    token = (await furnished.post("tokens", {"name": "x", "scopes": ["read"]}))["token"]
    async with (
        running(few) as api,
        viewing(api) as one,
        viewing(api, token) as two,
        streamed(one, "events"),
        streamed(one, "events"),
    ):
        refused = await one.get("/v1/projects/demo/events")
        assert refused.status_code == 429
        assert "ORCHESTRATOR_STREAMS_MAX_PER_TOKEN" in refused.json()["detail"]
        assert int(refused.headers["retry-after"]) > 0
        async with streamed(two, "events"):
            refused = await two.get("/v1/projects/demo/events")
            assert refused.status_code == 429
            assert "ORCHESTRATOR_STREAMS_MAX:" in refused.json()["detail"]
        async with streamed(two, "events") as again:
            await again.named("reset")


async def test_a_client_that_does_not_read_is_told_to_load_again(
    viewer: httpx.AsyncClient, runner: Runner, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator_api.events.viewers.MOST_BYTES", 3_000)
    async with streamed(viewer, "events") as slow, streamed(viewer, "events") as quick:
        await quick.named("reset")
        for number in range(1, 30):
            job = await runner.job("one", number, "success")
            await quick.until(id=str(job))
        events: list[Event] = []
        while not events or events[-1].data.get("id") != str(job):
            event = await slow.next()
            assert event is not None
            events.append(event)
            if event.data.get("reason") == "too_slow":
                break
        assert events[-1].data == {"reason": "too_slow"}
        assert len(events) < 20


async def test_nothing_is_read_or_heard_while_no_one_watches(
    viewer: httpx.AsyncClient, runner: Runner, broker: BrokerVhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LINGER_SECONDS", 0.1)
    async with streamed(viewer, "events") as stream:
        await stream.named("reset")
        await fed(broker)
    await eventually(lambda: not any(queue.get("exclusive") for queue in broker.queues().values()))
    reads: list[str] = []
    for name in ("changed_since", "job_changes", "log_news", "decided", "instant"):
        monkeypatch.setattr(EventStore, name, _counted(getattr(EventStore, name), name, reads))
    job = await runner.job("one", 1, "processing")
    await hinted(broker, job)
    await asyncio.sleep(0.5)  # five polls, and one look at logs, would be due
    assert reads == []
    async with streamed(viewer, "events") as stream:
        assert await stream.until(id=str(job))
    assert reads
