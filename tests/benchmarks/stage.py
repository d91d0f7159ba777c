"""The servers of a measurement: a PostgreSQL and a RabbitMQ of its own, durable, for all systems."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from tests.benchmarks.processes import Cost, cost_of, descendants
from tests.support import databases, servers
from tests.support.brokers import BrokerVhost, fresh_vhost
from tests.support.databases import Database

from orchestrator_local.servers.postgres import PostgresServer
from orchestrator_local.servers.rabbitmq import RabbitServer

MEMORY = Path("/dev/shm")
SHOWN_SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")


@dataclass(frozen=True)
class Stage:
    """Where everything is, and how it is set."""

    folder: Path
    postgres: PostgresServer
    rabbitmq: RabbitServer

    @contextlib.asynccontextmanager
    async def migrated(self) -> AsyncIterator[Database]:
        async with databases.migrated_database() as database:
            yield database

    @contextlib.asynccontextmanager
    async def empty(self) -> AsyncIterator[Database]:
        async with databases.empty_database() as database:
            yield database

    @contextlib.contextmanager
    def vhost(self) -> Iterator[BrokerVhost]:
        with fresh_vhost(servers.rabbitmq()) as vhost:
            yield vhost

    async def conditions(self) -> list[str]:
        """What a reader of the figures must know, one line each."""
        connection = await asyncpg.connect(self.postgres.url)
        try:
            settings = [f"{name} {await connection.fetchval(f'SHOW {name}')}" for name in SHOWN_SETTINGS]
        finally:
            await connection.close()
        return [
            f"PostgreSQL: {', '.join(settings)}",
            f"data of both servers: {'memory' if self.folder.is_relative_to(MEMORY) else 'disk'}",
            f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} when it began",
        ]

    def server_costs(self) -> dict[str, Cost]:
        """What the servers have used so far."""
        pids = {"PostgreSQL": self.postgres.pid, "RabbitMQ": self.rabbitmq.pid}
        return {name: cost_of([pid, *descendants(pid)]) for name, pid in pids.items() if pid is not None}


@contextlib.contextmanager
def stage(*, in_memory: bool) -> Iterator[Stage]:
    """Start both servers with durable settings; everything is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="orchestrator-bench-", dir=MEMORY if in_memory else None))
    folder.chmod(0o711)
    run = servers.Run.begin()
    postgres = PostgresServer(folder / "postgres")
    rabbitmq = RabbitServer(folder / "rabbitmq", management=True)
    try:
        postgres.start()
        rabbitmq.start()
        os.environ[servers.DATABASE_VARIABLE] = postgres.url
        os.environ[servers.AMQP_VARIABLE] = rabbitmq.url
        os.environ[servers.MANAGEMENT_VARIABLE] = rabbitmq.management_url
        yield Stage(folder, postgres, rabbitmq)
    finally:
        for name in (servers.DATABASE_VARIABLE, servers.AMQP_VARIABLE, servers.MANAGEMENT_VARIABLE):
            os.environ.pop(name, None)
        postgres.remove()
        rabbitmq.remove()
        run.end()
        shutil.rmtree(folder, ignore_errors=True)
