"""A stage with one project, one orchestration and one watcher."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.trigger_watcher.stage import Stage, watcher_on
from tests.support.databases import Database

from orchestrator_trigger_watcher.wiring import Watcher


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with Stage.on(database) as stage:
        await stage.project("demo")
        await stage.project("sales")
        await stage.orchestration("campaigns")
        yield stage


@pytest.fixture
async def watcher(database: Database, stage: Stage) -> AsyncIterator[Watcher]:
    async with watcher_on(database) as watcher:
        yield watcher
