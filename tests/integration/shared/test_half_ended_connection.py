"""A connection whose end the server has announced, while the end itself is still on its way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.tcp_proxy import TcpProxy

from orchestrator_shared.database.pool import acquire, open_pool
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.settings import DatabaseSettings

ADMIN_SHUTDOWN = b"57P01"


class NeverEnding(TcpProxy):
    """Passes everything on except the end of a connection."""

    def __init__(self, target_host: str, target_port: int) -> None:
        super().__init__(target_host, target_port)
        self.farewell = asyncio.Event()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
            if ADMIN_SHUTDOWN in data:
                self.farewell.set()
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def pool_of_one_behind(proxy: TcpProxy, url: str) -> AsyncIterator[asyncpg.Pool]:
    settings = DatabaseSettings(database_url=proxy.url(url), database_pool_min=1, database_pool_max=1)
    pool = await open_pool(settings, application_name="half-ended")
    try:
        yield pool
    finally:
        pool.terminate()


async def test_what_is_asked_after_the_servers_farewell_may_be_asked_again(database: Database) -> None:
    parts = urlsplit(database.url)
    proxy = NeverEnding(parts.hostname or "", parts.port or 5432)
    async with proxy, pool_of_one_behind(proxy, database.url) as pool:
        with pytest.raises(Unavailable, match="another operation"):
            await ask_too_late(database, proxy, pool)


async def ask_too_late(database: Database, proxy: NeverEnding, pool: asyncpg.Pool) -> None:
    async with acquire(pool) as connection:
        await database.fetch("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        async with asyncio.timeout(30):
            await proxy.farewell.wait()
        await asyncio.sleep(0.05)  # the client's side of the socket is read by this very event loop
        await connection.fetchval("SELECT 1")
