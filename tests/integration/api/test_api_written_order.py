"""Objects are returned with their keys in the order in which they were written (number 33)."""

from typing import Any

from tests.integration.api.conftest import Client
from tests.support.databases import Database

# jsonb would sort them by length, then by their bytes.
COLUMNS = {"zeta": "text", "b": "integer", "alpha": "date"}
OTHER = {"alpha": "date", "b": "integer", "zeta": "text"}
LOADER: dict[str, Any] = {
    "component": "loader",
    "name": "Loader",
    "type": "extractor",
    "command": ["{python}", "-m", "loader"],
    "environment": {"ZETA": None, "B": "1"},
    "parameters": {"type": "object", "properties": {"zeta": {}, "columns": {"type": "object"}, "b": {}}},
}
PATH = "configurations/loader/orders"


def documents(columns: dict[str, str]) -> list[dict[str, Any]]:
    task = {"run": "loader/orders", "parameters": {"columns": columns}}
    return [
        LOADER,
        {"configuration": "loader/orders", "parameters": {"zeta": 1, "columns": columns, "b": 2}},
        {"orchestration": "daily", "phases": [{"name": "All", "tasks": [task]}]},
    ]


def told(value: Any) -> list[str]:
    return list(value)


async def apply(admin: Client, columns: dict[str, str]) -> list[str]:
    answer = await admin.post("definitions/apply", {"documents": documents(columns)})
    return [f"{each['action']} {each['kind']}" for each in answer["changes"]]


async def test_a_configuration_keeps_it_in_every_answer(admin: Client) -> None:
    await apply(admin, COLUMNS)

    configuration = (await admin.get(PATH))["parameters"]
    (version,) = (await admin.get(f"{PATH}/versions"))["items"]
    (listed,) = (await admin.get("configurations"))["items"]
    for parameters in (configuration, version["parameters"], listed["parameters"]):
        assert told(parameters) == ["zeta", "columns", "b"]
        assert told(parameters["columns"]) == told(COLUMNS)


async def test_an_export_has_it_and_is_applied_without_a_change(admin: Client) -> None:
    await apply(admin, COLUMNS)

    exported = (await admin.get("definitions"))["documents"]
    (configuration,) = [each for each in exported if "configuration" in each]
    assert told(configuration["parameters"]["columns"]) == told(COLUMNS)
    (orchestration,) = [each for each in exported if "orchestration" in each]
    (task,) = orchestration["phases"][0]["tasks"]
    assert told(task["parameters"]["columns"]) == told(COLUMNS)
    answer = await admin.post("definitions/apply", {"documents": exported})
    assert {each["action"] for each in answer["changes"]} == {"unchanged"}
    assert {each.partition(" ")[0] for each in await apply(admin, COLUMNS)} == {"unchanged"}


async def test_another_order_is_another_version(admin: Client) -> None:
    await apply(admin, COLUMNS)

    assert await apply(admin, OTHER) == [
        "unchanged component",
        "update configuration",
        "update orchestration",
    ]
    assert (await admin.get(PATH))["version"] == 2
    assert told((await admin.get(PATH))["parameters"]["columns"]) == told(OTHER)
    orchestration = await admin.get("orchestrations/daily")
    assert orchestration["version"] == 2


async def test_a_component_keeps_it(admin: Client) -> None:
    await apply(admin, COLUMNS)

    component = await admin.get("/v1/components/loader")
    assert told(component["definition"]["parameters"]["properties"]) == ["zeta", "columns", "b"]
    assert told(component["definition"]["environment"]) == ["ZETA", "B"]


async def test_a_component_changed_by_the_version_before_is_the_changed_one(
    admin: Client, database: Database
) -> None:
    """That one writes the jsonb alone."""
    await apply(admin, COLUMNS)
    async with database.connection() as connection:
        await connection.execute(
            """UPDATE catalog.components SET definition = definition || '{"environment": {"NEW": null}}'
               WHERE id = 'loader'"""
        )

    component = await admin.get("/v1/components/loader")
    assert component["definition"]["environment"] == {"NEW": None}


async def test_a_run_shows_its_parameters_in_it(admin: Client) -> None:
    await apply(admin, COLUMNS)

    brought = {"columns": {"y2": "text", "x": "text"}}
    accepted = await admin.post(f"{PATH}/runs", {"parameters": brought})

    job = await admin.get(f"jobs/{accepted['job_id']}")
    assert told(job["parameters"]["columns"]) == ["y2", "x"]
    (listed,) = (await admin.get("jobs"))["items"]
    assert told(listed["parameters"]["columns"]) == ["y2", "x"]


async def test_what_was_saved_before_orders_were_kept_gets_its_order_when_saved_again(
    admin: Client, database: Database
) -> None:
    await apply(admin, COLUMNS)
    async with database.connection() as connection:
        await connection.execute("UPDATE catalog.configuration_versions SET parameters_as_written = NULL")
    assert told((await admin.get(PATH))["parameters"]["columns"]) == ["b", "zeta", "alpha"]

    assert "update configuration" in await apply(admin, COLUMNS)
    assert told((await admin.get(PATH))["parameters"]["columns"]) == told(COLUMNS)
