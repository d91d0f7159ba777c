"""One step of the engine, a transaction: what ended is written, runs go on, ready jobs are claimed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from orchestrator_runner import metrics
from orchestrator_runner.adapters.changes import say_changed, say_run
from orchestrator_runner.adapters.lanes import Lanes
from orchestrator_runner.adapters.ownership import Ownership
from orchestrator_runner.adapters.runs import ChildTask, Runs, next_child, task_state
from orchestrator_runner.domain.cycles import UnfinishedRun, describe, victim
from orchestrator_runner.domain.jobs import ClaimedJob, Result
from orchestrator_runner.domain.lifecycle import EndRun, StartPhase, next_step
from orchestrator_shared.contracts.events import RunFinished, RunnersWake, TableUpdated
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.domain.statuses import JobStatus, TaskStatus
from orchestrator_shared.messaging.outbox import Outbox, Work


@dataclass(frozen=True, slots=True)
class Todo:
    """What a step is to do."""

    results: Sequence[Result] = ()
    """Attempts of this replica, or of a lost one, that are over."""
    settle: frozenset[UUID] = frozenset()
    """Children that ended elsewhere and whose runs may not know yet."""
    runs: frozenset[UUID] = frozenset()
    """Runs that may have nothing left to wait for."""
    slots: int = 0
    """How many jobs may be claimed."""
    limited: tuple[str, ...] = ()
    """Projects with a parallel limit whose jobs may be claimed too."""


@dataclass(slots=True)
class Done:
    """What a step did, and what it leaves to the next one."""

    claimed: list[ClaimedJob] = field(default_factory=list)
    settle: set[UUID] = field(default_factory=set)
    runs: set[UUID] = field(default_factory=set)
    runs_are_ready: bool = False


@dataclass(frozen=True, slots=True)
class _Child:
    run: UUID
    phase: int
    task: str
    job: UUID
    status: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """The runs whose next step is covered by locks, and the locked lanes."""

    runs: set[UUID]
    lanes: set[int]


class Stepper:
    """Locks in one order: lanes, runs from the deepest up, then only rows that nobody waits for."""

    def __init__(
        self, pool: asyncpg.Pool, outbox: Outbox, lanes: Lanes, runs: Runs, ownership: Ownership
    ) -> None:
        self._pool = pool
        self._outbox = outbox
        self._lanes = lanes
        self._runs = runs
        self._ownership = ownership

    async def step(self, todo: Todo) -> Done:
        """Do it; after an exception it may be repeated: nothing was done, or the epochs fence what was."""
        done = Done()
        lanes, planned = await self._plan(todo)
        async with self._outbox.work() as work:
            if lanes:
                await self._lanes.lock(work.connection, lanes)
            children = await self._finish(work, todo, done)
            await self._settle(work, todo, children, _Plan(planned, lanes), done)
            if lanes:
                self._note_ready(work, await self._lanes.promote(work.connection, lanes), done)
            if todo.slots:
                await self._claim(work, todo, done)
        return done

    async def _plan(self, todo: Todo) -> tuple[set[int], set[UUID]]:
        """The lanes to lock, and the runs whose next step these locks cover.

        Read before the locks, so a guess: a run it misses goes on in the next step.
        """
        lanes = {result.lane_id for result in todo.results}
        ends = [(r.run_id, r.phase) for r in todo.results if r.settles_task]
        if not (ends or todo.runs or todo.settle):
            return lanes, set()
        async with acquire(self._pool) as connection:
            if todo.settle:
                rows = await self._runs.children_to_settle(connection, todo.settle)
                ends += [(row["run_id"], row["phase"]) for row in rows]
            pairs = [(run, phase) for run, phase in ends if run is not None and phase is not None]
            planned, more = await self._runs.plan_step(connection, todo.runs, pairs)
        return lanes | more, planned

    async def _finish(self, work: Work, todo: Todo, done: Done) -> list[_Child]:
        """Write the results whose epoch holds; returns the children whose runs are to be told."""
        if not todo.results:
            return []
        rows = await self._ownership.finish(work.connection, todo.results)
        metrics.FENCED.inc(len(todo.results) - len(rows))
        say_changed(work, rows)
        for row in rows:
            metrics.FINISHED.labels(row["status"]).inc()
            for output in row["output_tables"]:
                work.say(
                    TableUpdated(
                        project=row["project"],
                        table=output["table"],
                        rows=output.get("rows"),
                        job_id=row["id"],
                    )
                )
        return [
            _Child(row["parent_id"], row["phase"], row["task_id"], row["id"], row["status"])
            for row in rows
            if row["parent_id"] is not None and row["finished_at"] is not None
        ]

    async def _settle(self, work: Work, todo: Todo, children: list[_Child], plan: _Plan, done: Done) -> None:
        """Tell runs how their children ended, and go on with those that wait for nothing."""
        connection = work.connection
        if todo.settle:
            rows = await self._runs.children_to_settle(connection, todo.settle)
            children += [
                _Child(row["run_id"], row["phase"], row["task_id"], row["job_id"], row["status"])
                for row in rows
            ]
        affected = {child.run for child in children} | plan.runs
        if not affected:
            return
        locked = await self._runs.lock(connection, affected)
        if children:
            told = [(c.run, c.task, c.job, c.status) for c in children]
            finished = await self._runs.settle(connection, told)
            done.runs |= finished - plan.runs
        await self._go_on(work, [locked[run] for run in plan.runs if run in locked], plan.lanes, done)

    async def _go_on(self, work: Work, runs: Sequence[asyncpg.Record], lanes: set[int], done: Done) -> None:
        """Take the next step of every locked run none of whose tasks is underway."""
        underway = [row for row in runs if row["status"] in (JobStatus.PROCESSING, JobStatus.TERMINATING)]
        if not underway:
            return
        states = await self._runs.states(work.connection, [row["id"] for row in underway])
        children: list[ChildTask] = []
        ends: dict[UUID, EndRun] = {}
        for run in underway:
            rows = states.get(run["id"], [])
            tasks = [task_state(row) for row in rows]
            if any(task.status is TaskStatus.STARTED for task in tasks):
                continue
            step = next_step(tasks, stopping=run["status"] == JobStatus.TERMINATING)
            if isinstance(step, StartPhase):
                next_children = [next_child(row) for row in rows if row["request"] is not None]
                if {child.lane_id for child in next_children} <= lanes:
                    children += next_children
                else:  # others took it further between our look and our locks: plan anew
                    done.runs.add(run["id"])
            else:
                ends[run["id"]] = step
        if children:
            self._note_ready(work, await self._runs.create_children(work.connection, children), done)
        if ends:
            self._say_ended(work, await self._runs.end(work.connection, ends), done)

    def _say_ended(self, work: Work, rows: Sequence[asyncpg.Record], done: Done) -> None:
        say_changed(work, rows)
        for row in rows:
            say_run(work, RunFinished, row)
            metrics.RUNS_FINISHED.labels(row["status"]).inc()
            if row["parent_id"] is not None:
                done.settle.add(row["id"])

    def _note_ready(self, work: Work, promoted: Iterable[asyncpg.Record], done: Done) -> None:
        rows = list(promoted)
        say_changed(work, rows)
        done.runs_are_ready |= any(row["kind"] == "run" and row["status"] == "ready" for row in rows)

    async def _claim(self, work: Work, todo: Todo, done: Done) -> None:
        """Last of all: claimed rows are locked without their lanes, so nothing may be waited for after it."""
        slots = todo.slots
        claimed = []
        if todo.limited:
            claimed = await self._ownership.claim_limited(work.connection, slots, todo.limited)
        if len(claimed) < slots:
            claimed += await self._ownership.claim(work.connection, slots - len(claimed))
        say_changed(work, [row for _, row in claimed])
        done.claimed = [job for job, _ in claimed]
        metrics.CLAIMED.inc(len(claimed))
        if len(claimed) == slots and await self._ownership.ready_left(work.connection):
            work.say(RunnersWake(ready=1))

    async def break_cycle(self, cycle: list[UnfinishedRun]) -> UUID | None:
        """End the youngest child of a circle of waiting; returns it, to be settled."""
        run = victim(cycle)
        async with self._outbox.work() as work:
            await self._lanes.lock(work.connection, [run.lane_id])
            row = await self._runs.break_cycle(work.connection, run.id, describe(cycle))
            if row is None:
                return None
            promoted = await self._lanes.promote(work.connection, [run.lane_id])
            say_changed(work, [row, *promoted])
            say_run(work, RunFinished, row)
        metrics.CYCLES_BROKEN.inc()
        return run.id

    async def promote(self, lanes: Iterable[int]) -> None:
        """Make the next due job of these lanes ready."""
        async with self._outbox.work() as work:
            await self._lanes.lock(work.connection, lanes)
            say_changed(work, await self._lanes.promote(work.connection, lanes))
