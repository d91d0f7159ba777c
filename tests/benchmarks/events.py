"""The section `events`: what two hundred open streams cost one process of the api, quiet and with changes."""

import argparse
import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import asyncpg
from tests.benchmarks.api import KEY, TOKEN
from tests.benchmarks.catalog import PROJECT, fill
from tests.benchmarks.ours import ready
from tests.benchmarks.processes import Cost, Started
from tests.benchmarks.report import MET, MISSED, table
from tests.benchmarks.stage import Stage
from tests.benchmarks.wire import Wire
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

from orchestrator_local.servers.processes import free_port
from orchestrator_shared.contracts.envelope import wrap
from orchestrator_shared.contracts.events import JobsChanged

OF_PROJECT, OF_JOBS, OF_LOGS = 100, 50, 50
STREAMS = OF_PROJECT + OF_JOBS + OF_LOGS
SECONDS = 30.0
CHANGES_PER_SECOND = 5
MOST_CPU, MOST_MIB = 0.05, 100.0
BEGIN_SECONDS = 30.0
JOB = """
WITH lane AS (
    INSERT INTO jobs.lanes (project, component, configuration) VALUES ($2, 'noop', $3) RETURNING id)
INSERT INTO jobs.jobs (id, lane_id, seq, project, component, configuration, kind, status, origin, root_id,
                       depth, scheduled_for, requested_at, started_at, attempt, replica_id)
SELECT $1, id, 1, $2, 'noop', $3, 'component', 'processing', 'api', $1, 0, now(), now(), now(), 1, $4
FROM lane
"""
REPLICA = (
    "INSERT INTO jobs.replicas (id, name, slots, lease_until) VALUES ($1, 'r', 1, now() + interval '1 day')"
)
CHANGE = "UPDATE jobs.jobs SET revision = revision + 1, ready_at = now() WHERE id = $1 RETURNING revision"
PIECE = """
INSERT INTO jobs.logs (job_id, attempt, seq, stream, at, text)
SELECT $1, 1, coalesce(max(seq), 0) + 1, 'stdout', now(), 'a line of the log' FROM jobs.logs WHERE job_id = $1
"""
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1"


@dataclass
class Streams:
    """Connections that read what comes, and count the events."""

    port: int
    heard: Counter[str] = field(default_factory=Counter)
    readers: list[asyncio.Task[None]] = field(default_factory=list)

    async def open(self, path: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"GET /v1/projects/{PROJECT}/{path} HTTP/1.1\r\nHost: api\r\n"
        writer.write(f"{head}Authorization: Bearer {TOKEN}\r\n\r\n".encode())
        status = await asyncio.wait_for(reader.readline(), BEGIN_SECONDS)
        if b" 200 " not in status:
            raise RuntimeError(f"{path}: {status!r}")
        self.readers.append(asyncio.create_task(self._read(reader, writer)))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                if line.startswith(b"event: "):
                    self.heard[line[7:].decode().strip()] += 1
        finally:
            writer.close()

    async def close(self) -> None:
        for each in self.readers:
            each.cancel()
        await asyncio.gather(*self.readers, return_exceptions=True)


async def section(stage: Stage, arguments: argparse.Namespace) -> None:
    async with stage.migrated() as database:
        await fill(database)
        jobs = await _jobs(database)
        with stage.vhost() as vhost:
            async with _api(stage, database, vhost) as (process, port):
                lines = await _measure(database, vhost, process, port, jobs)
    print(f"{STREAMS} streams: {OF_PROJECT} of a project, {OF_JOBS} of jobs, {OF_LOGS} of logs")
    print(table(("", "processor", "memory over idle", "connections", "events", "verdict"), lines))


async def _measure(
    database: Database, vhost: BrokerVhost, process: Started, port: int, jobs: Sequence[UUID]
) -> list[tuple[str, ...]]:
    streams = Streams(port)
    idle = await _spent(process)
    before = await _connections(database)
    try:
        for path in ["events"] * OF_PROJECT:
            await streams.open(path)
        for job in jobs:
            await streams.open(f"jobs/{job}/events")
            await streams.open(f"jobs/{job}/log/stream")
        quiet = await _spent(process)
        connections = f"{before} → {await _connections(database)}"
        streams.heard.clear()
        changing = asyncio.create_task(_change(database, vhost, jobs))
        busy = await _spent(process)
        await changing
        if len([each for each in streams.readers if not each.done()]) != STREAMS:
            raise RuntimeError("streams ended early")
    finally:
        await streams.close()
    heard = ", ".join(f"{count:,} {name}" for name, count in sorted(streams.heard.items()))
    share = (quiet.cpu_seconds - idle.cpu_seconds) / SECONDS
    grown = quiet.memory_mib - idle.memory_mib
    verdict = MET if share <= MOST_CPU and grown <= MOST_MIB else MISSED
    return [
        ("no stream", _share(idle), f"({idle.memory_mib:.0f} MiB)", str(before), "", ""),
        ("quiet", _share(quiet), f"{grown:.0f} MiB", connections, "heartbeats", verdict),
        (
            f"{CHANGES_PER_SECOND} changes and log pieces a second",
            _share(busy),
            f"{busy.memory_mib - idle.memory_mib:.0f} MiB",
            str(await _connections(database)),
            heard,
            "",
        ),
    ]


def _share(cost: Cost) -> str:
    return f"{cost.cpu_seconds / SECONDS:.1%}"


async def _spent(process: Started) -> Cost:
    """In this many seconds; the memory is that of their end."""
    before = process.cost()
    await asyncio.sleep(SECONDS)
    return process.cost() - before


async def _connections(database: Database) -> int:
    return int(await database.fetchval(CONNECTIONS, database.role_names["api"]))


async def _jobs(database: Database) -> list[UUID]:
    replica, jobs = uuid4(), [uuid4() for _ in range(OF_JOBS)]
    async with database.connection() as connection:
        await connection.execute(REPLICA, replica)
        for number, job in enumerate(jobs):
            await connection.execute(JOB, job, PROJECT, f"watched-{number}", replica)
    return jobs


async def _change(database: Database, vhost: BrokerVhost, jobs: Sequence[UUID]) -> None:
    """What a runner does, as far as the api notices: rows, log pieces, hints."""
    async with database.connection() as connection, Wire.open(vhost.url) as wire:
        for number in range(round((SECONDS - 1) * CHANGES_PER_SECOND)):
            job = jobs[number % len(jobs)]
            await _change_one(connection, wire, job)
            await asyncio.sleep(1 / CHANGES_PER_SECOND)


async def _change_one(connection: asyncpg.Connection, wire: Wire, job: UUID) -> None:
    revision = await connection.fetchval(CHANGE, job)
    await connection.execute(PIECE, job)
    hint = JobsChanged(project=PROJECT, revisions={job: revision})
    await wire.publish([(hint.exchange, hint.key, wrap(hint, source="/runner").to_bytes())])


@asynccontextmanager
async def _api(stage: Stage, database: Database, vhost: BrokerVhost) -> AsyncIterator[tuple[Started, int]]:
    port = free_port()
    env = {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("api"),
        "ORCHESTRATOR_AMQP_URL": vhost.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": KEY,
        "ORCHESTRATOR_LINK_KEY": KEY,
        "ORCHESTRATOR_ADMIN_EMAIL": "benchmark@example.com",
        "ORCHESTRATOR_ADMIN_TOKEN": TOKEN,
        "ORCHESTRATOR_HTTP_HOST": "127.0.0.1",
        "ORCHESTRATOR_HTTP_PORT": str(port),
        "ORCHESTRATOR_HTTP_MAX_CONNECTIONS_PER_ADDRESS": str(2 * STREAMS),
        "ORCHESTRATOR_STREAMS_MAX_PER_TOKEN": str(2 * STREAMS),
        "ORCHESTRATOR_LOG_LEVEL": "warning",
    }
    process = Started.module("api", "orchestrator_api", env, stage.folder)
    try:
        await ready(process, port)
        yield process, port
    finally:
        process.end()
