"""A project to run, runners as real processes, and the http executor by itself."""

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.http_harness import HttpHarness, http_harness
from tests.support.kubernetes_harness import KubernetesHarness, kubernetes_harness
from tests.support.pipelines import Pipelines, runner_environment
from tests.support.service_process import ServiceProcess

StartRunner = Callable[..., ServiceProcess]


@pytest.fixture
async def pipelines(database: Database, broker: BrokerVhost) -> Pipelines:
    made = Pipelines(database, broker)
    await made.prepare()
    return made


@pytest.fixture
def start_runner(
    database: Database,
    broker: BrokerVhost,
    tmp_path: Path,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
) -> StartRunner:
    """`runner = start_runner(ORCHESTRATOR_RUNNER_SLOTS="2")`; wait with `await runner.ready()`."""

    def start(**more: str) -> ServiceProcess:
        return service_process("orchestrator_runner", runner_environment(database, broker, tmp_path, **more))

    return start


@pytest.fixture
async def http() -> AsyncIterator[HttpHarness]:
    async with http_harness() as made:
        yield made


@pytest.fixture
async def kubernetes(tmp_path: Path) -> AsyncIterator[KubernetesHarness]:
    async with kubernetes_harness(tmp_path) as made:
        yield made
