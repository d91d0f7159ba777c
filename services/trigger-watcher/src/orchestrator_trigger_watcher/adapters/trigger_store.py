"""The triggers' states and counts, the runs they are decided by, and the record of what was decided."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import JobId, TriggerId
from orchestrator_shared.domain.statuses import CoolDownMode
from orchestrator_shared.domain.tables import TableRef
from orchestrator_trigger_watcher.adapters.catalog_store import split, table_ref
from orchestrator_trigger_watcher.domain.decisions import Ended, Fire, PastEvent, RunEnded, RunStarted, Saved
from orchestrator_trigger_watcher.domain.ledger import Disposed
from orchestrator_trigger_watcher.domain.states import Count, Definition, TriggerState

STARTS_READ = 20
"""Of an orchestration's runs at first; more only after a long absence."""


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
            count = Count(row["counted"], row["used"], row["counted_at"], row["chain_length"])
            counts.setdefault(TriggerId(row["trigger_id"]), {})[table] = count
        rows = await connection.fetch(self._queries["load_states"], trigger_ids)
        return [_state(row, counts.get(TriggerId(row["trigger_id"]), {})) for row in rows]

    async def read_past(
        self, connection: asyncpg.Connection, trigger_ids: Sequence[TriggerId]
    ) -> dict[TriggerId, list[PastEvent]]:
        """What these triggers do not know yet, each one's in the order in which it happened. Read it in new
        statements after their locks, which give runs, saves and updates one order."""
        past: dict[TriggerId, list[PastEvent]] = {trigger_id: [] for trigger_id in trigger_ids}
        for row in await connection.fetch(self._queries["read_saved"], trigger_ids):
            past[TriggerId(row["trigger_id"])].append(_saved(row))
        for row in await self._read_starts(connection, trigger_ids):
            past[TriggerId(row["trigger_id"])].append(_started(row))
        for row in await connection.fetch(self._queries["read_ends"], trigger_ids):
            ended = RunEnded(row["finished_at"], JobId(row["id"]), row["was_withdrawn"])
            past[TriggerId(row["trigger_id"])].append(ended)
        for events in past.values():
            events.sort(key=lambda event: event.at)
        return past

    async def _read_starts(
        self, connection: asyncpg.Connection, trigger_ids: Sequence[TriggerId]
    ) -> list[asyncpg.Record]:
        """Looks further back while there may be an earlier run that a trigger does not know of."""
        among = STARTS_READ
        while True:
            rows = await connection.fetch(self._queries["read_starts"], trigger_ids, among)
            unknown = Counter(row["trigger_id"] for row in rows)
            if max(unknown.values(), default=0) < among:
                return rows
            among *= 10

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
            [count.chain_length for _, _, count in counts],
        )

    async def mark_judged(
        self, connection: asyncpg.Connection, saved: Sequence[Saved], states: Sequence[TriggerState]
    ) -> None:
        """These saved versions led to these states; the counts of tables no longer selected are dropped."""
        if not saved:
            return
        counts = [(state.id, table) for state in states for table in state.counts]
        await connection.execute(self._queries["mark_judged"], [version.number for version in saved])
        await connection.execute(
            self._queries["drop_other_counts"],
            [state.id for state in states],
            [trigger_id for trigger_id, _ in counts],
            *split(table for _, table in counts),
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


def _settings(row: asyncpg.Record) -> dict[str, Any]:
    """What a state and a saved version have in common."""
    return {
        "id": TriggerId(row["trigger_id"]),
        "project": row["project"],
        "orchestration": row["orchestration"],
        "name": row["name"],
        "version": row["version"],
        "reset_count": row["reset_count"],
        "enabled": row["enabled"],
        "cool_down": timedelta(seconds=row["cool_down_seconds"]),
        "mode": CoolDownMode(row["mode"]),
        "deleted": row["deleted"],
    }


def _state(row: asyncpg.Record, counts: Mapping[TableRef, Count]) -> TriggerState:
    return TriggerState(
        **_settings(row),
        generation=row["generation"],
        pending=None if row["pending_job_id"] is None else JobId(row["pending_job_id"]),
        last_started_at=row["last_started_at"],
        due_at=row["due_at"],
        counts=counts,
    )


def _started(row: asyncpg.Record) -> RunStarted:
    used = {TableRef.parse(table, own_project=""): seq for table, seq in (row["used_updates"] or {}).items()}
    return RunStarted(row["started_at"], JobId(row["id"]), used, row["is_own"])


def _saved(row: asyncpg.Record) -> Saved:
    heard = {table_ref(table["project"], table["name"]): table["last_seq"] for table in row["tables"]}
    definition = Definition(
        **_settings(row),
        tables=frozenset(heard),
    )
    return Saved(row["at"], row["number"], definition, heard)
