"""Decides which rows a step locks, before the step begins."""

from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from orchestrator_runner.queue.run_store import RunStore
from orchestrator_runner.queue.step_input import StepInput
from orchestrator_runner.runs.phase_cache import PhaseCache
from orchestrator_shared.database.pool import acquire


@dataclass(slots=True)
class LockSet:
    """The rows to lock before anything is read."""

    lanes: set[int] = field(default_factory=set)
    runs: set[UUID] = field(default_factory=set)
    going_on: set[UUID] = field(default_factory=set)
    """The runs whose next step these locks cover."""


async def plan_locks(step_input: StepInput, phase_cache: PhaseCache, pool: asyncpg.Pool) -> LockSet:
    """Guess the rows to lock, before any lock is held; a run that the guess misses waits one step."""
    made = LockSet(
        lanes={result.lane_id for result in step_input.results},
        runs={result.run_id for result in step_input.results if result.run_id is not None},
    )
    ends = [result.ends_task for result in step_input.results if result.ends_task is not None]
    covered, unknown = phase_cache.cover(ends)
    made.going_on |= covered.keys()
    made.lanes = made.lanes.union(*covered.values())
    if unknown or step_input.ended_children or step_input.runs:
        async with acquire(pool) as connection:
            runs = RunStore(connection)
            if step_input.ended_children:
                rows = await runs.unapplied_results(jobs=step_input.ended_children)
                unknown += [(row.parent_id, row.phase) for row in rows]
                made.lanes |= {row.lane_id for row in rows if row.kind == "run"}
            going_on, lanes = await runs.plan_step(runs=step_input.runs, ends=unknown)
        made.lanes |= lanes
        made.going_on |= going_on
        made.runs |= going_on.union(run for run, _ in unknown)
    return made
