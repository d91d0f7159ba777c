"""Prefect as a measured system: a server of its own, and one process that runs flows when asked to."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import asyncpg
import httpx
from tests.benchmarks.measuring import Samples, in_turns
from tests.benchmarks.peers.system import HERE, Hearing, NotInstalled, environment
from tests.benchmarks.processes import Started
from tests.benchmarks.stage import Stage
from tests.benchmarks.systems import SECONDS
from tests.benchmarks.workloads import ALONE, NOOP_CONCURRENCY, SMALL, Workload
from tests.support.databases import Database

from orchestrator_local.servers.processes import free_port

NAME = "prefect"
REPEATS = 2
"""Of all but the shortest workload: each takes ten seconds and more."""
ALL_SECONDS = 300.0
WARM_UP = (ALONE, Workload("warm-up", SMALL, runs=5))
START_SECONDS = 120.0
EXTENSION = "pg_trgm"
"""What Prefect needs of a PostgreSQL; the one that is embedded here comes without."""


class Prefect:
    """A flow per run, with a task of Prefect's for each task; asked and heard through notifications."""

    name = NAME

    def __init__(self, database: Database, processes: Sequence[Started], api: str, keeps: str) -> None:
        self.database = database
        self.processes = processes
        self.keeps = keeps
        self.hearing = Hearing()
        self._api = api

    @classmethod
    @asynccontextmanager
    async def open(cls, stage: Stage) -> AsyncIterator[Self]:
        binaries = await asyncio.to_thread(environment, NAME)
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(stage.empty())
            own = bool(await database.fetch("SELECT FROM pg_available_extensions WHERE name = $1", EXTENSION))
            port = free_port()
            api = f"http://127.0.0.1:{port}/api"
            env = _settings(database, api, stage.folder / NAME, in_postgres=own)
            server = Started(NAME, _server(binaries, port), env, stage.folder)
            stack.callback(server.end)
            await _answers(server, api)
            command = [str(binaries / "python"), "-c", "import prefect_app; prefect_app.main('worker')"]
            worker = Started(NAME, command, env, stage.folder, cwd=HERE)
            stack.callback(worker.end)
            await _ready(worker)
            listener = await asyncpg.connect(database.url)
            stack.push_async_callback(listener.close)
            keeps = "PostgreSQL" if own else f"SQLite (this PostgreSQL has no {EXTENSION})"
            prefect = cls(database, [server, worker], api, keeps)
            await listener.add_listener("peer_finished", prefect.hearing.hear)
            yield prefect

    async def analyze(self) -> None:
        await self.database.execute("ANALYZE")

    async def run(self, workload: Workload) -> float:
        runs = [str(uuid4()) for _ in range(workload.runs)]
        request = json.dumps({"runs": runs, "sizes": workload.shape.sizes})
        async with self.database.connection() as connection:
            began = time.perf_counter()
            await connection.execute("SELECT pg_notify('peer_requests', $1)", request)
            await self.hearing.wait(set(runs))
            seconds = time.perf_counter() - began
        await self._recorded(workload, runs)
        return seconds

    async def _recorded(self, workload: Workload, runs: Collection[str]) -> None:
        """Wait until its server knows what its worker did: it hears of tasks later, and works until then."""
        completed = {"state": {"type": {"any_": ["COMPLETED"]}}}
        flows = {"name": {"any_": list(runs)}}
        counts = (0, 0)
        try:
            async with asyncio.timeout(SECONDS), _client(self._api) as client:
                while counts != (workload.tasks, workload.runs):
                    await asyncio.sleep(0.25)
                    counts = (
                        await _count(client, "task_runs", {"flow_runs": flows, "task_runs": completed}),
                        await _count(client, "flow_runs", {"flow_runs": flows | completed}),
                    )
        except TimeoutError:
            raise TimeoutError(f"tasks and runs recorded as completed: {counts}") from None


def _client(api: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=api, timeout=30, trust_env=False)


async def _count(client: httpx.AsyncClient, what: str, of: dict[str, Any]) -> int:
    return int((await client.post(f"/{what}/count", json=of)).raise_for_status().text)


def _settings(database: Database, api: str, home: Path, *, in_postgres: bool) -> dict[str, str]:
    """Prefect's defaults, but telling nobody, and keeping its files in the stage."""
    home.mkdir()
    settings = {
        "PEER_DATABASE_URL": database.url,
        "PEER_CONCURRENCY": str(NOOP_CONCURRENCY),
        "PYTHONPATH": str(HERE),
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    if in_postgres:
        url = database.url.replace("postgresql://", "postgresql+asyncpg://", 1)
        settings["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = url
    return settings


def _server(binaries: Path, port: int) -> list[str]:
    return [str(binaries / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)]


async def _answers(server: Started, api: str) -> None:
    """Wait until the server is up; it makes its schema first."""
    try:
        async with asyncio.timeout(START_SECONDS), _client(api) as client:
            while server.runs:
                try:
                    (await client.get("/health")).raise_for_status()
                    return
                except httpx.HTTPError:
                    await asyncio.sleep(0.2)
    except TimeoutError:
        pass
    raise NotInstalled(f"{NAME}: its server does not start: {server.log.read_text()[-500:]}")


async def _ready(worker: Started) -> None:
    try:
        await worker.says()
    except RuntimeError as error:
        raise NotInstalled(f"{NAME}: its worker does not start: {str(error)[-500:]}") from error


async def measure(stage: Stage, workloads: Sequence[Workload], repeats: int) -> dict[str, Samples]:
    """By workload, nothing if it is left out; with no other system beside it: its server never rests."""
    try:
        async with Prefect.open(stage) as prefect:
            return await _measure(prefect, workloads, repeats)
    except NotInstalled as error:
        print(f"left out: {error}", flush=True)
        return {}


async def _measure(prefect: Prefect, workloads: Sequence[Workload], repeats: int) -> dict[str, Samples]:
    results = {workload.name: Samples(missing="none in time") for workload in workloads}
    try:
        async with asyncio.timeout(ALL_SECONDS):
            for workload in WARM_UP:
                await prefect.run(workload)
            await prefect.analyze()
            for workload in sorted(workloads, key=lambda workload: workload.runs):
                for _ in range(repeats if workload is ALONE else min(repeats, REPEATS)):
                    results[workload.name] += (await in_turns([prefect], workload, 1))[NAME]
                print(f"  measured: {workload.name}, {NAME}", flush=True)
    except TimeoutError as error:
        limits = f"{SECONDS:.0f} s for a measurement, {ALL_SECONDS:.0f} s for all"
        print(f"  {NAME}: stopped, as it takes too long ({limits}). {error}", flush=True)
    except httpx.HTTPError as error:
        print(f"  {NAME}: stopped, as its server does not answer: {error!r}", flush=True)
        for samples in results.values():
            samples.missing = "failed"
    counts = ", ".join(str(len(samples.seconds)) for samples in results.values())
    print(f"  {NAME}: measured alone, {counts} times; keeps its state in {prefect.keeps}", flush=True)
    return results
