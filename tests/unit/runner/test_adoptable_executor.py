"""The conformance suite of executors on one in memory whose attempts outlive their runner."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from tests.support.executor_conformance import Behaviour, ExecutorConformance, KeptHandle, RecordingLog
from tests.support.fake_executor import Cluster, FakeExecutor

from orchestrator_runner.executors.port import AttemptId, Execution


class FakeHarness:
    def __init__(self) -> None:
        self.cluster = Cluster()
        self.executor = FakeExecutor(self.cluster)

    def execution(self, behaviour: Behaviour, **fields: Any) -> Execution:
        config = fields.pop("config", {})
        parameters = {"behaviour": behaviour, **config.get("parameters", {})}
        given = {"job_id": UUID(int=7), "attempt": 1, "argv": (), "environment": {}, **fields}
        return Execution(**given, config={"parameters": parameters})

    @asynccontextmanager
    async def successor(self) -> AsyncIterator[FakeExecutor]:
        yield FakeExecutor(self.cluster)

    def release(self) -> None:
        self.cluster.release()


@pytest.fixture
async def harness() -> FakeHarness:
    return FakeHarness()


class TestAdoptable(ExecutorConformance):
    """Run in a cluster in memory."""


async def test_what_is_not_underway_is_removed(harness: FakeHarness) -> None:
    record = KeptHandle()
    execution = harness.execution(Behaviour.HANG, record=record)
    run = asyncio.create_task(harness.executor.run(execution, RecordingLog(), asyncio.Event()))
    await record.begun()
    run.cancel()
    await asyncio.wait({run})
    assert harness.cluster.pods

    async def none_of_them(_: Collection[AttemptId]) -> Collection[AttemptId]:
        return ()

    await harness.executor.reconcile(none_of_them)
    assert not harness.cluster.pods
