"""What people, other services and the broker do in random histories of the engine."""

from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.support.engine_commands import CommandQueue
from tests.support.engine_histories import (
    CONFIGURATIONS,
    ORCHESTRATIONS,
    Drawn,
    House,
    component_of,
    definition_of,
    tasks_drawn,
)
from tests.support.engine_replica import Replica
from tests.support.engine_rules import Rules
from tests.support.engine_world import PROJECT, World, definition, task

from orchestrator_shared.contracts.commands import RunRequested, TerminateRequested
from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.domain.statuses import Origin, OverlapPolicy
from orchestrator_shared.messaging.publisher import Outcome

which = st.integers(0, 11)
names = st.sampled_from((*ORCHESTRATIONS, *ORCHESTRATIONS, *CONFIGURATIONS))
picks = st.lists(st.integers(0, 5), min_size=1, max_size=4)


class People(RuleBasedStateMachine):
    """The part that asks, edits and delivers, late, twice, in another order.

    No rule depends on how another one went: where it has nothing to do, it does nothing.
    """

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.queue = CommandQueue()
        self.world: World | None = None
        self.kept: Rules
        self.batch: list[UUID] = []
        self.logged = 0

    def do(self, step: Coroutine[Any, Any, None]) -> None:
        """Take a step, then check every rule."""
        self.house.runner.run(self._do(step))

    async def _do(self, step: Coroutine[Any, Any, None]) -> None:
        self.batch = []
        await step
        await self.kept.check(self.batch)
        self.kept.check_requests([each.job_id for each in self.queue.requests], self.queue.acked)
        self.kept.check_stops(self.queue.stopped)

    @initialize(one=tasks_drawn, two=tasks_drawn, first=st.lists(names, min_size=1, max_size=4))
    def begin(self, one: Drawn, two: Drawn, first: list[str]) -> None:
        self.house.runner.run(self._begin(one, two))
        for name in first:
            self.send(name)
        self.do(self.hand_over(0, range(len(first))))
        self.do(self.take_turn(0))

    async def _begin(self, one: Drawn, two: Drawn) -> None:
        self.world = await self.house.empty_world()
        self.kept = Rules(self.world)
        for name in CONFIGURATIONS:
            await self.world.save(component_of(name), name, {})
        await self.world.save("orchestrator", "one", definition_of(one))
        await self.world.save("orchestrator", "two", definition_of(two))
        outer = definition([task("one", component="orchestrator")], [task("a")])
        await self.world.save("orchestrator", "outer", outer)
        for _ in range(2):
            await self.world.add_replica()

    # What people and other services do.

    @rule(
        name=names,
        overlap=st.sampled_from(list(OverlapPolicy)),
        at_once=st.sampled_from([True, True, False]),
    )
    def request(self, name: str, overlap: OverlapPolicy, at_once: bool) -> None:
        schedule = UUID(int=(*ORCHESTRATIONS, *CONFIGURATIONS).index(name) + 1)
        fire = {"schedule_id": schedule, "fire_key": str(len(self.queue.sent))}
        self.send(name, overlap=overlap, **fire)
        if at_once:
            self.do(self.hand_over(0, [-1]))
            self.do(self.take_turn(0))

    def send(self, name: str, **more: Any) -> None:
        now = datetime.now(UTC)
        common = {"job_id": new_job_id(), "project": PROJECT, "origin": Origin.SCHEDULE}
        times = {"requested_at": now, "scheduled_for": now}
        what = {"component": component_of(name), "configuration": name}
        self.queue.send(RunRequested(**{**common, **times, **what, **more}))

    @rule(which=which, selected=st.lists(st.booleans(), min_size=3, max_size=3))
    def retry(self, which: int, selected: list[bool]) -> None:
        self.do(self._retry(which, selected))

    async def _retry(self, which: int, selected: list[bool]) -> None:
        ended = [job for job in self.kept.seen.jobs.values() if job["finished_at"] and not job["depth"]]
        if not ended:
            return
        job, retry_id = ended[which % len(ended)], new_job_id()
        tasks = await self._selection(job["id"], selected) if job["kind"] == "run" else None
        await self.here.admin.execute(
            """INSERT INTO catalog.run_requests (job_id, project, component, configuration, origin,
                   requested_by, token_id, tasks, retry_of, scheduled_for)
               SELECT $1, project, component, configuration, 'retry', 'p', $1, $3, id, scheduled_for
               FROM jobs.jobs WHERE id = $2""",
            retry_id,
            job["id"],
            tasks,
        )
        self.send(job["configuration"], job_id=retry_id, origin=Origin.RETRY, details=True)
        await self.hand_over(which, [-1])

    async def _selection(self, run: UUID, selected: Sequence[bool]) -> list[str] | None:
        rows = await self.here.admin.fetch(
            "SELECT task_id FROM jobs.tasks WHERE run_id = $1 ORDER BY phase, position", run
        )
        chosen = [row["task_id"] for row, wanted in zip(rows, selected, strict=False) if wanted]
        return chosen or None

    @rule(which=which, before_it_is_there=st.booleans(), unstarted_only=st.booleans(), at_once=st.booleans())
    def terminate(self, which: int, before_it_is_there: bool, unstarted_only: bool, at_once: bool) -> None:
        waiting = [each.message.job_id for each in self.queue.line if isinstance(each.message, RunRequested)]
        going = [job["id"] for job in self.kept.seen.jobs.values() if not job["finished_at"]]
        jobs = (waiting if before_it_is_there else going) or [each.job_id for each in self.queue.requests]
        if jobs:
            job_id = jobs[which % len(jobs)]
            self.queue.send(
                TerminateRequested(
                    job_id=job_id, project=PROJECT, unstarted_only=unstarted_only and which > 5
                )
            )
            self.do(self.hand_over(which, [-1] if at_once else []))

    @rule(name=st.sampled_from(ORCHESTRATIONS), phases=tasks_drawn)
    def edit(self, name: str, phases: Drawn) -> None:
        self.do(self._save(name, definition_of(phases)))

    @rule(name=st.sampled_from(CONFIGURATIONS))
    def edit_configuration(self, name: str) -> None:
        self.do(self._save(name, {}))

    async def _save(self, name: str, parameters: Any) -> None:
        await self.here.save(component_of(name), name, parameters)

    @rule(parallel=st.sampled_from([None, 1, 2, 3]))
    def limit(self, parallel: int | None) -> None:
        self.do(self.here.limit(parallel))

    # What the broker does: late, twice, in another order, together.

    @rule(which=which, picks=picks, again=st.booleans())
    def deliver(self, which: int, picks: list[int], again: bool) -> None:
        self.do(self.hand_over(which, picks, again=again))

    async def hand_over(self, which: int, picks: Sequence[int], *, again: bool = False) -> None:
        batch = self.queue.draw(picks, again=again)
        replica = self.replica(which)
        if batch and replica is not None:
            self.batch = await self.queue.deliver(replica, batch)

    @rule(which=which, outcome=st.sampled_from([Outcome.CONFIRMED, Outcome.UNKNOWN]), backlog=st.booleans())
    def publish(self, which: int, outcome: Outcome, backlog: bool) -> None:
        self.do(self._publish(which, outcome, backlog))

    async def _publish(self, which: int, outcome: Outcome, backlog: bool) -> None:
        replica = self.replica(which)
        if replica is not None:
            self.here.exchange.outcome = outcome
            await replica.act(replica.publish(backlog=backlog))
            self.here.exchange.outcome = Outcome.CONFIRMED

    async def take_turn(self, which: int) -> None:
        replica = self.replica(which)
        if replica is not None:
            await replica.act(replica.engine.turn())

    @property
    def here(self) -> World:
        assert self.world is not None
        return self.world

    @property
    def alive(self) -> list[Replica]:
        """Those that still act, declared lost or not."""
        return [replica for replica in self.here.replicas if not replica.dead]

    def replica(self, which: int) -> Replica | None:
        return self.alive[which % len(self.alive)] if self.alive else None
