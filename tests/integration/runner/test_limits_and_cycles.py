"""The project's parallel limit, and runs that would wait for each other for ever."""

from pathlib import Path

from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import PROJECT, Pipelines, task, until_all_meet


async def test_a_projects_parallel_limit_holds_over_all_replicas(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    await pipelines.database.execute("UPDATE catalog.projects SET parallel_limit = 2 WHERE id = $1", PROJECT)
    names = [f"t{number}" for number in range(7)]
    code = until_all_meet(tmp_path / "met", 2) + "time.sleep(0.15)"
    await pipelines.scripts(**dict.fromkeys(names, code))
    await pipelines.orchestration("wide", [task(name) for name in names])
    for runner in (start_runner(), start_runner()):
        await runner.ready()

    run = await pipelines.ended(await pipelines.run("wide"))

    assert run["status"] == "success"
    most = await pipelines.database.fetchval(
        """SELECT max(n) FROM (
               SELECT (SELECT count(*) FROM jobs.attempts b
                       WHERE b.started_at <= a.started_at AND b.finished_at > a.started_at) AS n
               FROM jobs.attempts a) AS counted"""
    )
    assert most == 2


async def test_runs_that_wait_in_a_circle_are_found_and_the_circle_is_named(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    """No version is a cycle by itself: x runs y as it was when x started, and y has run x since."""
    both = until_all_meet(tmp_path / "met", 2)
    await pipelines.scripts(slow=both, other=both, quick="pass")
    await pipelines.orchestration("x", [task("slow")], [task("y", component="orchestrator")])
    await pipelines.orchestration("y", [task("other")], [task("x", component="orchestrator")])
    await start_runner().ready()

    x, y = await pipelines.run("x"), await pipelines.run("y")
    first, second = await pipelines.ended(x), await pipelines.ended(y)

    assert sorted([first["status"], second["status"]]) == ["error", "error"]
    messages = await pipelines.database.fetch(
        "SELECT message FROM jobs.jobs WHERE parent_id IS NOT NULL AND message LIKE 'these runs%'"
    )
    assert len(messages) == 1
    assert messages[0]["message"].startswith("these runs wait for each other: ")
    assert set(messages[0]["message"].partition(": ")[2].split(" → ")) == {"x", "y"}


async def test_retry_on_names_the_errors_worth_another_attempt(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(user="sys.exit('no')", internal="sys.exit(3)")
    await pipelines.orchestration(
        "campaigns",
        [
            task("user", attempts=3, retry_on="internal"),
            task("internal", attempts=2, retry_on="internal"),
        ],
    )
    await start_runner().ready()

    run = await pipelines.ended(await pipelines.run("campaigns"))

    assert run["error_kind"] == "internal", "the worse kind of its tasks"
    jobs = await pipelines.children(run["id"])
    assert {name: job["attempt"] for name, job in jobs.items()} == {"user": 1, "internal": 2}
