"""The pool on a real server: JSON, limits, failures told apart, bounds on everything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from tests.support.databases import Database
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

from orchestrator_local.servers.postgres import PostgresServer
from orchestrator_shared.database.pool import close_pool, is_our_fault, open_pool, transaction
from orchestrator_shared.database.pool import database as open_database
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.settings import DatabaseSettings

FAST: dict[str, Any] = {
    "startup_timeout_seconds": 0,
    "database_pool_max": 2,
    "database_connect_timeout_seconds": 5,
    "database_acquire_timeout_seconds": 2,
    "database_command_timeout_seconds": 2,
    "database_statement_timeout_seconds": 0.5,
    "database_lock_timeout_seconds": 0.3,
}


def fast_settings(url: str, **changes: Any) -> DatabaseSettings:
    return DatabaseSettings(database_url=url, **{**FAST, **changes})


@pytest.fixture
async def pool(empty_database: Database) -> AsyncIterator[asyncpg.Pool]:
    pool = await open_pool(fast_settings(empty_database.url), application_name="test-pool")
    yield pool
    await close_pool(pool)


async def test_json_goes_in_and_comes_out_as_python_objects(pool: asyncpg.Pool) -> None:
    value = {"text": "ě\n", "list": [1, 2.5, None, True], "nested": {"#k": "v"}}
    async with transaction(pool) as connection:
        assert await connection.fetchval("SELECT $1::jsonb", value) == value
        assert await connection.fetchval("SELECT $1::json", [1]) == [1]
        assert await connection.fetchval("SELECT $1::jsonb", "text") == "text"


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}, "a\x00b"])
async def test_json_that_the_database_refuses_is_the_data_s_fault(pool: asyncpg.Pool, value: Any) -> None:
    with pytest.raises((asyncpg.DataError, ValueError)) as caught:
        async with transaction(pool) as connection:
            await connection.fetchval("SELECT $1::jsonb", value)
    assert not is_our_fault(caught.value)


async def test_the_session_has_a_name_utc_and_limits(pool: asyncpg.Pool) -> None:
    async with transaction(pool) as connection:
        shown = [
            await connection.fetchval("SELECT current_setting($1)", name)
            for name in ("application_name", "TimeZone", "statement_timeout", "lock_timeout")
        ]
    assert shown == ["test-pool", "UTC", "500ms", "300ms"]


async def test_a_transaction_commits_on_success_and_rolls_back_on_an_error(pool: asyncpg.Pool) -> None:
    async with transaction(pool) as connection:
        await connection.execute("CREATE TABLE kept (n int)")

    async def fail() -> None:
        async with transaction(pool) as connection:
            await connection.execute("INSERT INTO kept VALUES (1)")
            raise KeyError("the handler's own")

    with pytest.raises(KeyError):
        await fail()
    async with transaction(pool) as connection:
        assert await connection.fetchval("SELECT count(*) FROM kept") == 0


async def test_mistakes_in_a_query_stay_what_they_are(pool: asyncpg.Pool) -> None:
    with pytest.raises(asyncpg.UndefinedTableError) as caught:
        async with transaction(pool) as connection:
            await connection.execute("SELECT * FROM nowhere")
    assert not is_our_fault(caught.value)


async def test_a_statement_over_its_limit_is_ours_to_retry(pool: asyncpg.Pool) -> None:
    with pytest.raises(Unavailable, match="statement timeout"):
        async with transaction(pool) as connection:
            await connection.execute("SELECT pg_sleep(5)")


async def test_waiting_for_a_connection_is_bounded(pool: asyncpg.Pool) -> None:
    async with transaction(pool), transaction(pool):
        with pytest.raises(Unavailable, match="no answer in time"):
            async with transaction(pool):
                pass


async def test_a_killed_session_is_unavailable_and_the_next_one_works(pool: asyncpg.Pool) -> None:
    async def be_killed() -> None:
        async with transaction(pool) as connection:
            process = await connection.fetchval("SELECT pg_backend_pid()")
            async with transaction(pool) as other:
                await other.execute("SELECT pg_terminate_backend($1)", process)
            await connection.execute("SELECT 1")

    with pytest.raises(Unavailable):
        await be_killed()
    async with transaction(pool) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_stopped_server_is_unavailable_and_comes_back(private_postgres: PostgresServer) -> None:
    pool = await open_pool(fast_settings(private_postgres.url), application_name="test-stop")
    private_postgres.stop()
    with pytest.raises(Unavailable):
        async with transaction(pool) as connection:
            await connection.execute("SELECT 1")
    private_postgres.start()

    async def works() -> bool:
        try:
            async with transaction(pool) as connection:
                return bool(await connection.fetchval("SELECT true"))
        except Unavailable:
            return False

    await eventually(works)
    await close_pool(pool)


async def test_a_half_open_link_hangs_nothing(
    empty_database: Database, tcp_proxy: Callable[[str, int], "asyncio.Future[TcpProxy]"]
) -> None:
    parts = urlsplit(empty_database.url)
    proxy = await tcp_proxy(parts.hostname or "127.0.0.1", parts.port or 5432)
    pool = await open_pool(fast_settings(proxy.url(empty_database.url)), application_name="test-stall")

    async def be_stalled() -> None:
        async with transaction(pool) as connection:
            proxy.stall()
            await connection.execute("SELECT 1")

    with pytest.raises(Unavailable):
        await be_stalled()
    await close_pool(pool, timeout=1)


async def test_an_unreachable_server_is_named_with_its_variable() -> None:
    settings = fast_settings("postgresql://me:geheim@127.0.0.1:1/db")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 .*ORCHESTRATOR_DATABASE_URL") as caught:
        await open_pool(settings, application_name="x")
    assert "geheim" not in str(caught.value)


async def test_a_server_that_comes_later_is_waited_for(private_postgres: PostgresServer) -> None:
    private_postgres.stop()
    settings = fast_settings(private_postgres.url, startup_timeout_seconds=30)
    opening = asyncio.create_task(open_pool(settings, application_name="early"))
    private_postgres.start()
    await close_pool(await asyncio.wait_for(opening, 30))


async def test_a_service_opens_a_database_of_its_version(database: Database) -> None:
    settings = fast_settings(database.url_for("scheduler"))
    async with (
        open_database(settings, application_name="service") as pool,
        transaction(pool) as connection,
    ):
        assert await connection.fetchval("SELECT 1") == 1
