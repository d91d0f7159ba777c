"""Our engine as a measured system: one runner process on its own database and virtual host."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

import httpx
from tests.benchmarks.catalog import PROJECT, fill, orchestration
from tests.benchmarks.processes import Started
from tests.benchmarks.stage import Stage
from tests.benchmarks.systems import Ends
from tests.benchmarks.wire import Outgoing, Wire
from tests.benchmarks.workloads import NOOP_CONCURRENCY, Workload
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.pipelines import ENCRYPTION_KEY

from orchestrator_local.servers.processes import free_port
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.envelope import wrap
from orchestrator_shared.contracts.events import RunFinished
from orchestrator_shared.contracts.message import COMMANDS, EVENTS
from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.domain.statuses import Origin

READY_SECONDS = 60
CHECK = """
SELECT count(*) FILTER (WHERE kind = 'run') AS runs,
       count(*) FILTER (WHERE kind = 'component' AND status = 'success' AND attempt = 1) AS tasks
FROM jobs.jobs WHERE root_id = ANY ($1::uuid[]) AND status = 'success'
"""
OUT_OF_ORDER = """
SELECT count(*) FROM jobs.jobs earlier
JOIN jobs.jobs later ON later.parent_id = earlier.parent_id AND later.phase = earlier.phase + 1
WHERE later.started_at < earlier.finished_at AND earlier.root_id = ANY ($1::uuid[])
"""


def _run_of(body: bytes) -> str:
    return str(json.loads(body)["data"]["job_id"])


class Ours:
    """One runner with its keeper."""

    def __init__(
        self, name: str, wire: Wire, ends: Ends, database: Database, vhost: BrokerVhost, runner: Started
    ) -> None:
        self.name = name
        self.database = database
        self.vhost = vhost
        self.wire = wire
        self.processes = [runner]
        self._ends = ends

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        stage: Stage,
        *,
        slots: int = NOOP_CONCURRENCY,
        name: str = "ours",
        database: Database | None = None,
    ) -> AsyncIterator[Self]:
        """Start a runner on a fresh database (with the catalog of the workloads), or on the one given."""
        if database is None:
            async with stage.migrated() as made:
                await fill(made)
                async with cls.open(stage, slots=slots, name=name, database=made) as ours:
                    yield ours
            return
        with stage.vhost() as vhost:
            runner, port = _start(stage, database, vhost, slots, name)
            try:
                await ready(runner, port)
                async with Wire.open(vhost.url) as wire:
                    ends = Ends(await wire.follow(EVENTS, RunFinished.key), _run_of)
                    yield cls(name, wire, ends, database, vhost, runner)
            finally:
                runner.end()

    async def analyze(self) -> None:
        await self.database.execute("ANALYZE")

    async def run(self, workload: Workload) -> float:
        requests = [_request(orchestration(workload, index)) for index in range(workload.runs)]
        messages = [_message(request) for request in requests]
        began = time.perf_counter()
        await self.wire.publish(messages)
        await self._ends.wait([str(request.job_id) for request in requests])
        seconds = time.perf_counter() - began
        await self._check(workload, [request.job_id for request in requests])
        return seconds

    async def begin(self, workload: Workload) -> list[UUID]:
        """Request the runs and do not wait."""
        requests = [_request(orchestration(workload, index)) for index in range(workload.runs)]
        await self.wire.publish(_message(request) for request in requests)
        return [request.job_id for request in requests]

    async def underway(self, tasks: int) -> None:
        """Wait until so many tasks are underway."""
        sql = "SELECT count(*) FROM jobs.jobs WHERE kind = 'component' AND status = 'processing'"
        async with asyncio.timeout(READY_SECONDS):
            while await self.database.fetchval(sql) < tasks:
                await asyncio.sleep(0.1)

    async def _check(self, workload: Workload, runs: Sequence[UUID]) -> None:
        (row,) = await self.database.fetch(CHECK, runs)
        expected = (workload.runs, workload.tasks)
        assert tuple(row) == expected, f"{workload.name}: {dict(row)}, expected {expected}"
        assert await self.database.fetchval(OUT_OF_ORDER, runs) == 0, f"{workload.name}: phases overlap"


def _request(name: str) -> RunRequested:
    now = datetime.now(UTC)
    return RunRequested(
        job_id=new_job_id(),
        project=PROJECT,
        configuration=name,
        origin=Origin.API,
        requested_at=now,
        scheduled_for=now,
    )


def _message(request: RunRequested) -> Outgoing:
    return (COMMANDS, request.routing_key(), wrap(request, source="/benchmark").to_bytes())


def _start(
    stage: Stage, database: Database, vhost: BrokerVhost, slots: int, name: str
) -> tuple[Started, int]:
    port = free_port()
    env = {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("runner"),
        "ORCHESTRATOR_AMQP_URL": vhost.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "ORCHESTRATOR_WORK_DIR": str(stage.folder / f"work-{name}"),
        "ORCHESTRATOR_RUNNER_SLOTS": str(slots),
        "ORCHESTRATOR_HTTP_HOST": "127.0.0.1",
        "ORCHESTRATOR_HTTP_PORT": str(port),
        "ORCHESTRATOR_LOG_LEVEL": "warning",
    }
    return Started.module(name, "tests.benchmarks.noop_runner", env, stage.folder), port


async def ready(service: Started, port: int) -> None:
    """Wait until a service says that it is."""
    deadline = time.monotonic() + READY_SECONDS
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=2, trust_env=False) as client:
        while time.monotonic() < deadline:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.05)
    raise RuntimeError(f"{service.name} is not ready:\n{service.log.read_text()[-4000:]}")
