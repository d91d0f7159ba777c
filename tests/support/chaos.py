"""A chaos run of three runners: load and faults from one seed, then calm, then the account."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import chaos_check
from tests.support.brokers import BrokerVhost
from tests.support.chaos_faults import LEASE_SECONDS, Faults
from tests.support.chaos_ledger import read
from tests.support.chaos_load import Load
from tests.support.databases import Database
from tests.support.ledger import LEDGER_VARIABLE
from tests.support.pipelines import Pipelines, runner_environment
from tests.support.service_process import ServiceProcess
from tests.support.waiting import eventually

from orchestrator_cli.local.rabbitmq import RabbitServer

REPLICAS = 3
LOOK_SECONDS = 0.3


@dataclass(frozen=True)
class Scene:
    """Where it happens, how much of it, and how long all may take to end once it is calm."""

    database: Database
    broker: BrokerVhost
    folder: Path
    seed: int
    jobs: int
    seconds: float
    bound: float
    server: RabbitServer | None = None


async def run_chaos(scene: Scene) -> None:
    """Fails with every broken promise; prints the seed and the figures."""
    print(f"repeat with TEST_SEED={scene.seed}")
    ledger = scene.folder / "ledger.jsonl"
    ledger.touch()
    load = Load(Pipelines(scene.database, scene.broker), random.Random(f"{scene.seed} load"))
    await load.prepare()
    await scene.database.execute(chaos_check.WATCH)
    async with _runners(scene, ledger) as runners:
        dice = random.Random(f"{scene.seed} faults")
        faults = Faults(runners, scene.database, scene.broker, dice, scene.server)
        began = time.monotonic()
        await _disturbed(scene, load, faults)
        seconds = time.monotonic() - began
    executions = read(ledger)
    evidence = await chaos_check.gather(scene.database, executions, set(load.requests), load.terminated)
    found = chaos_check.faults_found(evidence)
    print(
        chaos_check.figures(evidence)
        | {"requested again": load.repeated, "to be stopped": len(load.terminated)}
    )
    print(dict(faults.counts), f"{len(evidence.jobs) / seconds:.1f} jobs/s in {seconds:.1f} s")
    assert not found, "\n".join([f"TEST_SEED={scene.seed}: {len(found)} broken promises", *found[:20]])


async def _disturbed(scene: Scene, load: Load, faults: Faults) -> None:
    """Load and faults together; then no more faults, and everything must end within the bound."""
    supervising = asyncio.create_task(faults.supervise())
    breaking = asyncio.create_task(faults.happen())
    try:
        await load.offer(scene.jobs, scene.seconds)
        assert not breaking.done(), breaking
        breaking.cancel()
        await faults.settle()
        await eventually(lambda: _at_rest(scene, load), scene.bound)
        assert not supervising.done(), supervising
    finally:
        for task in (breaking, supervising):
            task.cancel()
        await asyncio.gather(breaking, supervising, return_exceptions=True)


async def _at_rest(scene: Scene, load: Load) -> bool:
    (counts,) = await scene.database.fetch(
        """SELECT count(*) FILTER (WHERE finished_at IS NULL) AS unfinished,
                  count(*) FILTER (WHERE parent_id IS NULL) AS accepted FROM jobs.jobs"""
    )
    if counts["unfinished"] or counts["accepted"] < len(load.requests):
        await asyncio.sleep(LOOK_SECONDS)  # a look costs the database something
    assert not counts["unfinished"], dict(counts)
    assert counts["accepted"] >= len(load.requests), f"{counts['accepted']} of {len(load.requests)} accepted"
    return True


@contextlib.asynccontextmanager
async def _runners(scene: Scene, ledger: Path) -> AsyncIterator[list[ServiceProcess]]:
    runners = []
    for number in range(1, REPLICAS + 1):
        more = {
            LEDGER_VARIABLE: str(ledger),
            "ORCHESTRATOR_LEASE_SECONDS": str(LEASE_SECONDS),
            "ORCHESTRATOR_RUNNER_NAME": f"runner-{number}",
            "ORCHESTRATOR_WORK_DIR": str(scene.folder / f"work-{number}"),
        }
        environment = runner_environment(scene.database, scene.broker, scene.folder, **more)
        runners.append(ServiceProcess("orchestrator_runner", environment, scene.folder))
    try:
        for runner in runners:
            runner.start()
        await asyncio.gather(*(runner.ready() for runner in runners))
        yield runners
    finally:
        for runner in runners:
            runner.clean_up()
            print(f"--- the end of the log of {runner.log.name}\n{runner.log_tail(10)}")
