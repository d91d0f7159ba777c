"""The triggers' states and counts, the runs they are decided by, and the record of what was decided."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.ids import TriggerId
from orchestrator_shared.domain.tables import TableRef
from orchestrator_trigger_watcher.adapters.rows import CountRow, EndRow, SavedRow, StartRow, StateRow, split
from orchestrator_trigger_watcher.domain.decisions import Ended, Fire, PastEvent, RunEnded, Saved
from orchestrator_trigger_watcher.domain.ledger import Disposed
from orchestrator_trigger_watcher.domain.states import Count, TriggerState

STARTS_READ = 20
"""Of an orchestration's runs at first; more only after a long absence."""


class TriggerStore(Store):
    """Lock first, read in the statements after it: a statement that locks reads what was before the lock."""

    queries = Queries.load(__package__, "trigger_store.sql")

    async def lock_of_tables(self, *, tables: Iterable[TableRef]) -> list[TriggerId]:
        """Lock the triggers that count one of these tables, in order."""
        return await self._column(TriggerId, "lock_triggers_of_tables", **split(tables))

    async def lock_of_orchestration(self, *, project: str, orchestration: str) -> list[TriggerId]:
        """Lock all triggers of an orchestration, in order."""
        return await self._column(
            TriggerId, "lock_triggers_of_orchestration", project=project, orchestration=orchestration
        )

    async def lock(self, *, trigger_id: TriggerId) -> list[TriggerId]:
        """Lock one trigger; empty if it does not exist."""
        return await self._column(TriggerId, "lock_trigger", trigger_id=trigger_id)

    async def load(self, *, trigger_ids: Sequence[TriggerId]) -> list[TriggerState]:
        """The states of locked triggers."""
        counts: dict[TriggerId, dict[TableRef, Count]] = {}
        for row in await self._many(CountRow, "load_counts", trigger_ids=trigger_ids):
            counts.setdefault(row.trigger_id, {})[row.table] = row.count
        states = await self._many(StateRow, "load_states", trigger_ids=trigger_ids)
        return [state.with_counts(counts.get(state.trigger_id, {})) for state in states]

    async def read_past(self, *, trigger_ids: Sequence[TriggerId]) -> dict[TriggerId, list[PastEvent]]:
        """What these triggers do not know yet, each one's in the order in which it happened. Read it in new
        statements after their locks, which give runs, saves and updates one order."""
        past: dict[TriggerId, list[PastEvent]] = {trigger_id: [] for trigger_id in trigger_ids}
        for saved in await self._many(SavedRow, "read_saved", trigger_ids=trigger_ids):
            past[saved.trigger_id].append(saved.event)
        for start in await self._read_starts(trigger_ids):
            past[start.trigger_id].append(start.event)
        for end in await self._many(EndRow, "read_ends", trigger_ids=trigger_ids):
            past[end.trigger_id].append(RunEnded(end.finished_at, end.id, end.was_withdrawn))
        for events in past.values():
            events.sort(key=lambda event: event.at)
        return past

    async def _read_starts(self, trigger_ids: Sequence[TriggerId]) -> list[StartRow]:
        """Looks further back while there may be an earlier run that a trigger does not know of."""
        among = STARTS_READ
        while True:
            rows = await self._many(StartRow, "read_starts", trigger_ids=trigger_ids, among=among)
            unknown = Counter(row.trigger_id for row in rows)
            if max(unknown.values(), default=0) < among:
                return rows
            among *= 10

    async def save(self, *, states: Sequence[TriggerState]) -> None:
        """Write states and counts, in two statements however many there are."""
        if not states:
            return
        await self._run(
            "save_states",
            trigger_ids=[state.id for state in states],
            projects=[state.project for state in states],
            orchestrations=[state.orchestration for state in states],
            names=[state.name for state in states],
            versions=[state.version for state in states],
            reset_counts=[state.reset_count for state in states],
            enabled=[state.enabled for state in states],
            cool_downs=[round(state.cool_down.total_seconds()) for state in states],
            modes=[state.mode.value for state in states],
            generations=[state.generation for state in states],
            pending_job_ids=[state.pending for state in states],
            last_started_at=[state.last_started_at for state in states],
            due_at=[state.due_at for state in states],
            deleted=[state.deleted for state in states],
        )
        counts = [(state.id, table, count) for state in states for table, count in state.counts.items()]
        await self._run(
            "save_counts",
            trigger_ids=[trigger_id for trigger_id, _, _ in counts],
            **split(table for _, table, _ in counts),
            counted=[count.counted for _, _, count in counts],
            counted_at=[count.counted_at for _, _, count in counts],
            used=[count.used for _, _, count in counts],
            chain_lengths=[count.chain_length for _, _, count in counts],
        )

    async def mark_judged(self, *, saved: Sequence[Saved], states: Sequence[TriggerState]) -> None:
        """These saved versions led to these states; the counts of tables no longer selected are dropped."""
        if not saved:
            return
        counts = [(state.id, table) for state in states for table in state.counts]
        await self._run("mark_judged", numbers=[version.number for version in saved])
        await self._run(
            "drop_other_counts",
            trigger_ids=[state.id for state in states],
            kept_trigger_ids=[trigger_id for trigger_id, _ in counts],
            **split(table for _, table in counts),
        )

    async def record_dispositions(self, *, disposed: Sequence[Disposed]) -> None:
        """What became of each update for each trigger."""
        if not disposed:
            return
        await self._run(
            "insert_dispositions",
            trigger_ids=[item.trigger_id for item in disposed],
            **split(item.update.table for item in disposed),
            numbers=[item.update.seq for item in disposed],
            dispositions=[item.disposition.value for item in disposed],
            times=[item.update.at for item in disposed],
            job_ids=[item.job_id for item in disposed],
        )

    async def record_fire(self, *, trigger_id: TriggerId, fire: Fire) -> None:
        """A trigger asked for a run, because of these tables."""
        await self._run(
            "insert_fire",
            trigger_id=trigger_id,
            generation=fire.generation,
            job_id=fire.job_id,
            at=fire.at,
            tables=[_completing(table, fire.counts[table]) for table in sorted(fire.counts)],
        )

    async def record_end(self, *, ended: Ended) -> float | None:
        """The run that a trigger asked for started, or ended before; returns the seconds to its start."""
        return await self._value(
            float, "end_fire", job_id=ended.job_id, ended=ended.how.value, started_at=ended.started_at
        )


def _completing(table: TableRef, count: Count) -> dict[str, Any]:
    heard_at = None if count.counted_at is None else count.counted_at.isoformat()
    return {"project": table.project, "table": str(table.name), "seq": count.counted, "heard_at": heard_at}
