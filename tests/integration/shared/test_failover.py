"""Failover of the database (issue 8, number 29): of two real servers, one is promoted under a pool."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.replicated_postgres import Pair, ReplicatedServer, replicated_postgres
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_shared.database.failover import left_by_writes
from orchestrator_shared.database.pool import acquire, close_pool, open_pool, transaction, writable
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.settings import DatabaseSettings

CONNECTIONS = 4


@pytest.fixture
def pair() -> Iterator[Pair]:
    with replicated_postgres() as pair:
        yield pair


def settings(url: str) -> DatabaseSettings:
    return DatabaseSettings(
        database_url=url,
        startup_timeout_seconds=0,
        database_pool_max=CONNECTIONS,
        database_connect_timeout_seconds=4,
        database_acquire_timeout_seconds=5,
    )


@contextlib.asynccontextmanager
async def full_pool(url: str) -> AsyncIterator[asyncpg.Pool]:
    """All its connections are open and idle."""
    pool = await open_pool(settings(url), application_name="failover")
    try:
        await processes(pool)
        yield pool
    finally:
        await close_pool(pool)


async def processes(pool: asyncpg.Pool) -> set[int]:
    """The server's processes behind all connections of the pool, taken at the same time."""
    async with contextlib.AsyncExitStack() as taken:
        each = [await taken.enter_async_context(acquire(pool)) for _ in range(CONNECTIONS)]
        return {connection.get_server_pid() for connection in each}


async def write(pool: asyncpg.Pool) -> int:
    """Returns the port of the server that took the write."""
    async with transaction(pool) as connection:
        await connection.execute("INSERT INTO written DEFAULT VALUES")
        port: int = await connection.fetchval("SELECT inet_server_port()")
        return port


async def written_by(pool: asyncpg.Pool, server: ReplicatedServer) -> bool:
    try:
        return await write(pool) == server.port
    except Unavailable:
        return False


async def create_table(pair: Pair) -> None:
    await pair.primary.ask("CREATE TABLE written (at timestamptz DEFAULT clock_timestamp())")


async def test_connections_to_a_server_turned_read_only_are_not_kept(pair: Pair) -> None:
    """They went back to the pool, and every write failed for minutes; now the first failure is the last."""
    await create_table(pair)
    async with full_pool(pair.url) as pool:
        assert await write(pool) == pair.primary.port
        await pair.promote()
        await pair.primary.turn(read_only=True)
        with pytest.raises(Unavailable, match="read-only transaction"):
            await write(pool)
        assert {await write(pool) for _ in range(2 * CONNECTIONS)} == {pair.standby.port}

        await processes(pool)
        await pair.primary.turn(read_only=False)
        await pair.standby.turn(read_only=True)
        with pytest.raises(Unavailable, match="read-only transaction"):
            await write(pool)
        assert {await write(pool) for _ in range(2 * CONNECTIONS)} == {pair.primary.port}


async def test_a_pool_follows_when_the_primary_dies_and_stays_when_it_comes_back(pair: Pair) -> None:
    await create_table(pair)
    async with full_pool(pair.url) as pool:
        pair.primary.kill()
        await pair.promote()
        await eventually(lambda: written_by(pool, pair.standby), 30)
        (pair.primary.data / "standby.signal").touch()
        pair.primary.start()
        await pool.expire_connections()
        assert {await write(pool) for _ in range(CONNECTIONS)} == {pair.standby.port}


async def test_a_standby_is_never_written_to_wherever_it_stands_in_the_url(pair: Pair) -> None:
    await create_table(pair)
    turned = Pair(pair.standby, pair.primary)
    url = turned.url_for("postgres", pair.primary.user, pair.primary.password)
    async with full_pool(url) as pool:
        assert await write(pool) == pair.primary.port
    with pytest.raises(Unavailable, match=f":{pair.standby.port}: accepts no writes") as caught:
        await open_pool(settings(pair.standby.url), application_name="standby")
    assert pair.primary.password not in str(caught.value)


async def test_readiness_proves_that_the_server_takes_writes(pair: Pair) -> None:
    async with full_pool(pair.url) as pool:
        assert await writable(pool)
        await pair.primary.turn(read_only=True)
        for _ in range(2):
            with pytest.raises(Unavailable, match="no writes"):
                await writable(pool)
        await pair.promote()
        assert await writable(pool)


async def test_a_first_server_that_is_silent_leaves_time_for_the_second(
    empty_database: Database, tcp_proxy: Callable[[str, int], "asyncio.Future[TcpProxy]"]
) -> None:
    parts = urlsplit(empty_database.url)
    proxy = await tcp_proxy(parts.hostname or "", parts.port or 5432)
    proxy.stall()
    silent = urlsplit(proxy.url(empty_database.url)).netloc
    url = parts._replace(netloc=f"{silent},{parts.hostname}:{parts.port}").geturl()
    async with full_pool(url) as pool:
        assert await writable(pool)


async def test_a_connection_that_the_server_ended_makes_the_others_doubtful(empty_database: Database) -> None:
    async with full_pool(empty_database.url) as pool:
        before = await processes(pool)
        with pytest.raises(Unavailable):
            await be_terminated(empty_database, pool)
        assert len(before) == CONNECTIONS
        assert not before & await processes(pool)


async def be_terminated(database: Database, pool: asyncpg.Pool) -> None:
    async with acquire(pool) as connection:
        await database.fetch("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        await connection.fetchval("SELECT pg_sleep(20)")


async def test_a_mistake_in_a_statement_costs_no_connection(empty_database: Database) -> None:
    async with full_pool(empty_database.url) as pool:
        before = await processes(pool)
        with pytest.raises(asyncpg.UndefinedTableError):
            await write(pool)
        assert await processes(pool) == before


def test_which_errors_make_a_connection_doubtful() -> None:
    states = {
        kind.sqlstate: left_by_writes(kind("x"))
        for kind in vars(asyncpg).values()
        if isinstance(kind, type) and issubclass(kind, asyncpg.PostgresError) and kind.sqlstate
    }
    doubtful = {state for state, left in states.items() if left}
    expected = {state for state in states if state.startswith("08")}
    assert doubtful == expected | {"25006", "57P01", "57P02", "57P03", "57P04"}
    assert not left_by_writes(TimeoutError())
