"""Claims of deliveries: one replica each, first tries in order, a lost claim is no claim."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from tests.support.databases import Database

from orchestrator_notifier.adapters.deliveries import ClaimedDelivery, DeliveryStore
from orchestrator_shared.database.pool import acquire, prepare_connection

FACT = (
    "INSERT INTO notifications.facts (key, project, orchestration, event) VALUES ($1, 'demo', 'c', 'error')"
)
DELIVERY = """
INSERT INTO notifications.deliveries
    (id, fact_key, project, orchestration, event, channel, recipient, reason, message_id)
VALUES (gen_random_uuid(), $1, 'demo', 'c', $1, 'email', $2, 'subscription', '<x@example.com>')
"""


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    """Two facts for each of two recipients; the event of a delivery names its fact."""
    for fact in ("first", "second"):
        await database.execute(FACT, fact)
        for recipient in ("a@x", "b@x"):
            await database.execute(DELIVERY, fact, recipient)
    url = database.url_for("notifier")
    async with asyncpg.create_pool(url, min_size=1, max_size=4, init=prepare_connection) as made:
        yield made


class Replica:
    """Calls on the deliveries, each on a connection of its own, under one lease."""

    def __init__(self, pool: asyncpg.Pool, lease_seconds: float) -> None:
        self._pool = pool
        self._lease = lease_seconds

    @asynccontextmanager
    async def store(self) -> AsyncIterator[DeliveryStore]:
        async with acquire(self._pool) as connection:
            yield DeliveryStore(connection)

    async def claim(self, limit: int) -> list[ClaimedDelivery]:
        async with self.store() as store:
            return await store.claim(limit=limit, lease_seconds=self._lease)

    async def begin(self, delivery: ClaimedDelivery) -> ClaimedDelivery | None:
        async with self.store() as store:
            return await store.begin(delivery=delivery, lease_seconds=self._lease)


def named(claimed: list[ClaimedDelivery]) -> list[tuple[str, str]]:
    return [(delivery.event, delivery.recipient) for delivery in claimed]


async def test_a_first_try_waits_for_the_earlier_one_of_another_replica(pool: asyncpg.Pool) -> None:
    one, other = Replica(pool, 30), Replica(pool, 30)

    (mine,) = await one.claim(1)
    theirs = await other.claim(10)
    assert named([mine]) == [("first", "a@x")]
    assert named(theirs) == [("first", "b@x"), ("second", "b@x")]

    begun = await one.begin(mine)
    assert begun is not None
    assert await other.claim(10) == []
    async with one.store() as store:
        await store.postpone(delivery=begun, seconds=60, error="451 later")
    assert named(await other.claim(10)) == [("second", "a@x")]


async def test_a_claim_that_ran_out_does_not_count(pool: asyncpg.Pool) -> None:
    slow, quick = Replica(pool, 0), Replica(pool, 30)

    lost = (await slow.claim(1))[0]
    taken = await quick.claim(1)

    assert [delivery.id for delivery in taken] == [lost.id]
    assert await slow.begin(lost) is None
    async with slow.store() as store:
        await store.fail(delivery=lost, error="not mine")
        await store.release(deliveries=[lost])
    assert await quick.begin(taken[0]) is not None
    async with quick.store() as store:
        backlog = await store.pending()
    assert backlog.count == 4
    assert 0 <= backlog.oldest < 60
