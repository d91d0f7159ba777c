"""A secret is bound to what it was entered for: project, component and configuration, or variable."""

import base64
import json
from typing import Any
from uuid import UUID, uuid4

from tests.integration.api.conftest import KEY, Client, orchestration
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

from orchestrator_shared.sealed_values import SealedValue, sealed_values
from orchestrator_shared.secret_places import of_parameters, of_state, of_variable
from orchestrator_shared.security import Encryption

ENCRYPTION = Encryption([base64.b64decode(KEY)])
OLDER = Encryption([base64.b64decode(KEY)], form="v1")
ELSEWHERE = Encryption([bytes(32)])
ONE = "configurations/demo-extractor/one"
OF_ONE, OF_TWO = (of_parameters("demo", "demo-extractor", name) for name in ("one", "two"))


async def parameters_of(database: Database, component: str, name: str) -> Any:
    text = await database.fetchval(
        "SELECT v.parameters_as_written::text FROM catalog.configurations c"
        " JOIN catalog.configuration_versions v ON (v.project, v.component, v.configuration, v.version)"
        " = (c.project, c.component, c.id, c.version) WHERE (c.component, c.id) = ($1, $2)",
        component,
        name,
    )
    return json.loads(text)


async def overwrite(database: Database, name: str, parameters: Any) -> None:
    """As someone who can write the database."""
    await database.execute(
        "UPDATE catalog.configuration_versions SET parameters = $2::jsonb, parameters_as_written = $2::json"
        " WHERE configuration = $1",
        name,
        json.dumps(parameters),
    )


def places(value: Any) -> list[str | None]:
    return [SealedValue.parse(each).place for each in sealed_values(value)]


async def test_a_value_moved_in_the_database_is_refused(furnished: Client, database: Database) -> None:
    await furnished.put(ONE, {"parameters": {"#password": "of one"}})
    moved = await parameters_of(database, "demo-extractor", "one")
    assert places(moved) == ["parameter/demo-extractor/one"]
    await overwrite(database, "two", moved)
    two = "configurations/demo-extractor/two"
    kept = {"parameters": {"rows": 2, "#password": "***"}}
    problem = await furnished.put(two, kept, status=422)
    assert problem["errors"][0]["field"] == "parameters"
    assert "for the configuration demo-extractor/two" in problem["detail"]
    assert "enter the secret again" in problem["detail"]
    await furnished.put(two, {"parameters": {"#password": "of two"}})
    stored = await parameters_of(database, "demo-extractor", "two")
    assert ENCRYPTION.decrypt_secrets(stored, OF_TWO) == {"#password": "of two"}


async def test_a_value_sent_by_a_caller_is_refused_elsewhere(furnished: Client, database: Database) -> None:
    sent = {"#password": ENCRYPTION.encrypt_value("of one", OF_ONE)}
    for wrong in (
        sent,
        {"#password": ENCRYPTION.encrypt_value("x", of_state("demo", "demo-extractor", "two"))},
        {"#password": ENCRYPTION.encrypt_value("x", of_variable("demo", "two"))},
        {"#password": ENCRYPTION.encrypt_value("x", of_parameters("rival", "demo-extractor", "two"))},
        {"#password": OLDER.encrypt_value("x", of_parameters("rival", "demo-extractor", "two"))},
    ):
        await furnished.put("configurations/demo-extractor/two", {"parameters": wrong}, status=422)
        await furnished.post("configurations/demo-extractor/two/runs", {"parameters": wrong}, status=422)
        runs = "orchestrations/daily/runs"
        given = {"parameters": {"demo-extractor/two": wrong}}
        assert (await furnished.post(runs, given, status=422))["errors"][0]["field"] == "parameters"
        phases = orchestration("one", "two")["phases"]
        phases[1]["tasks"][0]["parameters"] = {"parameters": wrong}
        problem = await furnished.put("orchestrations/daily", {"phases": phases}, status=422)
        assert problem["errors"][0]["field"] == "phases"
    await furnished.put(ONE, {"parameters": sent})
    assert ENCRYPTION.decrypt_secrets(await parameters_of(database, "demo-extractor", "one"), OF_ONE) == {
        "#password": "of one"
    }


async def test_a_value_of_another_project_is_like_one_that_no_key_opens(
    furnished: Client, database: Database
) -> None:
    """It opens neither and says the same of both; as the value of a variable, each is only a text."""
    problems = []
    for keys, project in ((ENCRYPTION, "rival"), (ELSEWHERE, "demo")):
        value = keys.encrypt_value("x", of_parameters(project, "demo-extractor", "two"))
        two = "configurations/demo-extractor/two"
        body = {"parameters": {"#password": value}}
        documents = [{"configuration": "demo-extractor/two", **body}]
        applied = {"documents": documents, "plan_id": "*"}
        problems.append(
            [
                await furnished.put(two, body, status=422),
                await furnished.post("definitions/plan", {"documents": documents}, status=422),
                await furnished.post("definitions/apply", applied, status=422),
            ]
        )
        await furnished.put("variables/key", {"value": value, "secret": True})
        stored = await database.fetchval("SELECT value FROM catalog.variables WHERE name = 'key'")
        assert ENCRYPTION.decrypt_value(stored, of_variable("demo", "key")) == value
    assert problems[0] == problems[1]


async def test_parameters_of_tasks_and_runs_are_for_whom_they_reach(
    furnished: Client, database: Database
) -> None:
    nested = {
        "id": "nested",
        "component": "orchestrator",
        "configuration": "daily",
        "parameters": {"parameters": {"demo-extractor/two": {"#password": "nested"}}, "#own": "kept"},
    }
    direct = {
        "id": "direct",
        "component": "demo-extractor",
        "configuration": "one",
        "parameters": {"parameters": {"#password": "direct"}},
    }
    await furnished.put("orchestrations/outer", {"phases": [{"tasks": [nested, direct]}]})
    stored = await parameters_of(database, "orchestrator", "outer")
    first, second = stored["phases"][0]["tasks"]
    assert places(first["parameters"]["parameters"]) == ["parameter/demo-extractor/two"]
    assert places(first["parameters"]["#own"]) == ["parameter/orchestrator/daily"]
    assert places(second) == ["parameter/demo-extractor/one"]

    given = {
        "nested": {"demo-extractor/one": {"#password": "a"}, "demo-extractor/two": {"#password": "b"}},
        "direct": {"#password": "c", "rows": 3},
    }
    await furnished.post("orchestrations/outer/runs", {"parameters": given}, status=202, key="once")
    again = await furnished.post("orchestrations/outer/runs", {"parameters": given}, status=202, key="once")
    requested = json.loads(
        await database.fetchval("SELECT parameters_as_written::text FROM catalog.run_requests")
    )
    assert again["job_id"]
    assert places(requested) == [f"parameter/demo-extractor/{name}" for name in ("one", "two", "one")]
    assert ENCRYPTION.read_secrets(requested, "demo") == given

    # The nested task runs something else now: the secret stays what it was for, and saving goes on.
    swapped = orchestration("one")["phases"]
    swapped[0]["tasks"][0]["id"] = "demo-extractor/two"
    await furnished.put("orchestrations/daily", {"phases": swapped})
    shown = (await furnished.get("orchestrations/outer"))["phases"]
    shown[0]["name"] = "Renamed"
    assert (await furnished.put("orchestrations/outer", {"phases": shown}))["changed"]
    stored = await parameters_of(database, "orchestrator", "outer")
    assert places(stored)[0] == "parameter/demo-extractor/two"


async def retried(furnished: Client, database: Database, job: UUID) -> Any:
    plan = await furnished.get(f"jobs/{job}/retry-plan")
    made = await furnished.post(f"jobs/{job}/retries", {"plan_id": plan["id"]}, status=202)
    text = await database.fetchval(
        "SELECT parameters_as_written::text FROM catalog.run_requests WHERE job_id = $1",
        UUID(made["job_id"]),
    )
    return json.loads(text)


async def test_a_retry_does_not_make_a_moved_value_valid(furnished: Client, database: Database) -> None:
    moved = {"#password": ENCRYPTION.encrypt_value("of two", OF_TWO)}
    older = {"#password": OLDER.encrypt_value("of one", OF_ONE)}
    jobs = [
        await Runner(database).job(
            "one", number, "error", id=uuid4(), version=1, parameters=json.dumps(parameters)
        )
        for number, parameters in ((1, moved), (2, older))
    ]
    assert await retried(furnished, database, jobs[0]) == moved
    renewed = await retried(furnished, database, jobs[1])
    assert ENCRYPTION.decrypt_secrets(renewed, OF_ONE) == {"#password": "of one"}
    assert places(renewed) == [OF_ONE.name]


async def test_a_secret_whose_key_is_lost_can_be_entered_again(furnished: Client, database: Database) -> None:
    """Until now it could not: the answer said to enter the secret again, whatever was entered."""
    await overwrite(database, "one", {"#password": ELSEWHERE.encrypt_value("lost", OF_ONE)})
    await furnished.put(ONE, {"parameters": {"#password": "***"}}, status=422)
    await furnished.put(ONE, {"parameters": {"#password": "entered again"}})
    stored = await parameters_of(database, "demo-extractor", "one")
    assert ENCRYPTION.decrypt_secrets(stored, OF_ONE) == {"#password": "entered again"}

    await furnished.put("variables/key", {"value": "known", "secret": True})
    await database.execute(
        "UPDATE catalog.variables SET value = $1", ELSEWHERE.encrypt_value("lost", of_variable("demo", "key"))
    )
    documents = [{"variables": {"#key": "new"}}]
    plan = await furnished.post("definitions/plan", {"documents": documents})
    assert [change["action"] for change in plan["changes"] if change["kind"] == "variable"] == ["update"]
    await furnished.put("variables/key", {"value": "new", "secret": True})

    phases = orchestration("one")["phases"]
    phases[0]["tasks"][0]["parameters"] = {"parameters": {"#password": "known"}}
    await furnished.put("orchestrations/daily", {"phases": phases})
    broken = await parameters_of(database, "orchestrator", "daily")
    task = broken["phases"][0]["tasks"][0]
    task["parameters"]["parameters"]["#password"] = ELSEWHERE.encrypt_value("lost", OF_ONE)
    await overwrite(database, "daily", broken)
    await furnished.put("orchestrations/daily", {"phases": phases})
    healed = await parameters_of(database, "orchestrator", "daily")
    assert list(sealed_values(ENCRYPTION.read_secrets(healed, "demo"))) == []


async def test_a_copy_and_a_restored_version_make_no_moved_value_valid(
    furnished: Client, database: Database
) -> None:
    await furnished.put(ONE, {"parameters": {"#password": "of one"}})
    await furnished.post(f"{ONE}/copies", {"id": "three"}, status=201)
    copied = await parameters_of(database, "demo-extractor", "three")
    three = of_parameters("demo", "demo-extractor", "three")
    assert ENCRYPTION.decrypt_secrets(copied, three) == {"#password": "of one"}
    await overwrite(database, "two", {"#password": ENCRYPTION.encrypt_value("of one", OF_ONE)})
    await furnished.post("configurations/demo-extractor/two/copies", {"id": "four"}, status=422)
    await furnished.post("configurations/demo-extractor/two/versions/1/restore", {}, status=422)

    phases = orchestration("one", "two")["phases"]
    phases[0]["tasks"][0]["parameters"] = {"parameters": {"#password": "of the task"}}
    await furnished.put("orchestrations/daily", {"phases": phases})
    moved = await parameters_of(database, "orchestrator", "daily")
    tasks = [phase["tasks"][0] for phase in moved["phases"]]
    tasks[1]["parameters"] = tasks[0]["parameters"]
    await overwrite(database, "daily", moved)
    await furnished.post("orchestrations/daily/copies", {"id": "weekly"}, status=201)
    assert places(await parameters_of(database, "orchestrator", "weekly")) == [OF_ONE.name] * 2
    await furnished.put("orchestrations/daily", {"phases": orchestration("one")["phases"]})
    await furnished.post("orchestrations/daily/versions/2/restore", {}, status=200)
    assert places(await parameters_of(database, "orchestrator", "daily")) == [OF_ONE.name] * 2
