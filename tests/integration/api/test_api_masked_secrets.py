"""Issue 8.12: masked secrets that are sent back keep what is stored, through every endpoint."""

import base64
import json
from copy import deepcopy
from typing import Any

from tests.integration.api.conftest import KEY, Client
from tests.support.databases import Database

from orchestrator_shared.secret_places import of_variable
from orchestrator_shared.security import Encryption

ENCRYPTION = Encryption([base64.b64decode(KEY)])
LOOSE = {"type": "extractor", "command": ["{python}", "-m", "demo"]}
HOSTS = [{"host": "a", "#password": "of a"}, {"host": "b", "#password": "of b"}]
ONE = "configurations/demo-extractor/one"


async def loosened(client: Client) -> None:
    await client.put("/v1/components/demo-extractor", LOOSE)


async def stored(database: Database, configuration: str) -> Any:
    parameters = await database.fetchval(
        "SELECT v.parameters::text FROM catalog.configurations c JOIN catalog.configuration_versions v"
        " ON (v.project, v.component, v.configuration, v.version) = (c.project, c.component, c.id, c.version)"
        " WHERE c.id = $1",
        configuration,
    )
    return ENCRYPTION.read_secrets(json.loads(parameters), "demo")


async def test_removed_and_moved_elements_keep_each_their_own_secret(
    furnished: Client, database: Database
) -> None:
    await loosened(furnished)
    saved = await furnished.put(ONE, {"parameters": {"hosts": HOSTS}})
    hosts = saved["parameters"]["hosts"]
    assert "of a" not in str(saved)
    await furnished.put(ONE, {"parameters": {"hosts": hosts[::-1]}})
    assert await stored(database, "one") == {"hosts": HOSTS[::-1]}
    # What was read before the last save still stands for the same.
    await furnished.put(ONE, {"parameters": {"hosts": hosts[1:]}})
    assert await stored(database, "one") == {"hosts": HOSTS[1:]}
    again = await furnished.put(ONE, {"parameters": {"hosts": hosts[1:]}})
    assert again["changed"] is False


async def test_an_ambiguous_mask_is_refused_with_its_place_and_the_way_out(
    furnished: Client, database: Database
) -> None:
    await loosened(furnished)
    saved = await furnished.put(ONE, {"parameters": {"hosts": HOSTS}})
    bare = [{**host, "#password": "***"} for host in HOSTS]
    await furnished.put(ONE, {"parameters": {"hosts": bare, "new": 1}})
    assert await stored(database, "one") == {"hosts": HOSTS, "new": 1}
    problem = await furnished.put(ONE, {"parameters": {"hosts": bare[1:]}}, status=422)
    assert problem["errors"][0]["field"] == "parameters.hosts.0.#password"
    assert "keep the handle" in problem["errors"][0]["detail"]
    await furnished.put(ONE, {"parameters": {"hosts": []}})
    problem = await furnished.put(ONE, {"parameters": saved["parameters"]}, status=422)
    assert "may have been replaced" in problem["errors"][0]["detail"]


async def test_task_parameters_keep_theirs_when_tasks_and_elements_move(
    furnished: Client, database: Database
) -> None:
    await loosened(furnished)
    tasks: list[dict[str, Any]] = [
        {
            "component": "demo-extractor",
            "configuration": name,
            "parameters": {"parameters": {"hosts": HOSTS, "#key": f"key of {name}"}},
        }
        for name in ("one", "two")
    ]
    saved = await furnished.put("orchestrations/daily", {"phases": [{"tasks": tasks}]})
    (phase,) = saved["phases"]
    assert "of a" not in str(saved)
    moved = [phase["tasks"][1], phase["tasks"][0]]
    moved[0]["parameters"]["parameters"]["hosts"].pop(0)
    proposal = await furnished.post(
        "orchestrations/daily/grouping", {"by": "task", "phases": [{**phase, "tasks": moved}]}
    )
    await furnished.put("orchestrations/daily", {"phases": proposal["phases"]})
    first, second = (p["tasks"][0]["parameters"] for p in (await stored(database, "daily"))["phases"])
    assert first["parameters"] == {"hosts": HOSTS[1:], "#key": "key of two"}
    assert second["parameters"] == {"hosts": HOSTS, "#key": "key of one"}
    bare = deepcopy(tasks)
    bare[0]["parameters"]["parameters"] = {"hosts": [{"host": "a", "#password": "***"}], "#key": "***"}
    problem = await furnished.put("orchestrations/daily", {"phases": [{"tasks": bare}]}, status=422)
    assert [each["field"] for each in problem["errors"]] == [
        "phases.0.tasks.0.parameters.parameters.hosts.0.#password"
    ]


async def test_exported_documents_are_edited_and_applied(furnished: Client, database: Database) -> None:
    await loosened(furnished)
    await furnished.put(ONE, {"parameters": {"hosts": HOSTS}})
    documents = (await furnished.get("definitions"))["documents"]
    (document,) = [each for each in documents if each.get("configuration") == "demo-extractor/one"]
    document["parameters"]["hosts"].reverse()
    for _ in range(2):
        await furnished.post("definitions/plan", {"documents": documents})
        applied = await furnished.post("definitions/apply", {"documents": documents})
        assert await stored(database, "one") == {"hosts": HOSTS[::-1]}
    assert {change["action"] for change in applied["changes"]} == {"unchanged"}
    document["parameters"]["hosts"] = [{"host": "b", "#password": "***"}]
    for how in ("plan", "apply"):
        problem = await furnished.post(f"definitions/{how}", {"documents": [document]}, status=422)
        assert problem["errors"][0]["field"] == "documents[0].parameters.hosts[0].#password"


async def test_a_secret_variable_is_not_lost_by_its_mask(furnished: Client, database: Database) -> None:
    await furnished.put("variables/key", {"value": "hunter2", "secret": True})
    problem = await furnished.put("variables/key", {"value": "***", "secret": False}, status=422)
    assert problem["errors"][0]["field"] == "value"
    assert "would be lost" in problem["detail"]
    for how in ("plan", "apply"):
        documents = [{"variables": {"key": "***"}}]
        problem = await furnished.post(f"definitions/{how}", {"documents": documents}, status=422)
        assert "would be lost" in str(problem)
    value = await database.fetchval("SELECT value FROM catalog.variables_v1 WHERE name = 'key'")
    assert ENCRYPTION.decrypt_value(value, of_variable("demo", "key")) == "hunter2"
    await furnished.put("variables/plain", {"value": "***", "secret": False}, status=201)


async def test_handles_are_refused_where_nothing_is_stored(furnished: Client) -> None:
    await loosened(furnished)
    handle = "***:0123456789ab"
    new = "configurations/demo-extractor/new"
    await furnished.put(new, {"parameters": {"#key": handle}}, status=422)
    await furnished.put("variables/key", {"value": handle, "secret": True}, status=422)
    problem = await furnished.post(f"{ONE}/runs", {"parameters": {"hosts": [{"#key": handle}]}}, status=422)
    assert problem["errors"][0]["field"] == "parameters.hosts.0.#key"


async def test_a_component_sent_back_as_it_is_shown_is_the_same(admin: Client) -> None:
    document = {**LOOSE, "environment": {"#KEY": "hunter2", "MODE": "x"}}
    await admin.put("/v1/components/loader", document, status=201)
    shown = (await admin.get("/v1/components/loader"))["definition"]
    assert shown["environment"]["#KEY"] == "***"
    again = {**document, "environment": shown["environment"], "name": "Loader"}
    await admin.put("/v1/components/loader", again)
    applied = await admin.post("definitions/apply", {"documents": [{"component": "loader", **again}]})
    assert {change["action"] for change in applied["changes"]} == {"unchanged"}
    await admin.put("/v1/components/other", {**document, "environment": {"#KEY": "***"}}, status=422)
