"""The keys of an object reach the component in the order in which they were written (number 33)."""

from uuid import UUID

from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import Pipelines, task

# jsonb would sort them by length, then by their bytes.
BASE = {"zeta": 1, "b": 2, "alpha": 3, "#secret": {"zz": 1, "y": 2}}
CODE = "print(list(parameters['columns']), list(parameters['columns'].get('#secret', [])))"
IN_ORDER = "['zeta', 'b', 'alpha', '#secret'"


async def logged(pipelines: Pipelines, job: UUID) -> str:
    ended = await pipelines.ended(job)
    assert ended["status"] == "success", ended["message"]
    return (await pipelines.log(job)).strip()


async def test_a_configurations_keys_then_a_runs_keys_in_their_order(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.configuration("load", {"code": CODE, "columns": BASE})
    await start_runner().ready()

    plain = await pipelines.run("load", component="script")
    assert await logged(pipelines, plain) == f"{IN_ORDER}] ['zz', 'y']"
    brought = {"columns": {"yy": 1, "b": 5, "x": 2}}
    merged = await pipelines.run("load", component="script", parameters=brought)
    assert await logged(pipelines, merged) == f"{IN_ORDER}, 'yy', 'x'] ['zz', 'y']"


async def test_parameters_of_tasks_and_of_nested_runs_keep_it_too(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.configuration("load", {"code": CODE, "columns": BASE})
    of_task = {"parameters": {"columns": {"qq": 1, "p": 2}}}
    await pipelines.orchestration("inner", [task("load", parameters=of_task)])
    await pipelines.orchestration("outer", [task("inner", component="orchestrator")])
    await start_runner().ready()

    brought = {"inner": {"load": {"columns": {"yy": 1, "x": 2}}}}
    run = await pipelines.ended(await pipelines.run("outer", parameters=brought))

    assert run["status"] == "success", run["message"]
    (inner,) = (await pipelines.children(run["id"])).values()
    (load,) = (await pipelines.children(inner["id"])).values()
    assert await logged(pipelines, load["id"]) == f"{IN_ORDER}, 'qq', 'p', 'yy', 'x'] ['zz', 'y']"


async def test_what_the_version_before_has_written_is_still_run(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    """It writes the jsonb alone, also while both versions run."""
    await pipelines.configuration("load", {"code": CODE, "columns": BASE})
    await pipelines.orchestration("daily", [task("load")])
    async with pipelines.database.connection() as connection:
        await connection.execute("UPDATE catalog.configuration_versions SET parameters_as_written = NULL")
    await start_runner().ready()

    run = await pipelines.ended(await pipelines.run("daily"))

    assert run["status"] == "success", run["message"]
    (load,) = (await pipelines.children(run["id"])).values()
    assert (await logged(pipelines, load["id"])).startswith("['b', 'zeta', 'alpha', '#secret']")
