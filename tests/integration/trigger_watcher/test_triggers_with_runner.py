"""The trigger-watcher and the scheduler beside a real runner: a schedule, its outputs, what they trigger."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from tests.integration.scheduler.stage import add_schedule
from tests.integration.trigger_watcher.recorded_log import recorded_log
from tests.integration.trigger_watcher.slow_model import Saved, replay
from tests.integration.trigger_watcher.stage import HOUR, Stage, table
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.pipelines import Pipelines, runner_environment, task, until_open
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

from orchestrator_shared.domain.ids import TriggerId, trigger_job_id

Launch = Callable[[str, Mapping[str, str]], ServiceProcess]
UPDATE_BOTH = "result(output_tables=[{'table': 'in.c-x.one'}, {'table': 'in.c-x.two'}])"


@pytest.fixture
async def services(
    database: Database, broker: BrokerVhost, tmp_path: Path, service_process: Launch
) -> list[ServiceProcess]:
    def env(role: str) -> dict[str, str]:
        return {
            "ORCHESTRATOR_DATABASE_URL": database.url_for(role),
            "ORCHESTRATOR_AMQP_URL": broker.url,
            "ORCHESTRATOR_SCAN_SECONDS": "1",
        }

    started = [
        service_process(
            "orchestrator_runner",
            {**runner_environment(database, broker, tmp_path), "ORCHESTRATOR_MAX_CHAIN_LENGTH": "3"},
        ),
        service_process("orchestrator_trigger_watcher", env("trigger_watcher")),
        service_process("orchestrator_scheduler", env("scheduler")),
    ]
    for service in started:
        await service.ready()
    return started


async def test_a_scheduled_run_updates_tables_that_trigger_another(
    database: Database, broker: BrokerVhost, services: list[ServiceProcess]
) -> None:
    pipelines = Pipelines(database, broker)
    await pipelines.prepare()
    await pipelines.scripts(load=UPDATE_BOTH, use="print('used')")
    await pipelines.orchestration("campaigns", [task("load")])
    await pipelines.orchestration("reports", [task("use")])
    async with Stage.on(database) as stage:
        trigger_id = await stage.trigger([table("in.c-x.one"), table("in.c-x.two")], orchestration="reports")
        schedule_id = await add_schedule(database)

        async def scheduled() -> UUID | None:
            job: UUID | None = await database.fetchval(
                "SELECT id FROM jobs.jobs WHERE schedule_id = $1", schedule_id
            )
            return job

        first = await pipelines.ended(await eventually(scheduled, timeout=30))
        assert first["status"] == "success"
        triggered = trigger_job_id(trigger_id, 1)

        async def accepted() -> bool:
            return await pipelines.job(triggered) is not None

        await eventually(accepted, timeout=30)
        assert (await pipelines.ended(triggered))["status"] == "success"

        async def settled() -> bool:
            return bool(
                await database.fetchval("SELECT count(*) FROM triggers.fires WHERE ended = 'started'")
            )

        await eventually(settled, timeout=30)
        assert [how for _, _, how in await stage.dispositions(trigger_id)] == ["counted", "completed"]
        assert await database.fetchval("SELECT count(*) FROM triggers.counts WHERE used >= counted") == 2
        second = await pipelines.run("campaigns")
        await pipelines.ended(second)

        async def again() -> bool:
            return await pipelines.job(trigger_job_id(trigger_id, 2)) is not None

        await eventually(again, timeout=30)
        await pipelines.ended(trigger_job_id(trigger_id, 2))


@dataclass
class Queue:
    """Two runs of `reports` by hand: one is underway, one waits; a trigger on `in.c-x.one` beside them."""

    pipelines: Pipelines
    stage: Stage
    gate: Path
    trigger_id: TriggerId
    first: UUID
    second: UUID

    async def requested(self, generation: int) -> UUID:
        """The job that the trigger asked for, once the runner has accepted it."""
        job = trigger_job_id(self.trigger_id, generation)

        async def accepted() -> bool:
            return await self.pipelines.job(job) is not None

        await eventually(accepted, timeout=30)
        return job

    async def disposed(self, count: int) -> list[str]:
        async def all_disposed() -> bool:
            return len(await self.stage.dispositions(self.trigger_id)) >= count

        await eventually(all_disposed, timeout=30)
        return [how for _, _, how in await self.stage.dispositions(self.trigger_id)]


@pytest.fixture
async def queue(
    database: Database, broker: BrokerVhost, services: list[ServiceProcess], tmp_path: Path
) -> AsyncIterator[Queue]:
    pipelines = Pipelines(database, broker)
    await pipelines.prepare()
    gate = tmp_path / "gate"
    await pipelines.scripts(use=until_open(gate), load=UPDATE_BOTH)
    await pipelines.orchestration("reports", [task("use")])
    await pipelines.orchestration("campaigns", [task("load")])
    async with Stage.on(database) as stage:
        trigger_id = await stage.trigger([table("in.c-x.one")], orchestration="reports", cool_down=HOUR)
        first = await pipelines.run("reports")
        await pipelines.in_status(first, "processing")
        second = await pipelines.run("reports")
        await pipelines.in_status(second, "waiting")
        await pipelines.ended(await pipelines.run("campaigns"))
        yield Queue(pipelines, stage, gate, trigger_id, first, second)


async def test_a_run_whose_updates_another_used_is_withdrawn_though_no_watcher_lives(
    queue: Queue, services: list[ServiceProcess]
) -> None:
    """Issue 8, 20: it started with nothing new, and its cool-down dropped the next update."""
    requested = await queue.requested(1)
    watcher = services[1]
    watcher.kill()
    await watcher.ended()
    await queue.pipelines.terminate(queue.first)
    queue.gate.touch()
    assert (await queue.pipelines.ended(queue.second))["status"] == "success"
    withdrawn = await queue.pipelines.ended(requested)
    assert (withdrawn["status"], withdrawn["message"]) == ("cancelled", "its updates were used by reports #2")
    assert withdrawn["started_at"] is None
    watcher.start()
    await queue.pipelines.ended(await queue.pipelines.run("campaigns"))
    assert await queue.disposed(2) == ["completed", "completed"]
    assert (await queue.pipelines.ended(await queue.requested(2)))["status"] == "success"
    ends = await queue.stage.pool.fetch("SELECT ended FROM triggers.fires ORDER BY generation")
    assert ends[0]["ended"] == "withdrawn"


async def test_a_run_behind_a_withdrawn_one_starts(queue: Queue) -> None:
    """Issue 8, 20: the lane goes on."""
    requested = await queue.requested(1)
    third = await queue.pipelines.run("reports")
    queue.gate.touch()
    assert (await queue.pipelines.ended(requested))["status"] == "cancelled"
    assert (await queue.pipelines.ended(third))["status"] == "success"


async def test_cancelling_a_waiting_run_has_one_order_with_the_updates(queue: Queue) -> None:
    """Issue 8, 23 c: while an update is judged, the runner waits for the trigger's lock."""
    requested = await queue.requested(1)
    pool = queue.stage.pool
    async with pool.acquire() as judging, judging.transaction():
        await judging.execute("SELECT FROM triggers.states FOR UPDATE")
        heard_at = await judging.fetchval("SELECT clock_timestamp()")
        await queue.pipelines.terminate(requested)

        async def the_runner_waits() -> bool:
            return bool(
                await pool.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND query LIKE '%lock_waiting%'"
                )
            )

        await eventually(the_runner_waits, timeout=30)
        assert await queue.pipelines.status(requested) == "waiting"
    cancelled = await queue.pipelines.ended(requested)
    assert cancelled["status"] == "cancelled"
    assert cancelled["finished_at"] > heard_at
    queue.gate.touch()


async def test_edits_while_no_watcher_lives_are_judged_in_their_order(
    queue: Queue, services: list[ServiceProcess]
) -> None:
    """Issue 8, 23: one of the edits ends a cool-down and fires; what came later changes nothing of it."""
    await queue.pipelines.terminate(await queue.requested(1))
    await queue.stage.edit(queue.trigger_id, mode="defer")
    await queue.pipelines.terminate(queue.second)
    await queue.pipelines.ended(await queue.pipelines.run("campaigns"))
    queue.gate.touch()
    assert (await queue.pipelines.ended(await queue.requested(2)))["status"] == "success"
    await queue.pipelines.ended(await queue.pipelines.run("campaigns"))
    assert await queue.disposed(3) == ["completed", "completed", "counted"]
    watcher = services[1]
    watcher.kill()
    await watcher.ended()
    one, two = table("in.c-x.one"), table("in.c-x.two")
    await queue.stage.edit(queue.trigger_id, enabled=False)
    await queue.stage.edit(queue.trigger_id, enabled=True)
    await queue.stage.edit(queue.trigger_id, cool_down_seconds=0)
    await queue.stage.edit(queue.trigger_id, [two])
    await queue.stage.edit(queue.trigger_id, [one, two], cool_down_seconds=3600)
    await queue.pipelines.ended(await queue.pipelines.run("campaigns"))
    watcher.start()
    await queue.pipelines.ended(await queue.requested(3))
    await queue.disposed(4)
    watcher.terminate()
    await watcher.ended()
    log = await recorded_log(queue.stage, "demo", "reports", queue.trigger_id)
    jobs: list[UUID] = [trigger_job_id(queue.trigger_id, generation) for generation in range(1, 9)]
    wanted = replay(log, jobs, until=await queue.stage.now())
    assert await queue.stage.dispositions(queue.trigger_id) == [
        (update.table, update.seq, how) for update, how in wanted.dispositions
    ]
    fires = await queue.stage.pool.fetch("SELECT at FROM triggers.fires ORDER BY generation")
    assert [row["at"] for row in fires] == wanted.fires
    edits = sorted(entry.at for entry in log if isinstance(entry, Saved) and not entry.cool_down)
    assert fires[2]["at"] == edits[0]


async def test_a_run_that_starts_itself_is_stopped_by_the_length_of_the_chain(
    database: Database, broker: BrokerVhost, services: list[ServiceProcess]
) -> None:
    """Issue 8, 21: through another orchestration, with no cool-down, it ran for ever."""
    pipelines = Pipelines(database, broker)
    await pipelines.prepare()
    await pipelines.scripts(
        one="result(output_tables=[{'table': 'in.c-x.one'}])",
        two="result(output_tables=[{'table': 'in.c-x.two'}])",
    )
    await pipelines.orchestration("inner", [task("two")])
    await pipelines.orchestration("reports", [task("one")])
    await pipelines.orchestration("campaigns", [task("inner", component="orchestrator")])
    async with Stage.on(database) as stage:
        on_two = await stage.trigger([table("in.c-x.two")], orchestration="reports")
        on_one = await stage.trigger([table("in.c-x.one")], orchestration="campaigns")
        assert (await pipelines.ended(await pipelines.run("campaigns")))["status"] == "success"

        async def ended(trigger_id: TriggerId, generation: int) -> asyncpg.Record:
            job = trigger_job_id(trigger_id, generation)

            async def accepted() -> bool:
                return await pipelines.job(job) is not None

            await eventually(accepted, timeout=30)
            return await pipelines.ended(job)

        runs = [
            await ended(on_two, 1),
            await ended(on_one, 1),
            await ended(on_two, 2),
            await ended(on_one, 2),
        ]
        assert [(run["status"], run["chain_length"]) for run in runs] == [
            ("success", 1),
            ("success", 2),
            ("success", 3),
            ("error", 4),
        ]
        assert (runs[3]["error_kind"], runs[3]["started_at"]) == ("user", None)
        assert runs[3]["message"].startswith(
            "not started: 3 runs in a row were each started by table updates"
        )

        async def is_over() -> bool:
            return bool(await database.fetchval("SELECT bool_and(ended IS NOT NULL) FROM triggers.fires"))

        await eventually(is_over, timeout=30)
        assert await database.fetchval("SELECT count(*) FROM triggers.fires") == 4
