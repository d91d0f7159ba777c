"""One replica of the engine in a test's hands: a test decides how its attempts end and when it dies."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from orchestrator_runner.logs.store import LogStore
from orchestrator_runner.queue.accept import Accept
from orchestrator_runner.queue.commands import Commands
from orchestrator_runner.queue.leases import LeaseLost, Leases
from orchestrator_runner.queue.loop import Engine
from orchestrator_runner.queue.recovery import Recovery
from orchestrator_runner.queue.slots import Execute
from orchestrator_runner.queue.terminate import Terminate
from orchestrator_runner.runs.jobs import ClaimedJob, Result
from orchestrator_runner.runs.lifecycle import Ending, after_failure
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.messaging.outbox import Outbox
from orchestrator_shared.messaging.publisher import Outcome, Outgoing

SUCCESS = Ending(JobStatus.SUCCESS)


class Killed(BaseException):
    """What happens to a replica at the point at which it is to die; no code of ours may catch it."""


_acting: "ContextVar[Replica | None]" = ContextVar("_acting", default=None)


def reach(name: str) -> None:
    """In place of `points.reach`: here it is one replica of several in this process that dies."""
    replica = _acting.get()
    if replica is not None:
        replica.reach(name)


class Exchange:
    """The broker as a relay sees it: it keeps what was published, and confirms it unless told otherwise."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.outcome = Outcome.CONFIRMED

    @property
    def ready(self) -> bool:
        return True

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        self.published += messages
        return [self.outcome] * len(messages)


class CountedLease:
    """A `LeaseHolder` that holds nothing."""

    def __init__(self) -> None:
        self.renewed = 0

    def renew_lease(self, seconds: float, *, asked_at: float | None = None) -> None:
        self.renewed += 1


@dataclass(eq=False)
class Replica:
    """One replica's engine, with attempts that end when the test says so."""

    id: UUID
    engine: Engine
    recovery: Recovery
    accept: Accept
    terminate: Terminate
    commands: Commands
    leases: Leases
    logs: LogStore
    outbox: Outbox
    slots: int
    open: dict[UUID, tuple[ClaimedJob, "asyncio.Future[Ending]"]] = field(default_factory=dict)
    lost: bool = False
    """Dead, or others have taken over its jobs: nothing is left to it but to find out."""
    dead: bool = False
    armed: str | None = None
    """The point at which something happens to it."""
    fault: type[BaseException] = Killed
    """What happens there: its death, or Unavailable where only its connection is lost."""

    async def prepare(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, Execute]:
        return {job.id: partial(self._execute, job) for job in jobs}

    async def _execute(self, job: ClaimedJob, stop: asyncio.Event) -> Result:
        if self.dead:
            raise asyncio.CancelledError
        future: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.open[job.id] = (job, future)
        stopped = asyncio.create_task(stop.wait())
        waits: list[asyncio.Future[Any]] = [future, stopped]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        ending = future.result() if future.done() else Ending(JobStatus.TERMINATED)
        if self.open.get(job.id) == (job, future):
            del self.open[job.id]
        word = {"epoch": job.epoch}  # seen in what is stored: whose word it was
        tables = ({"table": f"out.c-x.{job.configuration}"},) if ending.status is JobStatus.SUCCESS else ()
        return Result(job.id, job.epoch, job.lane_id, job.run_id, job.phase, ending, tables, word)

    async def act(self, doing: Awaitable[Any]) -> bool:
        """Let this replica do something; False if it died, or its connection was lost, on the way."""
        token = _acting.set(self)
        try:
            await doing
        except Killed:
            return False
        except Unavailable:
            return False
        finally:
            _acting.reset(token)
        return not self.dead

    def reach(self, name: str) -> None:
        """See `points.reach`."""
        if self.dead:
            raise Killed(name)
        if self.armed == name:
            self.armed = None
            if self.fault is Killed:
                self.die()
            raise self.fault(name)

    def die(self) -> None:
        """Its memory is gone, and its tasks with it; the database still takes it for alive."""
        self.dead = self.lost = True
        for _, future in self.open.values():
            future.cancel()
        self.open.clear()

    async def heartbeat(self) -> None:
        """Renew the lease; a replica that was declared lost learns it and ends."""
        try:
            await self.leases.renew(CountedLease())
        except LeaseLost:
            self.die()

    async def publish(self, *, backlog: bool = False) -> None:
        """Relay what was said and is still in memory; `backlog`: what lies in the table as well."""
        await self.outbox.relay_once(backlog=backlog)

    async def end_attempt(self, job_id: UUID, ending: Ending = SUCCESS) -> None:
        """End the attempt, unless it was stopped meanwhile; its result waits for the next step."""
        if job_id in self.open and not self.open[job_id][1].done():
            self.open[job_id][1].set_result(ending)
        for _ in range(5):
            await asyncio.sleep(0)

    async def fail_attempt(self, job_id: UUID, message: str = "broke") -> None:
        """End it as a failure: with another attempt where the task has some left."""
        job, _ = self.open[job_id]
        await self.end_attempt(job_id, after_failure(job.attempts, message, ErrorKind.USER))


def said(job: ClaimedJob) -> Ending:
    """A good end whose message says in which epoch the word was given."""
    return Ending(JobStatus.SUCCESS, f"epoch {job.epoch}")
