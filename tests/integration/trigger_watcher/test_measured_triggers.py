"""What one trigger-watcher reports of the data that triggers wait with."""

from datetime import timedelta

from prometheus_client import REGISTRY
from tests.integration.trigger_watcher.stage import HOUR, Stage, table, update
from tests.support.databases import Database

from orchestrator_shared.domain.ids import TriggerId
from orchestrator_trigger_watcher.adapters import measuring
from orchestrator_trigger_watcher.wiring import Watcher

A, B = table("in.c-main.a"), table("in.c-main.b")


def reported(name: str, trigger_id: TriggerId) -> float | None:
    labels = {"project": "demo", "orchestration": "campaigns", "trigger": str(trigger_id)}
    return REGISTRY.get_sample_value(f"orchestrator_trigger_{name}", labels)


def tables() -> tuple[float | None, float | None]:
    name = "orchestrator_trigger_tables"
    return (
        REGISTRY.get_sample_value(name, {"state": "updated"}),
        REGISTRY.get_sample_value(name, {"state": "awaited"}),
    )


def starts() -> float:
    return REGISTRY.get_sample_value("orchestrator_trigger_update_to_run_seconds_count") or 0.0


async def measure(database: Database) -> None:
    async with database.connection("trigger_watcher") as connection:
        await measuring.measure(connection)


async def test_data_ages_from_the_first_unused_update_until_a_run_uses_it(
    database: Database, stage: Stage, watcher: Watcher
) -> None:
    trigger = await stage.trigger([A, B])
    other = await stage.trigger([B], enabled=False)
    await measure(database)
    assert tables() == (0, 0)
    assert reported("data_age_seconds", trigger) is None, "nothing waits"

    await watcher.ingestion.ingest([update(A, "1")])
    await stage.let_pass("demo", HOUR)
    await watcher.ingestion.ingest([update(A, "2")])
    await measure(database)
    assert tables() == (1, 1), "a is there, b is awaited"
    age = reported("data_age_seconds", trigger)
    assert age is not None
    assert HOUR <= timedelta(seconds=age) < 2 * HOUR, "later updates of the same table make it no younger"
    assert reported("tables_awaited", trigger) == 1
    assert reported("data_age_seconds", other) is None

    await watcher.ingestion.ingest([update(B, "1")])
    await measure(database)
    assert reported("tables_awaited", trigger) == 0, "complete: its run is requested"
    age = reported("data_age_seconds", trigger)
    assert age is not None
    assert timedelta(seconds=age) >= HOUR, "no run has used it yet"

    waiting = await stage.waiting(trigger)
    assert waiting is not None
    before = starts()
    await stage.start_run(job_id=waiting[0], trigger_id=trigger, generation=waiting[1])
    await watcher.scanning.scan()
    assert starts() == before + 1
    await watcher.scanning.scan()
    assert starts() == before + 1, "a start is measured once"
    await measure(database)
    assert reported("data_age_seconds", trigger) is None
    assert tables() == (0, 0)


async def test_updates_that_a_cool_down_ignores_are_not_waiting_data(
    database: Database, stage: Stage, watcher: Watcher
) -> None:
    trigger = await stage.trigger([A, B], cool_down=HOUR)
    await watcher.ingestion.ingest([update(A, "1"), update(B, "1")])
    waiting = await stage.waiting(trigger)
    assert waiting is not None
    await stage.start_run(job_id=waiting[0], trigger_id=trigger, generation=waiting[1])
    await watcher.ingestion.ingest([update(A, "2")])
    await measure(database)
    assert reported("data_age_seconds", trigger) is None

    await stage.let_pass("demo", 3 * HOUR)
    await watcher.ingestion.ingest([update(A, "3")])
    await measure(database)
    age = reported("data_age_seconds", trigger)
    assert age is not None
    assert timedelta(seconds=age) < HOUR, "it ages from the update after the cool-down"


async def test_only_the_triggers_with_the_oldest_data_have_series(
    database: Database, stage: Stage, watcher: Watcher
) -> None:
    oldest = await stage.trigger([A, table("in.c-main.never")])
    await watcher.ingestion.ingest([update(A, "1")])
    await stage.let_pass("demo", HOUR)
    others = [await stage.trigger([B, table("in.c-main.never")]) for _ in range(measuring.SHOWN)]
    await watcher.ingestion.ingest([update(B, "1")])
    await measure(database)
    assert reported("data_age_seconds", oldest) is not None
    shown = [each for each in others if reported("data_age_seconds", each) is not None]
    assert len(shown) == measuring.SHOWN - 1
    assert tables() == (1 + measuring.SHOWN, 1 + measuring.SHOWN)
    measuring.forget()
    assert reported("data_age_seconds", oldest) is None
