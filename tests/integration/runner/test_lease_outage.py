"""An outage of the database that outlasts the leases: replicas renew them, and nobody is declared lost."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import asyncpg
import pytest
from tests.integration.runner.conftest import StartRunner
from tests.support.databases import Database
from tests.support.engine_replica import CountedLease
from tests.support.pipelines import QUICKLY_LOST, Pipelines, task
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_runner.queue.leases import Leases
from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.domain.ids import new_id

LEASE_SECONDS = float(QUICKLY_LOST["ORCHESTRATOR_LEASE_SECONDS"])
STARTED = "SELECT count(*) FROM jobs.attempts"


@pytest.mark.parametrize("how", ["cut", "stall"])
async def test_all_replicas_live_through_an_outage_longer_than_their_lease(
    pipelines: Pipelines,
    start_runner: StartRunner,
    tcp_proxy: Callable[[str, int], Awaitable[TcpProxy]],
    how: str,
) -> None:
    address = urlsplit(pipelines.database.url)
    proxy = await tcp_proxy(address.hostname or "", address.port or 5432)
    by_proxy = {
        **QUICKLY_LOST,
        "ORCHESTRATOR_DATABASE_URL": proxy.url(pipelines.database.url_for("runner")),
        "ORCHESTRATOR_DATABASE_CONNECT_TIMEOUT_SECONDS": "1",
        "ORCHESTRATOR_DATABASE_ACQUIRE_TIMEOUT_SECONDS": "1",
        "ORCHESTRATOR_DATABASE_COMMAND_TIMEOUT_SECONDS": "1",
    }
    runners = [start_runner(**by_proxy) for _ in range(2)]
    await asyncio.gather(*(runner.ready() for runner in runners))
    await pipelines.scripts(slow="import time; time.sleep(1)", later="pass")
    await pipelines.orchestration("campaigns", [task("slow")], [task("later")])
    run = await pipelines.run("campaigns")
    await eventually(lambda: pipelines.database.fetchval(STARTED), 30)

    getattr(proxy, how)()
    await asyncio.sleep(LEASE_SECONDS + 1.5)
    await proxy.resume()
    ended = await pipelines.ended(run)

    assert ended["status"] == "success"
    await asyncio.gather(*(runner.ready() for runner in runners))
    lost = "SELECT count(*) FROM jobs.replicas WHERE lost_at IS NOT NULL"
    assert await pipelines.database.fetchval(lost) == 0
    assert all(runner.running for runner in runners)


async def test_a_connection_that_fell_silent_does_not_cost_the_lease(
    database: Database, tcp_proxy: Callable[[str, int], Awaitable[TcpProxy]]
) -> None:
    """It stays open and says nothing more; new ones work. A statement has longer than a lease."""
    address = urlsplit(database.url_for("runner"))
    proxy = await tcp_proxy(address.hostname or "", address.port or 5432)
    pool = await asyncpg.create_pool(
        proxy.url(database.url_for("runner")), min_size=1, init=prepare_connection, command_timeout=35
    )
    leases = Leases(pool, replica_id=new_id(), name="r", slots=1, lease_seconds=15, heartbeat_seconds=0.4)
    holder = CountedLease()
    await leases.register(holder)
    keeping = asyncio.create_task(leases.keep(holder))
    try:
        await eventually(lambda: holder.renewed >= 2)
        proxy.silence()
        silent_at = holder.renewed
        await eventually(lambda: holder.renewed >= silent_at + 3)
        assert leases.may_declare_lost, "not even for a moment was the lease lost"
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        pool.terminate()
