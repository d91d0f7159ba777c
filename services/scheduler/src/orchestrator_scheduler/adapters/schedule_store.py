"""Next fires and the record of fires; every method works in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import structlog

from orchestrator_scheduler.domain.evaluation import (
    Definition,
    Evaluation,
    Known,
    Misfire,
    Outcome,
    Planned,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.cron import Cron, parse_zone
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ScheduleId, fire_job_id
from orchestrator_shared.domain.statuses import OverlapPolicy

log = structlog.get_logger(__name__)

DISABLED_KEPT = 100
"""Fires of a disabled schedule, or of a schedule of a disabled or trashed orchestration, that are kept."""


class ScheduleStore:
    """`scheduler.next_fires` and `scheduler.fires`, and the catalog's schedules."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def claim_due(self, connection: asyncpg.Connection, most: int) -> dict[ScheduleId, Known]:
        """Lock schedules with a fire that is due and that nobody else is about."""
        rows = await connection.fetch(self._queries["claim_due"], most)
        return {ScheduleId(row["schedule_id"]): _known(row) for row in rows}

    async def lock(self, connection: asyncpg.Connection, schedule_id: ScheduleId) -> Known | None:
        """Lock a schedule's row, making it if the catalog has the schedule; None if there is neither."""
        await connection.execute(self._queries["insert_unknown"], schedule_id)
        row = await connection.fetchrow(self._queries["lock_schedule"], schedule_id)
        return None if row is None else _known(row)

    async def definitions(
        self, connection: asyncpg.Connection, schedule_ids: Sequence[ScheduleId]
    ) -> dict[ScheduleId, Definition | None]:
        """Schedules that are not deleted; None for one that cannot be read."""
        rows = await connection.fetch(self._queries["read_definitions"], schedule_ids)
        return {ScheduleId(row["id"]): _definition(row) for row in rows}

    async def now(self, connection: asyncpg.Connection) -> datetime:
        at: datetime = await connection.fetchval(self._queries["read_clock"])
        return at

    async def seconds_to_next(self, connection: asyncpg.Connection) -> float | None:
        seconds: float | None = await connection.fetchval(self._queries["seconds_to_next"])
        return seconds

    async def remove(self, connection: asyncpg.Connection, schedule_id: ScheduleId) -> None:
        await connection.execute(self._queries["remove_next"], schedule_id)

    async def set_aside(self, connection: asyncpg.Connection, schedule_id: ScheduleId) -> None:
        await connection.execute(self._queries["set_aside"], schedule_id)

    async def save(
        self, connection: asyncpg.Connection, definition: Definition, evaluation: Evaluation
    ) -> set[str] | None:
        """Record the fires and what comes next; None if the schedule was saved anew since it was read.

        Returns the keys that were recorded now: one that had been recorded before is decided already.
        """
        recorded = await self._record(connection, definition, evaluation)
        current = await connection.fetchval(
            self._queries["is_current"], definition.id, definition.version, definition.enabled
        )
        if not current:
            return None
        if any(item.outcome is Outcome.DISABLED for item in evaluation.decided):
            await connection.execute(self._queries["forget_disabled"], definition.id, DISABLED_KEPT)
        known = evaluation.known
        await connection.execute(
            self._queries["save_next"],
            definition.id,
            known.version,
            known.enabled,
            known.anchor,
            known.next.at if known.next else None,
            known.next.key if known.next else None,
        )
        return recorded

    async def _record(
        self, connection: asyncpg.Connection, definition: Definition, evaluation: Evaluation
    ) -> set[str]:
        decided = evaluation.decided
        if not decided:
            return set()
        rows = await connection.fetch(
            self._queries["record_fires"],
            definition.id,
            definition.version,
            definition.enabled,
            [item.fire.key for item in decided],
            [item.fire.at for item in decided],
            [item.outcome.value for item in decided],
            [
                fire_job_id(definition.id, item.fire.key) if item.outcome is Outcome.REQUESTED else None
                for item in decided
            ],
        )
        return {row["fire_key"] for row in rows}

    async def stale(self, connection: asyncpg.Connection) -> list[ScheduleId]:
        """Schedules that were saved, switched or deleted since the scheduler looked."""
        rows = await connection.fetch(self._queries["stale_schedules"])
        return [ScheduleId(row["schedule_id"]) for row in rows]


def _known(row: asyncpg.Record) -> Known:
    planned = None if row["next_at"] is None else Planned(row["next_at"], row["next_key"])
    return Known(row["version"], row["enabled"], row["anchor"], planned)


def _definition(row: asyncpg.Record) -> Definition | None:
    try:
        return Definition(
            id=ScheduleId(row["id"]),
            project=row["project"],
            orchestration=row["orchestration"],
            name=row["name"],
            version=row["version"],
            enabled=row["enabled"],
            updated_at=row["updated_at"],
            timing=Cron.parse(row["cron"]) if row["cron"] is not None else row["every_seconds"],
            zone=parse_zone(row["timezone"]),
            overlap=OverlapPolicy(row["overlap"]),
            misfire=Misfire(row["misfire"]),
            catch_up=timedelta(seconds=row["catch_up_seconds"]),
        )
    except UserError as error:
        # Saving refuses it, so it comes from another version of the rules, or of the time zones.
        log.error(
            "schedule.unreadable", schedule_id=str(row["id"]), project=row["project"], reason=str(error)
        )
        return None
