"""Migrates the database to this code's version: numbered, checksummed files, each in its own transaction."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

import asyncpg
import structlog

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.roles import Roles
from orchestrator_shared.database.templates import render
from orchestrator_shared.domain.errors import OrchestratorError

__all__ = ["MigrationError", "MigrationFiles", "Roles", "SchemaOutdated", "check_version", "migrate"]

log = structlog.get_logger(__name__)

_FILE = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+\.sql")
LOCK_TIMEOUT_SECONDS = 300.0
LOCK_POLL_SECONDS = 0.2
FILE_TIMEOUT_SECONDS = 3600.0
# A clause that only a superuser may write. 0086 does without it; the file, and so its checksum, stays.
_LEFT_OUT = {"0040_audit_details": "SET orchestrator.forgets_audit = 'on'\n"}


class MigrationError(OrchestratorError):
    """The database cannot be migrated; nothing of the failed file was applied. The error says what to do."""


class SchemaOutdated(OrchestratorError):
    """The database is older than this code."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the sequence."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def applied_sql(self) -> str:
        """What is run: the file, without what only a superuser may run."""
        return self.sql.replace(_LEFT_OUT.get(self.name, ""), "")


@dataclass(frozen=True, slots=True)
class MigrationFiles:
    """The migrations, and the grants that are applied again after them."""

    migrations: tuple[Migration, ...]
    grants: str

    @classmethod
    def packaged(cls) -> "MigrationFiles":
        """The files that come with this code."""
        return cls.read(resources.files("orchestrator_shared.database"))

    @classmethod
    def read(cls, folder: Traversable) -> "MigrationFiles":
        """Read `migrations/NNNN_name.sql` and `grants.sql` of a folder."""
        migrations: dict[str, Migration] = {}
        files = (f for f in folder.joinpath("migrations").iterdir() if f.name.endswith(".sql"))
        for file in sorted(files, key=lambda f: f.name):
            match = _FILE.fullmatch(file.name)
            if match is None or match["number"] in migrations:
                raise MigrationError(f"{file.name}: name migrations NNNN_name.sql, each number once")
            text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
            migrations[match["number"]] = Migration(file.name.removesuffix(".sql"), text)
        return cls(tuple(migrations.values()), folder.joinpath("grants.sql").read_text(encoding="utf-8"))


async def migrate(
    connection: asyncpg.Connection, roles: Roles | None, *, files: MigrationFiles | None = None
) -> list[str]:
    """Apply what is missing and return its names; without roles (one role for all) nothing is granted."""
    files = files or MigrationFiles.packaged()
    queries = _queries()
    async with _locked(connection, queries):
        try:
            if roles is not None:
                await _require_roles(connection, queries, roles)
            await connection.execute(queries["create_journal"])
            pending = plan(files.migrations, await _applied(connection, queries))
            for migration in pending[:-1]:
                await _apply(connection, queries, migration)
            async with connection.transaction():  # services that wait for the last one need its grants, too
                for migration in pending[-1:]:
                    await _apply(connection, queries, migration)
                if roles is not None:
                    await _grant(connection, queries, render(files.grants, roles.identifiers()))
        except asyncpg.InsufficientPrivilegeError as error:
            raise MigrationError(
                f"{error}: migrate with a role that owns the database, in ORCHESTRATOR_DATABASE_URL"
            ) from error
    return [migration.name for migration in pending]


def plan(known: Sequence[Migration], applied: Mapping[str, str]) -> list[Migration]:
    """The migrations still to be applied; refuses a database that this code does not understand."""
    names = {migration.name for migration in known}
    if unknown := sorted(set(applied) - names):
        raise MigrationError(
            f"the database is newer than this code: it has {unknown[-1]}; migrate with the newer release"
        )
    for migration in known:
        if migration.name in applied and applied[migration.name] != migration.checksum:
            raise MigrationError(
                f"{migration.name} was changed after it had been applied (checksum differs): "
                "restore the file and put the change into a new migration"
            )
    pending = [migration for migration in known if migration.name not in applied]
    if pending and applied and pending[0].name < max(applied):
        raise MigrationError(
            f"{pending[0].name} would come before {max(applied)}, which is applied: renumber it"
        )
    return pending


async def check_version(connection: asyncpg.Connection, *, files: MigrationFiles | None = None) -> None:
    """Raise SchemaOutdated if the database lacks a migration of this code; a newer database is tolerated."""
    files = files or MigrationFiles.packaged()
    queries = _queries()
    applied: dict[str, str] = {}
    try:
        if await connection.fetchval(queries["journal_exists"]):
            applied = await _applied(connection, queries)
    except asyncpg.InsufficientPrivilegeError:
        applied = {}  # made by a migration whose grants have not been said yet
    missing = [migration.name for migration in files.migrations if migration.name not in applied]
    if missing:
        raise SchemaOutdated(
            f"the database is older than this code (it lacks {missing[0]}): run `orchestrator db migrate`"
        )


def _queries() -> Queries:
    return Queries.load("orchestrator_shared.database", "journal.sql")


async def _applied(connection: asyncpg.Connection, queries: Queries) -> dict[str, str]:
    return {row["name"]: row["checksum"] for row in await connection.fetch(queries["applied"])}


@asynccontextmanager
async def _locked(connection: asyncpg.Connection, queries: Queries) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(LOCK_TIMEOUT_SECONDS):
            while not await connection.fetchval(queries["try_lock"]):  # noqa: ASYNC110  the event is far away
                await asyncio.sleep(LOCK_POLL_SECONDS)  # another process is migrating
    except TimeoutError as error:
        raise MigrationError(
            "another migration has been running for too long; look for it and try again"
        ) from error
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(queries["unlock"])


async def _require_roles(connection: asyncpg.Connection, queries: Queries, roles: Roles) -> None:
    wanted = list(roles.by_service().values())
    existing = {row["rolname"] for row in await connection.fetch(queries["existing_roles"], wanted)}
    if missing := [role for role in wanted if role not in existing]:
        raise MigrationError(
            f"the database role {missing[0]} does not exist: run `orchestrator db roles` first, "
            "or set ORCHESTRATOR_DATABASE_ROLES=single to use one role for all services"
        )


async def _apply(connection: asyncpg.Connection, queries: Queries, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(queries["relax_limits"])
            await connection.execute(migration.applied_sql, timeout=FILE_TIMEOUT_SECONDS)
            await connection.execute(queries["record"], migration.name, migration.checksum)
    except asyncpg.InsufficientPrivilegeError:
        raise
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration.name}{_line(migration.applied_sql, error)}: {error}") from error
    log.info("migration.applied", migration=migration.name)


async def _grant(connection: asyncpg.Connection, queries: Queries, sql: str) -> None:
    try:
        async with connection.transaction():
            await connection.execute(queries["relax_limits"])
            await connection.execute(sql)
    except asyncpg.InsufficientPrivilegeError:
        raise
    except asyncpg.PostgresError as error:
        raise MigrationError(f"grants.sql{_line(sql, error)}: {error}") from error


def _line(sql: str, error: asyncpg.PostgresError) -> str:
    position = getattr(error, "position", None)
    return f", line {sql.count(chr(10), 0, int(position) - 1) + 1}" if position else ""
