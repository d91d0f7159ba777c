"""One step of the engine, in one transaction: writes results, continues runs, claims ready jobs."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from orchestrator_runner import metrics
from orchestrator_runner.queue.changes import publish_changes, publish_run
from orchestrator_runner.queue.claim_store import ClaimStore
from orchestrator_runner.queue.lanes import LaneStore
from orchestrator_runner.queue.lock_set import LockSet, plan_locks
from orchestrator_runner.queue.planned_run import ChildTask
from orchestrator_runner.queue.rows import Changed, FinishedJob, JobRow, Transitioned
from orchestrator_runner.queue.run_rows import (
    EndedChild,
    LockedRun,
    TaskRow,
    UnappliedResult,
    ended_child,
    next_child,
    task_state,
)
from orchestrator_runner.queue.run_store import RunStore
from orchestrator_runner.queue.step_input import StepInput, StepResult, count_claims
from orchestrator_runner.runs.cycles import UnfinishedRun, describe, victim
from orchestrator_runner.runs.jobs import ClaimedJob
from orchestrator_runner.runs.lifecycle import (
    EndRun,
    StartPhase,
    TaskState,
    after_failure,
    next_step,
    phase_after,
)
from orchestrator_runner.runs.phase_cache import BegunPhase, PhaseCache
from orchestrator_shared.contracts.events import RunFinished, RunnersWake, TableUpdated
from orchestrator_shared.domain.ids import output_update_id
from orchestrator_shared.domain.statuses import JobStatus, TaskStatus
from orchestrator_shared.messaging.outbox import Outbox, UnitOfWork


class Stepper:
    """Locks lanes by id, then runs from the deepest up, then only rows that no one waits for."""

    def __init__(self, pool: asyncpg.Pool, outbox: Outbox, phase_cache: PhaseCache, replica_id: UUID) -> None:
        self._pool = pool
        self._outbox = outbox
        self._phase_cache = phase_cache
        self._replica_id = replica_id

    async def step(self, step_input: StepInput) -> StepResult:
        """Take one step; may be repeated after an exception, because the epochs fence what was committed."""
        made = await plan_locks(step_input, self._phase_cache, self._pool)
        async with self._outbox.work() as work:
            step = _Step(work, step_input, made, self._phase_cache, self._replica_id)
            await step.take()
        return step.done

    async def break_cycle(self, cycle: list[UnfinishedRun]) -> UUID | None:
        """End the youngest nested run of a wait cycle and return it, so that its parent can be updated."""
        run = victim(cycle)
        async with self._outbox.work() as work:
            # Promoting takes this lock too: a run promoted before us is no longer waiting, and stays.
            lanes = LaneStore(work.connection)
            await lanes.lock(lanes=[run.lane_id])
            row = await RunStore(work.connection).break_cycle(run=run.id, message=describe(cycle))
            if row is None:
                return None
            promoted = await lanes.promote(lanes=[run.lane_id])
            publish_changes(work, [row, *promoted])
            publish_run(work, RunFinished, row)
        metrics.CYCLES_BROKEN.inc()
        return run.id

    async def promote(self, lanes: Iterable[int]) -> None:
        """Make the next due job of each of these lanes ready."""
        async with self._outbox.work() as work:
            store = LaneStore(work.connection)
            await store.lock(lanes=lanes)
            # The lanes were found without locks, so `promote` checks again under them.
            publish_changes(work, await store.promote(lanes=lanes))


class _Step:
    """One transaction, statement by statement."""

    def __init__(
        self,
        work: UnitOfWork,
        step_input: StepInput,
        locks: LockSet,
        phase_cache: PhaseCache,
        replica_id: UUID,
    ) -> None:
        self.done = StepResult()
        self._work = work
        self._input = step_input
        self._locks = locks
        self._phase_cache = phase_cache
        self._replica_id = replica_id
        self._lanes = LaneStore(work.connection)
        self._runs = RunStore(work.connection)
        self._claims = ClaimStore(work.connection)
        self._locked: dict[UUID, LockedRun] = {}
        self._changed: list[Changed] = []
        self._freed: set[int] = set()
        self._ready = 0

    async def take(self) -> None:
        # Lanes and runs are locked before anything they guard is read.
        await self._lock()
        await self._apply_results(await self._finish())
        # After the results, which free lanes. Before the claim, which then sees the promoted jobs.
        if self._freed:
            self._record(await self._lanes.promote(lanes=self._freed))
        await self._claim()
        publish_changes(self._work, self._changed)

    async def _lock(self) -> None:
        if self._locks.runs:
            self._locked = await self._runs.lock(lanes=self._locks.lanes, runs=self._locks.runs)
        elif self._locks.lanes:
            await self._lanes.lock(lanes=self._locks.lanes)

    async def _finish(self) -> list[EndedChild]:
        """Write the results whose epoch still matches; return the children whose runs must be updated."""
        results = self._input.results
        if not results:
            return []
        rows = await self._claims.finish(results=results)
        # Rows are missing for jobs that another replica took over: their epoch is higher than ours.
        metrics.FENCED.inc(len(results) - len(rows))
        self._record(rows)
        for row in rows:
            metrics.FINISHED.labels(row.status).inc()
            if row.frees_its_lane:
                # Safe to promote: `plan_locks` put the lane of every result into the lock set.
                self._freed.add(row.lane_id)
            for output in row.output_tables:
                self._report(row, output)
        return [ended_child(row) for row in rows if row.parent_id and row.finished_at]

    def _report(self, row: FinishedJob, output: Mapping[str, Any]) -> None:
        update = TableUpdated(
            project=row.project,
            table=output["table"],
            rows=output.get("rows"),
            job_id=row.id,
            chain_length=row.chain_length,
        )
        self._work.publish_as(update, id=str(output_update_id(row.id, update.table)))

    async def _apply_results(self, children: list[EndedChild]) -> None:
        """Record how children of runs ended, and continue the runs that have nothing left to wait for."""
        if self._input.ended_children:
            children = children + await self._others()
        # `plan_locks` guessed without locks, so a run may be gone by now.
        going_on = self._locks.going_on & self._locked.keys()
        if not children and not going_on:
            return
        phases, tasks = await self._runs.apply_results(children=children, going_on=going_on)
        for left in phases:
            self._phase_cache.left(left.run, left.phase, left.remaining)
            if left.seconds is not None:
                self._work.after_commit(partial(metrics.PHASE_SECONDS.observe, left.seconds))
            if left.remaining == 0 and left.run not in going_on:
                # The phase is over, but its run's next lanes are not locked here: the next step locks them.
                self.done.runs.add(left.run)
        ended = {child.job: child.status for child in children}
        await self._go_on({run: tasks.get(run, []) for run in going_on}, ended)

    async def _others(self) -> list[EndedChild]:
        """Children that ended elsewhere, except nested runs that get another attempt."""
        children = []
        # Read again under the locks: another replica may have applied some of them since `plan_locks`.
        for row in await self._runs.unapplied_results(jobs=self._input.ended_children):
            run = self._locked.get(row.parent_id)
            if run is None or (row.kind == "run" and row.lane_id not in self._locks.lanes):
                # The run or lane was not in our lock set: the next step locks it.
                self.done.ended_children.add(row.id)
            elif (delay := _delay_before_again(row, run)) is None:
                children.append(ended_child(row))
            else:
                self._record([await self._runs.repeat(run=row.id, delay_seconds=delay)])
                # `repeat` numbers the new attempt in its lane, which the condition above found locked.
                self._freed.add(row.lane_id)
        return children

    async def _go_on(self, runs: dict[UUID, list[TaskRow]], ended: dict[UUID, str]) -> None:
        """Take the next step of every locked run that has no task underway."""
        children: list[ChildTask] = []
        ends: dict[UUID, EndRun] = {}
        for run, rows in runs.items():
            # Read under the run's lock, so a termination comes either before this step or after it.
            status = self._locked[run].status
            tasks = [task_state(row, ended) for row in rows]
            if status not in (JobStatus.PROCESSING, JobStatus.TERMINATING):
                continue
            # The run's lock orders its steps: only the one that applies the last result sees no started task.
            if any(task.status is TaskStatus.STARTED for task in tasks):
                continue
            step = next_step(tasks, stopping=status is JobStatus.TERMINATING)
            if isinstance(step, EndRun):
                ends[run] = step
            else:
                children += self._next_children(run, step, rows, tasks)
        if children:
            await self._create(children)
        if ends:
            self._record_ends(await self._runs.end(ends=ends))

    def _next_children(
        self, run: UUID, step: StartPhase, rows: Sequence[TaskRow], tasks: Sequence[TaskState]
    ) -> list[ChildTask]:
        children = [next_child(row) for row in rows if row.request is not None]
        if not {child.lane_id for child in children} <= self._locks.lanes:
            self.done.runs.add(run)  # the run went on after `plan_locks`: the next step locks these lanes
            return []
        following = phase_after(tasks, step.index)
        lanes = {row.lane_id for row in rows if row.active and row.phase == following}
        lanes.add(self._locked[run].lane_id)
        self._phase_cache.begin(run, BegunPhase(step.index, len(children), frozenset(lanes)))
        return children

    async def _create(self, children: Sequence[ChildTask]) -> None:
        """Create the jobs of these tasks; if older jobs are ready, the new ones queue behind them."""
        slots = 0 if self._input.backlog else self._input.slots
        rows = await self._runs.create_children(children=children, replica=self._replica_id, slots=slots)
        self._record(rows)
        # A lane without an active job may still hold older waiting ones: `promote` picks the earliest.
        self._freed |= {row.lane_id for row in rows if row.status == JobStatus.WAITING}
        self._add_claims([row for row in rows if row.is_claimed])

    def _record_ends(self, rows: Sequence[JobRow]) -> None:
        self._record(rows)
        for row in rows:
            publish_run(self._work, RunFinished, row)
            self._phase_cache.forget(row.id)
            self._freed.add(row.lane_id)
            if row.parent_id is not None:
                # The parent may not be locked, and lanes come first: the next step locks both.
                self.done.ended_children.add(row.id)

    def _record(self, rows: Sequence[Transitioned]) -> None:
        """Collect the changed rows to publish, and count the jobs that became ready."""
        self._changed += rows
        ready = [row.kind for row in rows if row.status == JobStatus.READY]
        self.done.runs_are_ready |= "run" in ready
        self._ready += len(ready) - ready.count("run")

    async def _claim(self) -> None:
        """Claim ready jobs, as the last statement that locks.

        Claimed rows are locked without their lanes, so a wait for any other lock after this could deadlock.
        """
        slots = self._input.slots - len(self.done.claimed)
        ahead = self._input.ahead
        if not (self._input.backlog or self._ready):
            return
        self.done.backlog = True
        if slots + ahead > 0:
            # Skips locked job rows; may wait for limited projects, whose holders wait for nothing more.
            rows = await self._claims.claim(
                replica=self._replica_id, slots=slots, ahead=ahead, limited=self._input.limited
            )
            self._changed += rows
            self._add_claims(rows)
            self.done.backlog = len(rows) >= slots
        if self.done.backlog and await self._claims.ready_left():
            # Other replicas would find the remaining jobs only at their next poll.
            self._work.publish(RunnersWake(ready=1, replica_id=self._replica_id))

    def _add_claims(self, jobs: Sequence[ClaimedJob]) -> None:
        count_claims(jobs, self._input.limited)
        self.done.claimed += jobs


def _delay_before_again(child: UnappliedResult, parent: LockedRun) -> float | None:
    """Seconds until a failed nested run gets another attempt; None if it gets none."""
    if (
        child.kind != "run"
        or child.status != JobStatus.ERROR
        or parent.status != JobStatus.PROCESSING
        or child.started_at is None
    ):
        return None
    assert child.error_kind is not None, "a failed job has an error kind"
    ending = after_failure(child.attempts, child.message or "", child.error_kind)
    return ending.delay_seconds if ending.status is JobStatus.WAITING else None
