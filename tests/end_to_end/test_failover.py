"""Failover of the database under all five services: issue 8, number 29."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from tests.end_to_end.chain import Chains
from tests.support.replicated_postgres import Pair, replicated_postgres
from tests.support.stack import Stack, open_stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def pair() -> Iterator[Pair]:
    with replicated_postgres() as pair:
        yield pair


@pytest.fixture
async def stack(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with open_stack(tmp_path_factory.mktemp("failover"), database=await pair.migrated()) as stack:
        yield stack


async def database_ready(stack: Stack) -> dict[str, bool]:
    """What each service's readiness says of the database."""
    told = {}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        for name, service in stack.services.items():
            answer = (await http.get(f"{service.url}/readyz")).json()
            told[name] = answer["checks"]["database"]
    return told


async def test_all_services_follow_when_their_server_turns_read_only_and_another_takes_over(
    stack: Stack, pair: Pair
) -> None:
    """Every write was 503 for minutes, and /readyz said ready."""
    chains = Chains(stack)
    await chains.prepare()
    await chains.complete()
    before = {name: service.pid for name, service in stack.services.items()}

    async def hand_over() -> None:
        await pair.primary.turn(read_only=True)
        nobody = dict.fromkeys(stack.services, False)
        assert await database_ready(stack) == nobody
        assert await database_ready(stack) == nobody
        await pair.promote()

    await chains.complete(hand_over)

    async def everybody() -> bool:
        return all((await database_ready(stack)).values())

    await eventually(everybody, 30)
    await chains.complete()
    assert {name: service.pid for name, service in stack.services.items()} == before
    assert stack.exit_codes() == {}
