"""The engine's loop: collects what happened, takes the next step and starts what that step claimed."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
import structlog

from orchestrator_runner import metrics
from orchestrator_runner.queue.claim_store import ClaimStore
from orchestrator_runner.queue.lanes import LaneStore
from orchestrator_runner.queue.rows import OwnedJob
from orchestrator_runner.queue.run_store import RunStore
from orchestrator_runner.queue.slots import Prepare, Slots
from orchestrator_runner.queue.starts import Starter
from orchestrator_runner.queue.step import Stepper
from orchestrator_runner.queue.step_input import StepInput, StepResult
from orchestrator_runner.runs.cycles import find_cycles
from orchestrator_runner.runs.jobs import ClaimedJob, Result
from orchestrator_runner.runs.lifecycle import Ending
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.runtime import failpoints
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import Backoff, retry_while_unavailable, wait_for_any

log = structlog.get_logger(__name__)

START_BATCH = 50
LONGEST_PAUSE_SECONDS = 5.0
DATA_ERRORS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError)
REFUSED_SECONDS = 1.0
"""The pause in claiming after a claimed job could not be begun here: others may be able to."""
STEP_SECONDS = 0.005
GATHER_SECONDS = 0.02


class Engine:
    """All replicas are alike. What they hold in memory may be lost: the scan finds it in the database."""

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        stepper: Stepper,
        starter: Starter,
        replica_id: UUID,
        slots: int,
        poll_seconds: float,
        scan_seconds: float,
    ) -> None:
        self._pool = pool
        self._stepper = stepper
        self._starter = starter
        self._replica_id = replica_id
        self._slots = Slots(slots, self._ended)
        self._poll_seconds = poll_seconds
        self._scan_seconds = scan_seconds
        self._prepare: Prepare | None = None
        self._results: list[Result] = []
        self._ended_children: set[UUID] = set()
        self._ready_to_go_on: set[UUID] = set()
        self._woken = asyncio.Event()
        self._claiming = True
        self._stepping = False
        self._last_scan = 0.0
        self._last_poll = 0.0
        self._limited: tuple[str, ...] = ()
        self._looking = True
        self._backlog = True
        self._step_seconds = STEP_SECONDS
        self._claims_from = 0.0
        metrics.SLOTS.set(slots)
        metrics.RUNNING.set_function(lambda: self.running)

    def use(self, prepare: Prepare) -> None:
        """Set what prepares claimed jobs; until then nothing is claimed."""
        self._prepare = prepare

    def wake(self) -> None:
        """Take the next step now."""
        self._woken.set()

    def look_around(self) -> None:
        """Something changed elsewhere: look for runs to start and jobs to stop, then take the next step."""
        self._looking = True
        self.wake()

    def reconcile_runs(self, jobs: Iterable[UUID], runs: Iterable[UUID]) -> None:
        """See the port `ReconcilesRuns`."""
        self._ended_children.update(jobs)
        self._ready_to_go_on.update(runs)
        self.wake()

    def report(self, results: Iterable[Result]) -> None:
        """Queue the results of finished attempts; the next step writes them all in one statement."""
        self._results.extend(results)
        self.wake()

    def _ended(self, result: Result) -> None:
        if result.ending.status is JobStatus.READY:
            self._claims_from = time.monotonic() + REFUSED_SECONDS
        self.report([result])

    def adopt(self, jobs: Sequence[ClaimedJob]) -> None:
        """Continue attempts that were taken over, then check which of them must stop."""
        self._begin(jobs, at_once=True)
        self.look_around()

    @property
    def jobs(self) -> set[UUID]:
        """Every job that this replica holds."""
        return self._slots.jobs

    @property
    def running(self) -> int:
        """Jobs that this replica executes now."""
        return self._slots.running

    async def run(self) -> None:
        """Take steps for ever; during a database outage, wait and keep everything collected."""
        outage, pauses = OutageLog("engine"), Backoff(first=0.1, most=LONGEST_PAUSE_SECONDS)
        while True:
            await retry_while_unavailable(self._wait_and_turn, outage=outage, pauses=pauses)
            pauses.reset()

    async def _wait_and_turn(self) -> None:
        await self._wait()
        await self._gather()
        await self.turn()

    async def turn(self) -> None:
        """Do one round of work between two waits."""
        if time.monotonic() - self._last_poll >= self._poll_seconds:
            await self._poll()
        if time.monotonic() - self._last_scan >= self._scan_seconds:
            await self._scan()
        looking, self._looking = self._looking, False
        if looking:
            await self._look()
            await self._start_runs()
            self._backlog = True
        await self.step()

    async def _wait(self) -> None:
        await wait_for_any(self._woken, timeout=self._poll_seconds)
        self._woken.clear()

    async def _gather(self) -> None:
        """Wait briefly for more results: while jobs are ready for the next free slots, this delays no one."""
        if self._slots.is_ahead and not self._looking:
            await asyncio.sleep(GATHER_SECONDS)

    async def _poll(self) -> None:
        """Find what no hint announced: due retries, and projects whose parallel limit has room again."""
        # even during a database outage: other replicas may have free slots
        self.report(self._slots.give_back())
        async with acquire(self._pool) as connection:
            due = await LaneStore(connection).with_due_jobs()
            self._limited = tuple(await ClaimStore(connection).limited_projects())
        if due:
            await self._stepper.promote(due)
        self._looking = True
        self._last_poll = time.monotonic()

    async def _look(self) -> None:
        """Stop the jobs that someone asked to stop."""
        if not self._slots.jobs:
            return
        async with acquire(self._pool) as connection:
            wanted = await ClaimStore(connection).stops_wanted(replica=self._replica_id)
        self.report(self._slots.stop(wanted))

    async def _scan(self) -> None:
        """Find what a crash or a lost COMMIT left behind."""
        async with acquire(self._pool) as connection:
            store = RunStore(connection)
            runs, children = await store.overlooked()
            owned = await ClaimStore(connection).owned(replica=self._replica_id)
            unfinished = await store.unfinished()
        for cycle in find_cycles(unfinished):
            ended = await self._stepper.break_cycle(cycle)
            self._ended_children |= {ended} if ended else set()
        self._ready_to_go_on |= runs
        self._ended_children |= children
        known = self._slots.jobs | {result.job_id for result in self._results}
        self._results.extend(_never_started(job) for job in owned if job.id not in known)
        self._last_scan = time.monotonic()

    async def step(self) -> None:
        """Write everything that was collected, in one transaction."""
        step_input = self._take()
        if not step_input:
            return
        started = time.perf_counter()
        self._stepping = True
        try:
            done = await self._write(step_input)
        except BaseException:
            self._put_back(step_input)
            raise
        finally:
            self._stepping = False
        self._step_seconds = time.perf_counter() - started
        metrics.STEP_SECONDS.observe(self._step_seconds)
        metrics.STEP_RESULTS.observe(len(step_input.results))
        self._backlog = done.backlog
        self._carry_on(done)

    def _take(self) -> StepInput:
        slots, ahead = self._room()
        step_input = StepInput(
            results=tuple(self._results),
            ended_children=frozenset(self._ended_children),
            runs=frozenset(self._ready_to_go_on),
            slots=slots,
            ahead=ahead,
            backlog=self._backlog,
            limited=self._limited,
        )
        self._results, self._ended_children, self._ready_to_go_on = [], set(), set()
        return step_input

    def _room(self) -> tuple[int, int]:
        if not self._claiming or self._prepare is None or time.monotonic() < self._claims_from:
            return 0, 0
        return self._slots.room(self._step_seconds + GATHER_SECONDS)

    def _put_back(self, step_input: StepInput) -> None:
        self._results[:0] = step_input.results
        self._ended_children |= step_input.ended_children
        self._ready_to_go_on |= step_input.runs

    async def _write(self, step_input: StepInput) -> StepResult:
        try:
            return await self._stepper.step(step_input)
        except DATA_ERRORS as error:
            if not step_input.results:
                raise
            log.warning("engine.batch_refused", results=len(step_input.results), reason=type(error).__name__)
        done = await self._stepper.step(
            StepInput(ended_children=step_input.ended_children, runs=step_input.runs)
        )
        for result in step_input.results:
            self._merge(done, await self._write_alone(result))
        return done

    async def _write_alone(self, result: Result) -> StepResult:
        """Write one result; if the database refuses it, only this job ends, with an internal error."""
        try:
            return await self._stepper.step(StepInput(results=(result,)))
        except DATA_ERRORS as error:
            reason = f"the result cannot be stored: {type(error).__name__}"
            ending = Ending(JobStatus.ERROR, reason, ErrorKind.INTERNAL)
            bare = Result(result.job_id, result.epoch, result.lane_id, result.run_id, result.phase, ending)
            return await self._stepper.step(StepInput(results=(bare,)))

    @staticmethod
    def _merge(done: StepResult, more: StepResult) -> None:
        done.ended_children |= more.ended_children
        done.runs |= more.runs
        done.runs_are_ready |= more.runs_are_ready
        done.backlog |= more.backlog

    def _carry_on(self, done: StepResult) -> None:
        self._begin(done.claimed)
        if done.ended_children or done.runs:
            self.reconcile_runs(done.ended_children, done.runs)
        if done.runs_are_ready:
            self.look_around()

    def _begin(self, claimed: Sequence[ClaimedJob], *, at_once: bool = False) -> None:
        if claimed and self._prepare is not None:
            failpoints.reach(failpoints.BEFORE_START)
            self._slots.take(claimed, asyncio.ensure_future(self._prepare(claimed)), at_once=at_once)

    async def _start_runs(self) -> None:
        """Start every run that holds its lane; those that cannot start end here."""
        if not self._claiming:
            return
        if runs := await self._starter.ready(START_BATCH):
            done = await self._start_batch(runs)
            self._backlog |= done.backlog
            self._carry_on(done)
        if len(runs) == START_BATCH:
            self.look_around()  # after a step, so that results do not wait until every run has started

    async def _start_batch(self, runs: Sequence[UUID]) -> StepResult:
        """Start these runs together; if the database refuses, start each alone and end those that fail."""
        slots, _ = (0, 0) if self._backlog else self._room()
        try:
            return await self._starter.start(runs, slots)
        except (*DATA_ERRORS, LookupError, TypeError) as error:
            log.warning("engine.start_refused", runs=len(runs), reason=type(error).__name__, exc_info=True)
            if len(runs) == 1:
                return await self._starter.refuse(
                    runs[0], f"the run cannot be started: {type(error).__name__}"
                )
        done = StepResult()
        self._backlog = True  # keeps each of them from claiming the same free slots
        for run in runs:
            self._merge(done, await self._start_batch([run]))
        return done

    def stop_claiming(self) -> None:
        """Leave all new jobs to the other replicas."""
        self._claiming = False

    async def drain(self, grace_seconds: float, kill_seconds: float) -> None:
        """Wait for running jobs; stop those that take too long and give them back."""
        self.report(self._slots.give_back(older_than=0))
        await self._slots.drain(grace_seconds, kill_seconds)

    async def write_all(self) -> None:
        """Wait until the loop has written everything it holds; does not return while the database is away."""
        while self._results or self._ended_children or self._ready_to_go_on or self._stepping:
            self.wake()
            await asyncio.sleep(0.01)


def _never_started(job: OwnedJob) -> Result:
    """Give back a claim whose COMMIT succeeded but whose answer was lost: nothing was started."""
    ending = Ending(JobStatus.READY, "claimed, but never started")
    return Result(job.id, job.epoch, job.lane_id, job.run_id, job.phase, ending)
