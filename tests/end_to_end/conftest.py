"""One stack that all tests share which break nothing, and a fresh one per module for those that do."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from tests.end_to_end.people import Person, invited
from tests.end_to_end.stories import FLIGHTS
from tests.support.stack import Stack, open_stack


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Runs undisturbed; the pipeline with its schedule is applied, so that its minute passes meanwhile."""
    async with open_stack(tmp_path_factory.mktemp("stack")) as running:
        await running.apply(FLIGHTS)
        yield running


@pytest.fixture
def told(stack: Stack) -> Iterator[Stack]:
    """The shared stack; what its services logged during the test is printed after it."""
    yield stack
    stack.tell()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def jana(stack: Stack) -> AsyncIterator[Person]:
    """An editor of the empty project `tutorial`, who was invited by mail; other projects are the tests'."""
    async with invited(stack, "tutorial") as person:
        yield person
