"""Random histories on PostgreSQL with two watchers at once must end as the slow obvious model says."""

import asyncio
import itertools
import os
import random
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.trigger_watcher.recorded_log import recorded_log
from tests.integration.trigger_watcher.slow_model import replay
from tests.integration.trigger_watcher.stage import HOUR, Stage, table, update, watcher_on
from tests.support.databases import Database

from orchestrator_shared.domain.ids import TriggerId, trigger_job_id
from orchestrator_shared.domain.tables import TableRef
from orchestrator_trigger_watcher.wiring import Watcher

EXAMPLES = int(os.environ.get("TEST_EXAMPLES", "30"))
TABLES, TRIGGERS, WATCHERS = 3, 3, 2
ORCHESTRATIONS = ("campaigns", "campaigns", "reports")
"""Of each trigger."""

selections = st.sets(st.integers(0, TABLES - 1), min_size=1, max_size=2)
triggers = st.integers(0, TRIGGERS - 1)
orchestrations = st.sampled_from(sorted(set(ORCHESTRATIONS)))
cool_downs = st.sampled_from([timedelta(0), HOUR, 2 * HOUR])
modes = st.sampled_from(["ignore", "defer"])
updates = st.tuples(
    st.just("hear"),
    st.lists(st.tuples(st.integers(0, TABLES - 1), st.integers(0, 40)), min_size=1, max_size=5),
)
edits = st.one_of(
    st.tuples(st.just("select"), triggers, selections),
    st.tuples(st.just("switch"), triggers, st.booleans()),
    st.tuples(st.just("switch_orchestration"), orchestrations, st.booleans()),
    st.tuples(st.just("cool_down"), triggers, cool_downs),
    st.tuples(st.just("mode"), triggers, modes),
    st.tuples(st.just("reset"), triggers),
)
runs = st.one_of(
    st.tuples(st.just("start_own"), triggers),
    st.tuples(st.just("start_own"), triggers),
    st.tuples(st.just("start_other"), orchestrations, st.booleans()),
    st.tuples(st.just("cancel"), triggers),
)
looks = st.one_of(
    st.tuples(st.just("reconcile_runs"), orchestrations),
    st.tuples(st.just("sync"), triggers),
    st.tuples(st.just("scan")),
    st.tuples(st.just("look_at_the_clock")),
)
steps_at_once = st.one_of(updates, updates, updates, runs, runs, edits, looks)
time_passes = st.tuples(
    st.just("let_pass"), st.sampled_from([timedelta(minutes=20), timedelta(minutes=45), 2 * HOUR])
)
scripts = st.lists(
    st.one_of(st.lists(steps_at_once, min_size=1, max_size=6), time_passes.map(lambda step: [step])),
    min_size=6,
    max_size=24,
)
numbers = itertools.count(1)


@dataclass
class Play:
    """One history, acted on the database; the log that it leaves there is the model's."""

    stage: Stage
    watchers: list[Watcher]
    project: str = field(default_factory=lambda: f"p{next(numbers)}")
    ids: list[TriggerId] = field(default_factory=list)
    runner: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def tables(self) -> list[TableRef]:
        own = [table(f"in.c-{i}.t", self.project) for i in range(TABLES - 1)]
        return [*own, table("in.c-shared.t", f"{self.project}-other")]

    async def set_up(
        self,
        selected: list[set[int]],
        cool_downs: list[timedelta],
        modes: Sequence[str] = ("ignore",) * TRIGGERS,
    ) -> None:
        await self.stage.project(self.project)
        await self.stage.project(f"{self.project}-other")
        for orchestration in set(ORCHESTRATIONS):
            await self.stage.orchestration(orchestration, self.project)
        for index in range(TRIGGERS):
            made = await self.stage.trigger(
                [self.tables[i] for i in selected[index]],
                project=self.project,
                orchestration=ORCHESTRATIONS[index],
                cool_down=cool_downs[index],
                mode=modes[index],
            )
            self.ids.append(made)

    def watcher(self) -> Watcher:
        """They take turns."""
        self.watchers.append(self.watchers.pop(0))
        return self.watchers[0]

    async def act(self, step: tuple[Any, ...]) -> None:
        await getattr(self, step[0])(*step[1:])

    async def hear(self, heard: list[tuple[int, int]]) -> None:
        await self.watcher().ingestion.ingest(
            [update(self.tables[i], f"{i}-{number}") for i, number in heard]
        )

    async def reconcile_runs(self, orchestration: str) -> None:
        await self.watcher().reconciliation.reconcile_runs(self.project, orchestration)

    async def sync(self, index: int) -> None:
        await self.watcher().reconciliation.sync(self.ids[index])

    async def scan(self) -> None:
        await self.watcher().scanning.scan()

    async def look_at_the_clock(self) -> None:
        await self.watcher().scanning.fire_due()

    async def let_pass(self, span: timedelta) -> None:
        await self.stage.let_pass(self.project, span)

    async def start_own(self, index: int) -> None:
        async with self.runner:
            if waiting := await self.stage.waiting(self.ids[index]):
                await self.stage.start_run(
                    ORCHESTRATIONS[index],
                    project=self.project,
                    job_id=waiting[0],
                    trigger_id=self.ids[index],
                    generation=waiting[1],
                )

    async def start_other(self, orchestration: str, full: bool) -> None:
        await self.stage.start_run(orchestration, project=self.project, full=full)

    async def cancel(self, index: int) -> None:
        async with self.runner:
            if waiting := await self.stage.waiting(self.ids[index]):
                await self.stage.cancel_unstarted(waiting[0], self.ids[index], waiting[1])

    async def select(self, index: int, chosen: set[int]) -> None:
        await self.stage.edit(self.ids[index], [self.tables[i] for i in chosen])

    async def switch(self, index: int, enabled: bool) -> None:
        await self.stage.edit(self.ids[index], enabled=enabled)

    async def switch_orchestration(self, orchestration: str, enabled: bool) -> None:
        await self.stage.switch(self.project, orchestration, enabled)

    async def cool_down(self, index: int, cool_down: timedelta) -> None:
        await self.stage.edit(self.ids[index], cool_down_seconds=int(cool_down.total_seconds()))

    async def mode(self, index: int, mode: str) -> None:
        await self.stage.edit(self.ids[index], mode=mode)

    async def reset(self, index: int) -> None:
        await self.stage.reset(self.ids[index])

    async def check(self) -> None:
        """All that is recorded must be what the model makes of the recorded log."""
        for index, orchestration in enumerate(ORCHESTRATIONS):
            await self.sync(index)
            await self.reconcile_runs(orchestration)
        until = await self.stage.now()
        for index, trigger_id in enumerate(self.ids):
            log = await recorded_log(self.stage, self.project, ORCHESTRATIONS[index], trigger_id)
            jobs: list[UUID] = [trigger_job_id(trigger_id, generation) for generation in range(1, 200)]
            wanted = replay(log, jobs, until=until)
            assert await self.stage.dispositions(trigger_id) == [
                (update.table, update.seq, how) for update, how in wanted.dispositions
            ]
            fires = await self.stage.pool.fetch(
                "SELECT at FROM triggers.fires WHERE trigger_id = $1 ORDER BY generation", trigger_id
            )
            assert [row["at"] for row in fires] == wanted.fires


async def together(steps: list[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.timeout(90), asyncio.TaskGroup() as group:
        for step in steps:
            group.create_task(step)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="TEST_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    script=scripts,
    selected=st.lists(selections, min_size=TRIGGERS, max_size=TRIGGERS),
    cool_downs=st.lists(cool_downs, min_size=TRIGGERS, max_size=TRIGGERS),
    modes=st.lists(modes, min_size=TRIGGERS, max_size=TRIGGERS),
)
async def test_any_history_ends_as_the_model_does(
    database: Database,
    script: list[list[tuple[Any, ...]]],
    selected: list[set[int]],
    cool_downs: list[timedelta],
    modes: list[str],
) -> None:
    """Issue 8, 20 and 23: also with edits, resets, time that passes unseen, and looks at any moment."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(Stage.on(database))
        watchers = [await stack.enter_async_context(watcher_on(database, f"w{i}")) for i in range(WATCHERS)]
        play = Play(stage, watchers)
        await play.set_up(selected, cool_downs, modes)
        for steps in script:
            await together([play.act(step) for step in steps])
        await play.check()


@pytest.mark.parametrize("seed", range(int(os.environ.get("TEST_STORMS", "2"))))
async def test_a_storm_loses_and_locks_nothing(database: Database, seed: int) -> None:
    """Updates, starts, hints, scans and edits all at once: no deadlock, no update without its disposition."""
    chance = random.Random(seed)
    async with Stage.on(database) as stage, watcher_on(database) as one, watcher_on(database) as two:
        play = Play(stage, [one, two])
        await play.set_up([{0, 2}, {0, 1}, {1, 2}], [timedelta(0)] * TRIGGERS)
        before = await deadlocks(stage)
        for burst in range(4):
            steps: list[tuple[Any, ...]] = [("scan",), *(("sync", index) for index in range(TRIGGERS))]
            for i in range(40):
                heard = [
                    (chance.randrange(TABLES), chance.randrange(400)) for _ in range(chance.randrange(1, 4))
                ]
                steps.append(("hear", heard))
                if i % 3 == 0:
                    steps.append(("start_other", chance.choice(ORCHESTRATIONS), True))
                    steps.append(("reconcile_runs", chance.choice(ORCHESTRATIONS)))
                    steps.append(("start_own", chance.randrange(TRIGGERS)))
            chance.shuffle(steps)
            await together([play.act(step) for step in steps])
            await play.select(burst % TRIGGERS, {0, 1, 2} if burst % 2 else {burst % TABLES})
        await play.check()
        assert await deadlocks(stage) == before
        assert await stage.pool.fetchval("SELECT count(*) FROM triggers.fires") > 5


async def deadlocks(stage: Stage) -> int:
    found: int = await stage.pool.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return found


async def test_the_model_is_exercised(database: Database) -> None:
    """A long fixed history in which every disposition and every end of a waiting run occurs."""
    async with Stage.on(database) as stage, watcher_on(database) as one, watcher_on(database) as two:
        play = Play(stage, [one, two])
        await play.set_up([{0}, {0, 1}, {1, 2}], [HOUR, timedelta(0), timedelta(0)])
        for step in (
            ("hear", [(0, 1), (1, 1), (2, 1)]),
            ("hear", [(0, 2), (0, 1)]),
            ("start_own", 0),
            ("hear", [(0, 3)]),
            ("start_other", "campaigns", True),
            ("start_own", 1),
            ("cancel", 2),
            ("hear", [(1, 2), (0, 4)]),
            ("switch", 1, False),
            ("hear", [(0, 5), (2, 2)]),
        ):
            await play.act(step)
        await play.check()
        seen = {row[0] for row in await stage.pool.fetch("SELECT disposition FROM triggers.dispositions")}
        ends = {row[0] for row in await stage.pool.fetch("SELECT ended FROM triggers.fires")}
        ends |= {row[0] for row in await stage.pool.fetch("SELECT ended FROM triggers.fires")}
    assert len(seen) == 5
    assert {"started", "withdrawn", "unstarted"} <= ends


@pytest.mark.parametrize(
    "step",
    [
        ("start_other", "campaigns", True),
        ("reset", 0),
        ("switch", 0, False),
        ("cool_down", 0, timedelta(0)),
        ("select", 0, {0, 1}),
        ("hear", [(0, 9)]),
    ],
)
@pytest.mark.parametrize("span", [timedelta(minutes=20), 2 * HOUR])
async def test_what_happens_around_the_unseen_end_of_a_deferred_cool_down(
    database: Database, step: tuple[Any, ...], span: timedelta
) -> None:
    """Issue 8, 23 a, b and d: before the end and after it, with nobody looking in between."""
    async with Stage.on(database) as stage, watcher_on(database) as watcher:
        play = Play(stage, [watcher])
        await play.set_up([{0}, {1}, {2}], [HOUR, timedelta(0), timedelta(0)], ["defer"] * TRIGGERS)
        for each in (("hear", [(0, 1)]), ("start_own", 0), ("hear", [(0, 2)]), ("let_pass", span), step):
            await play.act(each)
        await play.let_pass(2 * HOUR)
        await play.check()
