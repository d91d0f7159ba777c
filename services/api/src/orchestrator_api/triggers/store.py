"""Triggers in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from orchestrator_api.triggers.rows import (
    AuditNote,
    FullRun,
    RunOfFire,
    SharedBucket,
    StoredDisposition,
    StoredTrigger,
    StoredTriggerFire,
    TableCount,
    TouchedTrigger,
    TriggerHistory,
    TriggerState,
    TriggerWish,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.statuses import Disposition
from orchestrator_shared.domain.tables import TableRef

Place = tuple[datetime | None, str | None, str | None, int | None]
"""In the list of dispositions: when, and of which project's table which update."""


class TriggerStore(Store):
    """Writes triggers and their tables; what happened to them is recorded by others and only read."""

    queries = Queries.load(__package__, "store.sql")

    async def of(self, *, project: str, orchestrations: Collection[str]) -> list[StoredTrigger]:
        """The triggers of these orchestrations."""
        return await self._many(
            StoredTrigger, "triggers", project=project, orchestrations=list(orchestrations), name=None
        )

    async def find(self, *, project: str, orchestration: str, name: str) -> StoredTrigger | None:
        """One by its name."""
        return await self._one(
            StoredTrigger, "triggers", project=project, orchestrations=[orchestration], name=name
        )

    async def find_by_id(self, *, project: str, trigger_id: UUID) -> StoredTrigger | None:
        """One by its id."""
        return await self._one(StoredTrigger, "trigger_by_id", project=project, trigger_id=trigger_id)

    async def insert(
        self,
        *,
        trigger_id: UUID,
        project: str,
        orchestration: str,
        name: str,
        wish: TriggerWish,
        tables: Sequence[TableRef],
    ) -> None:
        """Add one."""
        await self._run(
            "insert_trigger",
            trigger_id=trigger_id,
            project=project,
            orchestration=orchestration,
            name=name,
            **wish.rules,
        )
        await self._insert_tables(trigger_id, tables)

    async def update(self, *, trigger_id: UUID, wish: TriggerWish, tables: Sequence[TableRef]) -> None:
        """Make it another version."""
        await self._run("update_trigger", trigger_id=trigger_id, **wish.rules)
        await self._run("delete_trigger_tables", trigger_id=trigger_id)
        await self._insert_tables(trigger_id, tables)

    async def _insert_tables(self, trigger_id: UUID, tables: Sequence[TableRef]) -> None:
        await self._run(
            "insert_trigger_tables",
            trigger_id=trigger_id,
            projects=[table.project for table in tables],
            names=[str(table.name) for table in tables],
        )

    async def delete(self, *, project: str, orchestration: str, name: str) -> UUID | None:
        """Delete it; returns its id."""
        return await self._value(
            UUID, "delete_trigger", project=project, orchestration=orchestration, name=name
        )

    async def touch(self, *, project: str, orchestration: str) -> list[UUID]:
        """Make another version of each trigger of the orchestration; returns their ids."""
        return await self._column(UUID, "touch_triggers", project=project, orchestration=orchestration)

    async def reset(self, *, project: str, trigger_id: UUID) -> None:
        """Have the watcher drop what it has counted."""
        await self._run("reset_trigger", project=project, trigger_id=trigger_id)

    async def take_tables(self, *, owner: str, bucket: str, project: str) -> list[TouchedTrigger]:
        """Disable the project's triggers on the owner's bucket, and let them hear nothing more of it."""
        return await self._many(
            TouchedTrigger, "take_tables_of_bucket", owner=owner, bucket=bucket, project=project
        )

    async def give_tables(self, *, owner: str, bucket: str, project: str) -> list[TouchedTrigger]:
        """Let the project's triggers that had selected the bucket's tables count their updates again."""
        return await self._many(
            TouchedTrigger, "give_tables_of_bucket", owner=owner, bucket=bucket, project=project
        )

    async def lock_shared_buckets(self, *, project: str) -> list[SharedBucket]:
        """The buckets shared with the project; none of them stops being shared before the commit."""
        return await self._many(SharedBucket, "buckets_shared_with", project=project)

    async def dispositions(
        self, *, project: str, trigger_id: UUID, before: Place, limit: int
    ) -> list[StoredDisposition]:
        """What became of each table update for the trigger, newest first."""
        at, table_project, table, seq = before
        return await self._many(
            StoredDisposition,
            "dispositions",
            project=project,
            trigger_id=trigger_id,
            before=at,
            before_project=table_project,
            before_table=table,
            before_seq=seq,
            limit=limit,
        )

    async def state(self, *, trigger_id: UUID) -> TriggerState | None:
        """What waits and when it started last; None until the watcher has seen it."""
        return await self._one(TriggerState, "trigger_state", trigger_id=trigger_id)

    async def counts(self, *, trigger_id: UUID) -> list[TableCount]:
        """What was counted of each of its tables."""
        return await self._many(TableCount, "trigger_counts", trigger_id=trigger_id)

    async def last_fire(self, *, trigger_id: UUID) -> StoredTriggerFire | None:
        """The newest run that it asked for."""
        return await self._one(StoredTriggerFire, "last_fire", trigger_id=trigger_id)

    async def last_full_run(self, *, project: str, orchestration: str) -> FullRun | None:
        """The last full run of the orchestration that started."""
        return await self._one(FullRun, "last_full_run", project=project, orchestration=orchestration)

    async def run_of_fire(self, *, job_id: UUID) -> RunOfFire | None:
        """The run that a trigger asked for; None until it is accepted, or if it is forgotten."""
        return await self._one(RunOfFire, "run_of_fire", job_id=job_id)

    async def history(self, *, trigger_id: UUID) -> TriggerHistory | None:
        """What happened to the trigger itself."""
        return await self._one(TriggerHistory, "trigger_history", trigger_id=trigger_id)

    async def dropped(self, *, trigger_id: UUID, since: datetime, disposition: Disposition) -> int:
        """How many updates had this disposition since then."""
        count = await self._value(
            int, "dropped_since", trigger_id=trigger_id, since=since, disposition=disposition.value
        )
        return count or 0

    async def last_audit(self, *, project: str, subject: str, at: datetime) -> AuditNote | None:
        """The last thing that was done to the subject until then."""
        return await self._one(AuditNote, "last_audit_of", project=project, subject=subject, at=at)
