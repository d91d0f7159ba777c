"""A chaos run of three runners: load and faults from one seed, then calm, then the account."""

import asyncio
import random
import time

from tests.support import chaos_check
from tests.support.chaos_catalog import LIMIT, NARROW, Catalog
from tests.support.chaos_evidence import WATCH, Evidence, gather, left
from tests.support.chaos_faults import Faults
from tests.support.chaos_load import Load
from tests.support.chaos_world import Scene, World, open_world
from tests.support.pipelines import PROJECT, Pipelines
from tests.support.waiting import eventually

from orchestrator_runner.settings import RunnerSettings

LOOK_SECONDS = 0.3
SLOTS: int = RunnerSettings.model_fields["runner_slots"].default


async def run_chaos(scene: Scene) -> None:
    """Fails with every broken promise; prints the seed and the figures."""
    print(f"repeat with TEST_SEED={scene.seed}")
    await scene.database.execute(WATCH)
    async with open_world(scene) as world:
        load = await _load(scene, world)
        faults = Faults(scene, world, random.Random(f"{scene.seed} faults"))
        began = time.monotonic()
        await _disturbed(scene, load, faults)
        seconds = time.monotonic() - began
    evidence = await gather(scene, Evidence(load.asked, faults.deaths, (), SLOTS, {NARROW: LIMIT}))
    found = chaos_check.broken_promises(evidence)
    print(chaos_check.figures(evidence))
    print(dict(faults.counts), f"{len(evidence.jobs) / seconds:.1f} jobs/s in {seconds:.1f} s")
    assert not found, "\n".join([f"TEST_SEED={scene.seed}: {len(found)} broken promises", *found[:20]])


async def _load(scene: Scene, world: World) -> Load:
    """Two projects with everything that will be asked for."""
    for project in ({"id": PROJECT}, {"id": NARROW, "parallel_limit": LIMIT}):
        answer = await world.api.call("POST", "/v1/projects", project)
        assert answer.is_success, answer.text
    catalog = Catalog(random.Random(f"{scene.seed} catalog"), scene.long_seconds)
    await catalog.furnish(world.api.put)
    dice = random.Random(f"{scene.seed} load")
    return Load(Pipelines(scene.database, scene.broker), world.api, catalog, dice)


async def _disturbed(scene: Scene, load: Load, faults: Faults) -> None:
    """Load and faults together; then no more faults, and everything must end within the bound."""
    supervising = asyncio.create_task(faults.supervise())
    breaking = asyncio.create_task(faults.happen())
    try:
        await load.offer(scene.jobs, scene.seconds, lambda: faults.have_shown_all)
        assert not breaking.done(), breaking
        breaking.cancel()
        await asyncio.gather(breaking, return_exceptions=True)
        await faults.settle()
        await eventually(lambda: _at_rest(scene, load), scene.bound)
        assert not supervising.done(), supervising
    finally:
        for task in (breaking, supervising):
            task.cancel()
        await asyncio.gather(breaking, supervising, return_exceptions=True)


async def _at_rest(scene: Scene, load: Load) -> bool:
    found = await left(scene, load.asked)
    if found:
        await asyncio.sleep(LOOK_SECONDS)  # a look costs the servers something
    assert not found, found
    return True
