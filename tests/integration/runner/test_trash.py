"""Configurations that go to the trash between the request for a run and its start."""

from pathlib import Path

from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import Pipelines, task, until_open
from tests.support.waiting import eventually

OK = "print('done')"
TRASH = "UPDATE catalog.configurations SET deleted_at = now() WHERE id = '{}'"
RESTORE = "UPDATE catalog.configurations SET deleted_at = NULL WHERE id = '{}'"
RESTORE_IT = "the configuration script/a is in the trash or does not exist: save it to restore it, then retry"


async def test_no_version_of_a_configuration_in_the_trash_is_run(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a=OK, b=OK)
    await pipelines.scripts(a=OK)
    await pipelines.orchestration(
        "pinned", [task("b")], [task("a", continue_on_failure=True)], [task("b", id="c")]
    )
    await pipelines.database.execute(TRASH.format("a"))
    await start_runner().ready()
    asked = [
        await pipelines.run("a", component="script", version=1),
        await pipelines.run("a", component="script"),
    ]
    runs = [await pipelines.run("pinned", task_versions={"pinned": {"a": 1}}), await pipelines.run("pinned")]

    for job in asked:
        row = await pipelines.ended(job)
        assert (row["status"], row["error_kind"], row["message"]) == ("error", "user", RESTORE_IT)
    for run in runs:
        row = await pipelines.ended(run)
        assert row["status"] == "warning"
        assert await pipelines.tasks(run) == {"b": "success", "a": "error", "c": "success"}
        assert (await pipelines.children(run))["a"]["message"] == RESTORE_IT


async def test_a_first_task_is_not_begun_either(pipelines: Pipelines, start_runner: StartRunner) -> None:
    await pipelines.scripts(a=OK)
    await pipelines.orchestration("pinned", [task("a", parameters={"version": 1})])
    await start_runner().ready()
    first = await pipelines.ended(await pipelines.run("pinned"))
    await pipelines.database.execute(TRASH.format("a"))
    second = await pipelines.ended(await pipelines.run("pinned"))

    assert (first["status"], second["status"], second["message"]) == ("success", "error", "failed: a")


async def test_a_pinned_version_is_kept_where_it_comes_back_in_time(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    await pipelines.scripts(a="print('old')", b=until_open(gate))
    await pipelines.scripts(a="print('new')")
    await pipelines.orchestration("pinned", [task("b")], [task("a")])
    await pipelines.database.execute(TRASH.format("a"))
    await start_runner().ready()

    run = await pipelines.run("pinned", task_versions={"pinned": {"a": 1}})
    await pipelines.in_status(run, "processing")
    await pipelines.database.execute(RESTORE.format("a"))
    gate.touch()

    assert (await pipelines.ended(run))["status"] == "success"
    job = (await pipelines.children(run))["a"]
    assert (job["version"], await pipelines.log(job["id"])) == (1, "old\n")


async def test_what_goes_to_the_trash_after_the_claim_runs_on(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a="sys.exit('again' if os.environ['ORCHESTRATOR_ATTEMPT'] == '1' else 0)")
    wish = {"attempts": 2, "attempt_delay_seconds": 0.5, "parameters": {"version": 1}}
    await pipelines.orchestration("campaigns", [task("a", **wish)])
    await start_runner().ready()

    run = await pipelines.run("campaigns")

    async def between_attempts() -> bool:
        row = (await pipelines.children(run)).get("a")
        assert row is not None
        assert row["status"] == "waiting"
        return True

    await eventually(between_attempts, 30)
    await pipelines.database.execute(TRASH.format("a"))
    assert (await pipelines.ended(run))["status"] == "success"
