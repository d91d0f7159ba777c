"""The trigger-watcher and the scheduler beside a real runner: a schedule, its outputs, what they trigger."""

from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

import pytest
from tests.integration.scheduler.stage import add_schedule
from tests.integration.trigger_watcher.stage import Stage, table
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.pipelines import Pipelines, runner_environment, task
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

from orchestrator_shared.domain.ids import trigger_job_id

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
        service_process("orchestrator_runner", runner_environment(database, broker, tmp_path)),
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


async def test_a_waiting_run_whose_updates_another_used_is_withdrawn(
    database: Database, broker: BrokerVhost, services: list[ServiceProcess], tmp_path: Path
) -> None:
    pipelines = Pipelines(database, broker)
    await pipelines.prepare()
    gate = tmp_path / "gate"
    wait = f"import time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)"
    await pipelines.scripts(use=wait, load=UPDATE_BOTH)
    await pipelines.orchestration("reports", [task("use")])
    await pipelines.orchestration("campaigns", [task("load")])
    async with Stage.on(database) as stage:
        trigger_id = await stage.trigger([table("in.c-x.one")], orchestration="reports")
        first = await pipelines.run("reports")
        await pipelines.in_status(first, "processing")
        second = await pipelines.run("reports")
        await pipelines.in_status(second, "waiting")
        await pipelines.ended(await pipelines.run("campaigns"))
        requested = trigger_job_id(trigger_id, 1)

        async def accepted() -> bool:
            return await pipelines.job(requested) is not None

        await eventually(accepted, timeout=30)
        await pipelines.terminate(first)
        withdrawn = await pipelines.ended(requested)
        assert withdrawn["status"] == "cancelled"
        assert await pipelines.status(second) == "processing"
        assert await database.fetchval("SELECT ended FROM triggers.fires") == "withdrawn"
        gate.touch()
        assert (await pipelines.ended(second))["status"] == "success"
