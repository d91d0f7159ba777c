"""The docker executor on a real engine: the conformance suite of all executors."""

from collections.abc import AsyncIterator

import pytest
from tests.support.docker_engine import PrivateEngine
from tests.support.docker_harness import DockerHarness, shell_image
from tests.support.executor_conformance import ExecutorConformance
from tests.support.image_registry import Registry


@pytest.fixture(scope="module")
def image(registry: Registry) -> str:
    return shell_image(registry)


@pytest.fixture
async def harness(engine: PrivateEngine, registry: Registry, image: str) -> AsyncIterator[DockerHarness]:
    made = DockerHarness(engine, registry, image)
    async with made.opened() as made.executor:
        yield made
    assert not made.names("running")
    made.remove_all()


class TestDockerExecutor(ExecutorConformance):
    """Nothing is skipped: every test of the suite runs on containers."""
