"""Issue 8, number 11: exporting a project of many large configurations holds only a few of them at a time."""

from typing import Any

import pytest
from tests.integration.api.conftest import Client

from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.definitions import routes
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
    read = ConfigurationStore.configurations

    async def counted(self: ConfigurationStore, **values: Any) -> list[Configuration]:
        found = await read(self, **values)
        held.extend([len(found)] if values["component"] is None else [])
        return found

    monkeypatch.setattr(ConfigurationStore, "configurations", counted)
    monkeypatch.setattr(paging, "MOST_BYTES", 40)
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
    monkeypatch.setattr(routes, "MOST_EXPORTED", 5_000)
    refused = await large.get("definitions", status=422)
    assert "GET …/configurations" in refused["detail"]
