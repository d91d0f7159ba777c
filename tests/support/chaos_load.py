"""Random requests for a chaos run: as messages, as a scheduler's fires, through the api."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.support.chaos_catalog import SCHEDULED, Catalog, Configuration
from tests.support.chaos_world import PATIENCE_SECONDS, Api
from tests.support.pipelines import PROJECT, Pipelines

from orchestrator_shared.contracts.commands import (
    BackfillFire,
    BackfillRequested,
    RunRequested,
    TerminateRequested,
)
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.domain.statuses import Origin

BATCH_SECONDS = 0.4
SHARES = {"quick": 60, "run": 12, "narrow": 11, "fires": 3, "backfill": 0.5}
NESTED_SHARE = 0.08
SLOW_EVERY = 5
"""Batches: often enough that there is mostly one for a fault to aim at."""
REPEATED_SHARE, TERMINATED_SHARE = 0.1, 0.07
WISHES_PER_BATCH = 3
Wish = Callable[[], Coroutine[None, None, None]]
WHEN = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Asked:
    """What was asked for: the account is made against it."""

    requests: dict[UUID, RunRequested] = field(default_factory=dict)
    by_api: dict[UUID, Configuration] = field(default_factory=dict)
    selections: dict[UUID, list[str]] = field(default_factory=dict)
    retries: dict[UUID, UUID] = field(default_factory=dict)
    backfills: list[list[UUID]] = field(default_factory=list)
    stopped: dict[UUID, float] = field(default_factory=dict)
    """By the wall clock: when the (last) wish to stop it was confirmed."""
    repeated: int = 0

    @property
    def jobs(self) -> list[UUID]:
        """In the order of asking, nearly."""
        return [*self.requests, *self.by_api]


class Load:
    """Asks for a while; whatever is random is drawn in one order, so that a seed repeats it."""

    def __init__(self, pipelines: Pipelines, api: Api, catalog: Catalog, dice: random.Random) -> None:
        self._pipelines = pipelines
        self._api = api
        self._catalog = catalog
        self._dice = dice
        self._fires = 0
        self._batches = 0
        self._projects: dict[UUID, str] = {}
        self._backfills: dict[UUID, BackfillRequested] = {}
        self.asked = Asked()
        self.planned = 0

    async def offer(self, jobs: int, seconds: float, is_enough: Callable[[], bool]) -> None:
        """About this many jobs, children included, over this time; then long ones until it is enough."""
        began = time.monotonic()
        first = [*self._catalog.narrow, *self._catalog.slow, *self._catalog.nested[:1]]
        fires = [*self._fire("run-0", 2), *self._fire("run-1", 2)]  # one is merged, one skipped
        await self._publish(*fires, *(self._request(each) for each in first))
        async with asyncio.TaskGroup() as group:
            while self.planned < jobs:
                await self._publish(*self._batch(jobs * BATCH_SECONDS / seconds))
                for wish in self._wishes():
                    group.create_task(wish())
                due = began + self.planned * seconds / jobs
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            while not is_enough() and time.monotonic() < began + 2 * seconds:
                await self._publish(self._request(self._dice.choice(self._catalog.slow)))
                await asyncio.sleep(SLOW_EVERY * BATCH_SECONDS)

    def _batch(self, jobs: float) -> list[Message]:
        messages: list[Message] = []
        until = self.planned + jobs
        self._batches += 1
        if self._batches % SLOW_EVERY == 0:
            messages.append(self._request(self._dice.choice(self._catalog.slow)))
        while self.planned < until:
            messages += self._draw()
        return messages + self._repeat(len(messages)) + self._terminate(len(messages))

    def _draw(self) -> list[Message]:
        catalog = self._catalog
        (kind,) = self._dice.choices(list(SHARES), list(SHARES.values()))
        match kind:
            case "fires":
                return self._fire(self._dice.choice(list(SCHEDULED)), self._dice.randint(1, 3))
            case "backfill":
                return [self._backfill("run-2", 3)]
            case "run":
                return [self._request(self._a_run())]
            case "narrow":
                return [self._request(self._dice.choice(catalog.narrow))]
            case _:
                return [self._request(self._dice.choice(catalog.steady + catalog.brittle))]

    def _a_run(self) -> Configuration:
        """Nested ones seldom: they take long, and wait for each other."""
        nested = self._catalog.nested
        plain = [run for run in self._catalog.runs.values() if run not in nested]
        return self._dice.choice(nested if self._dice.random() < NESTED_SHARE else plain)

    def _request(self, what: Configuration, **more: object) -> RunRequested:
        self.planned += what.jobs
        now = datetime.now(UTC)
        fields = {"origin": Origin.MANUAL, "scheduled_for": now, **more}
        request = RunRequested.model_validate(
            {
                "job_id": self._new_job(what),
                "project": what.project,
                "component": what.component,
                "configuration": what.name,
                "requested_at": now,
                **fields,
            }
        )
        self.asked.requests[request.job_id] = request
        return request

    def _new_job(self, what: Configuration) -> UUID:
        job = new_job_id()
        self._projects[job] = what.project
        return job

    def _fire(self, name: str, count: int) -> list[Message]:
        """Fires of one schedule in a row: the later ones meet the first."""
        fires: list[Message] = []
        for _ in range(count):
            self._fires += 1
            fires.append(
                self._request(
                    self._catalog.runs[name],
                    origin=Origin.SCHEDULE,
                    schedule_id=_schedule(name),
                    fire_key=str(self._fires),
                    scheduled_for=WHEN + timedelta(minutes=self._fires),
                    overlap=SCHEDULED[name],
                )
            )
        return fires

    def _backfill(self, name: str, count: int) -> BackfillRequested:
        fires = []
        for _ in range(count):
            self._fires += 1
            at = WHEN + timedelta(minutes=self._fires)
            job = self._new_job(self._catalog.runs[name])
            fires.append(BackfillFire(job_id=job, fire_key=f"backfill:{self._fires}", scheduled_for=at))
        message = BackfillRequested(
            project=PROJECT,
            configuration=name,
            origin=Origin.MANUAL,
            requested_at=datetime.now(UTC),
            schedule_id=_schedule(name),
            fires=fires,
        )
        self.planned += count * self._catalog.runs[name].jobs
        self.asked.requests |= {request.job_id: request for request in message.requests()}
        self.asked.backfills.append([fire.job_id for fire in fires])
        self._backfills |= {fire.job_id: message for fire in fires}
        return message

    def _repeat(self, batch: int) -> list[Message]:
        """The same messages again, their jobs finished or not: asking twice is asking once.

        A backfill is repeated whole: one of its runs alone could overtake it, and would be first in the lane.
        """
        again = [self._recent() for _ in range(batch) if self._dice.random() < REPEATED_SHARE]
        self.asked.repeated += len(again)
        return [self._backfills.get(job, self.asked.requests[job]) for job in again]

    def _terminate(self, batch: int) -> list[Message]:
        jobs = [self._recent() for _ in range(batch) if self._dice.random() < TERMINATED_SHARE]
        return [
            TerminateRequested(job_id=job, project=self._projects[job], requested_by="test") for job in jobs
        ]

    def _recent(self) -> UUID:
        """Mostly one of the latest, which has not ended yet."""
        known = list(self.asked.requests)
        return self._dice.choice(known[-8:] if self._dice.random() < 0.8 else known)

    def _wishes(self) -> list[Wish]:
        """What is asked through the api this time."""
        kinds = (self._wish_selected, self._wish_retry, self._wish_terminated)
        return [self._dice.choice(kinds)() for _ in range(self._dice.randint(0, WISHES_PER_BATCH))]

    def _wish_selected(self) -> Wish:
        """A run by hand of some of an orchestration's tasks."""
        what = self._a_run()
        tasks = self._dice.sample(list(what.tasks), self._dice.randint(1, len(what.tasks)))
        key = str(new_job_id())
        self.planned += 1 + sum(what.tasks[task] for task in tasks)

        async def ask() -> None:
            path = f"/v1/projects/{what.project}/orchestrations/{what.name}/runs"
            answer = await self._api.call("POST", path, {"tasks": tasks}, key=key)
            assert answer.status_code == 202, answer.text
            job = UUID(answer.json()["job_id"])
            self._projects[job] = what.project
            self.asked.by_api[job] = what
            self.asked.selections[job] = tasks

        return ask

    def _wish_retry(self) -> Wish:
        """Fetch the plan of a finished job, then carry out just that; all of it if nothing is left to do."""
        known = list(self.asked.jobs)
        earlier = known[: max(len(known) // 2, 4)]  # likely to be finished
        candidates = self._dice.sample(earlier, min(len(earlier), 4))
        key = str(new_job_id())

        async def ask() -> None:
            for job in candidates:
                path = f"/v1/projects/{self._projects[job]}/jobs/{job}"
                plan = await self._api.call("GET", f"{path}/retry-plan")
                if plan.is_success:
                    return await self._carry_out(path, plan.json(), job, key)
                assert plan.status_code in (404, 409), plan.text  # not accepted yet, or not finished
            return None

        return ask

    async def _carry_out(self, path: str, plan: dict[str, object], job: UUID, key: str) -> None:
        tasks = plan["tasks"]
        assert isinstance(tasks, list)
        chosen = [task["id"] for task in tasks if task["selected"]]
        wish: dict[str, object] = {"plan_id": plan["id"]}
        if tasks and not chosen:
            chosen = wish["tasks"] = [task["id"] for task in tasks]
        known = self.asked
        what = known.by_api[job] if job in known.by_api else self._configuration(known.requests[job])
        self.planned += 1 + sum(what.tasks.get(task, 1) for task in chosen)
        answer = await self._api.call("POST", f"{path}/retries", wish, key=key)
        assert answer.status_code == 202, answer.text
        retry = UUID(answer.json()["job_id"])
        self._projects[retry] = what.project
        known.by_api[retry], known.retries[retry] = what, job
        if tasks:
            known.selections[retry] = chosen

    def _configuration(self, request: RunRequested) -> Configuration:
        known = self._catalog.runs.get(request.configuration)
        return known or Configuration(request.project, request.component, request.configuration)

    def _wish_terminated(self) -> Wish:
        job = self._recent()

        async def ask() -> None:
            path = f"/v1/projects/{self._projects[job]}/jobs/{job}/termination"
            self.asked.stopped.setdefault(job, float("inf"))  # it may be stopped although the answer is lost
            answer = await self._api.call("POST", path)
            assert answer.status_code in (202, 404, 409), answer.text  # not accepted yet, or over
            if answer.status_code == 202:
                self.asked.stopped[job] = time.time()

        return ask

    async def _publish(self, *messages: Message) -> None:
        """With confirms, and all of it again if the broker went away meanwhile."""
        stops = [message.job_id for message in messages if isinstance(message, TerminateRequested)]
        for job in stops:
            self.asked.stopped.setdefault(job, float("inf"))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            # A closed connection cancels what waits for it: in a task of its own that is told from our end.
            publishing = asyncio.create_task(self._pipelines.publish(*messages))
            await asyncio.wait([publishing])
            if not publishing.cancelled() and publishing.exception() is None:
                break
            assert time.monotonic() < deadline, publishing
            await asyncio.sleep(0.2)
        self.asked.stopped |= dict.fromkeys(stops, time.time())


def _schedule(name: str) -> UUID:
    return UUID(int=1 + list(SCHEDULED).index(name))
