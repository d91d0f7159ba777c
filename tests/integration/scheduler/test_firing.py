"""Fires on the real database: one request per fire, with any number of replicas, whatever is saved."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import asyncpg
import pytest
from prometheus_client import REGISTRY
from tests.integration.scheduler.stage import AGO, add_schedule, fires, next_at, replica, said, set_up
from tests.support.databases import Database

from orchestrator_scheduler.adapters.store import ScheduleStore
from orchestrator_scheduler.wiring import Scheduler, retention
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.events import ScheduleMissed
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.domain.ids import ScheduleId, fire_job_id, new_id

HOURS = timedelta(hours=1)
MAKE_DUE = (
    "UPDATE scheduler.next_fires SET anchor = anchor - interval '61 s', next_at = next_at - interval '61 s'"
)


@pytest.fixture
async def scheduler(database: Database) -> AsyncIterator[Scheduler]:
    await set_up(database)
    async with replica(database) as scheduler:
        yield scheduler


async def test_a_due_fire_is_one_record_one_request_and_the_next_fire(
    database: Database, scheduler: Scheduler
) -> None:
    schedule_id = await add_schedule(database, overlap="skip")
    await scheduler.firing.sync(schedule_id)
    (fire,) = await database.fetch("SELECT * FROM scheduler.fires")
    (data,) = await said(database, RunRequested.type)
    request = RunRequested.model_validate(data)
    assert request.job_id == fire["job_id"] == fire_job_id(schedule_id, fire["fire_key"])
    assert (request.origin, request.overlap, request.schedule_id, request.fire_key) == (
        "schedule",
        "skip",
        schedule_id,
        fire["fire_key"],
    )
    assert request.scheduled_for == fire["scheduled_for"]
    assert await next_at(database, schedule_id) == fire["scheduled_for"] + timedelta(minutes=1)
    assert await scheduler.firing.fire_due() == 0
    await scheduler.firing.sync(schedule_id)
    assert len(await said(database, RunRequested.type)) == 1


async def test_how_long_a_fire_has_been_due_is_told_until_it_is_decided(
    database: Database, scheduler: Scheduler
) -> None:
    def overdue() -> float:
        return REGISTRY.get_sample_value("orchestrator_schedule_overdue_seconds") or 0.0

    schedule_id = await add_schedule(database)
    await scheduler.firing.sync(schedule_id)
    await scheduler.firing.seconds_to_next()
    assert overdue() == 0
    await database.execute("UPDATE scheduler.next_fires SET next_at = next_at - interval '10 minutes'")
    await scheduler.firing.seconds_to_next()
    assert overdue() >= 500
    assert await scheduler.firing.fire_due() == 1
    await scheduler.firing.seconds_to_next()
    assert overdue() == 0


async def test_many_replicas_fire_each_once(database: Database, scheduler: Scheduler) -> None:
    schedule_ids = [await add_schedule(database, saved_ago=timedelta(0)) for _ in range(30)]
    for schedule_id in schedule_ids:
        await scheduler.firing.sync(schedule_id)
    await database.execute(MAKE_DUE)
    async with replica(database) as second, replica(database) as third:
        everybody = (scheduler, second, third) * 5
        await asyncio.gather(
            *(each.firing.fire_due() for each in everybody),
            *(each.catalog_sync.scan() for each in everybody),
            *(second.firing.sync(schedule_id) for schedule_id in schedule_ids),
        )
        while await second.firing.fire_due():
            pass
    assert await database.fetchval("SELECT count(*) FROM scheduler.fires WHERE outcome = 'requested'") == 30
    requests = await said(database, RunRequested.type)
    assert len(requests) == len({request["job_id"] for request in requests}) == 30


async def test_what_was_saved_meanwhile_is_not_fired_in_its_old_version(
    database: Database, scheduler: Scheduler
) -> None:
    schedule_id = await add_schedule(database, saved_ago=timedelta(0))
    await scheduler.firing.sync(schedule_id)
    await database.execute(MAKE_DUE)
    await database.execute(
        "UPDATE catalog.schedules SET every_seconds = 3600, version = 2, updated_at = clock_timestamp()"
    )
    assert await scheduler.firing.fire_due() == 1
    assert await fires(database, schedule_id) == ["superseded"]
    assert await said(database, RunRequested.type) == []


async def test_a_save_between_reading_and_firing_rolls_back_and_reads_anew(
    database: Database, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule_id = await add_schedule(database)
    read, saves = ScheduleStore.now, 0

    async def save_then_read(store: ScheduleStore) -> datetime:
        nonlocal saves
        saves += 1
        if saves == 1:  # the definition was read just before
            await database.execute("UPDATE catalog.schedules SET enabled = false, version = 2")
        return await read(store)

    monkeypatch.setattr(ScheduleStore, "now", save_then_read)
    await scheduler.firing.sync(schedule_id)
    assert saves == 2
    assert await fires(database, schedule_id) == ["disabled"]
    assert await said(database, RunRequested.type) == []


async def test_missed_fires_are_reported_and_one_is_made_up(database: Database, scheduler: Scheduler) -> None:
    schedule_id = await add_schedule(database, every=3600, saved_ago=3 * HOURS + 30 * timedelta(minutes=1))
    await scheduler.catalog_sync.scan()
    assert await fires(database, schedule_id) == ["missed", "missed", "requested"]
    (missed,) = await said(database, ScheduleMissed.type)
    assert missed["count"] == 2
    assert missed["orchestration"] == "campaigns"


async def test_disabled_fires_are_recorded_and_never_made_up(
    database: Database, scheduler: Scheduler
) -> None:
    schedule_id = await add_schedule(database)
    await database.execute("UPDATE catalog.configurations SET enabled = false")
    await scheduler.catalog_sync.scan()
    await database.execute("UPDATE catalog.configurations SET enabled = true")
    await scheduler.catalog_sync.scan()
    assert await fires(database, schedule_id) == ["disabled"]
    assert await said(database, RunRequested.type) == []
    assert await next_at(database, schedule_id) is not None


@pytest.mark.parametrize("table", ["catalog.schedules", "catalog.configurations"])
async def test_records_of_a_schedule_that_stays_disabled_are_bounded(
    database: Database, scheduler: Scheduler, table: str
) -> None:
    """Issue 8, 23: a disabled or trashed orchestration's schedules wrote a row per fire for 90 days."""
    schedule_id = await add_schedule(database, every=60, saved_ago=150 * timedelta(minutes=1))
    await scheduler.catalog_sync.scan()
    before = await database.fetchval("SELECT count(*) FROM scheduler.fires WHERE outcome <> 'disabled'")
    await database.execute(f"UPDATE {table} SET enabled = false")
    for minutes in (90, 1200, 1):
        await database.execute(
            "UPDATE scheduler.next_fires"
            " SET anchor = anchor - $1::interval, next_at = next_at - $1::interval",
            timedelta(minutes=minutes),
        )
        for _ in range(3):
            await scheduler.catalog_sync.scan()
            await scheduler.firing.fire_due()
    recorded = await fires(database, schedule_id)
    assert recorded.count("disabled") == 100
    assert len(recorded) == before + 100


async def test_a_deleted_schedule_fires_no_more_and_a_restored_one_begins_anew(
    database: Database, scheduler: Scheduler
) -> None:
    schedule_id = await add_schedule(database, saved_ago=timedelta(0))
    await scheduler.catalog_sync.scan()
    await database.execute("UPDATE catalog.schedules SET deleted_at = clock_timestamp()")
    await scheduler.catalog_sync.scan()
    assert await next_at(database, schedule_id) is None
    await database.execute(
        "UPDATE catalog.schedules SET deleted_at = NULL, version = 2, updated_at = clock_timestamp()"
    )
    await scheduler.catalog_sync.scan()
    assert await next_at(database, schedule_id) is not None
    assert await fires(database, schedule_id) == []


async def test_a_schedule_that_cannot_be_read_blocks_no_other(
    database: Database, scheduler: Scheduler
) -> None:
    bad = await add_schedule(database, cron="61 * * * *")
    good = await add_schedule(database)
    await scheduler.catalog_sync.scan()
    assert await next_at(database, bad) is None
    assert await fires(database, good) == ["requested"]
    async with database.connection("scheduler") as connection:
        assert await ScheduleStore(connection).stale() == []


async def test_an_unknown_schedule_is_nothing(database: Database, scheduler: Scheduler) -> None:
    await scheduler.firing.sync(ScheduleId(new_id()))
    assert await database.fetchval("SELECT count(*) FROM scheduler.next_fires") == 0


async def test_old_fires_are_forgotten_in_batches(database: Database, scheduler: Scheduler) -> None:
    await add_schedule(database, saved_ago=AGO + 5 * timedelta(minutes=1))
    await scheduler.catalog_sync.scan()
    kept = await database.fetchval("SELECT count(*) FROM scheduler.fires")
    await database.execute("UPDATE scheduler.fires SET at = at - interval '2 days' WHERE outcome = 'missed'")
    async with asyncpg.create_pool(database.url_for("scheduler"), min_size=1, max_size=1) as pool:
        forgetting = retention(partial(acquire, pool), days=1, batch=2)
        assert await forgetting.once() == {"forget_fires": kept - 1, "forget_next_fires": 0}
    assert await database.fetchval("SELECT count(*) FROM scheduler.fires") == 1
