"""Publishes what the streams of changes tell, and opens them."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import aio_pika
import httpx
from tests.integration.api.conftest import (
    ADMIN_TOKEN,
    RunningApi,
)
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_shared.contracts.envelope import wrap
from orchestrator_shared.contracts.events import JobsChanged
from orchestrator_shared.contracts.message import Message

TcpProxies = Callable[[str, int], "asyncio.Future[TcpProxy]"]
NEVER = 3600.0
HEARD = (
    "INSERT INTO triggers.tables (project, name, last_seq, last_heard_at) "
    "VALUES ('demo', $1, 1, clock_timestamp()) "
    "ON CONFLICT (project, name) DO UPDATE SET last_heard_at = excluded.last_heard_at"
)


def viewing(api: RunningApi, token: str = ADMIN_TOKEN) -> httpx.AsyncClient:
    return api.streaming(token)


async def hinted(broker: BrokerVhost, *jobs: UUID, revision: int = 1, project: str = "demo") -> None:
    """Publish what a runner publishes after a commit."""
    await said(broker, JobsChanged(project=project, revisions=dict.fromkeys(jobs, revision)))


async def said(broker: BrokerVhost, message: Message) -> None:
    """Publish a hint as a service does."""
    async with asyncio.timeout(60), await aio_pika.connect(broker.url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(message.exchange, ensure=False)
        body = wrap(message, source="/runner").to_bytes()
        await exchange.publish(aio_pika.Message(body), message.key)


async def fed(broker: BrokerVhost) -> None:
    """Wait until a replica's feed exists: an exclusive queue beside the durable ones."""
    await eventually(lambda: any(queue.get("exclusive") for queue in broker.queues().values()))


async def finish(database: Database, job: UUID, status: str = "success") -> None:
    await database.execute(
        "UPDATE jobs.jobs SET status = $2, finished_at = clock_timestamp(), replica_id = NULL, "
        "error_kind = CASE $2 WHEN 'error' THEN 'user' END, message = 'said by the program', "
        "revision = revision + 1 WHERE id = $1",
        job,
        status,
    )


async def write_log(database: Database, job: UUID, first: int, last: int, attempt: int = 1) -> None:
    """These lines of the job's log, as a runner writes them."""
    await database.execute(
        "INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text) "
        "SELECT $1, $4, n, 'stdout', clock_timestamp(), 'line ' || n || E'\\n' "
        "FROM generate_series($2::int, $3) n",
        job,
        first,
        last,
        attempt,
    )
