"""Streams of changes on real servers: what they tell, to whom, and how a client resumes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import httpx
import pytest
from tests.integration.api.conftest import (
    ADMIN_TOKEN,
    Client,
    RunningApi,
    environment_on,
    furnish,
    running,
)
from tests.integration.api.people import person_with_password, person_with_role, signed_in
from tests.integration.api.test_api_jobs import Runner
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.event_streams import Event, streamed
from tests.support.query_plans import explained, rows_read
from tests.support.service_process import ServiceProcess
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_api.events import changes as event_changes
from orchestrator_api.events import feed, logs
from orchestrator_api.events.store import EventStore
from orchestrator_api.settings import ApiSettings
from orchestrator_shared.contracts.envelope import wrap
from orchestrator_shared.contracts.events import JobsChanged, ReadinessChanged
from orchestrator_shared.contracts.message import Message

TcpProxies = Callable[[str, int], "asyncio.Future[TcpProxy]"]
NEVER = 3600.0
HEARD = (
    "INSERT INTO triggers.tables (project, name, last_seq, last_heard_at) "
    "VALUES ('demo', $1, 1, clock_timestamp()) "
    "ON CONFLICT (project, name) DO UPDATE SET last_heard_at = excluded.last_heard_at"
)


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests change the database without a hint."""
    monkeypatch.setattr(event_changes, "FED_POLL_SECONDS", 0.1)


@pytest.fixture
def settings(settings: ApiSettings) -> ApiSettings:
    return settings.model_copy(update={"streams_poll_seconds": 0.1, "streams_check_seconds": 0.1})


@pytest.fixture
async def runner(furnished: Client, database: Database) -> Runner:
    made = Runner(database)
    await made.connect()
    return made


def viewing(api: RunningApi, token: str = ADMIN_TOKEN) -> httpx.AsyncClient:
    return api.streaming(token)


@pytest.fixture
async def viewer(api: RunningApi) -> AsyncIterator[httpx.AsyncClient]:
    async with viewing(api) as http:
        yield http


async def hinted(broker: BrokerVhost, *jobs: UUID, revision: int = 1, project: str = "demo") -> None:
    """Publish what a runner publishes after a commit."""
    await said(broker, JobsChanged(project=project, revisions=dict.fromkeys(jobs, revision)))


async def said(broker: BrokerVhost, message: Message) -> None:
    """Publish a hint as a service does."""
    async with asyncio.timeout(20), await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(message.exchange, ensure=False)
        body = wrap(message, source="/runner").to_bytes()
        await exchange.publish(aio_pika.Message(body), message.key)


async def fed(broker: BrokerVhost) -> None:
    """Wait until a replica's feed exists: an exclusive queue beside the durable ones."""
    await eventually(lambda: any(queue.get("exclusive") for queue in broker.queues().values()))


async def finish(database: Database, job: UUID, status: str = "success") -> None:
    await database.execute(
        "UPDATE jobs.jobs SET status = $2, finished_at = clock_timestamp(), replica_id = NULL, "
        "error_kind = CASE $2 WHEN 'error' THEN 'user' END, message = 'said by the program', "
        "revision = revision + 1 WHERE id = $1",
        job,
        status,
    )


async def test_hinted_changes_are_told_and_others_are_found(
    viewer: httpx.AsyncClient,
    runner: Runner,
    broker: BrokerVhost,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_changes, "FED_POLL_SECONDS", NEVER)
    async with streamed(viewer, "events") as stream:
        assert await stream.named("reset") == {"reason": "opened"}
        await fed(broker)
        lost = await runner.job("one", 1, "processing")
        told = await runner.job("two", 1, "processing")
        await hinted(broker, told)
        job = await stream.until(id=str(told))
        assert (job["status"], job["configuration"], job["revision"]) == ("processing", "two", 1)
        assert not {"parameters", "output_tables", "started_by", "at"} & set(job)
        await finish(database, told)
        await hinted(broker, told, revision=2)
        assert (await stream.until(id=str(told)))["status"] == "success"
    monkeypatch.setattr(event_changes, "FED_POLL_SECONDS", 0.1)
    async with streamed(viewer, "events") as stream:
        await stream.named("reset")
        assert (await stream.until(id=str(lost)))["status"] == "processing"


async def test_updates_of_tables_are_told_once_for_many(
    viewer: httpx.AsyncClient, runner: Runner, broker: BrokerVhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_changes, "FED_POLL_SECONDS", NEVER)
    async with streamed(viewer, "events") as stream:
        await stream.named("reset")
        await fed(broker)
        first, second = sorted((uuid4(), uuid4()))
        for project, table, trigger in (
            ("another", "in.c-crm.secret", uuid4()),
            ("demo", "in.c-crm.orders", first),
            ("demo", "in.c-crm.contacts", second),
        ):
            await said(
                broker, ReadinessChanged(project=project, tables=[table], triggers={trigger: "campaigns"})
            )
        told: dict[str, Any] = {"tables": [], "triggers": []}
        while len(told["tables"]) < 2:
            event = await stream.named("readiness")
            told = {name: told[name] + event[name] for name in told}
        assert sorted(told["tables"]) == ["in.c-crm.contacts", "in.c-crm.orders"]
        assert sorted(each["id"] for each in told["triggers"]) == [str(first), str(second)]
        assert {each["orchestration"] for each in told["triggers"]} == {"campaigns"}
        assert stream.last_id


async def test_who_was_away_hears_of_updates(
    viewer: httpx.AsyncClient, furnished: Client, database: Database
) -> None:
    """One look finds what no hint has told: the table, and the trigger that selects it."""
    await furnished.put("orchestrations/campaigns", {"phases": []}, status=201)
    body = {"tables": ["in.c-crm.contacts", "in.c-crm.orders"]}
    trigger = await furnished.put("orchestrations/campaigns/triggers/crm", body, status=201)
    async with streamed(viewer, "events") as stream:
        await stream.named("reset")
        left_at = stream.last_id
    await database.execute(HEARD, "in.c-crm.contacts")
    async with streamed(viewer, "events", last_id=left_at) as stream:
        assert await stream.named("readiness") == {
            "tables": ["in.c-crm.contacts"],
            "triggers": [{"id": trigger["id"], "orchestration": "campaigns"}],
        }


async def test_changes_are_told_while_the_broker_is_away(
    settings: ApiSettings, broker: BrokerVhost, database: Database, tcp_proxy: TcpProxies,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(event_changes, "FED_POLL_SECONDS", NEVER)
    proxy = await tcp_proxy(broker.host, broker.port)
    through = settings.model_copy(update={"amqp_url": proxy.url(settings.amqp_url)})
    async with running(through) as api, viewing(api) as http:
        await http.post("/v1/projects", json={"id": "demo"})
        runner = Runner(database)
        await runner.connect()
        async with streamed(http, "events") as stream:
            await stream.named("reset")
            await fed(broker)
            proxy.cut()
            job = await runner.job("one", 1, "processing")
            assert (await stream.until(id=str(job)))["status"] == "processing"
            await finish(database, job)
            assert (await stream.until(id=str(job)))["status"] == "success"
            await proxy.resume()


async def test_a_stream_is_resumed_at_another_replica(
    settings: ApiSettings, api: RunningApi, runner: Runner, database: Database
) -> None:
    async with viewing(api) as here, streamed(here, "events") as stream:
        await stream.named("reset")
        before = await runner.job("one", 1, "processing")
        await stream.until(id=str(before))
        last_id = stream.last_id
    assert last_id
    await finish(database, before)
    missed = await runner.job("two", 1, "ready")
    async with (
        running(settings) as other,
        viewing(other) as there,
        streamed(there, "events", last_id=last_id) as stream,
    ):
        events = [await stream.named("job"), await stream.named("job")]
        assert {(each["id"], each["status"]) for each in events} == {
            (str(before), "success"),
            (str(missed), "waiting"),
        }
        assert stream.last_id
        assert int(stream.last_id) > int(last_id)


async def test_an_id_of_a_stream_of_others_resumes_only_own_streams(
    api: RunningApi, furnished: Client, runner: Runner, database: Database
) -> None:
    """It is an instant or a place in a log: neither says of which project, and both mean the own one."""
    await furnished.post("/v1/projects", {"id": "rival"}, status=201)
    await person_with_password(furnished, database, "ada@example.com", role="viewer")
    rivals = Runner(database, "rival")
    rivals.replica = runner.replica
    async with viewing(api) as http, streamed(http, "/v1/projects/rival/events") as stream:
        await stream.named("reset")
        theirs = await rivals.job("theirs", 1, "processing")
        await _write(database, theirs, 1, 3)
        await stream.until(id=str(theirs))
        last_id = stream.last_id
    await finish(database, theirs)
    missed = await runner.job("one", 1, "processing")
    async with signed_in(api, "ada@example.com") as browser, api.streaming(None) as http:
        http.cookies = browser.http.cookies
        async with streamed(http, "events", last_id=last_id) as stream:
            assert (await stream.named("job"))["id"] == str(missed)
            later = await runner.job("two", 1, "processing")
            assert (await stream.named("job"))["id"] in (str(missed), str(later))
            assert (await stream.until(id=str(later)))["status"] == "processing"
        for path, place in (("events", last_id or ""), ("log/stream", "1:1")):
            answers = []
            for job in (theirs, uuid4()):
                url = f"/v1/projects/demo/jobs/{job}/{path}"
                answer = await http.get(url, headers={"Last-Event-ID": place, "X-Request-Id": "one-of-two"})
                answers.append((answer.status_code, answer.text.replace(str(job), "JOB")))
            assert answers[0] == answers[1]
            assert answers[0][0] == 404


@pytest.mark.parametrize("last_id", ["1764000000000000", "9" * 16, "9" * 31, "x", "1:2"])
async def test_who_was_away_for_too_long_loads_again(
    viewer: httpx.AsyncClient, furnished: Client, last_id: str
) -> None:
    async with streamed(viewer, "events", last_id=last_id) as stream:
        assert await stream.named("reset") == {"reason": "away_too_long"}
        assert stream.last_id


async def test_more_than_a_page_can_take_is_loaded_again(
    viewer: httpx.AsyncClient, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_changes, "MOST_CHANGES", 2)
    monkeypatch.setattr(event_changes, "STORM_SECONDS", 0.3)
    monkeypatch.setattr("orchestrator_api.events.service.MOST_CHANGES", 2)
    async with streamed(viewer, "events") as stream:
        await stream.named("reset")
        last_id = stream.last_id
        for number in range(1, 20):
            await runner.job("one", number, "success")
        assert await stream.until(reason="too_many_changes")
        later = await runner.job("two", 1, "processing")
        assert await stream.until(id=str(later))
    async with streamed(viewer, "events", last_id=last_id) as stream:
        assert await stream.named("reset") == {"reason": "too_many_changes"}


async def test_a_job_that_ends_among_too_many_changes_ends_its_stream(
    viewer: httpx.AsyncClient, runner: Runner, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_changes, "MOST_CHANGES", 2)
    monkeypatch.setattr(event_changes, "STORM_SECONDS", 0.3)
    jobs = [await runner.job(f"c{number}", 1, "processing") for number in range(5)]
    async with streamed(viewer, f"jobs/{jobs[0]}/events") as stream:
        await stream.named("reset")
        for job in jobs:
            await finish(database, job)
        events = await stream.rest()
    assert events[-1].data == {"job_id": str(jobs[0]), "status": "success"}


async def test_a_run_tells_of_itself_and_what_is_below_until_it_ends(
    viewer: httpx.AsyncClient, runner: Runner, database: Database
) -> None:
    run = await runner.job("daily", 1, "processing", component="orchestrator")
    nested = await runner.job("inner", 1, "processing", component="orchestrator", parent=run)
    async with streamed(viewer, f"jobs/{run}/events") as stream:
        await stream.named("reset")
        below = await runner.job("one", 1, "processing", parent=nested, root_id=run, depth=2)
        other = await runner.job("two", 1, "processing")
        assert await stream.until(id=str(below))
        await finish(database, below)
        await finish(database, other)
        await finish(database, nested)
        await finish(database, run, "error")
        events = await stream.rest()
    assert str(other) not in {event.data.get("id") for event in events}
    assert events[-1].name == "end"
    assert events[-1].data == {"job_id": str(run), "status": "error"}
    assert events[-2].data["id"] == str(run)
    async with streamed(viewer, f"jobs/{run}/events") as stream:
        assert [event.name for event in await stream.rest()] == ["reset", "end"]


async def test_a_request_that_joins_another_run_ends_its_stream(
    viewer: httpx.AsyncClient, furnished: Client, database: Database
) -> None:
    job = (await furnished.post("orchestrations/daily/runs"))["job_id"]
    async with streamed(viewer, f"jobs/{job}/events") as stream:
        await stream.named("reset")
        await database.execute(
            "INSERT INTO jobs.request_records (job_id, decision, project, configuration, scheduled_for) "
            "VALUES ($1, 'skipped', 'demo', 'daily', now())",
            UUID(job),
        )
        assert await stream.named("end") == {"job_id": job, "status": "skipped"}


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


def _counted(call: Callable[..., Any], name: str, calls: list[str]) -> Callable[..., Any]:
    async def counted(*values: Any, **named: Any) -> Any:
        calls.append(name)
        return await call(*values, **named)

    return counted


async def _write(database: Database, job: UUID, first: int, last: int, attempt: int = 1) -> None:
    await database.execute(
        "INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text) "
        "SELECT $1, $4, n, 'stdout', clock_timestamp(), 'line ' || n || E'\\n' "
        "FROM generate_series($2::int, $3) n",
        job,
        first,
        last,
        attempt,
    )


async def test_a_log_is_streamed_to_its_end_and_resumed(
    settings: ApiSettings, viewer: httpx.AsyncClient, runner: Runner, database: Database
) -> None:
    job = await runner.job("one", 1, "processing")
    await _write(database, job, 1, 3 * logs.MOST_PIECES)
    async with streamed(viewer, f"jobs/{job}/log/stream") as stream:
        texts = [(await stream.named("log"))["text"] for _ in range(3 * logs.MOST_PIECES)]
        assert texts == [f"line {number}\n" for number in range(1, 3 * logs.MOST_PIECES + 1)]
        await _write(database, job, 1, 1, attempt=2)
        assert await stream.named("log")
        last_id = stream.last_id
    assert last_id == "2:1"
    async with (
        running(settings) as other,
        viewing(other) as there,
        streamed(there, f"jobs/{job}/log/stream", last_id=last_id) as stream,
    ):
        await _write(database, job, 2, 3, attempt=2)
        await finish(database, job)
        events = await stream.rest()
    assert [event.data.get("seq") for event in events] == [2, 3, None]
    assert (events[-1].name, events[-1].data["status"]) == ("end", "success")
    async with streamed(viewer, f"jobs/{job}/log/stream?after=2:2") as stream:
        assert [event.name for event in await stream.rest()] == ["log", "end"]
    async with streamed(viewer, f"jobs/{job}/log/stream", last_id="nonsense") as stream:
        assert [event.name for event in await stream.rest()][:2] == ["reset", "log"]
    refused = await viewer.get(f"/v1/projects/demo/jobs/{job}/log/stream?after=x")
    assert refused.status_code == 422


async def test_logs_are_read_by_one_query_for_all(
    viewer: httpx.AsyncClient, runner: Runner, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[UUID]] = []
    read = EventStore.log_news

    async def recorded(self: EventStore, **values: Any) -> Any:
        asked.append(values["job_ids"])
        return await read(self, **values)

    monkeypatch.setattr(EventStore, "log_news", recorded)
    one, two = [await runner.job(name, 1, "processing") for name in ("one", "two")]
    async with (
        streamed(viewer, f"jobs/{one}/log/stream") as first,
        streamed(viewer, f"jobs/{one}/log/stream") as second,
        streamed(viewer, f"jobs/{two}/log/stream") as third,
    ):
        await eventually(lambda: asked and sorted(asked[-1]) == sorted([one, two]))
        for job in (one, two):
            await _write(database, job, 1, 1)
        for stream in (first, second, third):
            assert (await stream.named("log"))["text"] == "line 1\n"


async def test_many_streams_cost_tasks_and_no_connection(
    settings: ApiSettings, broker: BrokerVhost, furnished: Client, runner: Runner, database: Database
) -> None:
    """The short form; `make bench sections=events` measures two hundred in a process of their own."""
    job = await runner.job("one", 1, "processing")
    much = settings.model_copy(
        update={"streams_max_per_token": 1000, "database_pool_max": 2, "database_pool_min": 1}
    )
    async with running(much) as api, viewing(api) as http, streamed(http, "events") as first:
        await first.named("reset")
        await fed(broker)
        idle = len(asyncio.all_tasks())
        paths = ["events", f"jobs/{job}/events", f"jobs/{job}/log/stream"] * 20
        opened = [streamed(http, path) for path in paths]
        streams = [await each.__aenter__() for each in opened]
        assert (len(asyncio.all_tasks()) - idle) / len(paths) <= 8
        other = await runner.job("two", 1, "processing")
        await _write(database, job, 1, 1)
        for path, stream in zip(paths, streams, strict=True):
            if path == "events":
                await stream.until(id=str(other))
            elif path.endswith("stream"):
                assert await stream.named("log")
        used = await database.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'orchestrator-api' AND usename = $1",
            database.role_names["api"],
        )
        assert used <= 2 + 10  # this replica's, and those of the other one of these fixtures
        for each in opened:
            await each.__aexit__(None, None, None)
        await eventually(lambda: len(asyncio.all_tasks()) <= idle + 2)


OLD_JOBS = """
WITH lane AS (
    INSERT INTO jobs.lanes (project, component, configuration) VALUES ('demo', 'demo-extractor', 'old')
    RETURNING id)
INSERT INTO jobs.jobs (
    id, lane_id, seq, project, component, configuration, kind, status, origin, root_id, depth, scheduled_for,
    requested_at, accepted_at, due_at, ready_at, started_at, finished_at, attempt)
SELECT made.id, lane.id, n, 'demo', 'demo-extractor', 'old', 'component', 'success', 'api', made.id, 0,
       made.at, made.at, made.at, made.at, made.at, made.at, made.at, 1
FROM lane, generate_series(1, 5000) n,
     LATERAL (SELECT gen_random_uuid() AS id, now() - interval '1 day' - n * interval '1 s' AS at) made
"""


async def test_looking_for_lost_hints_reads_no_history(runner: Runner, database: Database) -> None:
    await database.execute(OLD_JOBS)
    await runner.job("one", 1, "processing")
    async with database.connection() as connection:
        await connection.execute("ANALYZE jobs.jobs")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        arguments = {"projects": "'{demo}'", "since": "now() - interval '1 minute'", "limit": "501"}
        given = ", ".join(map(str, EventStore.queries.arguments("changed_since", arguments)))
        plan = await explained(connection, EventStore.queries["changed_since"], given)
    assert rows_read(plan, "jobs") <= 10


async def test_a_service_ends_in_order_whether_its_clients_read_or_not(
    database: Database,
    broker: BrokerVhost,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
) -> None:
    """A real process: the reader's stream ends at once, and the other one does not hold up the stop."""
    service = service_process("orchestrator_api", environment_on(database, broker))
    await service.ready()
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient(base_url=service.url, headers=headers, trust_env=False) as http:
        await http.post("/v1/projects", json={"id": "demo"})
        await furnish(Client(http))
        runner = Runner(database)
        await runner.connect()
        job = await runner.job("one", 1, "processing")
        await database.execute(
            "INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text) "
            "SELECT $1, 1, n, 'stdout', now(), repeat('x', 60000) FROM generate_series(1, 500) n",
            job,
        )
        async with streamed(http, "events") as stream, streamed(http, f"jobs/{job}/log/stream") as unread:
            await stream.named("reset")
            await unread.named("log")  # and no more
            service.terminate()
            assert await stream.rest() == []
            assert await service.ended() == 0
    assert '"level": "error"' not in service.log.read_text()
