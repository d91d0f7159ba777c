"""Issue 8, number 11: exporting a project of many large configurations holds only a few of them at a time."""

from typing import Any

import pytest
from tests.integration.api.conftest import Client

from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.definitions import routes, snapshot
from orchestrator_api.http import paging

MANY = 12


@pytest.fixture
async def large(furnished: Client) -> Client:
    for number in range(MANY):
        rows = {"parameters": {"rows": number + 1}, "description": "x" * 900}
        await furnished.put(f"configurations/demo-extractor/large-{number:02}", rows, status=201)
    return furnished


async def test_configurations_are_exported_a_few_at_a_time(
    large: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await large.get("definitions")
    held: list[int] = []
    read = ConfigurationStore.listed

    async def counted(self: ConfigurationStore, **values: Any) -> list[Configuration]:
        found = await read(self, **values)
        held.append(len(found))
        return found

    monkeypatch.setattr(ConfigurationStore, "listed", counted)
    monkeypatch.setattr(paging, "MAX_BYTES", 40)
    assert await large.get("definitions") == whole
    names = [each["configuration"] for each in whole["documents"] if "configuration" in each]
    assert [f"demo-extractor/large-{number:02}" for number in range(MANY)] == [
        name for name in names if "large" in name
    ]
    assert sum(held) == len(names)
    assert max(held) <= 5


async def test_more_than_fits_into_one_answer_is_refused_with_the_way_out(
    large: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MAX_EXPORTED", 5_000)
    refused = await large.get("definitions", status=422)
    assert "GET …/configurations" in refused["detail"]


@pytest.mark.parametrize("prune", [False, True])
async def test_plan_and_apply_read_the_parameters_of_the_named_configurations_only(
    large: Client, monkeypatch: pytest.MonkeyPatch, prune: bool
) -> None:
    read: list[str] = []
    many: Any = ConfigurationStore._many
    one: Any = ConfigurationStore._one

    async def noted(self: ConfigurationStore, kind: type, query: str, /, **values: object) -> list[Any]:
        rows: list[Any] = await many(self, kind, query, **values)
        read.extend(row.id for row in rows if isinstance(row, Configuration))
        return rows

    async def noted_one(self: ConfigurationStore, kind: type, query: str, /, **values: object) -> Any:
        row = await one(self, kind, query, **values)
        if isinstance(row, Configuration) and not prune:  # what is deleted is loaded one by one
            read.append(row.id)
        return row

    monkeypatch.setattr(ConfigurationStore, "_many", noted)
    monkeypatch.setattr(ConfigurationStore, "_one", noted_one)
    document = {"configuration": "demo-extractor/large-03", "parameters": {"rows": 4}, "description": "y"}
    body = {"documents": [document], "prune": prune}
    planned = await large.post("definitions/plan", body)
    actions = {each["id"]: each["action"] for each in planned["changes"]}
    assert actions["demo-extractor/large-03"] == "update"
    assert list(actions.values()).count("delete") == (MANY + 2 if prune else 0)
    assert {name for name in read if name not in ("daily", "large-03")} == set()
    read.clear()
    await large.post("definitions/apply", {"documents": [document]})
    assert {name for name in read if name != "daily"} == {"large-03"}


async def test_documents_that_name_too_much_are_refused_with_the_way_out(
    large: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_COMPARED", 20)
    documents = [
        {"configuration": f"demo-extractor/large-{number:02}", "parameters": {"rows": 1}}
        for number in (1, 2, 3)
    ]
    await large.post("definitions/plan", {"documents": documents[:1]})
    refused = await large.post("definitions/plan", {"documents": documents}, status=422)
    assert "send fewer documents at a time" in refused["detail"]
