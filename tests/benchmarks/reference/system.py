"""The reference as a measured system: an engine process, a worker process, and who asks them."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self
from uuid import uuid4

from tests.benchmarks.processes import Started
from tests.benchmarks.reference.engine import FINISHED, PREFETCH, REQUESTS, prepare
from tests.benchmarks.stage import Stage
from tests.benchmarks.systems import Ends
from tests.benchmarks.wire import Wire
from tests.benchmarks.workloads import Workload
from tests.support.databases import Database

CHECK = """
SELECT count(*) AS tasks, count(*) FILTER (WHERE executions = 1 AND t.finished_at IS NOT NULL) AS good,
       count(DISTINCT r.id) FILTER (WHERE r.finished_at IS NOT NULL) AS runs
FROM runs r JOIN tasks t ON t.run = r.id WHERE r.id = ANY ($1::uuid[])
"""
OUT_OF_ORDER = """
SELECT count(*)
FROM tasks earlier JOIN tasks later ON (later.run, later.phase) = (earlier.run, earlier.phase + 1)
WHERE later.started_at < earlier.finished_at AND later.run = ANY ($1::uuid[])
"""


def _run_of(body: bytes) -> str:
    return str(json.loads(body)["run"])


class Reference:
    """R: the least that an engine of this kind can be."""

    name = "R"

    def __init__(self, wire: Wire, ends: Ends, database: Database, processes: Sequence[Started]) -> None:
        self._wire = wire
        self._ends = ends
        self.database = database
        self.processes = processes

    @classmethod
    @asynccontextmanager
    async def open(cls, stage: Stage) -> AsyncIterator[Self]:
        async with stage.empty() as database:
            with stage.vhost() as vhost:
                await prepare(database.url)
                processes: list[Started] = []
                try:
                    for part, arguments in (("engine", [vhost.url, database.url]), ("worker", [vhost.url])):
                        module = f"tests.benchmarks.reference.{part}"
                        processes.append(
                            Started.module(f"reference-{part}", module, {}, stage.folder, *arguments)
                        )
                        await processes[-1].says()
                    async with Wire.open(vhost.url) as wire:
                        ends = Ends(await wire.consume(FINISHED, prefetch=PREFETCH), _run_of)
                        yield cls(wire, ends, database, processes)
                finally:
                    for process in processes:
                        process.end()

    async def analyze(self) -> None:
        await self.database.execute("ANALYZE")

    async def run(self, workload: Workload) -> float:
        runs = [str(uuid4()) for _ in range(workload.runs)]
        content = {"sizes": workload.shape.sizes, "body": workload.body}
        requests = [("", REQUESTS, json.dumps({"run": run, **content}).encode()) for run in runs]
        began = time.perf_counter()
        await self._wire.publish(requests)
        await self._ends.wait(runs)
        seconds = time.perf_counter() - began
        await self._check(workload, runs)
        return seconds

    async def _check(self, workload: Workload, runs: Sequence[str]) -> None:
        (row,) = await self.database.fetch(CHECK, runs)
        expected = (workload.tasks, workload.tasks, workload.runs)
        assert tuple(row) == expected, f"{workload.name}: {dict(row)}, expected {expected}"
        assert await self.database.fetchval(OUT_OF_ORDER, runs) == 0, f"{workload.name}: phases overlap"
