"""A database of its own for a test: a clone of a template that was migrated once per run."""

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import asyncpg
from tests.support import servers

from orchestrator_shared.database.array_types import know_arrays

CONNECT_SECONDS = 30
# To derive a key from a password takes the client more CPU than the rest of connecting. Since PostgreSQL 16.
CHEAP_PASSWORDS = "SELECT set_config(name, '1', false) FROM pg_settings WHERE name = 'scram_iterations'"
SERVICES = ("api", "scheduler", "trigger_watcher", "runner", "notifier")
ROLES = (*SERVICES, "grafana")


class Look:
    """A connection of the superuser, kept for looks at a database: to connect takes longer than to look.

    It is as new for each look. It is not taken while it is in use, and not in another event loop.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.get_running_loop()
        self._connection: asyncpg.Connection | None = None
        self._in_use = False

    @property
    def is_free(self) -> bool:
        return not self._in_use and self._loop is asyncio.get_running_loop()

    @contextlib.asynccontextmanager
    async def taken(self) -> AsyncIterator[asyncpg.Connection]:
        self._in_use = True
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(
                    self._url, timeout=CONNECT_SECONDS, statement_cache_size=0
                )
                know_arrays(self._connection)
            yield self._connection
            await self._connection.reset(timeout=CONNECT_SECONDS)
        except BaseException:
            await self.close()
            raise
        finally:
            self._in_use = False

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=5)


@dataclass(frozen=True)
class Database:
    """Names in `role_names` are those of the run; their passwords lie in the URLs only."""

    name: str
    url: str
    role_names: Mapping[str, str]
    role_urls: Mapping[str, str]
    look: Look | None = field(default=None, compare=False, repr=False)

    def url_for(self, role: str) -> str:
        """The URL of a service's least-privilege role (ROLES names them)."""
        return self.role_urls[role]

    @contextlib.asynccontextmanager
    async def connection(self, role: str | None = None) -> AsyncIterator[asyncpg.Connection]:
        """A plain connection, as superuser unless a role is named."""
        connection = await asyncpg.connect(self.url_for(role) if role else self.url, timeout=CONNECT_SECONDS)
        try:
            yield connection
        finally:
            await connection.close(timeout=5)

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """One query as superuser, on no connection of the services: for looking at the truth in a test."""
        async with self._looking() as connection:
            return list(await connection.fetch(sql, *arguments))

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        async with self._looking() as connection:
            return await connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> str:
        async with self._looking() as connection:
            return str(await connection.execute(sql, *arguments))

    def _looking(self) -> contextlib.AbstractAsyncContextManager[asyncpg.Connection]:
        return self.look.taken() if self.look is not None and self.look.is_free else self.connection()


async def everything(database: Database) -> str:
    """All rows of all our tables, as text."""
    tables = await database.fetch(
        """SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
           WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""
    )
    rows = [await database.fetch(f"SELECT t::text AS row FROM {each['name']} t") for each in tables]
    return "\n".join(row["row"] for found in rows for row in found)


@dataclass(frozen=True)
class Template:
    """What a run made on the server: names begin with its prefix, so that runs can share a server."""

    prefix: str
    name: str
    password: str

    @property
    def role_names(self) -> dict[str, str]:
        return {role: f"{self.prefix}{role}" for role in ROLES}


def database_url(admin_url: str, database: str, user: str = "", password: str = "") -> str:
    parts = urlsplit(admin_url)
    credentials, _, address = parts.netloc.rpartition("@")
    if user:
        credentials = f"{quote(user)}:{quote(password)}"
    return urlunsplit(parts._replace(netloc=f"{credentials}@{address}", path=f"/{database}"))


@dataclass(frozen=True)
class Filling:
    """Rows that many tests begin with; they are written once per run."""

    name: str
    write: Callable[[Database], Awaitable[None]]


@contextlib.asynccontextmanager
async def migrated_database(filling: Filling | None = None) -> AsyncIterator[Database]:
    admin_url = servers.postgres().url
    template = await _template(admin_url)
    source = template.name if filling is None else await _filled(admin_url, template, filling)
    async with _created(admin_url, template.prefix, source) as name:
        look = Look(database_url(admin_url, name))
        try:
            yield _database(admin_url, template, name, look)
        finally:
            await look.close()


def _database(admin_url: str, template: Template, name: str, look: Look | None = None) -> Database:
    roles = template.role_names
    return Database(
        name=name,
        url=database_url(admin_url, name),
        role_names=roles,
        role_urls={
            service: database_url(admin_url, name, role, template.password) for service, role in roles.items()
        },
        look=look,
    )


@contextlib.asynccontextmanager
async def empty_database() -> AsyncIterator[Database]:
    admin_url = servers.postgres().url
    async with _created(admin_url, f"t{_run_id()}_", "template0") as name:
        yield Database(name=name, url=database_url(admin_url, name), role_names={}, role_urls={})


async def prepare(admin_url: str, database: str, prefix: str, password: str) -> None:
    """Create the services' roles and apply all migrations; also for a server that a test has for itself."""
    from orchestrator_shared.database.migrations import Roles, migrate
    from orchestrator_shared.database.roles import create_roles

    roles = Roles.prefixed(prefix)
    connection = await asyncpg.connect(database_url(admin_url, database), timeout=CONNECT_SECONDS)
    try:
        await connection.execute(CHEAP_PASSWORDS)
        await create_roles(connection, roles, dict.fromkeys(ROLES, password))
        await migrate(connection, roles)
    finally:
        await connection.close(timeout=5)


async def _cheapen_password(admin_url: str) -> None:
    """The superuser's password stays what it is, and is quicker to check."""
    parts = urlsplit(admin_url)
    connection = await asyncpg.connect(admin_url, timeout=CONNECT_SECONDS)
    try:
        await connection.execute(CHEAP_PASSWORDS)
        await connection.execute(
            await connection.fetchval(
                "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)",
                unquote(parts.username or ""),
                unquote(parts.password or ""),
            )
        )
    finally:
        await connection.close(timeout=5)


async def remove_leftovers() -> None:
    """Drop what the run made; needed only on a server that lives on."""
    admin_url = servers.postgres().url
    prefix = f"t{_run_id()}_"
    connection = await asyncpg.connect(admin_url, timeout=CONNECT_SECONDS)
    try:
        for name in await _names(connection, "SELECT datname FROM pg_database", prefix):
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        for name in await _names(connection, "SELECT rolname FROM pg_roles", prefix):
            await connection.execute(f'DROP ROLE IF EXISTS "{name}"')
    finally:
        await connection.close(timeout=5)


async def _names(connection: asyncpg.Connection, query: str, prefix: str) -> list[str]:
    return [name for (name,) in await connection.fetch(query) if name.startswith(prefix)]


@contextlib.asynccontextmanager
async def _created(admin_url: str, prefix: str, template: str) -> AsyncIterator[str]:
    name = f"{prefix}{secrets.token_hex(6)}"
    async with _administration(admin_url) as execute:  # kept meanwhile: to connect again takes as long
        await execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        try:
            yield name
        finally:
            await execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextlib.asynccontextmanager
async def _administration(admin_url: str) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """Executes statements as the superuser, outside of any transaction."""
    connection = await asyncpg.connect(admin_url, timeout=CONNECT_SECONDS)
    try:
        yield partial(connection.execute, timeout=60)
    finally:
        await connection.close(timeout=5)


async def _create_template(admin_url: str, name: str, source: str) -> None:
    async with _administration(admin_url) as execute:
        await execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}" STRATEGY FILE_COPY')


async def _template(admin_url: str) -> Template:
    """Made once per run by whichever worker comes first; anew if the migrations were edited meanwhile."""
    with servers.locked("template") as folder:
        digest = _migrations_digest()
        known = folder / f"template-{digest}.json"
        if not known.exists():
            template = Template(
                f"t{_run_id()}_", f"t{_run_id()}_template_{digest}", secrets.token_urlsafe(12)
            )
            password = folder / "roles-password"
            if password.exists():
                template = Template(template.prefix, template.name, password.read_text())
            password.write_text(template.password)
            if not os.environ.get(servers.DATABASE_VARIABLE):  # a server of our own
                await _cheapen_password(admin_url)
            await _create_template(admin_url, template.name, "template0")
            await prepare(admin_url, template.name, template.prefix, template.password)
            known.write_text(json.dumps(template.__dict__))
        return Template(**json.loads(known.read_text()))


async def _filled(admin_url: str, template: Template, filling: Filling) -> str:
    """The name of a template with these rows, made once per run by whichever worker comes first."""
    name = f"{template.name}_{filling.name}"
    with servers.locked(f"filling-{filling.name}") as folder:
        known = folder / f"{name}.filled"
        if not known.exists():
            await _create_template(admin_url, name, template.name)
            await filling.write(_database(admin_url, template, name))
            known.touch()
    return name


def _roles_password(folder: Path) -> str:
    """One for the run: a second template must not change the passwords of roles in use."""
    file = folder / "roles-password"
    if not file.exists():
        file.write_text(secrets.token_urlsafe(12))
    return file.read_text()


def _run_id() -> str:
    return hashlib.sha256(str(servers.run_folder()).encode()).hexdigest()[:8]


def _migrations_digest() -> str:
    folder = servers.REPOSITORY / "shared" / "src" / "orchestrator_shared" / "database"
    files: list[Path] = sorted([*folder.glob("migrations/*.sql"), *folder.glob("*.sql")])
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
