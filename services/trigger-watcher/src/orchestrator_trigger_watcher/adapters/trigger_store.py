"""The triggers' states and counts, the runs they are decided by, and the record of what was decided."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import JobId, TriggerId
from orchestrator_shared.domain.statuses import CoolDownMode
from orchestrator_shared.domain.tables import TableRef
from orchestrator_trigger_watcher.adapters.catalog_store import split, table_ref
from orchestrator_trigger_watcher.domain.decisions import Ended, Fire, RunsRead
from orchestrator_trigger_watcher.domain.ledger import Disposed
from orchestrator_trigger_watcher.domain.states import Count, Definition, TriggerState


class TriggerStore:
    """Every method works in the caller's transaction. Lock first, read in the statements after it."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def lock_of_tables(
        self, connection: asyncpg.Connection, tables: Iterable[TableRef]
    ) -> list[TriggerId]:
        return await self._lock(connection, "lock_triggers_of_tables", *split(tables))

    async def lock_of_orchestration(
        self, connection: asyncpg.Connection, project: str, orchestration: str
    ) -> list[TriggerId]:
        return await self._lock(connection, "lock_triggers_of_orchestration", project, orchestration)

    async def lock(self, connection: asyncpg.Connection, trigger_id: TriggerId) -> list[TriggerId]:
        return await self._lock(connection, "lock_trigger", trigger_id)

    async def _lock(self, connection: asyncpg.Connection, name: str, *arguments: Any) -> list[TriggerId]:
        rows = await connection.fetch(self._queries[name], *arguments)
        return [TriggerId(row["trigger_id"]) for row in rows]

    async def load(
        self, connection: asyncpg.Connection, trigger_ids: Sequence[TriggerId]
    ) -> list[TriggerState]:
        """The states of locked triggers."""
        counts: dict[TriggerId, dict[TableRef, Count]] = {}
        for row in await connection.fetch(self._queries["load_counts"], trigger_ids):
            table = table_ref(row["table_project"], row["table_name"])
            count = Count(row["counted"], row["used"], row["counted_at"])
            counts.setdefault(TriggerId(row["trigger_id"]), {})[table] = count
        rows = await connection.fetch(self._queries["load_states"], trigger_ids)
        return [_state(row, counts.get(TriggerId(row["trigger_id"]), {})) for row in rows]

    async def read_runs(
        self, connection: asyncpg.Connection, trigger_ids: Sequence[TriggerId]
    ) -> dict[TriggerId, RunsRead]:
        """What became of runs; read in new statements, after the lock that orders run starts."""
        used: dict[TriggerId, dict[TableRef, int]] = {}
        for row in await connection.fetch(self._queries["read_used"], trigger_ids):
            table = table_ref(row["table_project"], row["table_name"])
            used.setdefault(TriggerId(row["trigger_id"]), {})[table] = row["seq"]
        rows = await connection.fetch(self._queries["read_runs"], trigger_ids)
        return {
            TriggerId(row["trigger_id"]): _runs(row, used.get(TriggerId(row["trigger_id"]), {}))
            for row in rows
        }

    async def insert(self, connection: asyncpg.Connection, definition: Definition) -> bool:
        """Make the state of a new trigger; False if it is there (somebody was faster)."""
        made = await connection.fetchval(
            self._queries["insert_state"],
            definition.id,
            definition.project,
            definition.orchestration,
            definition.name,
            definition.version,
            definition.reset_count,
            definition.enabled,
            round(definition.cool_down.total_seconds()),
            definition.mode.value,
        )
        return made is not None

    async def save(self, connection: asyncpg.Connection, states: Sequence[TriggerState]) -> None:
        """Write states and counts, in two statements however many there are."""
        if not states:
            return
        await connection.execute(
            self._queries["save_states"],
            [state.id for state in states],
            [state.project for state in states],
            [state.orchestration for state in states],
            [state.name for state in states],
            [state.version for state in states],
            [state.reset_count for state in states],
            [state.enabled for state in states],
            [round(state.cool_down.total_seconds()) for state in states],
            [state.mode.value for state in states],
            [state.generation for state in states],
            [state.pending for state in states],
            [state.last_started_at for state in states],
            [state.due_at for state in states],
            [state.deleted for state in states],
        )
        counts = [(state.id, table, count) for state in states for table, count in state.counts.items()]
        await connection.execute(
            self._queries["save_counts"],
            [trigger_id for trigger_id, _, _ in counts],
            *split(table for _, table, _ in counts),
            [count.counted for _, _, count in counts],
            [count.counted_at for _, _, count in counts],
            [count.used for _, _, count in counts],
        )

    async def record_edit(self, connection: asyncpg.Connection, state: TriggerState) -> None:
        """Write down an edit, and drop the counts of tables that are no longer selected."""
        await connection.execute(self._queries["drop_other_counts"], state.id, *split(state.counts))
        detail = {
            "name": state.name,
            "tables": sorted(str(table) for table in state.counts),
            "cool_down_seconds": round(state.cool_down.total_seconds()),
            "mode": state.mode.value,
            "deleted": state.deleted,
        }
        await connection.execute(
            self._queries["insert_edit"], state.id, state.version, state.reset_count, state.enabled, detail
        )

    async def record_dispositions(self, connection: asyncpg.Connection, disposed: Sequence[Disposed]) -> None:
        if not disposed:
            return
        projects, names = split(item.update.table for item in disposed)
        await connection.execute(
            self._queries["insert_dispositions"],
            [item.trigger_id for item in disposed],
            projects,
            names,
            [item.update.seq for item in disposed],
            [item.disposition.value for item in disposed],
            [item.update.at for item in disposed],
            [item.job_id for item in disposed],
        )

    async def record_fire(self, connection: asyncpg.Connection, trigger_id: TriggerId, fire: Fire) -> None:
        tables = [_completing(table, fire.counts[table]) for table in sorted(fire.counts)]
        await connection.execute(
            self._queries["insert_fire"], trigger_id, fire.generation, fire.job_id, fire.at, tables
        )

    async def record_end(self, connection: asyncpg.Connection, ended: Ended) -> None:
        await connection.execute(self._queries["end_fire"], ended.job_id, ended.how.value, ended.started_at)


def _completing(table: TableRef, count: Count) -> dict[str, Any]:
    heard_at = None if count.counted_at is None else count.counted_at.isoformat()
    return {"project": table.project, "table": str(table.name), "seq": count.counted, "heard_at": heard_at}


def _state(row: asyncpg.Record, counts: Mapping[TableRef, Count]) -> TriggerState:
    return TriggerState(
        id=TriggerId(row["trigger_id"]),
        project=row["project"],
        orchestration=row["orchestration"],
        name=row["name"],
        version=row["version"],
        reset_count=row["reset_count"],
        enabled=row["enabled"],
        cool_down=timedelta(seconds=row["cool_down_seconds"]),
        mode=CoolDownMode(row["mode"]),
        generation=row["generation"],
        pending=None if row["pending_job_id"] is None else JobId(row["pending_job_id"]),
        last_started_at=row["last_started_at"],
        due_at=row["due_at"],
        deleted=row["deleted"],
        counts=counts,
    )


def _runs(row: asyncpg.Record, used: Mapping[TableRef, int]) -> RunsRead:
    return RunsRead(
        used=used,
        own_started_at=row["own_started_at"],
        pending_started_at=row["pending_started_at"],
        pending_ended_unstarted=row["pending_ended_unstarted"],
        another_underway=row["another_underway"],
    )
