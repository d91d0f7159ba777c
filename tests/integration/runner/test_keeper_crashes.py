"""A keeper that dies at its named points: its tasks die, its runner ends, and another one does the work."""

import os
from pathlib import Path
from types import ModuleType

import pytest
from tests.integration.runner.conftest import StartRunner
from tests.support.ledger import LEDGER_VARIABLE, PROGRAM, Ledger
from tests.support.pipelines import Pipelines, task
from tests.support.servers import REPOSITORY

from orchestrator_runner.keeper import failpoints as keeper_failpoints
from orchestrator_runner.keeper.processes import environment_has, process_table
from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.runtime import failpoints

MODULES = {"failpoints": failpoints, "keeper": keeper_failpoints}
SOURCES = ("shared/src", "services/runner/src")


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_every_point_is_listed_and_so_tested(module: ModuleType) -> None:
    """Here and in test_recovery.py every listed one is tested; one that is never reached fails there."""
    named = {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
    public = {name: value for name, value in named.items() if not name.startswith("_")}
    assert sorted(public.values()) == sorted(module.CRASH_POINTS)
    assert not set(failpoints.CRASH_POINTS) & set(keeper_failpoints.CRASH_POINTS)


def test_no_point_is_named_in_passing() -> None:
    """Each is reached by its constant, so that none escapes the lists."""
    for source in SOURCES:
        for file in (REPOSITORY / source).rglob("*.py"):
            for part in file.read_text().split("points.reach(")[1:]:
                assert part.startswith(("points.", "failpoints.")), (
                    f"{file.name}: reach({part.splitlines()[0]}"
                )


@pytest.mark.parametrize("point", keeper_failpoints.CRASH_POINTS)
async def test_a_keeper_dies_at_every_named_point(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path, point: str
) -> None:
    ledger = Ledger(tmp_path / "ledger")
    await _ledger_component(pipelines)
    for name, seconds in (("quick", 0), ("slow", 1.5), ("later", 0)):
        await pipelines.configuration(name, {"seconds": seconds}, component="noted")
    phases = [[task(name, component="noted") for name in names] for names in (["quick", "slow"], ["later"])]
    await pipelines.orchestration("campaigns", *phases)
    variables = {LEDGER_VARIABLE: str(ledger.file)}
    doomed = start_runner(ORCHESTRATOR_CRASH_AT=point, **variables)
    await doomed.ready()
    run = await pipelines.run("campaigns")

    assert await doomed.ended() == 1, "a runner without its keeper ends as a failure"
    mark = f"{LEDGER_VARIABLE}={ledger.file}".encode()
    assert not [pid for pid in process_table() if pid != os.getpid() and environment_has(pid, mark)]

    await start_runner(**variables).ready()
    ended = await pipelines.ended(run)

    assert ended["status"] == "success"
    assert await pipelines.tasks(run) == {"quick": "success", "slow": "success", "later": "success"}
    ledger.check_serial()
    assert {each.configuration for each in ledger.executions() if each.ended} == {
        "noted/quick",
        "noted/slow",
        "noted/later",
    }


async def _ledger_component(pipelines: Pipelines) -> None:
    async with pipelines.database.connection() as connection:
        await prepare_connection(connection)
        await connection.execute(
            """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
               VALUES ('noted', 'noted', 'application', 'process', 'rerun', $1)""",
            {"command": ["{python}", "-S", "-c", PROGRAM], "environment": {LEDGER_VARIABLE: None}},
        )
