"""A primary and a standby that follows it, which can be promoted; both real servers of a single test."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from tests.support import databases, servers
from tests.support.databases import SERVICES, Database
from tests.support.waiting import eventually

from orchestrator_local.servers.account import unprivileged_account
from orchestrator_local.servers.postgres import PostgresServer

NAME, PREFIX, PASSWORD = "replicated", "replicated_", "replicated-0123456789"
REPLICATION = {"wal_level": "replica", "max_wal_senders": "5", "synchronous_commit": "local"}
CAUGHT_UP = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"


class ReplicatedServer(PostgresServer):
    """A quick server of the tests that others may follow."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, fast=True)
        self._settings |= REPLICATION

    @property
    def data(self) -> Path:
        return self._data

    def place_data(self) -> None:
        self._prepare(unprivileged_account())

    async def ask(self, sql: str, *arguments: object) -> object:
        connection = await asyncpg.connect(self.url, timeout=10)
        try:
            return await connection.fetchval(sql, *arguments)
        finally:
            await connection.close(timeout=5)

    async def turn(self, *, read_only: bool) -> None:
        """As a server does that was relieved of its duty, with all connections left as they are."""
        await self.ask(f"ALTER SYSTEM SET default_transaction_read_only = {read_only}")
        await self.ask("SELECT pg_reload_conf()")

        async def turned() -> bool:
            return (await self.ask("SHOW default_transaction_read_only") == "on") is read_only

        await eventually(turned)


@dataclass(frozen=True)
class Pair:
    """Two servers; `url` names both, so whoever takes writes is found."""

    primary: ReplicatedServer
    standby: ReplicatedServer

    @property
    def hosts(self) -> str:
        return ",".join(f"{server.host}:{server.port}" for server in (self.primary, self.standby))

    def url_for(self, name: str, user: str, password: str) -> str:
        return f"postgresql://{user}:{password}@{self.hosts}/{name}"

    @property
    def url(self) -> str:
        return self.url_for("postgres", self.primary.user, self.primary.password)

    async def promote(self) -> None:
        """Let the standby take over, once it has all that a living primary wrote."""
        if self.primary.pid is not None:
            written = str(await self.primary.ask("SELECT pg_current_wal_lsn()::text"))
            await eventually(lambda: self.standby.ask(CAUGHT_UP, written), 30)
        assert await self.standby.ask("SELECT pg_promote()")

    async def migrated(self) -> Database:
        """The services' database on both."""
        await self.primary.ask(f"CREATE DATABASE {NAME}")
        await databases.prepare(self.primary.url, NAME, PREFIX, PASSWORD)
        roles = {service: f"{PREFIX}{service}" for service in SERVICES}
        url = self.url_for(NAME, self.primary.user, self.primary.password)
        return Database(
            name=NAME,
            url=f"{url}?target_session_attrs=read-write",
            role_names=roles,
            role_urls={service: self.url_for(NAME, role, PASSWORD) for service, role in roles.items()},
        )


def _follow(primary: ReplicatedServer, standby: ReplicatedServer) -> None:
    """A copy of what the primary had when it was stopped, and from then on what it writes."""
    standby.place_data()
    shutil.copytree(primary.data, standby.data, dirs_exist_ok=True)
    shutil.copy(primary.folder / "superuser-password", standby.folder)
    source = urlsplit(primary.url)
    told = f"host={source.hostname} port={source.port} user={source.username} password={source.password}"
    with (standby.data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"primary_conninfo = '{told}'\n")
    (standby.data / "standby.signal").touch()
    account = unprivileged_account()
    for path in (standby.data, *standby.data.rglob("*")):
        account.own(path)


@contextlib.contextmanager
def replicated_postgres() -> Iterator[Pair]:
    primary = ReplicatedServer(servers.private_folder("primary"))
    standby = ReplicatedServer(servers.private_folder("standby"))
    try:
        primary.start()
        primary.stop()
        _follow(primary, standby)
        primary.start()
        standby.start()
        yield Pair(primary, standby)
    finally:
        standby.remove()
        primary.remove()
