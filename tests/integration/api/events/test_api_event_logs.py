"""Streams of logs, and what many streams cost."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.integration.api.conftest import (
    ADMIN_TOKEN,
    Client,
    environment_on,
    furnish,
    running,
)
from tests.integration.api.event_stage import fed, finish, viewing, write_log
from tests.integration.api.test_api_jobs import Runner
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.event_streams import streamed
from tests.support.query_plans import explained, rows_read
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

from orchestrator_api.events import logs
from orchestrator_api.events.store import EventStore
from orchestrator_api.settings import ApiSettings


async def test_a_log_is_streamed_to_its_end_and_resumed(
    settings: ApiSettings, viewer: httpx.AsyncClient, runner: Runner, database: Database
) -> None:
    job = await runner.job("one", 1, "processing")
    await write_log(database, job, 1, 3 * logs.MOST_PIECES)
    async with streamed(viewer, f"jobs/{job}/log/stream") as stream:
        texts = [(await stream.named("log"))["text"] for _ in range(3 * logs.MOST_PIECES)]
        assert texts == [f"line {number}\n" for number in range(1, 3 * logs.MOST_PIECES + 1)]
        await write_log(database, job, 1, 1, attempt=2)
        assert await stream.named("log")
        last_id = stream.last_id
    assert last_id == "2:1"
    async with (
        running(settings) as other,
        viewing(other) as there,
        streamed(there, f"jobs/{job}/log/stream", last_id=last_id) as stream,
    ):
        await write_log(database, job, 2, 3, attempt=2)
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
            await write_log(database, job, 1, 1)
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
        await write_log(database, job, 1, 1)
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
    async with httpx.AsyncClient(base_url=service.url, headers=headers, trust_env=False, timeout=30) as http:
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
