"""Backfills: one run per past fire of a schedule, oldest first, each once."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.integration.api.conftest import Client, RunningApi, said
from tests.integration.api.test_api_tokens import bearer
from tests.integration.scheduler.stage import next_at, replica
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

from orchestrator_shared.domain.ids import ScheduleId

PERIOD = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-08T00:00:00Z"}


async def schedule(client: Client, **times: Any) -> str:
    body = times or {"cron": "30 5 * * *", "timezone": "Europe/Prague"}
    saved = await client.put("orchestrations/daily/schedules/mornings", body)
    return str(saved["id"])


async def test_one_request_per_fire_and_none_twice(
    furnished: Client, database: Database, broker: BrokerVhost
) -> None:
    schedule_id = await schedule(furnished)
    dry = await furnished.post(
        "backfills", {"schedule_id": schedule_id, **PERIOD, "dry_run": True}, status=200
    )
    assert ([fire["is_new"] for fire in dry["fires"]], dry["requested"]) == ([True] * 3, 0)
    assert await database.fetchval("SELECT count(*) FROM catalog.run_requests") == 0
    body = {"orchestration": "daily", "schedule": "mornings", **PERIOD}
    done = await furnished.post("backfills", body, status=202)
    assert done["requested"] == 3
    assert [fire["job_id"] for fire in done["fires"]] == [fire["job_id"] for fire in dry["fires"]]
    [message] = [envelope["data"] for envelope in await said(broker, "runner.commands", 1)]
    moments = [datetime.fromisoformat(fire["scheduled_for"]) for fire in message["fires"]]
    assert moments == [datetime.fromisoformat(f"2026-01-0{day}T04:30:00Z") for day in (5, 6, 7)]
    assert message["schedule_id"] == schedule_id
    assert all(fire["fire_key"].startswith("backfill:2026-01-0") for fire in message["fires"])
    assert (message["attended"], message.get("notify")) == (True, None)
    longer = {**body, "to": "2026-01-09T00:00:00Z"}
    more = await furnished.post("backfills", longer, status=202)
    assert ([fire["is_new"] for fire in more["fires"]], more["requested"]) == ([False] * 3 + [True], 1)
    assert len(await said(broker, "runner.commands", 1)) == 1
    job = await furnished.get(f"jobs/{done['fires'][0]['job_id']}")
    assert (job["status"], job["scheduled_for"]) == ("created", "2026-01-05T04:30:00Z")
    assert await database.fetchval("SELECT count(*) FROM catalog.audit WHERE action LIKE '%backfilled'") == 2


async def test_too_many_are_counted(furnished: Client, database: Database) -> None:
    await schedule(furnished, cron="* * * * *")
    body = {"orchestration": "daily", "schedule": "mornings", **PERIOD}
    problem = await furnished.post("backfills", body, status=422)
    assert "4320 times" in problem["detail"]
    assert await database.fetchval("SELECT count(*) FROM catalog.run_requests") == 0


async def test_what_is_refused(api: RunningApi, furnished: Client) -> None:
    await schedule(furnished)
    body = {"orchestration": "daily", "schedule": "mornings", **PERIOD}
    await furnished.post("backfills", {**body, "schedule": "ghost"}, status=404)
    await furnished.post("backfills", {"orchestration": "daily", **PERIOD}, status=422)
    await furnished.post("backfills", {**body, "schedule_id": "0" * 32}, status=422)
    await furnished.post("backfills", {**body, "from": "2026-01-08"}, status=422)
    await furnished.put("orchestrations/daily", {"enabled": False, "phases": []})
    problem = await furnished.post("backfills", body, status=409)
    assert problem["errors"][0]["field"] == "confirm"
    problem = await furnished.post("backfills", {**body, "confirm": True}, status=422)
    assert "no tasks" in problem["detail"]
    async with bearer(api, furnished, scopes=["read"], components=[]) as reader:
        await reader.post("backfills", body, status=403)


async def test_a_clock_change_delays_no_other_request(furnished: Client) -> None:
    """Issue 8, number 28: both requests blocked the api for ever, at 100 % of a core."""
    await schedule(furnished, cron="0 * * * *", timezone="Europe/Prague")
    body = {"orchestration": "daily", "schedule": "mornings", "dry_run": True}
    for start in ("2026-03-29T00:30:00Z", "2026-03-29T00:30:00.000005Z"):
        period = {"from": start, "to": "2026-03-29T04:00:00Z"}
        found = await furnished.post("backfills", {**body, **period}, status=200)
        assert [fire["local"][:16] for fire in found["fires"]] == [
            "2026-03-29T03:00",
            "2026-03-29T04:00",
            "2026-03-29T05:00",
        ]
    preview = await furnished.post(
        "schedule-previews", {"cron": "*/30 2 28 3 *", "timezone": "Europe/Prague"}, status=200
    )
    assert {fire["local"][5:10] for fire in preview["fires"]} == {"03-28"}


async def test_an_interval_is_counted_from_where_the_scheduler_counts(
    furnished: Client, database: Database
) -> None:
    """Issue 8, number 22: editing another field moved the past fires, which followed `updated_at`."""
    schedule_id = ScheduleId(UUID(await schedule(furnished, every_seconds=2700)))
    await database.execute("UPDATE catalog.schedules SET updated_at = updated_at - interval '1000 seconds'")
    now = await database.fetchval("SELECT clock_timestamp()")
    period = {"from": (now - timedelta(hours=3)).isoformat(), "to": now.isoformat()}
    body = {"schedule_id": str(schedule_id), **period, "dry_run": True}

    async def phases() -> set[float]:
        found = await furnished.post("backfills", body, status=200)
        return {datetime.fromisoformat(fire["scheduled_for"]).timestamp() % 2700 for fire in found["fires"]}

    unheard = await phases()
    async with replica(database) as scheduler:
        await scheduler.firing.sync(schedule_id)
        coming = await next_at(database, schedule_id)
        assert coming is not None
        assert await phases() == unheard == {coming.timestamp() % 2700}
        await schedule(furnished, every_seconds=2700, overlap="queue")
        assert await phases() == unheard  # also before the scheduler has heard of it
        await scheduler.firing.sync(schedule_id)
        assert await next_at(database, schedule_id) == coming
        assert await phases() == unheard


async def test_a_refusal_has_its_position_and_instants_one_form(furnished: Client) -> None:
    """Issue 8, number 39: the position was missing in the response; `+00:00` and `Z` were mixed."""
    path = "orchestrations/daily/schedules/mornings"
    for call in (
        furnished.put(path, {"cron": "0 5 * * 7-1"}, status=422),
        furnished.post("schedule-previews", {"cron": "0 5 * * 7-1"}, status=422),
    ):
        [error] = (await call)["errors"]
        assert error["field"] == "cron"
        assert error["position"] == 9
        assert error["detail"].endswith("the range '7-1' runs backwards: write 0-1")
    schedules = {"a": {"cron": "0 5 * * 1 - 5"}, "b": {"every": "30s"}}
    document = {"orchestration": "daily", "schedules": schedules}
    problem = await furnished.post("definitions/plan", {"documents": [document]}, status=422)
    assert problem["errors"] == [
        {
            "field": "documents[0].schedules.a.cron",
            "detail": "there is a blank inside a field (character 10): write `0 5 * * 1-5`",
            "position": 10,
        },
        {"field": "documents[0].schedules.b.every", "detail": "must be at least 1m (60 seconds)"},
    ]
    problem = await furnished.put(path, {"every_seconds": 30}, status=422)
    assert problem["errors"][0]["detail"] == "must be at least 1m (60 seconds)"
    seen = await furnished.post("schedule-previews", {"cron": "0 5 * * *"}, status=200)
    assert all(fire["local"].endswith("T05:00:00Z") for fire in seen["fires"])
    warned = await furnished.put(path, {"cron": "*/60 * * * *"})
    assert warned["warning"] == "`*/60` means minute 0 alone"
