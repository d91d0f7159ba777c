"""Parameters of one run and Task Parameters are checked as they will be merged, before anything runs."""

from typing import Any

from tests.integration.api.conftest import COMPONENT, Client, orchestration
from tests.support.databases import Database

ONE, TWO = "demo-extractor/one", "demo-extractor/two"


def fields(problem: dict[str, Any]) -> list[str]:
    return [error["field"] for error in problem["errors"]]


async def asked(database: Database) -> int:
    (row,) = await database.fetch("SELECT count(*) AS n FROM catalog.run_requests")
    return int(row["n"])


async def nest(client: Client, name: str, inner: str, **task: Any) -> None:
    tasks = [{"component": "orchestrator", "configuration": inner, "id": "inner", **task}]
    await client.put(f"orchestrations/{name}", {"phases": [{"tasks": tasks}]})


async def test_parameters_of_one_run_of_a_configuration(furnished: Client, database: Database) -> None:
    runs = f"configurations/{ONE}/runs"
    problem = await furnished.post(runs, {"parameters": {"rows": "many", "#password": 5}}, status=422)
    assert sorted(fields(problem)) == ["parameters.#password", "parameters.rows"]
    assert "many" not in str(problem)
    problem = await furnished.post(runs, {"parameters": {"rows": "{{ vars.rows }}"}}, status=422)
    assert problem["detail"].startswith("parameters.rows: a placeholder is replaced by text")
    assert await asked(database) == 0
    await furnished.post(runs, {"parameters": {"rows": 2, "#password": "{{ vars.password }}"}}, status=202)


async def test_errors_in_run_parameters_name_task_and_path(furnished: Client, database: Database) -> None:
    runs = "orchestrations/daily/runs"
    wrong = {ONE: {"rows": "many"}, TWO: {"colour": "red"}}
    problem = await furnished.post(runs, {"parameters": wrong}, status=422)
    assert fields(problem) == [f"parameters.{ONE}.rows", f"parameters.{TWO}"]
    assert "'colour'" in problem["errors"][1]["detail"]
    assert await asked(database) == 0
    await furnished.post(runs, {"parameters": {ONE: {"rows": 7}}}, status=202)


async def test_a_repeated_request_is_not_checked_again(furnished: Client) -> None:
    wish = {"parameters": {ONE: {"rows": 7}}}
    await furnished.post("orchestrations/daily/runs", wish, status=202, key="k")
    stricter = {"properties": {}, "additionalProperties": False}
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "parameters": stricter})
    await furnished.post("orchestrations/daily/runs", wish, status=202, key="k")


async def test_the_merged_result_is_what_is_checked(furnished: Client) -> None:
    pair = {"required": ["host", "port"]}
    needs = {
        "required": ["table", "db"],
        "properties": {"db": pair, "#access": {"required": ["user", "key"]}},
    }
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "parameters": needs})
    access = {"user": "u", "key": "k"}
    stored = {"table": "in.c-a.b", "db": {"host": "x", "port": 1}, "#access": access}
    await furnished.put(f"configurations/{ONE}", {"parameters": stored})
    runs = f"configurations/{ONE}/runs"
    await furnished.post(runs, {"parameters": {"db": {"port": 2}, "#access": access}}, status=202)
    # A secret is replaced as a whole: the stored one is a text that only its component reads.
    problem = await furnished.post(runs, {"parameters": {"#access": {"key": "k"}}}, status=422)
    assert fields(problem) == ["parameters.#access"]


async def test_errors_that_existed_before_are_left_to_the_run(furnished: Client) -> None:
    stricter = {"required": ["table"], "properties": {"rows": {"minimum": 5}, "mode": {"enum": ["a"]}}}
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "parameters": stricter})
    runs = f"configurations/{ONE}/runs"
    await furnished.post(runs, {}, status=202)
    await furnished.post(runs, {"parameters": {"mode": "a"}}, status=202)
    assert fields(await furnished.post(runs, {"parameters": {"rows": 1}}, status=422)) == ["parameters.rows"]
    assert fields(await furnished.post(runs, {"parameters": {"mode": "b"}}, status=422)) == [
        "parameters.mode"
    ]


async def test_a_secret_that_nobody_can_read_is_left_to_the_run(
    furnished: Client, database: Database
) -> None:
    await furnished.put(f"configurations/{ONE}", {"parameters": {"#password": "enough of a secret"}})
    await database.execute(
        'UPDATE catalog.configuration_versions SET parameters = \'{"#password": "enc:v1:AAAA"}\''
        " WHERE configuration = 'one' AND version = 2"
    )
    await furnished.post(f"configurations/{ONE}/runs", {"parameters": {"rows": 3}}, status=202)


async def test_the_requested_version_is_what_counts(furnished: Client) -> None:
    loose = {**COMPONENT, "parameters": {"properties": {"db": {"required": ["host", "port"]}}}}
    await furnished.put("/v1/components/demo-extractor", loose)
    await furnished.put(f"configurations/{ONE}", {"parameters": {"db": {"host": "x", "port": 1}}})
    runs, brought = f"configurations/{ONE}/runs", {"parameters": {"db": {"port": 2}}}
    await furnished.post(runs, brought, status=202)
    assert fields(await furnished.post(runs, {**brought, "version": 1}, status=422)) == ["parameters.db"]


async def test_task_parameters_are_checked_on_save(furnished: Client) -> None:
    phases = orchestration("one", "two")["phases"]
    phases.insert(0, {"name": "dropped", "tasks": []})
    phases[2]["tasks"][0]["parameters"] = {"parameters": {"rows": "many"}, "own-key": 1}
    problem = await furnished.put("orchestrations/daily", {"phases": phases}, status=422)
    assert fields(problem) == ["phases.2.tasks.0.parameters.parameters.rows"]
    phases[2]["tasks"][0]["parameters"]["parameters"] = {"rows": 9, "#password": "secret"}
    saved = await furnished.put("orchestrations/daily", {"phases": phases})
    assert saved["phases"][1]["tasks"][0]["parameters"]["parameters"]["#password"] == "***"
    # Written back as it is shown: what *** stands for is judged.
    await furnished.put("orchestrations/daily", {"phases": saved["phases"], "description": "again"})


async def test_task_parameters_that_no_longer_match_are_reported_and_not_refused(furnished: Client) -> None:
    phases = orchestration("one", "two")["phases"]
    phases[1]["tasks"][0]["parameters"] = {"parameters": {"rows": 9, "#password": "secret"}}
    saved = await furnished.put("orchestrations/daily", {"phases": phases})
    assert saved["errors"] == []
    stricter = {"properties": {"rows": {"maximum": 5}}}
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "parameters": stricter})
    shown = await furnished.get("orchestrations/daily")
    assert shown["errors"] == [
        f"task {TWO!r}: parameters.rows: does not match the component's schema: maximum 5"
    ]
    off = await furnished.put("orchestrations/daily", {"phases": shown["phases"], "enabled": False})
    assert (off["enabled"], off["version"]) == (False, 2)
    shown["phases"][1]["tasks"][0]["parameters"]["parameters"]["rows"] = 8
    problem = await furnished.put("orchestrations/daily", {"phases": shown["phases"]}, status=422)
    assert fields(problem) == ["phases.1.tasks.0.parameters.parameters.rows"]


async def test_task_parameters_are_checked_in_definitions(furnished: Client) -> None:
    document = {
        "orchestration": "daily",
        "phases": [{"name": "One", "tasks": [{"run": ONE, "parameters": {"parameters": {"rows": "many"}}}]}],
    }
    problem = await furnished.post("definitions/plan", {"documents": [document]}, status=422)
    assert fields(problem) == ["documents[0].phases[0].tasks[0].parameters.parameters.rows"]


async def test_run_parameters_are_checked_merged_over_task_parameters(furnished: Client) -> None:
    pairs = {"properties": {"db": {"required": ["host", "port"]}}}
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "parameters": pairs})
    phases = orchestration("one")["phases"]
    phases[0]["tasks"][0]["parameters"] = {"parameters": {"db": {"host": "x", "port": 1}}}
    await furnished.put("orchestrations/daily", {"phases": phases})
    await furnished.post("orchestrations/daily/runs", {"parameters": {ONE: {"db": {"port": 2}}}}, status=202)


async def test_parameters_reach_into_nested_orchestrations(furnished: Client, database: Database) -> None:
    await nest(furnished, "weekly", "daily")
    await nest(furnished, "monthly", "weekly")
    runs = "orchestrations/monthly/runs"

    async def problem(inner: Any) -> list[str]:
        body = {"parameters": {"inner": {"inner": inner}}}
        return fields(await furnished.post(runs, body, status=422))

    assert await problem({ONE: {"rows": "x"}}) == [f"parameters.inner.inner.{ONE}.rows"]
    assert await problem({"ghost": {}}) == ["parameters.inner.inner.ghost"]
    assert await problem({ONE: 5}) == [f"parameters.inner.inner.{ONE}"]
    assert await problem(5) == ["parameters.inner.inner"]
    assert await asked(database) == 0
    await furnished.post(runs, {"parameters": {"inner": {"inner": {ONE: {"rows": 2}}}}}, status=202)


async def test_task_parameters_of_a_nested_orchestration_are_checked_on_save(furnished: Client) -> None:
    task = {"component": "orchestrator", "configuration": "daily"}
    wrong = {"phases": [{"tasks": [{**task, "parameters": {"parameters": {ONE: {"rows": "x"}}}}]}]}
    problem = await furnished.put("orchestrations/weekly", wrong, status=422)
    assert fields(problem) == [f"phases.0.tasks.0.parameters.parameters.{ONE}.rows"]


async def test_deleted_targets_are_reported_as_before(furnished: Client, database: Database) -> None:
    await database.execute("UPDATE catalog.configurations SET deleted_at = now() WHERE id = 'one'")
    await furnished.post("orchestrations/daily/runs", {"parameters": {ONE: {"rows": "x"}}}, status=202)
    await furnished.post(f"configurations/{ONE}/runs", {"parameters": {"rows": "x"}}, status=404)
