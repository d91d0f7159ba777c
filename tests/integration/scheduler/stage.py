"""The scheduler's surroundings, written by SQL as superuser, and replicas of it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from tests.support.databases import Database

from orchestrator_scheduler.domain.evaluation import Limits
from orchestrator_scheduler.wiring import Scheduler, build
from orchestrator_shared.database.pool import acquire, open_pool
from orchestrator_shared.domain.ids import ScheduleId, new_id
from orchestrator_shared.messaging.outbox import Outbox
from orchestrator_shared.messaging.publisher import Publisher
from orchestrator_shared.settings import DatabaseSettings

LIMITS = Limits(grace=timedelta(seconds=60), fire_all=3)
AGO = timedelta(seconds=61)
"""A schedule of every minute that was saved this long ago has a fire that is due, and punctual."""


@asynccontextmanager
async def replica(database: Database) -> AsyncIterator[Scheduler]:
    """One replica's handlers with a pool of its own; what it says stays in the outbox."""
    settings = DatabaseSettings(database_url=database.url_for("scheduler"), database_pool_max=4)
    pool = await open_pool(settings, application_name="scheduler")
    try:
        nobody = cast(Publisher, None)
        outbox = Outbox(schema="scheduler", source="/scheduler", pool=pool, publisher=nobody)
        yield build(outbox, partial(acquire, pool), LIMITS)
    finally:
        await pool.close()


async def set_up(database: Database) -> None:
    await database.execute("INSERT INTO catalog.projects (id, name) VALUES ('demo', 'demo')")
    await database.execute(
        "INSERT INTO catalog.configurations (project, component, id, name, version)"
        " VALUES ('demo', 'orchestrator', 'campaigns', 'campaigns', 1)"
    )


async def add_schedule(
    database: Database,
    *,
    saved_ago: timedelta = AGO,
    every: int | None = 60,
    cron: str | None = None,
    **columns: Any,
) -> ScheduleId:
    schedule_id = ScheduleId(new_id())
    values: dict[str, Any] = {
        "id": schedule_id,
        "project": "demo",
        "orchestration": "campaigns",
        "name": f"s-{schedule_id}",
        "cron": cron,
        "every_seconds": None if cron else every,
        **columns,
    }
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await database.execute(
        f"INSERT INTO catalog.schedules ({', '.join(values)}, updated_at)"
        f" VALUES ({places}, clock_timestamp() - ${len(values) + 1}::interval)",
        *values.values(),
        saved_ago,
    )
    return schedule_id


async def fires(database: Database, schedule_id: ScheduleId) -> list[str]:
    rows = await database.fetch(
        "SELECT outcome FROM scheduler.fires WHERE schedule_id = $1 ORDER BY scheduled_for", schedule_id
    )
    return [row["outcome"] for row in rows]


async def next_at(database: Database, schedule_id: ScheduleId) -> datetime | None:
    at: datetime | None = await database.fetchval(
        "SELECT next_at FROM scheduler.next_fires WHERE schedule_id = $1", schedule_id
    )
    return at


async def said(database: Database, kind: str) -> list[dict[str, Any]]:
    """The data of the messages of this type that were committed to the outbox."""
    rows = await database.fetch(
        "SELECT convert_from(body, 'UTF8')::jsonb -> 'data' AS data FROM scheduler.outbox"
        " WHERE convert_from(body, 'UTF8')::jsonb ->> 'type' = $1 ORDER BY created_at",
        kind,
    )

    return [json.loads(row["data"]) for row in rows]
