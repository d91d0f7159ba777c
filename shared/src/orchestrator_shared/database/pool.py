"""The connection pool, and transactions whose every step is bounded in time."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NoReturn, cast

import asyncpg
import structlog

from orchestrator_shared import metrics
from orchestrator_shared.database.array_types import know_arrays
from orchestrator_shared.database.failover import WritableServer, left_by_writes
from orchestrator_shared.database.faults import is_server_fault, reason
from orchestrator_shared.database.migrations import SchemaOutdated, check_version
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime.startup import retry_at_start, wait_at_start
from orchestrator_shared.settings import DatabaseSettings, address, variable

log = structlog.get_logger(__name__)

CLOSE_SECONDS = 5.0
# A transaction id is assigned, and so committed to the log: a server out of ids refuses that, too.
WRITABLE = """
SELECT CASE WHEN current_setting('transaction_read_only') = 'off' THEN pg_current_xact_id() IS NOT NULL END
"""


class Connection(asyncpg.Connection):
    """Releasing it costs no query: no session state (LISTEN, session locks, SET) is ever used."""

    def get_reset_query(self) -> str:
        """Nothing to reset."""
        return ""


class BoundedPool(asyncpg.Pool):
    """A pool whose acquire, and so release, always has a timeout."""

    acquire_timeout = 5.0

    def acquire(self, *, timeout: float | None = None) -> Any:
        return super().acquire(timeout=self.acquire_timeout if timeout is None else timeout)


def encode_json(value: Any) -> str:
    """JSON as PostgreSQL takes it; raises ValueError for NaN, which it refuses."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Make json and jsonb Python objects in both directions, and know the arrays that we use."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=encode_json, decoder=json.loads, format="text"
        )
    know_arrays(connection)


def server_settings(settings: DatabaseSettings, application_name: str) -> dict[str, str]:
    """The limits that the server itself enforces."""
    return {
        "application_name": application_name,
        "timezone": "UTC",
        "jit": "off",  # short statements: compiling them takes longer than running them
        "statement_timeout": _milliseconds(settings.database_statement_timeout_seconds),
        "lock_timeout": _milliseconds(settings.database_lock_timeout_seconds),
        "idle_in_transaction_session_timeout": _milliseconds(
            settings.database_idle_transaction_timeout_seconds
        ),
    }


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


FIXED_PLANS = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
"""For a service whose every statement goes through an index: planned once, even while tables are empty."""


async def open_pool(
    settings: DatabaseSettings, *, application_name: str, planning: Mapping[str, str] | None = None
) -> asyncpg.Pool:
    """Connect; waits for a silent server up to `startup_timeout_seconds`, then raises Unavailable."""

    async def connect() -> asyncpg.Pool:
        return await _connect(settings, application_name, planning or {})

    return await retry_at_start(
        connect,
        what="the database",
        address=address(settings.database_url),
        variable=variable("database_url"),
        timeout=settings.startup_timeout_seconds,
    )


async def _connect(
    settings: DatabaseSettings, application_name: str, planning: Mapping[str, str]
) -> asyncpg.Pool:
    server = WritableServer(settings.database_url, seconds=settings.database_connect_timeout_seconds)
    pool = BoundedPool(
        settings.database_url,
        connect=server.connect,
        min_size=min(settings.database_pool_min, settings.database_pool_max),
        max_size=settings.database_pool_max,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        init=prepare_connection,
        loop=asyncio.get_running_loop(),
        connection_class=Connection,
        record_class=asyncpg.Record,
        timeout=settings.database_connect_timeout_seconds,
        command_timeout=settings.database_command_timeout_seconds,
        server_settings={**server_settings(settings, application_name), **planning},
    )
    pool.acquire_timeout = settings.database_acquire_timeout_seconds
    try:
        async with asyncio.timeout(settings.database_connect_timeout_seconds * 2):
            await pool
            async with pool.acquire() as connection:  # also with min_size 0: find out now whether it answers
                await connection.fetchval("SELECT 1")
    except BaseException as error:
        pool.terminate()
        if is_unreachable(error):
            raise Unavailable(f"the database does not answer: {reason(error)}") from error
        raise
    _watch(pool, application_name)
    return pool


def is_unreachable(error: BaseException) -> bool:
    """Whether waiting may help at a start: also while the role or database is still being created."""
    created_soon = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
    return is_server_fault(error) or isinstance(error, created_soon)


def _watch(pool: asyncpg.Pool, name: str) -> None:
    metrics.DATABASE_CONNECTIONS.labels(name, "idle").set_function(pool.get_idle_size)
    metrics.DATABASE_CONNECTIONS.labels(name, "used").set_function(
        lambda: pool.get_size() - pool.get_idle_size()
    )


async def close_pool(pool: asyncpg.Pool, *, timeout: float = CLOSE_SECONDS) -> None:
    """Close within the time given; connections still in use are cut off then."""
    try:
        async with asyncio.timeout(timeout):
            await pool.close()
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        pool.terminate()


@asynccontextmanager
async def database(
    settings: DatabaseSettings, *, application_name: str, planning: Mapping[str, str] | None = None
) -> AsyncIterator[asyncpg.Pool]:
    """A service's pool: opened once the schema is up to date, and closed within bounds.

    `planning` are settings of PostgreSQL's planner for its connections, such as `FIXED_PLANS`.
    """
    pool = await open_pool(settings, application_name=application_name, planning=planning)
    try:
        await _migrated(pool, settings)
        yield pool
    finally:
        await close_pool(pool)


async def _migrated(pool: asyncpg.Pool, settings: DatabaseSettings) -> None:
    """Wait for a migration that is still to come, up to `startup_timeout_seconds`; then SchemaOutdated."""

    async def check() -> None:
        async with acquire(pool) as connection:
            await check_version(connection)

    await wait_at_start(
        check,
        what="the database's migrations",
        address=address(settings.database_url),
        timeout=settings.startup_timeout_seconds,
        on=SchemaOutdated,
    )


Connections = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]
"""Opens a connection without a transaction: for reads, and for single statements that publish nothing."""


@asynccontextmanager
async def acquire(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection without a transaction; failures of the server become Unavailable."""
    started = time.perf_counter()
    try:
        async with pool.acquire() as taken:
            metrics.DATABASE_ACQUIRE_SECONDS.observe(time.perf_counter() - started)
            connection = cast(asyncpg.Connection, taken)
            try:
                yield connection
            except Exception as error:
                if left_by_writes(error) or _is_closed(connection):
                    await _leave(pool, connection, error)
                raise
    except Exception as error:
        _raise(error)


async def _leave(pool: asyncpg.Pool, connection: asyncpg.Connection, error: Exception) -> None:
    """Close this connection, and replace every other one when it is next acquired."""
    log.warning("database.connections_dropped", reason=reason(error))
    if not _is_closed(connection):
        connection.terminate()
    await pool.expire_connections()


def _is_closed(connection: asyncpg.Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool saw it end, took it back and no longer answers for it
        return True


async def writable(pool: asyncpg.Pool) -> bool:
    """Whether the database takes our writes now, for a service's readiness; raises Unavailable if not."""
    async with acquire(pool) as connection:
        if await connection.fetchval(WRITABLE) is not True:
            raise asyncpg.ReadOnlySQLTransactionError("the server accepts no writes")
        return True


@asynccontextmanager
async def transaction(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """One transaction. A lost COMMIT has an unknown outcome: callers repeat by natural key."""
    async with acquire(pool) as connection, connection.transaction():
        yield connection


def is_our_fault(error: BaseException) -> bool:
    """Whether a handler's failure is ours (retry in place) and not the message's."""
    return isinstance(error, Unavailable) or is_server_fault(error)


def _raise(error: Exception) -> NoReturn:
    if is_server_fault(error):
        raise Unavailable(f"the database does not answer: {reason(error)}") from error
    raise error
