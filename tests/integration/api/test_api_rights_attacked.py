"""Issue 8, section A, attacked after the fix: ways around the rule about what a token may run."""

import json
from typing import Any
from uuid import UUID

from tests.integration.api.conftest import COMPONENT, Client, RunningApi
from tests.integration.api.test_api_retries import failed_run
from tests.integration.api.test_api_rights import mixed as mixed  # a fixture
from tests.integration.api.test_api_tokens import bearer
from tests.support.databases import Database

ONE = "demo-extractor/one"
EDITOR = {"scopes": ["run", "configure"], "components": ["orchestrator", "demo-extractor"]}
SQL = {"id": "sql", "component": "sql", "configuration": "s1"}


def nested(name: str, **parameters: Any) -> dict[str, Any]:
    return {"id": name, "component": "orchestrator", "configuration": name, "parameters": parameters}


async def saved(client: Client, name: str, *tasks: dict[str, Any], status: int | None = None) -> Any:
    return await client.put(f"orchestrations/{name}", {"phases": [{"tasks": list(tasks)}]}, status=status)


async def pinned_twice(admin: Client) -> None:
    """`middle` 1 pins `inner` 1, which runs SQL; neither is current."""
    one = {"component": "demo-extractor", "configuration": "one"}
    await saved(admin, "inner", SQL)
    await saved(admin, "inner", one)
    await saved(admin, "middle", nested("inner", version=1))
    await saved(admin, "middle", nested("inner"))


async def test_3_a_pinned_version_may_pin_another(api: RunningApi, mixed: Client) -> None:
    await pinned_twice(mixed)
    async with bearer(api, mixed, **EDITOR) as editor:
        problem = await saved(editor, "mine", nested("middle", version=1), status=403)
        await saved(editor, "mine", nested("middle"), status=201)
    assert (problem["errors"][0]["field"], "'sql'" in problem["detail"]) == ("phases", True)


async def test_1_an_old_version_reaches_what_it_pins(api: RunningApi, mixed: Client) -> None:
    await pinned_twice(mixed)
    await saved(mixed, "outer", nested("middle", version=1))
    await saved(mixed, "outer", nested("middle"))
    async with bearer(api, mixed, **EDITOR) as editor:
        problem = await editor.post("orchestrations/outer/runs", {"version": 1}, status=403)
        await editor.post("orchestrations/outer/runs", {"version": 2}, status=202)
    assert (problem["errors"][0]["field"], "'sql'" in problem["detail"]) == ("version", True)


async def test_1_a_retry_with_original_versions_reaches_what_never_started(
    api: RunningApi, mixed: Client, database: Database
) -> None:
    """The nested run was pinned by an earlier retry and never begun: its tasks are in no table of jobs."""
    await pinned_twice(mixed)
    await saved(mixed, "daily", {"component": "demo-extractor", "configuration": "one"}, nested("inner"))
    run = await failed_run(database, version=3)
    await database.execute(
        "UPDATE jobs.tasks SET task_id = 'inner', component = 'orchestrator', configuration = 'inner', "
        "version = 1 WHERE task_id LIKE '%/two'"
    )
    async with bearer(api, mixed, **EDITOR) as editor:
        plan = await editor.get(f"jobs/{run}/retry-plan?version=original")
        assert {task["id"]: task["version"] for task in plan["tasks"]}["inner"] == 1
        problem = await editor.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=403)
    assert "'sql'" in problem["detail"]
    plan = await mixed.get(f"jobs/{run}/retry-plan?version=original")
    await mixed.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=202)


async def test_3_a_variable_of_a_pinned_version_is_in_use(api: RunningApi, mixed: Client) -> None:
    """Of a configuration, and of a task below a pinned orchestration."""
    for host in ("{{ vars.host }}", "elsewhere"):
        await mixed.put("configurations/sql/s1", {"parameters": {"statements": [], "host": host}})
    for text in ("{{ vars.deep }}", "x"):
        await saved(mixed, "inner", {**SQL, "parameters": {"parameters": {"host": text}}})
    pinned = int((await mixed.get("configurations/sql/s1"))["version"]) - 1
    await saved(mixed, "whole", {**SQL, "parameters": {"version": pinned}}, nested("inner", version=1))
    async with bearer(api, mixed, scopes=["configure"]) as editor:
        for name in ("host", "deep"):
            problem = await editor.put(f"variables/{name}", {"value": "evil.example"}, status=403)
            assert problem["errors"][0]["field"] == "name"
        await editor.put("variables/free", {"value": "x"}, status=201)


async def test_2_secrets_cannot_be_guessed_by_what_changes(api: RunningApi, mixed: Client) -> None:
    """A right guess gets exactly the same answer as a wrong one."""
    parameters = {"statements": ["{{ vars.pin }}"], "#pin": "1234"}
    await mixed.put("configurations/sql/s1", {"parameters": parameters})
    await mixed.put("variables/pin", {"value": "1234", "secret": True}, status=201)
    await saved(mixed, "whole", {**SQL, "parameters": {"parameters": {"#pin": "1234"}}})
    exported = [
        json.dumps(each)
        for each in (await mixed.get("definitions"))["documents"]
        if "variables" in each
        or each.get("configuration") == "sql/s1"
        or each.get("orchestration") == "whole"
    ]
    assert len(exported) == 3

    def documents(guess: str) -> list[dict[str, Any]]:
        return [json.loads(each.replace('"***"', f'"{guess}"')) for each in exported]

    async with bearer(api, mixed, scopes=["configure"]) as editor:
        for wanted in range(3):
            right, wrong = [
                await editor.post("definitions/plan", {"documents": [documents(guess)[wanted]]}, status=403)
                for guess in ("1234", "9999")
            ]
            assert right["detail"] == wrong["detail"]
        right, wrong = [
            await editor.put("variables/pin", {"value": guess, "secret": True}, status=403)
            for guess in ("1234", "9999")
        ]
        assert right == wrong
    plan = await mixed.post("definitions/plan", {"documents": documents("1234")})
    assert {change["action"] for change in plan["changes"]} == {"unchanged"}


async def test_12_a_tasks_secret_stays_with_its_configuration(api: RunningApi, mixed: Client) -> None:
    """Another component under the same task id, or the handle in another task, gets no secret."""
    secrets = {"#password": "s3cret-of-sql", "hosts": [{"#key": "k3y-of-sql"}]}
    await saved(mixed, "whole", {**SQL, "parameters": {"parameters": secrets}})
    shown = (await mixed.get("orchestrations/whole"))["phases"][0]["tasks"][0]["parameters"]["parameters"]
    assert shown["hosts"][0]["#key"].startswith("***:")
    demo = {"id": "sql", "component": "demo-extractor", "configuration": "one"}
    async with bearer(api, mixed, **EDITOR) as editor:
        for stolen in ({"#password": "***"}, {"#password": shown["hosts"][0]["#key"]}):
            problem = await saved(editor, "whole", {**demo, "parameters": {"parameters": stolen}}, status=422)
            assert problem["errors"][0]["field"] == "phases.0.tasks.0.parameters.parameters.#password"
    kept = {"parameters": {**shown, "#password": "***"}}
    again = await saved(mixed, "whole", {**SQL, "parameters": kept}, status=200)
    assert again["changed"] is False


async def test_1_a_retry_repeats_parameters_only_for_tokens_that_may_configure_their_components(
    api: RunningApi, mixed: Client, database: Database
) -> None:
    """Whoever puts another task under the id would receive the secrets of the previous one."""
    demo = {"id": "sql", "component": "demo-extractor", "configuration": "one"}
    await saved(mixed, "daily", SQL)
    async with bearer(api, mixed, scopes=["run"]) as robot:
        started = UUID((await robot.post("orchestrations/daily/runs", status=202))["job_id"])
    run = await failed_run(database, id=started, version=2)
    await database.execute(
        "UPDATE jobs.tasks SET task_id = 'sql', component = 'sql', lane_id = $1 WHERE task_id LIKE '%/one'",
        await sql_lane(database),
    )
    given = json.dumps({"sql": {"#password": "s3cret-of-sql"}})
    await database.execute("UPDATE jobs.jobs SET parameters = $2 WHERE id = $1", run, given)
    await saved(mixed, "daily", demo)
    async with bearer(api, mixed, **EDITOR) as editor:
        plan = await editor.get(f"jobs/{run}/retry-plan")
        problem = await editor.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=403)
    assert (problem["errors"][0]["field"], "'sql'" in problem["detail"]) == ("parameters", True)
    await mixed.post(f"jobs/{run}/retries", {"plan_id": plan["id"]}, status=202)


async def sql_lane(database: Database) -> int:
    return int(
        await database.fetchval(
            "INSERT INTO jobs.lanes (project, component, configuration) "
            "VALUES ('demo', 'sql', 's1') RETURNING id"
        )
    )


KEYS = {"API_TOKEN": "k3y-of-a-program"}
REMOTE = {
    "type": "application",
    "executor": "http",
    "http": {
        "headers": {"Authorization": "Bearer k3y-of-a-service"},
        "start": {"url": "https://x.example/?k=k3y"},
    },
}


async def test_12_how_a_component_is_run_is_for_administrators(api: RunningApi, mixed: Client) -> None:
    """Every token of every project could read environments, headers and addresses."""
    program = {**COMPONENT, "environment": KEYS, "command": ["program", "--key=k3y"]}
    for name, document in (("program", program), ("service", REMOTE)):
        shown = await mixed.put(f"/v1/components/{name}", document, status=201)
        assert "k3y" in json.dumps(shown)
    async with bearer(api, mixed, scopes=["read", "configure"], components=["*"]) as editor:
        for path in ("/v1/components", "/v1/components/program", "/v1/components/service"):
            assert "k3y" in json.dumps(await mixed.get(path))
            assert "k3y" not in json.dumps(await editor.get(path))
        schema = (await editor.get("/v1/components/program"))["definition"]["parameters"]
        assert schema == COMPONENT["parameters"]
        for token in ("k3y-of-a-program", "another"):  # unchanged or not
            named = {"component": "program", "name": "program"}
            document = {**program, **named, "environment": {"API_TOKEN": token}}
            problem = await editor.post("definitions/plan", {"documents": [document]}, status=403)
            assert "administrator" in problem["detail"]


async def test_3_what_may_not_be_pruned_is_forbidden(api: RunningApi, mixed: Client) -> None:
    """It was rejected as if the documents were invalid."""
    async with bearer(api, mixed, scopes=["configure"], components=["demo-extractor"]) as editor:
        problem = await editor.post("definitions/apply", {"documents": [], "prune": True}, status=403)
    assert "may not" in problem["detail"]
