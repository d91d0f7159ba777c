"""The scheduler's rows: next fires, the record of fires, and the catalog's schedules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.cron import Cron, parse_zone
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ScheduleId, fire_job_id
from orchestrator_shared.domain.statuses import OverlapPolicy

log = structlog.get_logger(__name__)

DISABLED_KEPT = 100
"""Fires of a disabled schedule, or of a schedule of a disabled or trashed orchestration, that are kept."""


@dataclass(frozen=True, slots=True)
class NextFire:
    """A row of `scheduler.next_fires`."""

    schedule_id: ScheduleId
    version: int
    enabled: bool
    anchor: datetime
    next_at: datetime | None
    next_key: str | None

    @property
    def known(self) -> Known:
        planned = None if self.next_at is None else Planned(self.next_at, self.next_key or "")
        return Known(self.version, self.enabled, self.anchor, planned)


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """A schedule as the catalog has it."""

    id: ScheduleId
    project: str
    orchestration: str
    name: str
    cron: str | None
    every_seconds: int | None
    timezone: str
    overlap: OverlapPolicy
    misfire: Misfire
    catch_up_seconds: int
    version: int
    updated_at: datetime
    enabled: bool

    @property
    def timing(self) -> Cron | int:
        """Raises UserError for a cron expression that is refused."""
        if self.cron is not None:
            return Cron.parse(self.cron)
        assert self.every_seconds is not None, "a CHECK of the table: one of both"
        return self.every_seconds


class ScheduleStore(Store):
    """Writes next fires and fires; schedules belong to the catalog and are only read."""

    queries = Queries.load(__package__, "store.sql")

    async def claim_due(self, *, most: int) -> dict[ScheduleId, Known]:
        """Lock schedules that have a due fire and that no one else holds."""
        rows = await self._many(NextFire, "claim_due", most=most)
        return {row.schedule_id: row.known for row in rows}

    async def lock(self, *, schedule_id: ScheduleId) -> Known | None:
        """Lock a schedule's row, making it if the catalog has the schedule; None if there is neither."""
        await self._run("insert_unknown", schedule_id=schedule_id)
        row = await self._one(NextFire, "lock_schedule", schedule_id=schedule_id)
        return None if row is None else row.known

    async def definitions(self, *, schedule_ids: Sequence[ScheduleId]) -> dict[ScheduleId, Definition | None]:
        """Schedules that are not deleted; None for one that cannot be read."""
        rows = await self._many(StoredSchedule, "read_definitions", schedule_ids=schedule_ids)
        return {row.id: _definition(row) for row in rows}

    async def now(self) -> datetime:
        """The database's clock."""
        at = await self._value(datetime, "read_clock")
        assert at is not None
        return at

    async def seconds_to_next(self) -> float | None:
        """Until the next fire of any schedule; negative when it is overdue."""
        return await self._value(float, "seconds_to_next")

    async def remove(self, *, schedule_id: ScheduleId) -> None:
        """The schedule was deleted: it has no next fire."""
        await self._run("remove_next", schedule_id=schedule_id)

    async def set_aside(self, *, schedule_id: ScheduleId) -> None:
        """The schedule cannot be read: it has no next fire until it is saved again."""
        await self._run("set_aside", schedule_id=schedule_id)

    async def save(self, *, definition: Definition, evaluation: Evaluation) -> set[str] | None:
        """Record the fires and what comes next; None if the schedule was saved again since it was read.

        Returns the keys that were recorded now: one that had been recorded before is decided already.
        """
        recorded = await self._record(definition, evaluation)
        version = {"schedule_id": definition.id, "version": definition.version, "enabled": definition.enabled}
        if not await self._value(bool, "is_current", **version):
            return None
        if any(item.outcome is Outcome.DISABLED for item in evaluation.decided):
            await self._run("forget_disabled", schedule_id=definition.id, kept=DISABLED_KEPT)
        known = evaluation.known
        await self._run(
            "save_next",
            schedule_id=definition.id,
            version=known.version,
            enabled=known.enabled,
            anchor=known.anchor,
            next_at=known.next.at if known.next else None,
            next_key=known.next.key if known.next else None,
        )
        return recorded

    async def _record(self, definition: Definition, evaluation: Evaluation) -> set[str]:
        decided = evaluation.decided
        if not decided:
            return set()
        recorded = await self._column(
            str,
            "record_fires",
            schedule_id=definition.id,
            version=definition.version,
            enabled=definition.enabled,
            keys=[item.fire.key for item in decided],
            times=[item.fire.at for item in decided],
            outcomes=[item.outcome.value for item in decided],
            job_ids=[
                fire_job_id(definition.id, item.fire.key) if item.outcome is Outcome.REQUESTED else None
                for item in decided
            ],
        )
        return set(recorded)

    async def stale(self) -> list[ScheduleId]:
        """Schedules that were saved, switched or deleted since the scheduler looked."""
        return await self._column(ScheduleId, "stale_schedules")


def _definition(row: StoredSchedule) -> Definition | None:
    try:
        return Definition(
            id=row.id,
            project=row.project,
            orchestration=row.orchestration,
            name=row.name,
            version=row.version,
            enabled=row.enabled,
            updated_at=row.updated_at,
            timing=row.timing,
            zone=parse_zone(row.timezone),
            overlap=row.overlap,
            misfire=row.misfire,
            catch_up=timedelta(seconds=row.catch_up_seconds),
        )
    except UserError as error:
        # Saving refuses it, so it comes from another version of the rules, or of the time zones.
        log.error("schedule.unreadable", schedule_id=str(row.id), project=row.project, reason=str(error))
        return None
