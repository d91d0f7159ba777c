"""Schedules in the database."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from orchestrator_api.schedules.backfill_plan import Counted
from orchestrator_api.schedules.rows import MissedSchedule, ScheduleSpec, StoredFire, StoredSchedule
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.database.store import Store


class ScheduleStore(Store):
    """Writes schedules; fires belong to the scheduler and are only read."""

    queries = Queries.load(__package__, "store.sql")

    async def schedules(self, *, project: str, orchestrations: Collection[str]) -> list[StoredSchedule]:
        """The schedules of these orchestrations."""
        return await self._many(
            StoredSchedule, "schedules", project=project, orchestrations=list(orchestrations), name=None
        )

    async def find(self, *, project: str, orchestration: str, name: str) -> StoredSchedule | None:
        """One schedule, by its name."""
        return await self._one(
            StoredSchedule, "schedules", project=project, orchestrations=[orchestration], name=name
        )

    async def find_by_id(self, *, project: str, schedule_id: UUID) -> StoredSchedule | None:
        """One schedule, by its id."""
        return await self._one(StoredSchedule, "schedule_by_id", project=project, schedule_id=schedule_id)

    async def counted(self, *, project: str, schedule_id: UUID) -> Counted | None:
        """The anchor from which the scheduler counts its interval."""
        return await self._one(Counted, "interval_counted", project=project, schedule_id=schedule_id)

    async def exists(self, *, project: str, schedule_id: UUID) -> bool:
        """Whether the project has, or had, a schedule with this id."""
        return await self._value(bool, "schedule_exists", project=project, schedule_id=schedule_id) is True

    async def insert(
        self, *, schedule_id: UUID, project: str, orchestration: str, name: str, spec: ScheduleSpec
    ) -> None:
        """Add a schedule."""
        await self._run(
            "insert_schedule",
            schedule_id=schedule_id,
            project=project,
            orchestration=orchestration,
            name=name,
            **columns_of(spec),
        )

    async def update(self, *, project: str, schedule_id: UUID, spec: ScheduleSpec) -> None:
        """Save a new version of a schedule."""
        await self._run("update_schedule", project=project, schedule_id=schedule_id, **columns_of(spec))

    async def delete(self, *, project: str, orchestration: str, name: str) -> UUID | None:
        """Delete a schedule; returns its id."""
        return await self._value(
            UUID, "delete_schedule", project=project, orchestration=orchestration, name=name
        )

    async def restore(self, *, project: str, orchestration: str, name: str) -> UUID | None:
        """Bring the last deleted one with this name back; returns its id, or None if there is none."""
        return await self._value(
            UUID, "restore_schedule", project=project, orchestration=orchestration, name=name
        )

    async def delete_all(self, *, project: str, orchestration: str) -> list[UUID]:
        """Delete the schedules of the orchestration; returns their ids."""
        return await self._column(UUID, "delete_schedules", project=project, orchestration=orchestration)

    async def touch(self, *, project: str, orchestration: str) -> list[UUID]:
        """Give each schedule of the orchestration a new version; returns their ids."""
        return await self._column(UUID, "touch_schedules", project=project, orchestration=orchestration)

    async def missed(self, *, project: str, overdue_seconds: float, limit: int) -> list[MissedSchedule]:
        """Schedules whose newest fires were missed, or that are overdue."""
        return await self._many(
            MissedSchedule, "missed_schedules", project=project, overdue_seconds=overdue_seconds, limit=limit
        )

    async def fires(
        self, *, project: str, schedule_id: UUID, before: datetime | None, before_key: str | None, limit: int
    ) -> list[StoredFire]:
        """What happened to each fire, newest first."""
        return await self._many(
            StoredFire,
            "fires",
            project=project,
            schedule_id=schedule_id,
            before=before,
            before_key=before_key,
            limit=limit,
        )
