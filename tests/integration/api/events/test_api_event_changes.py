"""Streams of changes on real servers: what they tell, and how a client resumes."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.integration.api.conftest import (
    Client,
    RunningApi,
    running,
)
from tests.integration.api.event_stage import (
    HEARD,
    NEVER,
    TcpProxies,
    fed,
    finish,
    hinted,
    said,
    viewing,
    write_log,
)
from tests.integration.api.people import person_with_password, signed_in
from tests.integration.api.test_api_jobs import Runner
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.event_streams import streamed

from orchestrator_api.events import changes as event_changes
from orchestrator_api.settings import ApiSettings
from orchestrator_shared.contracts.events import ReadinessChanged


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
        await write_log(database, theirs, 1, 3)
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
