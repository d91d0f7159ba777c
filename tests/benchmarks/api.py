"""The section `api`: reads and accepted runs, beside FastAPI and asyncpg that run the same statements.

On a project with 10,000 orchestrations and a million finished jobs. Both systems are processes of their own.
"""

import argparse
import base64
import os
import pickle
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import asyncpg
import httpx
from tests.benchmarks.bare_api import Recorded, Statement
from tests.benchmarks.catalog import PROJECT, fill
from tests.benchmarks.http_load import Load, Request
from tests.benchmarks.ours import ready
from tests.benchmarks.processes import Started
from tests.benchmarks.report import MET, MISSED, table
from tests.benchmarks.stage import Stage
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database

from orchestrator_api.settings import ApiSettings
from orchestrator_api.wiring import start
from orchestrator_local.servers.processes import free_port
from orchestrator_shared.runtime.health import public_app
from orchestrator_shared.runtime.lifecycle import Lifecycle

ORCHESTRATIONS = int(os.environ.get("BENCH_API_ORCHESTRATIONS", "10000"))
JOBS = int(os.environ.get("BENCH_API_JOBS", "1000000"))
READS_PER_SECOND, RUNS_PER_SECOND = 200.0, 50.0
SECONDS = 5.0
SHARE_OF_LIMIT = 0.6
"""Where a bare endpoint cannot answer that many requests, both get this share of what the slower one can."""
GOAL_SECONDS, GOAL_RATIO = 0.05, 1.5
TOKEN = "orc_benchmark_administrator_token_0123456789ab"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
KEY = base64.b64encode(bytes(range(32))).decode()
BASE = f"/v1/projects/{PROJECT}"
_ASKED: ContextVar[bool] = ContextVar("asked", default=False)
ONE = f"{BASE}/orchestrations/orchestration-00042"


@dataclass(frozen=True)
class Endpoint:
    name: str
    request: Request
    rate: float = READS_PER_SECOND


@dataclass
class Measured:
    """What one system needed for one endpoint."""

    limit: float = 0.0
    seconds: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


async def section(stage: Stage, arguments: argparse.Namespace) -> None:
    async with stage.migrated() as database:
        await fill(database)
        await grow(database, ORCHESTRATIONS, JOBS)
        with stage.vhost() as vhost:
            settings = settings_of(database, vhost)
            endpoints = await _endpoints(database)
            recorded = stage.folder / "recorded"
            recorded.write_bytes(pickle.dumps(await record(settings, endpoints)))
            async with started(stage, database, vhost, recorded) as loads:
                lines = [await _measure(endpoint, loads, arguments.repeats) for endpoint in endpoints]
    goal = f"p99 ≤ {GOAL_SECONDS * 1000:.0f} ms or ratio ≤ {GOAL_RATIO}"
    print(f"{ORCHESTRATIONS:,} orchestrations, {JOBS:,} finished jobs; goal: {goal}")
    print(
        table(
            ("endpoint", "rate", "limit ours/bare", "p50", "p99 ours", "p99 bare", "ratio", "verdict"), lines
        )
    )


async def grow(database: Database, orchestrations: int, jobs: int) -> None:
    """Fill the project; a fifth of the jobs are runs."""
    values = {"orchestrations": orchestrations, "jobs": jobs, "project": PROJECT}
    await carry_out(database, Path(__file__).with_suffix(".sql"), values)


async def carry_out(database: Database, file: Path, values: Mapping[str, object]) -> None:
    """The statements of a file, with these values in place of their names in braces."""
    sql = file.read_text()
    for name, value in values.items():
        sql = sql.replace(f"{{{name}}}", str(value))
    async with database.connection() as connection:
        await connection.execute(sql, timeout=1800)
        await connection.execute("VACUUM ANALYZE", timeout=600)


async def _endpoints(database: Database) -> list[Endpoint]:
    run, task = [
        await database.fetchval(
            f"SELECT id FROM jobs.jobs WHERE kind = '{kind}' ORDER BY finished_at DESC LIMIT 1"
        )
        for kind in ("run", "component")
    ]
    reads = {
        "orchestrations, page of 20": f"{BASE}/orchestrations?limit=20",
        "orchestrations, page of 100": f"{BASE}/orchestrations",
        "one orchestration": ONE,
        "its versions": f"{ONE}/versions",
        "its runs": f"{ONE}/runs?limit=20",
        "its schedules": f"{ONE}/schedules",
        "configurations, page of 20": f"{BASE}/configurations?limit=20",
        "jobs, page of 20": f"{BASE}/jobs?limit=20",
        "failed jobs, page of 20": f"{BASE}/jobs?limit=20&status=error",
        "one run": f"{BASE}/jobs/{run}",
        "its tasks": f"{BASE}/jobs/{run}/tasks",
        "one task": f"{BASE}/jobs/{task}",
        "tables": f"{BASE}/tables?limit=20",
        "audit, page of 20": f"{BASE}/audit?limit=20",
    }
    made = [Endpoint(name, Request(path)) for name, path in reads.items()]
    return [*made, Endpoint("run accepted", Request(f"{ONE}/runs", b"{}"), RUNS_PER_SECOND)]


@asynccontextmanager
async def in_process(settings: ApiSettings, headers: Mapping[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """The api in this process, and who asks it."""
    lifecycle = Lifecycle("api")
    async with start(settings, lifecycle):
        lifecycle.started = True
        transport = httpx.ASGITransport(app=public_app(lifecycle))
        async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
            yield client
        lifecycle.stopping.set()


async def record(
    settings: ApiSettings, endpoints: Sequence[Endpoint], who: Mapping[str, str] = BEARER
) -> dict[str, Recorded]:
    """The statements that our api runs for each path, from the api in this process."""
    recorded: dict[str, Recorded] = {}
    headers = {"Content-Type": "application/json", **who}
    with _recording() as statements:
        async with in_process(settings, headers) as client:
            for endpoint in endpoints:
                before = await _statements(client, endpoint.request, statements)
                after = await _statements(client, endpoint.request, statements)
                recorded[endpoint.request.path] = Recorded(after, frozenset(_ids(after) - _ids(before)))
    return recorded


async def _statements(
    client: httpx.AsyncClient, request: Request, statements: list[Statement]
) -> list[Statement]:
    statements.clear()
    await _ask(client, request)
    return list(statements)


def _ids(statements: list[Statement]) -> set[str]:
    values = [value for _, arguments in statements for value in arguments]
    lists = [item for value in values if isinstance(value, list) for item in value]
    return {str(value) for value in (*values, *lists) if isinstance(value, UUID)}


async def _ask(client: httpx.AsyncClient, request: Request) -> None:
    method = "GET" if request.body is None else "POST"
    _ASKED.set(True)
    response = await client.request(method, request.path, content=request.body)
    assert response.status_code < 300, f"{request.path}: {response.status_code} {response.text}"


@contextmanager
def _recording() -> Iterator[list[Statement]]:
    statements: list[Statement] = []
    original = getattr(asyncpg.Connection, "_execute")  # noqa: B009  what every kind of query goes through

    async def execute(self: Any, query: str, arguments: tuple[Any, ...], *rest: Any, **options: Any) -> Any:
        if _ASKED.get():  # not what the background tasks of the api run meanwhile
            statements.append((query, arguments))
        return await original(self, query, arguments, *rest, **options)

    with patch.object(asyncpg.Connection, "_execute", execute):
        yield statements


def settings_of(database: Database, vhost: BrokerVhost) -> ApiSettings:
    return ApiSettings(
        database_url=database.url_for("api"),
        amqp_url=vhost.url,
        encryption_keys=KEY,
        link_key=KEY,
        admin_email="benchmark@example.com",
        admin_token=TOKEN,
    )


@asynccontextmanager
async def started(
    stage: Stage,
    database: Database,
    vhost: BrokerVhost,
    recorded: Path,
    who: Mapping[str, str] = BEARER,
    bare_module: str = "tests.benchmarks.bare_api",
) -> AsyncIterator[dict[str, Load]]:
    """Both systems, ready, and the connections to them."""
    ports = {"ours": free_port(), "bare": free_port()}
    env = {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("api"),
        "ORCHESTRATOR_AMQP_URL": vhost.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": KEY,
        "ORCHESTRATOR_LINK_KEY": KEY,
        "ORCHESTRATOR_ADMIN_EMAIL": "benchmark@example.com",
        "ORCHESTRATOR_ADMIN_TOKEN": TOKEN,
        "ORCHESTRATOR_HTTP_HOST": "127.0.0.1",
        "ORCHESTRATOR_HTTP_PORT": str(ports["ours"]),
        "ORCHESTRATOR_REQUESTS_PER_SECOND": "100000",
        "ORCHESTRATOR_REQUESTS_BURST": "100000",
        "ORCHESTRATOR_LOG_LEVEL": "warning",
    }
    bare = (bare_module, env, stage.folder, str(recorded), str(ports["bare"]))
    processes = [Started.module("ours", "orchestrator_api", env, stage.folder), Started.module("bare", *bare)]
    try:
        await processes[1].says()
        await ready(processes[0], ports["ours"])
        ((name, value),) = who.items()
        header = f"{name}: {value}"
        async with Load.open(ports["ours"], header) as ours, Load.open(ports["bare"], header) as other:
            yield {"ours": ours, "bare": other}
    finally:
        for process in processes:
            process.end()


async def _measure(endpoint: Endpoint, loads: dict[str, Load], repeats: int) -> tuple[str, ...]:
    """In turns: first the limit of each, then the times at the rate that both can answer."""
    measured = {name: Measured() for name in loads}
    for name, load in loads.items():
        await load.limit(endpoint.request, 1)
        measured[name].limit = await load.limit(endpoint.request, 2)
    rate = min(endpoint.rate, *(SHARE_OF_LIMIT * each.limit for each in measured.values()))
    for repeat in range(repeats):
        for name in ("ours", "bare") if repeat % 2 else ("bare", "ours"):
            count = round(rate * SECONDS / repeats)
            measured[name].seconds += await loads[name].at_rate(endpoint.request, rate, count)
    print(f"  measured: {endpoint.name}", flush=True)
    return _line(endpoint.name, rate, measured["ours"], measured["bare"])


def _line(name: str, rate: float, ours: Measured, bare: Measured) -> tuple[str, ...]:
    p99, bare_p99 = ours.percentile(0.99), bare.percentile(0.99)
    ratio = p99 / bare_p99
    verdict = MET if p99 <= GOAL_SECONDS or ratio <= GOAL_RATIO else MISSED
    limits = f"{ours.limit:,.0f}/{bare.limit:,.0f} per s"
    median = f"{ours.percentile(0.5) * 1000:.1f}/{bare.percentile(0.5) * 1000:.1f} ms"
    figures = (f"{p99 * 1000:.1f} ms", f"{bare_p99 * 1000:.1f} ms", f"{ratio:.2f}")
    return (name, f"{rate:.0f}/s", limits, median, *figures, verdict)
