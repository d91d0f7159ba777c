"""Random histories of runs on a real PostgreSQL: whatever happens, in whatever order, the rules hold."""

import asyncio
import os
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from tests.support.engine_commands import CommandQueue
from tests.support.engine_histories import (
    CONFIGURATIONS,
    ORCHESTRATIONS,
    Drawn,
    House,
    check_roll_up,
    check_said,
    component_of,
    definition_of,
    tasks_drawn,
)
from tests.support.engine_replica import Killed, Replica, said
from tests.support.engine_rules import Rules
from tests.support.engine_world import PROJECT, World, definition, task

from orchestrator_runner.adapters.log_capture import LogChunk
from orchestrator_runner.domain.execution import ExecutionLost
from orchestrator_shared.contracts.commands import RunRequested, TerminateRequested
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.domain.statuses import Origin, OverlapPolicy
from orchestrator_shared.messaging.publisher import Outcome
from orchestrator_shared.runtime import points

EXAMPLES = int(os.environ.get("LIFECYCLE_EXAMPLES", "25"))
STEPS = int(os.environ.get("LIFECYCLE_STEPS", "50"))
MOST_REPLICAS = 6

which = st.integers(0, 11)
picks = st.lists(st.integers(0, 5), min_size=1, max_size=4)
faults = st.sampled_from([Killed, Unavailable])


class Lifecycle(RuleBasedStateMachine):
    """No rule depends on how another one went: where it has nothing to do, it does nothing."""

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

    @initialize(one=tasks_drawn, two=tasks_drawn)
    def begin(self, one: Drawn, two: Drawn) -> None:
        self.house.runner.run(self._begin(one, two))

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
        name=st.sampled_from((*ORCHESTRATIONS, *ORCHESTRATIONS, *CONFIGURATIONS)),
        overlap=st.sampled_from(list(OverlapPolicy)),
        at_once=st.sampled_from([True, True, False]),
    )
    def request(self, name: str, overlap: OverlapPolicy, at_once: bool) -> None:
        self._send(name, overlap=overlap, origin=Origin.SCHEDULE, fire_key=str(len(self.queue.sent)))
        self.do(self._deliver(0, [-1] if at_once else []))

    def _send(self, name: str, **more: Any) -> None:
        now = datetime.now(UTC)
        schedule = (
            UUID(int=(*ORCHESTRATIONS, *CONFIGURATIONS).index(name) + 1) if "fire_key" in more else None
        )
        fields = {"job_id": new_job_id(), "requested_at": now, "scheduled_for": now, "schedule_id": schedule}
        self.queue.send(
            RunRequested(
                **{
                    **fields,
                    "project": PROJECT,
                    "component": component_of(name),
                    "configuration": name,
                    **more,
                }
            )
        )

    @rule(which=which, selected=st.lists(st.booleans(), min_size=3, max_size=3))
    def retry(self, which: int, selected: list[bool]) -> None:
        self.do(self._retry(which, selected))

    async def _retry(self, which: int, selected: list[bool]) -> None:
        ended = [job for job in self.kept.seen.jobs.values() if job["finished_at"] and not job["depth"]]
        if not ended:
            return
        job, retry_id = ended[which % len(ended)], new_job_id()
        tasks = await self._selection(job["id"], selected) if job["kind"] == "run" else None
        await self._world.admin.execute(
            """INSERT INTO catalog.run_requests (job_id, project, component, configuration, origin,
                   requested_by, token_id, tasks, retry_of, scheduled_for)
               SELECT $1, project, component, configuration, 'retry', 'p', $1, $3, id, scheduled_for
               FROM jobs.jobs WHERE id = $2""",
            retry_id,
            job["id"],
            tasks,
        )
        self._send(job["configuration"], job_id=retry_id, origin=Origin.RETRY, details=True)
        await self._deliver(which, [-1])

    async def _selection(self, run: UUID, selected: Sequence[bool]) -> list[str] | None:
        rows = await self._world.admin.fetch(
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
            self.do(self._deliver(which, [-1] if at_once else []))

    @rule(name=st.sampled_from(ORCHESTRATIONS), phases=tasks_drawn)
    def edit(self, name: str, phases: Drawn) -> None:
        self.do(self._save(name, definition_of(phases)))

    @rule(name=st.sampled_from(CONFIGURATIONS))
    def edit_configuration(self, name: str) -> None:
        self.do(self._save(name, {}))

    async def _save(self, name: str, parameters: Any) -> None:
        await self._world.save(component_of(name), name, parameters)

    @rule(parallel=st.sampled_from([None, 1, 2, 3]))
    def limit(self, parallel: int | None) -> None:
        self.do(self._world.limit(parallel))

    # What the broker does: late, twice, in another order, together.

    @rule(which=which, picks=picks, again=st.booleans())
    def deliver(self, which: int, picks: list[int], again: bool) -> None:
        self.do(self._deliver(which, picks, again=again))

    async def _deliver(self, which: int, picks: Sequence[int], *, again: bool = False) -> None:
        batch = self.queue.draw(picks, again=again)
        replica = self._replica(which)
        if batch and replica is not None:
            self.batch = await self.queue.deliver(replica, batch)

    @rule(which=which, outcome=st.sampled_from([Outcome.CONFIRMED, Outcome.UNKNOWN]), backlog=st.booleans())
    def publish(self, which: int, outcome: Outcome, backlog: bool) -> None:
        self.do(self._publish(which, outcome, backlog))

    async def _publish(self, which: int, outcome: Outcome, backlog: bool) -> None:
        replica = self._replica(which)
        if replica is not None:
            self._world.exchange.outcome = outcome
            await replica.act(replica.publish(backlog=backlog))
            self._world.exchange.outcome = Outcome.CONFIRMED

    # What replicas do.

    @rule(which=which)
    def turn(self, which: int) -> None:
        self.do(self._turn(which))

    async def _turn(self, which: int) -> None:
        replica = self._replica(which)
        if replica is not None:
            await replica.act(replica.engine.turn())

    @rule(which=which)
    def turn_together(self, which: int) -> None:
        self.do(self._turn_together(which))

    async def _turn_together(self, which: int) -> None:
        await asyncio.gather(self._turn(which), self._turn(which + 1))

    @rule(which=which, how=st.sampled_from(["success", "success", "error"]))
    def end_attempt(self, which: int, how: str) -> None:
        self.do(self._end_attempt(which, how))

    @rule(which=which)
    def end_another_attempt(self, which: int) -> None:
        self.do(self._end_attempt(which, "success"))

    async def _end_attempt(self, which: int, how: str) -> None:
        """Of any replica: also of one that was declared lost and does not know it yet."""
        attempts = [(each, job_id) for each in self._world.replicas for job_id in sorted(each.open)]
        if attempts:
            replica, job_id = attempts[which % len(attempts)]
            if await replica.act(_ended(replica, job_id, how)):
                await replica.act(replica.engine.turn())

    @rule(which=which)
    def write_log(self, which: int) -> None:
        self.do(self._write_log(which))

    async def _write_log(self, which: int) -> None:
        attempts = [(each, job_id) for each in self._world.replicas for job_id in sorted(each.open)]
        if not attempts:
            return
        replica, job_id = attempts[which % len(attempts)]
        job, _ = replica.open[job_id]
        row = self.kept.seen.jobs[job_id]
        owned = row["epoch"] == job.epoch and row["finished_at"] is None and row["status"] != "waiting"
        self.logged += 1
        chunk = LogChunk(self.logged, datetime.now(UTC), "stdout", "x")
        try:
            await replica.logs.append(job, [chunk])
            written = True
        except ExecutionLost:
            written = False
        assert written == owned, "a log line is written by the owner of its job, and by nobody else"
        count = await self._world.admin.fetchval("SELECT count(*) FROM jobs.logs WHERE seq = $1", self.logged)
        assert count == owned, "a stale epoch writes no log"

    # What goes wrong.

    @rule(which=which, point=st.sampled_from(points.CRASH_POINTS), fault=faults)
    def fault_at_a_named_point(self, which: int, point: str, fault: type[BaseException]) -> None:
        self.do(self._fault(which, point, fault))

    @rule(which=which, point=st.sampled_from(points.CRASH_POINTS))
    def crash_at_a_named_point(self, which: int, point: str) -> None:
        self.do(self._fault(which, point, Killed))

    async def _fault(self, which: int, point: str, fault: type[BaseException]) -> None:
        """It dies (its lease runs out later), or loses its connection and with it the answer."""
        replica = self._replica(which)
        if replica is None or (fault is Unavailable and point not in DATABASE_POINTS):
            return
        replica.armed, replica.fault = point, fault
        if point == points.BEFORE_MARK:
            await replica.act(replica.publish(backlog=True))
        elif point == points.BEFORE_ACK or which % 2:
            self.batch = await self.queue.deliver(replica, self.queue.draw([which, 0], again=which > 8))
        for job_id in sorted(replica.open)[:1]:
            await replica.act(_ended(replica, job_id, "success"))
        if not replica.dead:
            await replica.act(replica.engine.turn())
        if replica.armed is None and fault is Killed:
            self.house.reached[point] += 1
        replica.armed = None
        if len(self._alive) < 2:
            await self._world.add_replica()

    @rule(which=which)
    def heartbeat(self, which: int) -> None:
        self.do(self._heartbeat(which))

    async def _heartbeat(self, which: int) -> None:
        replica = self._replica(which)
        if replica is not None:
            await replica.heartbeat()
        if len(self._alive) < 2:
            await self._world.add_replica()

    @rule(which=which, everything=st.booleans())
    def look(self, which: int, everything: bool) -> None:
        self.do(self._look(which, everything))

    async def _look(self, which: int, everything: bool) -> None:
        """Take over what lost replicas had; in the same step, or in a later one."""
        replica = self._replica(which)
        if replica is not None:
            await replica.recovery.look()
            if everything:
                await replica.act(replica.engine.turn())

    @rule(which=which, taken_over=st.booleans())
    def lease_runs_out(self, which: int, taken_over: bool) -> None:
        self.do(self._lease_runs_out(which, taken_over))

    async def _lease_runs_out(self, which: int, taken_over: bool) -> None:
        """Of a dead replica or of one that hangs; where another one notices, it is a zombie from now on."""
        replica = self._world.replicas[which % len(self._world.replicas)]
        await self._world.expire(replica)
        if taken_over:
            await self._look(which + 1, True)

    @rule()
    def delays_pass(self) -> None:
        self.do(self._world.let_delays_pass())

    @rule(slots=st.integers(1, 3))
    def another_replica(self, slots: int) -> None:
        if len(self._alive) < MOST_REPLICAS:
            self.do(self._add(slots))

    async def _add(self, slots: int) -> None:
        await self._world.add_replica(slots=slots)

    @property
    def _world(self) -> World:
        assert self.world is not None
        return self.world

    @property
    def _alive(self) -> list[Replica]:
        """Those that still act, declared lost or not."""
        return [replica for replica in self._world.replicas if not replica.dead]

    def _replica(self, which: int) -> Replica | None:
        return self._alive[which % len(self._alive)] if self._alive else None

    def teardown(self) -> None:
        if self.world is not None:
            self.house.runner.run(self._finish())

    async def _finish(self) -> None:
        """Everything that was asked for comes to an end, and nothing of it is left in a replica."""
        await self._world.limit(None)
        for replica in self._alive:
            await replica.heartbeat()
        await self._world.add_replica()
        for replica in self._world.replicas:
            if replica.dead:
                await self._world.expire(replica)
        while self.queue.line:
            await self._do(self._deliver(0, range(len(self.queue.line))))
        await self._world.finish()
        await self._do(asyncio.sleep(0))
        await check_roll_up(self._world)
        await self._check_slots()
        await check_said(self._world)

    async def _check_slots(self) -> None:
        """Every slot of every replica is free again."""
        for replica in self._world.living:
            await replica.engine.turn()
            assert not replica.open
            assert replica.engine.running == 0, "slots never leak"
            now = datetime.now(UTC)
            fields = {"project": PROJECT, "component": "c", "origin": Origin.API}
            names = [f"slot-{number}" for number in range(replica.slots)]
            await replica.accept(
                [
                    RunRequested(
                        job_id=new_job_id(), configuration=name, requested_at=now, scheduled_for=now, **fields
                    )
                    for name in names
                ]
            )
            await replica.engine.turn()
            await asyncio.sleep(0)
            for job_id in sorted(replica.open):
                await replica.end_attempt(job_id, said(replica.open[job_id][0]))
                names.pop()
            assert not names, "slots never leak"
            await replica.engine.turn()


DATABASE_POINTS = (points.BEFORE_COMMIT, points.BEFORE_PUBLISH)


async def _ended(replica: Replica, job_id: UUID, how: str) -> None:
    job, _ = replica.open[job_id]
    if how == "success":
        await replica.end_attempt(job_id, said(job))
    else:
        await replica.fail_attempt(job_id, said(job).message)


@pytest.mark.timeout(max(300, EXAMPLES * 6))
def test_random_histories_keep_the_rules() -> None:
    with House.open() as house:
        run_state_machine_as_test(
            type("Lifecycle", (Lifecycle,), {"house": house}),
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize="LIFECYCLE_EXAMPLES" not in os.environ,
                suppress_health_check=list(HealthCheck),
            ),
        )
        print(f"died at {dict(house.reached)}")
        assert house.reached.keys() == set(points.CRASH_POINTS), "at every named point somebody died"
