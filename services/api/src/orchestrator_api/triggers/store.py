"""Triggers in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from orchestrator_api.triggers.rows import (
    AuditNote,
    FullRun,
    QuietTable,
    RecentUpdates,
    RunOfFire,
    SharedBucket,
    StoredDisposition,
    StoredTrigger,
    StoredTriggerFire,
    TableCount,
    TouchedTrigger,
    TriggerHistory,
    TriggerSpec,
    TriggerState,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.statuses import Disposition
from orchestrator_shared.domain.tables import TableRef

Place = tuple[datetime | None, str | None, str | None, int | None]
"""A position in the list of dispositions: the time, and which update of which table."""


class TriggerStore(Store):
    """Writes triggers and their tables; their history is recorded by other services and only read here."""

    queries = Queries.load(__package__, "store.sql")

    async def triggers(self, *, project: str, orchestrations: Collection[str]) -> list[StoredTrigger]:
        """The triggers of these orchestrations."""
        return await self._many(
            StoredTrigger, "triggers", project=project, orchestrations=list(orchestrations), name=None
        )

    async def find(self, *, project: str, orchestration: str, name: str) -> StoredTrigger | None:
        """One trigger, by its name."""
        return await self._one(
            StoredTrigger, "triggers", project=project, orchestrations=[orchestration], name=name
        )

    async def find_by_id(self, *, project: str, trigger_id: UUID) -> StoredTrigger | None:
        """One trigger, by its id."""
        return await self._one(StoredTrigger, "trigger_by_id", project=project, trigger_id=trigger_id)

    async def insert(
        self,
        *,
        trigger_id: UUID,
        project: str,
        orchestration: str,
        name: str,
        spec: TriggerSpec,
        tables: Sequence[TableRef],
    ) -> None:
        """Add a trigger."""
        await self._run(
            "insert_trigger",
            trigger_id=trigger_id,
            project=project,
            orchestration=orchestration,
            name=name,
            **spec.rules,
        )
        await self._insert_tables(trigger_id, tables)

    async def update(
        self, *, project: str, trigger_id: UUID, spec: TriggerSpec, tables: Sequence[TableRef]
    ) -> None:
        """Save a new version of a trigger."""
        await self._run("update_trigger", project=project, trigger_id=trigger_id, **spec.rules)
        await self._run("delete_trigger_tables", project=project, trigger_id=trigger_id)
        await self._insert_tables(trigger_id, tables)

    async def switch(self, *, project: str, trigger_id: UUID, enabled: bool) -> None:
        """Save a new version that differs only in whether it is enabled."""
        await self._run("switch_trigger", project=project, trigger_id=trigger_id, enabled=enabled)

    async def _insert_tables(self, trigger_id: UUID, tables: Sequence[TableRef]) -> None:
        await self._run(
            "insert_trigger_tables",
            trigger_id=trigger_id,
            projects=[table.project for table in tables],
            names=[str(table.name) for table in tables],
        )

    async def delete(self, *, project: str, orchestration: str, name: str) -> UUID | None:
        """Delete a trigger; returns its id."""
        return await self._value(
            UUID, "delete_trigger", project=project, orchestration=orchestration, name=name
        )

    async def delete_all(self, *, project: str, orchestration: str) -> list[UUID]:
        """Delete the triggers of the orchestration; returns their ids."""
        return await self._column(UUID, "delete_triggers", project=project, orchestration=orchestration)

    async def touch(self, *, project: str, orchestration: str) -> list[UUID]:
        """Give each trigger of the orchestration a new version; returns their ids."""
        return await self._column(UUID, "touch_triggers", project=project, orchestration=orchestration)

    async def reset(self, *, project: str, trigger_id: UUID) -> None:
        """Make the watcher discard what it has counted."""
        await self._run("reset_trigger", project=project, trigger_id=trigger_id)

    async def revoke_tables(self, *, owner: str, bucket: str, project: str) -> list[TouchedTrigger]:
        """Disable the project's triggers on the owner's bucket; they no longer count its updates."""
        return await self._many(
            TouchedTrigger, "revoke_tables_of_bucket", owner=owner, bucket=bucket, project=project
        )

    async def restore_tables(self, *, owner: str, bucket: str, project: str) -> list[TouchedTrigger]:
        """Make the project's triggers on the bucket count its updates again."""
        return await self._many(
            TouchedTrigger, "restore_tables_of_bucket", owner=owner, bucket=bucket, project=project
        )

    async def lock_shared_buckets(self, *, project: str) -> list[SharedBucket]:
        """Lock the buckets shared with the project, so that sharing cannot end before the commit."""
        return await self._many(SharedBucket, "buckets_shared_with", project=project)

    async def dispositions(
        self, *, project: str, trigger_id: UUID, before: Place, limit: int
    ) -> list[StoredDisposition]:
        """What happened to each table update for the trigger, newest first."""
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

    async def state(self, *, project: str, trigger_id: UUID) -> TriggerState | None:
        """Its pending run, and when it last started one; None until the watcher has read the trigger."""
        return await self._one(TriggerState, "trigger_state", project=project, trigger_id=trigger_id)

    async def counts(self, *, project: str, trigger_id: UUID) -> list[TableCount]:
        """What was counted for each of its tables."""
        return await self._many(TableCount, "trigger_counts", project=project, trigger_id=trigger_id)

    async def recent_updates(
        self, *, project: str, tables: Sequence[tuple[str, str]], most: int
    ) -> list[RecentUpdates]:
        """The newest updates of these tables; pairs of project and name."""
        return await self._many(
            RecentUpdates,
            "recent_updates",
            project=project,
            projects=[owner for owner, _ in tables],
            names=[name for _, name in tables],
            most=most,
        )

    async def quiet_tables(self, *, project: str, limit: int) -> list[QuietTable]:
        """Tables that enabled triggers wait for, and that may be late."""
        return await self._many(QuietTable, "quiet_tables", project=project, limit=limit)

    async def last_fire(self, *, project: str, trigger_id: UUID) -> StoredTriggerFire | None:
        """The newest run that it requested."""
        return await self._one(StoredTriggerFire, "last_fire", project=project, trigger_id=trigger_id)

    async def last_full_run(self, *, project: str, orchestration: str) -> FullRun | None:
        """The last full run of the orchestration that started."""
        return await self._one(FullRun, "last_full_run", project=project, orchestration=orchestration)

    async def run_of_fire(self, *, project: str, job_id: UUID) -> RunOfFire | None:
        """The run that a trigger requested; None until it is accepted, or if it was deleted."""
        return await self._one(RunOfFire, "run_of_fire", project=project, job_id=job_id)

    async def history(self, *, project: str, trigger_id: UUID) -> TriggerHistory | None:
        """When the trigger was created, reset and switched off."""
        return await self._one(TriggerHistory, "trigger_history", project=project, trigger_id=trigger_id)

    async def dropped(
        self, *, project: str, trigger_id: UUID, since: datetime, disposition: Disposition
    ) -> int:
        """How many updates got this disposition since then."""
        count = await self._value(
            int,
            "dropped_since",
            project=project,
            trigger_id=trigger_id,
            since=since,
            disposition=disposition.value,
        )
        return count or 0

    async def last_audit(self, *, project: str, subject: str, at: datetime) -> AuditNote | None:
        """The last change to the subject up to that time."""
        return await self._one(AuditNote, "last_audit_of", project=project, subject=subject, at=at)
