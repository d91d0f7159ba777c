"""Streams that look often, and a viewer of them."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.integration.api.conftest import (
    Client,
    RunningApi,
)
from tests.integration.api.event_stage import viewing
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

from orchestrator_api.events import changes as event_changes
from orchestrator_api.settings import ApiSettings


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests change the database without a hint."""
    monkeypatch.setattr(event_changes, "FED_POLL_SECONDS", 0.1)


@pytest.fixture
def settings(settings: ApiSettings) -> ApiSettings:
    return settings.model_copy(update={"streams_poll_seconds": 0.1, "streams_check_seconds": 0.1})


@pytest.fixture
async def runner(furnished: Client, database: Database) -> Runner:
    made = Runner(database)
    await made.connect()
    return made


@pytest.fixture
async def viewer(api: RunningApi) -> AsyncIterator[httpx.AsyncClient]:
    async with viewing(api) as http:
        yield http
