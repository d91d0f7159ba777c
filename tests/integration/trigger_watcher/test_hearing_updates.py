"""Updates through the real handlers and the real database, run starts by the real `begin_runs`."""

import asyncio
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg
import pytest
from tests.integration.trigger_watcher.stage import HOUR, Stage, table, update
from tests.support.databases import Database
from tests.support.waiting import eventually

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.domain.errors import MessageFault
from orchestrator_shared.domain.ids import TriggerId, new_id, trigger_job_id
from orchestrator_trigger_watcher.wiring import Watcher, retention

ORDERS, RATES = table("in.c-crm.orders"), table("sales/in.c-rates.daily")


async def waiting(stage: Stage, trigger_id: TriggerId) -> tuple[UUID, int]:
    found = await stage.waiting(trigger_id)
    assert found is not None
    return found


async def test_two_of_two_tables_request_one_run(stage: Stage, watcher: Watcher) -> None:
    trigger_id = await stage.trigger([ORDERS, RATES])
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    await watcher.ingestion.ingest([update(ORDERS, "2"), update(RATES, "1"), update(RATES, "2")])
    assert await stage.dispositions(trigger_id) == [
        ("demo/in.c-crm.orders", 1, "counted"),
        ("demo/in.c-crm.orders", 2, "counted"),
        ("sales/in.c-rates.daily", 1, "completed"),
        ("sales/in.c-rates.daily", 2, "belongs_to_waiting_run"),
    ]
    (said,) = await stage.said(RunRequested.type)
    heard_at = await stage.pool.fetchval(
        "SELECT heard_at FROM triggers.updates WHERE event_id = '1' AND project = 'sales'"
    )
    request = RunRequested.model_validate(said)
    assert request.job_id == trigger_job_id(trigger_id, 1)
    assert (request.configuration, request.origin, request.trigger_id, request.generation) == (
        "campaigns",
        "trigger",
        trigger_id,
        1,
    )
    assert request.scheduled_for == heard_at
    (fire,) = await stage.pool.fetch("SELECT * FROM triggers.fires")
    assert [(item["table"], item["seq"]) for item in fire["tables"]] == [
        ("in.c-crm.orders", 2),
        ("in.c-rates.daily", 1),
    ]


async def test_a_repeated_delivery_is_a_count(stage: Stage, watcher: Watcher) -> None:
    trigger_id = await stage.trigger([ORDERS])
    await watcher.ingestion.ingest([update(ORDERS, "same"), update(ORDERS, "same")])
    await watcher.ingestion.ingest([update(ORDERS, "same")])
    await watcher.ingestion.ingest([update(ORDERS, "same", source="/another")])
    counted = await stage.pool.fetch("SELECT seq, deliveries FROM triggers.updates ORDER BY seq")
    assert [tuple(row) for row in counted] == [(1, 3), (2, 1)]
    assert len(await stage.dispositions(trigger_id)) == 2


async def heard_updates(stage: Stage) -> list[tuple[object, ...]]:
    rows = await stage.pool.fetch(
        'SELECT table_name, seq, deliveries FROM triggers.updates ORDER BY table_name COLLATE "C", seq'
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("at_once", [True, False])
async def test_one_id_for_two_tables_is_an_update_of_each(
    stage: Stage, watcher: Watcher, at_once: bool
) -> None:
    """Issue 8, number 34: the second table's update was swallowed, in one batch and in two."""
    customers, items = table("in.c-crm.customers"), table("in.c-crm.items")
    trigger_id = await stage.trigger([customers, ORDERS, items])
    load = [update(ref, "load-7") for ref in (ORDERS, customers, items)]
    for batch in [load] if at_once else [[each] for each in load]:
        await watcher.ingestion.ingest(batch)
    assert [item[2] for item in await stage.dispositions(trigger_id)] == ["counted", "counted", "completed"]
    expected = [("in.c-crm.customers", 1, 1), ("in.c-crm.items", 1, 1), ("in.c-crm.orders", 1, 1)]
    assert await heard_updates(stage) == expected

    await watcher.ingestion.ingest([*reversed(load), *load])
    assert await heard_updates(stage) == [(name, number, 3) for name, number, _ in expected]
    shown = await stage.pool.fetch("SELECT event_id, source FROM triggers.dispositions_v1")
    assert [tuple(row) for row in shown] == [("load-7", "/loaders")] * 3


async def test_two_watchers_hear_one_id_for_two_tables(stage: Stage, watcher: Watcher) -> None:
    """Whoever comes second takes another key, and waits for the first in one order only."""
    refs = [table(f"in.c-crm.t{number}") for number in range(8)]

    async def hear(turned: bool) -> None:
        for number in range(10):
            batch = [update(ref, f"load-{number}") for ref in refs[turned::2]]
            await watcher.ingestion.ingest(batch[::-1] if turned else batch)

    await asyncio.gather(hear(False), hear(True))
    expected = [(str(ref.name), number, 1) for ref in refs for number in range(1, 11)]
    assert await heard_updates(stage) == expected


async def test_the_version_before_knows_updates_by_id_alone(stage: Stage, watcher: Watcher) -> None:
    """It may still run: what it recorded is known, and its statement finds its key."""
    before = (
        "INSERT INTO triggers.updates (project, source, event_id, table_name, seq, heard_at)"
        " VALUES ('demo', '/loaders', 'load-7', $1, 1, now())"
        " ON CONFLICT (project, source, event_id) DO NOTHING"
    )
    await stage.pool.execute(
        "INSERT INTO triggers.tables (project, name, last_seq) VALUES ('demo', $1, 1)", str(ORDERS.name)
    )
    await stage.pool.execute(before, str(ORDERS.name))
    other = table("in.c-crm.items")
    await watcher.ingestion.ingest([update(ORDERS, "load-7"), update(other, "load-7")])
    await stage.pool.execute(before, "in.c-crm.third")
    assert await heard_updates(stage) == [("in.c-crm.items", 1, 1), ("in.c-crm.orders", 1, 2)]


async def test_a_table_that_no_trigger_selects_is_known(stage: Stage, watcher: Watcher) -> None:
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    row = await stage.pool.fetchrow("SELECT * FROM triggers.tables")
    assert row is not None
    assert (row["name"], row["last_seq"]) == ("in.c-crm.orders", 1)
    assert row["last_heard_at"] is not None


async def test_an_unknown_project_is_the_messages_fault_and_leaves_nothing(
    stage: Stage, watcher: Watcher
) -> None:
    with pytest.raises(MessageFault, match="no project 'nowhere'"):
        await watcher.ingestion.ingest([update(ORDERS, "1"), update(table("nowhere/in.a.b"), "1")])
    assert await stage.pool.fetchval("SELECT count(*) FROM triggers.tables") == 0


async def test_a_full_run_of_anybody_uses_updates_and_a_partial_one_does_not(
    stage: Stage, watcher: Watcher
) -> None:
    trigger_id = await stage.trigger([ORDERS, RATES])
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    await stage.start_run(full=False)
    await watcher.reconciliation.reconcile_runs("demo", "campaigns")
    assert await stage.pool.fetchval("SELECT max(used) FROM triggers.counts") == 0
    await stage.start_run()
    await watcher.ingestion.ingest([update(RATES, "1")])
    assert [item[2] for item in await stage.dispositions(trigger_id)] == ["counted", "counted"]
    await watcher.ingestion.ingest([update(ORDERS, "2")])
    assert [item[2] for item in await stage.dispositions(trigger_id)][-1] == "completed"


async def test_cool_down_runs_from_the_start_of_the_own_run(stage: Stage, watcher: Watcher) -> None:
    trigger_id = await stage.trigger([ORDERS], cool_down=HOUR)
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    job_id, generation = await stage.waiting(trigger_id) or (None, None)
    await stage.start_run(job_id=job_id, trigger_id=trigger_id, generation=generation)
    await watcher.ingestion.ingest([update(ORDERS, "2")])
    await stage.edit(trigger_id, cool_down_seconds=0)
    await watcher.ingestion.ingest([update(ORDERS, "3")])
    assert [item[2] for item in await stage.dispositions(trigger_id)] == [
        "completed",
        "ignored_in_cool_down",
        "completed",
    ]
    ended = await stage.pool.fetchrow("SELECT ended, started_at FROM triggers.fires WHERE generation = 1")
    assert ended is not None
    assert ended["ended"] == "started"
    assert ended["started_at"] is not None


async def test_a_deferred_set_fires_when_the_cool_down_ends(stage: Stage, watcher: Watcher) -> None:
    trigger_id = await stage.trigger([ORDERS], cool_down=timedelta(seconds=1), mode="defer")
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    job_id, generation = await stage.waiting(trigger_id) or (None, None)
    start = await stage.start_run(job_id=job_id, trigger_id=trigger_id, generation=generation)
    await watcher.ingestion.ingest([update(ORDERS, "2")])
    await watcher.scanning.fire_due()
    assert await stage.pool.fetchval("SELECT count(*) FROM triggers.fires") == 1

    async def second_fire() -> object:
        await watcher.scanning.fire_due()
        return await stage.pool.fetchval("SELECT at FROM triggers.fires WHERE generation = 2")

    assert await eventually(second_fire, timeout=30) == start.at + timedelta(seconds=1)


async def test_the_waiting_run_is_withdrawn_where_it_would_start_when_another_used_its_updates(
    stage: Stage, watcher: Watcher
) -> None:
    """Issue 8, 20: whether the watcher looked while the other run was underway does not matter."""
    trigger_id = await stage.trigger([ORDERS], cool_down=HOUR)
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    job_id, generation = await waiting(stage, trigger_id)
    await stage.start_run()
    start = await stage.start_run(job_id=job_id, trigger_id=trigger_id, generation=generation)
    assert start.withdrawn
    await watcher.ingestion.ingest([update(ORDERS, "2")])
    ends = await stage.pool.fetch("SELECT ended FROM triggers.fires ORDER BY generation")
    assert [row["ended"] for row in ends] == ["withdrawn", None]
    assert [item[2] for item in await stage.dispositions(trigger_id)] == ["completed", "completed"]


async def test_a_waiting_run_with_an_update_that_no_other_run_used_starts(
    stage: Stage, watcher: Watcher
) -> None:
    trigger_id = await stage.trigger([ORDERS])
    await stage.start_run()
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    job_id, generation = await waiting(stage, trigger_id)
    await stage.start_run(full=False)
    await stage.start_run()
    await watcher.ingestion.ingest([update(ORDERS, "2")])
    start = await stage.start_run(job_id=job_id, trigger_id=trigger_id, generation=generation)
    assert not start.withdrawn
    await watcher.reconciliation.reconcile_runs("demo", "campaigns")
    assert await stage.pool.fetchval("SELECT ended FROM triggers.fires") == "started"


async def test_a_reset_leaves_the_waiting_run_alone(stage: Stage, watcher: Watcher) -> None:
    trigger_id = await stage.trigger([ORDERS])
    await stage.start_run()
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    await stage.reset(trigger_id)
    await watcher.reconciliation.sync(trigger_id)
    job_id, generation = await waiting(stage, trigger_id)
    start = await stage.start_run(job_id=job_id, trigger_id=trigger_id, generation=generation)
    assert not start.withdrawn


async def test_every_version_that_was_saved_unseen_is_judged(stage: Stage, watcher: Watcher) -> None:
    """Issue 8, 23 e: tables a, b, then a, then a, b kept the old count of b."""
    trigger_id = await stage.trigger([ORDERS, RATES])
    await watcher.ingestion.ingest([update(RATES, "1")])
    await stage.edit(trigger_id, [ORDERS])
    await stage.edit(trigger_id, [ORDERS, RATES])
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    assert [item[2] for item in await stage.dispositions(trigger_id)] == ["counted", "counted"]
    await watcher.ingestion.ingest([update(RATES, "2")])
    assert await stage.waiting(trigger_id) is not None


async def test_a_trigger_saved_before_an_update_is_known_without_a_hint(
    stage: Stage, watcher: Watcher
) -> None:
    await watcher.ingestion.ingest([update(ORDERS, "before")])
    trigger_id = await stage.trigger([ORDERS])
    await watcher.ingestion.ingest([update(ORDERS, "after")])
    assert await stage.dispositions(trigger_id) == [("demo/in.c-crm.orders", 2, "completed")]
    await stage.delete(trigger_id)
    await watcher.ingestion.ingest([update(ORDERS, "too late")])
    assert len(await stage.dispositions(trigger_id)) == 1


async def test_the_orchestrations_switch_pauses_its_triggers(stage: Stage, watcher: Watcher) -> None:
    trigger_id = await stage.trigger([ORDERS])
    await watcher.reconciliation.sync(trigger_id)
    await stage.pool.execute("UPDATE catalog.configurations SET enabled = false")
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    await stage.pool.execute("UPDATE catalog.configurations SET enabled = true")
    await watcher.scanning.scan()
    assert await stage.waiting(trigger_id) is None
    await watcher.ingestion.ingest([update(ORDERS, "2")])
    assert [item[2] for item in await stage.dispositions(trigger_id)] == ["trigger_disabled", "completed"]


async def test_the_scan_finds_changes_without_a_message(stage: Stage, watcher: Watcher) -> None:
    trigger_id = await stage.trigger([ORDERS, RATES])
    gone = await stage.trigger([RATES])
    await watcher.scanning.scan()
    assert await stage.pool.fetchval("SELECT count(*) FROM triggers.states WHERE version = 1") == 2
    await watcher.ingestion.ingest([update(ORDERS, "1")])
    await stage.start_run()
    await stage.delete(gone)
    await watcher.scanning.scan()
    used = await stage.pool.fetchval("SELECT used FROM triggers.counts WHERE table_project = 'demo'")
    assert used == 1
    rows = await stage.pool.fetch("SELECT trigger_id FROM triggers.states WHERE deleted_at IS NULL")
    assert [row["trigger_id"] for row in rows] == [trigger_id]


async def test_the_same_event_id_for_two_tables_at_once_is_two_updates(
    stage: Stage, watcher: Watcher
) -> None:
    await stage.trigger([ORDERS])
    other = table("in.c-crm.other")
    await asyncio.gather(
        *(watcher.ingestion.ingest([update(ref, "x"), update(ref, "y")]) for ref in (ORDERS, other) * 5)
    )
    assert await stage.pool.fetchval("SELECT count(*) FROM triggers.updates") == 4


async def test_old_rows_are_forgotten_in_batches_and_counts_stay(
    database: Database, stage: Stage, watcher: Watcher
) -> None:
    trigger_id = await stage.trigger([ORDERS, RATES])
    await watcher.ingestion.ingest([update(ORDERS, str(i)) for i in range(7)])
    await stage.pool.execute(
        "UPDATE triggers.updates SET heard_at = heard_at - interval '2 days' WHERE seq < 7"
    )
    await stage.pool.execute("UPDATE triggers.dispositions SET at = at - interval '2 days' WHERE seq < 7")
    async with asyncpg.create_pool(database.url_for("trigger_watcher"), min_size=1, max_size=1) as pool:
        forgetting = retention(partial(acquire, pool), days=1, table_days=1, batch=2)
        assert sum((await forgetting.once()).values()) == 12
    assert await stage.pool.fetchval("SELECT count(*) FROM triggers.updates") == 1
    await watcher.ingestion.ingest([update(RATES, "1")])
    assert await stage.waiting(trigger_id) is not None


async def test_syncing_what_does_not_exist_does_nothing(stage: Stage, watcher: Watcher) -> None:
    await watcher.reconciliation.sync(TriggerId(new_id()))
    assert await stage.pool.fetchval("SELECT count(*) FROM triggers.states") == 0
