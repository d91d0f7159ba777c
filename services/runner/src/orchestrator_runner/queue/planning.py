"""Which rows a step locks, decided before it begins."""

from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from orchestrator_runner.queue.runs import Runs
from orchestrator_runner.queue.todo import Todo
from orchestrator_shared.database.pool import acquire


@dataclass(slots=True)
class Plan:
    """What is locked before anything is read."""

    lanes: set[int] = field(default_factory=set)
    runs: set[UUID] = field(default_factory=set)
    going_on: set[UUID] = field(default_factory=set)
    """The runs whose next step these locks cover."""


async def plan(todo: Todo, runs: Runs, pool: asyncpg.Pool) -> Plan:
    """Made before the locks, so a guess: a run it misses goes on in the next step."""
    made = Plan(
        lanes={result.lane_id for result in todo.results},
        runs={result.run_id for result in todo.results if result.run_id is not None},
    )
    ends = [result.settles for result in todo.results if result.settles is not None]
    covered, unknown = runs.foresight.cover(ends)
    made.going_on |= covered.keys()
    made.lanes = made.lanes.union(*covered.values())
    if unknown or todo.settle or todo.runs:
        async with acquire(pool) as connection:
            if todo.settle:
                rows = await runs.children_to_settle(connection, todo.settle)
                unknown += [(row["parent_id"], row["phase"]) for row in rows]
                made.lanes |= {row["lane_id"] for row in rows if row["kind"] == "run"}
            going_on, lanes = await runs.plan_step(connection, todo.runs, unknown)
        made.lanes |= lanes
        made.going_on |= going_on
        made.runs |= going_on.union(run for run, _ in unknown)
    return made
