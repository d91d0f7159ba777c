"""Components behind HTTP are registered and applied like any other."""

from typing import Any

from tests.integration.api.conftest import Client

HTTP: dict[str, Any] = {
    "start": {"url": "https://dbt.example.com/jobs/{{ parameters.job }}/run"},
    "id": "data.id",
    "poll": {"url": "https://dbt.example.com/runs/{{ id }}", "every": 10, "state": "data.status"},
    "states": {"success": ["done"], "running": ["busy"]},
}
DOCUMENT = {"type": "transformation", "executor": "http", "http": HTTP}


async def test_a_component_behind_http_is_registered_once(admin: Client) -> None:
    first = await admin.put("/v1/components/dbt-cloud", DOCUMENT, status=201)
    await admin.put("/v1/components/dbt-cloud", DOCUMENT, status=200)

    assert first["executor"] == "http"
    assert first["definition"]["http"]["id"] == "data.id"


async def test_applying_it_twice_changes_nothing(admin: Client) -> None:
    documents = [{"component": "dbt-cloud", "name": "dbt Cloud", **DOCUMENT}]
    await admin.post("/v1/projects/demo/definitions/apply", {"documents": documents}, status=200)

    again = await admin.post("/v1/projects/demo/definitions/plan", {"documents": documents}, status=200)

    assert {change["action"] for change in again["changes"]} == {"unchanged"}


async def test_executor_and_section_belong_together(admin: Client) -> None:
    for document in (
        {"type": "writer", "executor": "http"},
        {"type": "writer", "executor": "process"},
        {"type": "writer", "command": ["true"], "http": HTTP},
    ):
        problem = await admin.put("/v1/components/odd", document, status=422)
        assert problem["status"] == 422
