"""Two replicas of every service at once: the same chain, exactly once."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from tests.end_to_end.chain import Chains
from tests.support.stack import open_stack
from tests.support.stack_settings import ADMIN_TOKEN, MODULES
from tests.support.waiting import eventually

from orchestrator_shared.domain.ids import new_id

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("replicas")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chains]:
    async with open_stack(tmp_path_factory.mktemp("replicas"), replicas=2) as stack:
        chains = Chains(stack)
        await chains.prepare()
        yield chains


@pytest.fixture
def chains(running: Chains) -> Iterator[Chains]:
    yield running
    running.stack.tell()


async def test_two_replicas_of_everything_do_everything_once(chains: Chains) -> None:
    for _ in range(3):
        await chains.complete()


async def test_asked_at_both_at_once_is_asked_once(chains: Chains) -> None:
    stack = chains.stack
    both = [stack.caller(ADMIN_TOKEN, service) for service in ("api", "api-2")]
    path, key = "orchestrations/ingest/runs", str(new_id())
    # As a person, but declined: nobody else hears of it.
    asking = (caller.post(path, {"notify": False}, key=key) for caller in both * 3)
    (run,) = {answer["job_id"] for answer in await asyncio.gather(*asking)}
    chains.asked.append(run)
    update = {"table": "in.c-elsewhere.once", "id": "load 1"}
    await asyncio.gather(*(caller.post("table-updates", update) for caller in both * 3))

    await stack.ended(run)
    query = "SELECT deliveries FROM triggers.updates WHERE event_id = 'load 1'"

    async def heard() -> bool:
        return [row["deliveries"] for row in await stack.database.fetch(query)] == [6]

    await eventually(heard, 30)
    await eventually(lambda: reported(chains), 30)
    await stack.at_rest()
    chains.quiet.add(run)
    await chains.check()


async def reported(chains: Chains) -> bool:
    return len(await chains.stack.runs("report")) == len(chains.asked)


async def test_one_replica_of_each_dies_and_the_other_goes_on(chains: Chains) -> None:
    async def disturb() -> None:
        await eventually(lambda: chains.stack.ledger.executions(chains.asked[-1]), 30)
        for name in MODULES:
            chains.stack.kill(f"{name}-2")

    await chains.complete(disturb, repeated_mails=True)
