"""The database or the broker away or silent during a run: services live on, nothing is lost or dead-lettered.

`TEST_OUTAGE_SECONDS=60` makes each outage last a minute; the short form is for every day.
"""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from tests.end_to_end.chain import Chains
from tests.support.stack import open_stack
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_shared.contracts.message import TABLE_UPDATES

OUTAGE_SECONDS = float(os.environ.get("TEST_OUTAGE_SECONDS") or 4)
UPDATES = 20
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("outages"),
    pytest.mark.timeout(200 + 3 * OUTAGE_SECONDS),
]
SETTINGS = {
    "all": {
        "ORCHESTRATOR_DATABASE_CONNECT_TIMEOUT_SECONDS": "2",
        "ORCHESTRATOR_DATABASE_ACQUIRE_TIMEOUT_SECONDS": "2",
        "ORCHESTRATOR_DATABASE_COMMAND_TIMEOUT_SECONDS": "3",
        "ORCHESTRATOR_DATABASE_STATEMENT_TIMEOUT_SECONDS": "2.5",
    }
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chains]:
    folder = tmp_path_factory.mktemp("outages")
    async with open_stack(folder, proxied=True, settings=SETTINGS) as stack:
        stack.robot.patience = stack.person.patience = 30 + 2 * OUTAGE_SECONDS
        chains = Chains(stack)
        await chains.prepare()
        yield chains


@pytest.fixture
def chains(running: Chains) -> Iterator[Chains]:
    yield running
    running.stack.tell()


def proxies(chains: Chains) -> tuple[TcpProxy, TcpProxy]:
    network = chains.stack.network
    assert network.database
    assert network.broker
    return network.database, network.broker


async def survive(chains: Chains, disturb: Any) -> None:
    """A chain, disturbed, with the same processes before and after."""
    before = {name: service.pid for name, service in chains.stack.services.items()}
    await chains.complete(disturb, timeout=60 + 2 * OUTAGE_SECONDS)
    assert {name: service.pid for name, service in chains.stack.services.items()} == before
    assert chains.stack.exit_codes() == {}
    for service in chains.stack.services.values():
        await service.ready()


@pytest.mark.parametrize("how", ["cut", "stall"])
async def test_a_database_outage_dead_letters_nothing(chains: Chains, how: str) -> None:
    proxy, _ = proxies(chains)
    table = f"in.c-elsewhere.{how}"

    async def disturb() -> None:
        await asyncio.sleep(random.uniform(0, 2))
        getattr(proxy, how)()
        for number in range(UPDATES):
            await say_updated(chains, table, f"{how} {number}")
        await asyncio.sleep(OUTAGE_SECONDS)
        await proxy.resume()

    await survive(chains, disturb)
    query = "SELECT count(*) FROM triggers.updates WHERE table_name = $1"

    async def all_heard() -> bool:
        return bool(await chains.stack.database.fetchval(query, table) == UPDATES)

    await eventually(all_heard, 30)


async def say_updated(chains: Chains, table: str, event_id: str) -> None:
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/loaders/erp",
        "type": "orchestrator.table.updated.v1",
        "data": {"project": "demo", "table": table},
    }
    await chains.stack.publish(TABLE_UPDATES, f"table.updated.demo.{table}", json.dumps(event).encode())


@pytest.mark.parametrize("how", ["cut", "stall"])
async def test_a_broker_outage_delays_and_loses_nothing(chains: Chains, how: str) -> None:
    _, proxy = proxies(chains)

    async def disturb() -> None:
        await asyncio.sleep(random.uniform(0, 2))
        getattr(proxy, how)()
        await asyncio.sleep(OUTAGE_SECONDS)
        await proxy.resume()

    await survive(chains, disturb)


async def test_connections_that_the_broker_closes_again_and_again(chains: Chains) -> None:
    async def disturb() -> None:
        for _ in range(5):
            await asyncio.sleep(random.uniform(0.2, 0.8))
            await asyncio.to_thread(chains.stack.broker.close_connections)

    await survive(chains, disturb)


async def test_both_away_at_once(chains: Chains) -> None:
    async def disturb() -> None:
        await asyncio.sleep(random.uniform(0, 2))
        for proxy in proxies(chains):
            proxy.cut()
        await asyncio.sleep(OUTAGE_SECONDS)
        for proxy in proxies(chains):
            await proxy.resume()

    await survive(chains, disturb)


async def test_in_the_end_everything_happened_once(chains: Chains) -> None:
    await chains.stack.at_rest()
    await chains.stack.drained()
    await chains.check()
