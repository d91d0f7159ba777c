"""What the token of an orchestration may no longer run is refused where it would start, with the reason."""

from pathlib import Path

from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import PROJECT, Pipelines, task, until_open
from tests.support.waiting import eventually

OK = "print('done')"
FORBIDDEN = (
    "the token of the orchestration may no longer run the component 'script': ask an administrator to add it "
    "(PUT …/orchestrations/{orchestration}/token)"
)
REVOKED = (
    "the token of the orchestration was revoked: restore the orchestration, or refresh its token "
    "(POST …/orchestrations/{orchestration}/token/refresh)"
)
TOKEN = """
WITH made AS (
    INSERT INTO catalog.tokens (id, project, kind, name, secret_hash, scopes, components)
    VALUES (gen_random_uuid(), $1, 'orchestration', 'orchestration ' || $2, sha256($2::bytea), '{run}', $3)
    RETURNING id)
INSERT INTO catalog.orchestration_tokens (project, orchestration, token_id) SELECT $1, $2, id FROM made
"""
REVOKE = "UPDATE catalog.tokens SET revoked_at = now() WHERE name = 'orchestration {}'"


async def give_token(pipelines: Pipelines, orchestration: str, *components: str) -> None:
    await pipelines.database.execute(TOKEN, PROJECT, orchestration, list(components))


async def test_a_task_of_a_withdrawn_component_ends_with_the_reason(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a=OK, b=OK)
    await pipelines.orchestration("narrow", [task("a", continue_on_failure=True)], [task("b")])
    await pipelines.orchestration("wide", [task("a")], [task("b")])
    await give_token(pipelines, "narrow", "another")
    await give_token(pipelines, "wide", "another", "script")
    await start_runner().ready()

    narrow, wide = await pipelines.run("narrow"), await pipelines.run("wide")
    assert (await pipelines.ended(wide))["status"] == "success"
    assert (await pipelines.ended(narrow))["status"] == "error"
    children = await pipelines.children(narrow)
    for name in ("a", "b"):
        row = children[name]
        assert (row["status"], row["error_kind"], row["message"]) == ("error", "user", FORBIDDEN), name
        assert await pipelines.log(row["id"]) == "", "its program was not started"
    alone = await pipelines.run("a", component="script")
    assert (await pipelines.ended(alone))["status"] == "success", "a job by itself has no such token"


async def test_a_nested_run_needs_the_right_to_run_orchestrations(
    pipelines: Pipelines, start_runner: StartRunner
) -> None:
    await pipelines.scripts(a=OK)
    await pipelines.orchestration("inner", [task("a")])
    await pipelines.orchestration("outer", [task("inner", component="orchestrator")])
    await give_token(pipelines, "inner", "*")
    await give_token(pipelines, "outer", "script")
    await start_runner().ready()

    run = await pipelines.run("outer")
    assert (await pipelines.ended(run))["status"] == "error"
    nested = (await pipelines.children(run))["inner"]
    assert (nested["status"], nested["error_kind"]) == ("error", "user")
    assert nested["message"] == FORBIDDEN.replace("'script'", "'orchestrator'")
    assert await pipelines.children(nested["id"]) == {}


async def test_nothing_starts_as_a_revoked_token(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    await pipelines.scripts(a=until_open(gate), b=OK)
    await pipelines.orchestration("daily", [task("a")], [task("b")])
    await give_token(pipelines, "daily", "*")
    await start_runner().ready()

    run = await pipelines.run("daily")

    async def first_begins() -> bool:
        first = (await pipelines.children(run)).get("a")
        assert first is not None
        assert first["status"] == "processing"
        return True

    await eventually(first_begins)
    await pipelines.database.execute(REVOKE.format("daily"))
    gate.touch()
    assert (await pipelines.ended(run))["status"] == "error"
    children = await pipelines.children(run)
    assert children["a"]["status"] == "success", "what had begun ends by itself"
    assert (children["b"]["status"], children["b"]["message"]) == ("error", REVOKED)

    again = await pipelines.ended(await pipelines.run("daily"))
    assert (again["status"], again["error_kind"], again["message"]) == ("error", "user", REVOKED)
