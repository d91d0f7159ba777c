"""Fifty configurations and random requests for them: runs of one to three phases, and jobs of components."""

import asyncio
import random
import time
from datetime import UTC, datetime
from uuid import UUID

from tests.support.chaos_ledger import PROGRAM
from tests.support.ledger import LEDGER_VARIABLE
from tests.support.pipelines import PROJECT, Pipelines

from orchestrator_shared.contracts.commands import RunRequested, TerminateRequested
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.domain.ids import ORCHESTRATOR, new_job_id
from orchestrator_shared.domain.statuses import Origin

STEADY, BRITTLE = "steady", "brittle"
COMPONENTS = {STEADY: "rerun", BRITTLE: "fail"}
STEADIES, FLAKIES, BRITTLES, ORCHESTRATIONS = 32, 3, 5, 10
RUNS_SHARE = 0.15
TERMINATED_SHARE = 0.12
REPEATED_SHARE = 0.1
BATCH_SECONDS = 0.4
PUBLISH_SECONDS = 90
Names = list[tuple[str, str]]


class Load:
    """Asks for jobs for a while; keeps in mind what it asked for."""

    def __init__(self, pipelines: Pipelines, dice: random.Random) -> None:
        self._pipelines = pipelines
        self._dice = dice
        self._tasks: dict[str, int] = {}
        self._direct: Names = []
        self.requests: dict[UUID, RunRequested] = {}
        self.terminated: set[UUID] = set()
        self.repeated = 0
        self.planned = 0

    async def prepare(self) -> None:
        """Components, configurations and orchestrations."""
        await self._pipelines.prepare()
        async with self._pipelines.database.connection() as connection:
            await prepare_connection(connection)
            for name, after_crash in COMPONENTS.items():
                await connection.execute(
                    """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
                       VALUES ($1, $1, 'application', 'process', $2, $3)""",
                    name,
                    after_crash,
                    {"command": ["{python}", "-S", "-c", PROGRAM], "environment": {LEDGER_VARIABLE: None}},
                )
        self._direct = [(STEADY, f"steady-{n}") for n in range(STEADIES)]
        self._direct += [(BRITTLE, f"brittle-{n}") for n in range(BRITTLES)]
        flaky = [(STEADY, f"flaky-{n}") for n in range(FLAKIES)]
        for component, name in self._direct + flaky:
            parameters = {"fail_first": True} if (component, name) in flaky else {}
            await self._pipelines.configuration(name, parameters, component=component)
        for number in range(ORCHESTRATIONS):
            await self._orchestration(f"run-{number}", self._direct + flaky)

    async def _orchestration(self, name: str, known: Names) -> None:
        sizes = [self._dice.randint(1, 4) for _ in range(self._dice.randint(1, 3))]
        chosen = iter(self._dice.sample(known, sum(sizes)))
        phases = [[_task(*next(chosen)) for _ in range(size)] for size in sizes]
        self._tasks[name] = sum(sizes)
        await self._pipelines.orchestration(name, *phases)

    async def offer(self, jobs: int, seconds: float) -> None:
        """About this many jobs, children included, over this time."""
        began = time.monotonic()
        while self.planned < jobs:
            await self._publish(*self._batch(jobs * BATCH_SECONDS / seconds))
            due = began + self.planned * seconds / jobs
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _batch(self, jobs: float) -> list[Message]:
        messages: list[Message] = []
        until = self.planned + jobs
        while self.planned < until:
            messages.append(self._request())
        return messages + self._repeat(len(messages)) + self._terminate(len(messages))

    def _request(self) -> RunRequested:
        component, name = self._dice.choice(self._direct)
        if self._dice.random() < RUNS_SHARE:
            component, name = str(ORCHESTRATOR), self._dice.choice(list(self._tasks))
        self.planned += 1 + (self._tasks[name] if component == ORCHESTRATOR else 0)
        now = datetime.now(UTC)
        request = RunRequested(
            job_id=new_job_id(),
            project=PROJECT,
            component=component,
            configuration=name,
            origin=Origin.MANUAL,
            requested_at=now,
            scheduled_for=now,
        )
        self.requests[request.job_id] = request
        return request

    def _repeat(self, batch: int) -> list[Message]:
        """The same requests again, their jobs finished or not: asking twice is asking once."""
        again = [self._pick() for _ in range(batch) if self._dice.random() < REPEATED_SHARE]
        self.repeated += len(again)
        return [self.requests[job] for job in again]

    def _terminate(self, batch: int) -> list[Message]:
        jobs = [self._pick() for _ in range(batch) if self._dice.random() < TERMINATED_SHARE]
        self.terminated.update(jobs)
        return [TerminateRequested(job_id=job, project=PROJECT, requested_by="test") for job in jobs]

    def _pick(self) -> UUID:
        """Mostly one of the latest, which has not ended yet."""
        known = list(self.requests)
        return self._dice.choice(known[-8:] if self._dice.random() < 0.8 else known)

    async def _publish(self, *messages: Message) -> None:
        """With confirms, and all of it again if the broker went away meanwhile."""
        deadline = time.monotonic() + PUBLISH_SECONDS
        while True:
            # A closed connection cancels what waits for it: in a task of its own that is told from our end.
            publishing = asyncio.create_task(self._pipelines.publish(*messages))
            await asyncio.wait([publishing])
            if not publishing.cancelled() and publishing.exception() is None:
                return
            assert time.monotonic() < deadline, publishing
            await asyncio.sleep(0.2)


def _task(component: str, name: str) -> dict[str, object]:
    """Brittle ones may fail, flaky ones have a second attempt."""
    return {
        "id": name,
        "name": name,
        "component": component,
        "configuration": name,
        "attempts": 2 if name.startswith("flaky") else 1,
        "continue_on_failure": component == BRITTLE,
    }
