"""The databases of a local stack: the services' (migrated, one role each) and the warehouse."""

import asyncio
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from orchestrator_local.servers.processes import ServerError
from orchestrator_local.stack.keys import Keys
from orchestrator_local.stack.plan import with_database, with_user
from orchestrator_shared.database.migrations import MigrationError, migrate
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.roles import Roles, create_roles, scram_verifier
from orchestrator_shared.database.templates import quote_identifier, quote_literal, render
from orchestrator_shared.domain.errors import OrchestratorError

CONNECT_SECONDS = 10
DATABASE = "orchestrator"
WAREHOUSE = "warehouse"


def prepare_databases(
    url: str, keys: Keys, *, role_prefix: str, private: bool, state_dir: Path
) -> tuple[str, str, list[str]]:
    """Returns the URLs of the services' database (as owner) and the warehouse, and the migrations applied."""
    try:
        return asyncio.run(_prepare(url, keys, role_prefix=role_prefix, private=private))
    except MigrationError as error:
        remove = f"orchestrator dev down --remove-data --state-dir {shlex.quote(str(state_dir))}"
        way_out = f" (or, if you do not need the data, delete it: `{remove}`)" if private else ""
        raise ServerError(f"cannot migrate the database: {error}{way_out}") from None
    except (OrchestratorError, asyncpg.PostgresError, OSError, TimeoutError) as error:
        raise ServerError(f"cannot prepare the databases: {error}") from None


async def _prepare(url: str, keys: Keys, *, role_prefix: str, private: bool) -> tuple[str, str, list[str]]:
    queries = Queries.load("orchestrator_local.stack", "databases.sql")
    roles = Roles.prefixed(role_prefix)
    if private:
        async with connected(url) as connection:
            await _ensure_database(connection, queries, DATABASE)
        url = with_database(url, DATABASE)
    async with connected(url) as connection:
        await create_roles(connection, roles, keys.service_passwords)
        applied = await migrate(connection, roles)
        if private:
            await _allow_services_only(connection, queries, roles)
        warehouse = WAREHOUSE if private else f"{_name_of(url)}_{WAREHOUSE}"
        role = f"{role_prefix}{WAREHOUSE}"
        await _ensure_warehouse(connection, queries, warehouse, role, keys.warehouse_password)
    return url, with_user(with_database(url, warehouse), role, keys.warehouse_password), applied


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, command_timeout=60)
    try:
        yield connection
    finally:
        await connection.close(timeout=2)


async def _ensure_database(connection: asyncpg.Connection, queries: Queries, name: str) -> None:
    if not await connection.fetchval(queries["database_exists"], name):
        await connection.execute(render(queries["create_database"], {"database": quote_identifier(name)}))


async def _allow_services_only(connection: asyncpg.Connection, queries: Queries, roles: Roles) -> None:
    """SQL that runs in the warehouse's role must not reach the services' database."""
    database = quote_identifier(DATABASE)
    await connection.execute(render(queries["close_to_others"], {"database": database}))
    allow = Queries.load("orchestrator_shared.database", "roles.sql")["allow_connect"]
    for role in roles.by_service().values():  # Grafana's role is none of a local stack
        values = {"database": database, "role": quote_identifier(role)}
        await connection.execute(render(allow, values))


async def _ensure_warehouse(
    connection: asyncpg.Connection, queries: Queries, name: str, role: str, password: str
) -> None:
    await _ensure_database(connection, queries, name)
    known = await connection.fetchval(queries["role_exists"], role)
    statements = Queries.load("orchestrator_shared.database", "roles.sql")
    values = {"role": quote_identifier(role), "password": quote_literal(scram_verifier(password))}
    await connection.execute(render(statements["change_password" if known else "create_role"], values))
    names = {"database": quote_identifier(name), "role": quote_identifier(role)}
    await connection.execute(render(queries["open_warehouse"], names))


def _name_of(url: str) -> str:
    return unquote(urlsplit(url).path.lstrip("/")) or "postgres"
