"""The section `history`: whether a database with a million finished jobs is slower than an empty one."""

import argparse
import os
from pathlib import Path

from tests.benchmarks import workloads
from tests.benchmarks.catalog import PROJECT, fill
from tests.benchmarks.measuring import in_turns
from tests.benchmarks.ours import Ours
from tests.benchmarks.report import MET, MISSED, table
from tests.benchmarks.stage import Stage
from tests.support.databases import Database

JOBS = int(os.environ.get("BENCH_HISTORY_JOBS", "1000000"))
SLOWER = 1.15


async def section(stage: Stage, arguments: argparse.Namespace) -> None:
    async with stage.migrated() as full:
        await fill(full)
        await grow_old(full, JOBS)
        async with (
            Ours.open(stage, name="empty") as empty,
            Ours.open(stage, name="full", database=full) as old,
        ):
            for system in (empty, old):
                await system.run(workloads.MANY)
                await system.analyze()
            lines = []
            for workload in (workloads.ALONE, workloads.MANY, workloads.ONE_WIDE):
                samples = await in_turns([empty, old], workload, 4 * arguments.repeats)
                ratio = samples["full"].median / samples["empty"].median
                times = [f"{samples[name].median * 1000:.0f} ms" for name in ("empty", "full")]
                lines.append((workload.name, *times, f"{ratio:.2f}", MET if ratio <= SLOWER else MISSED))
    print(table(("workload", "empty", f"{JOBS:,} finished jobs", f"ratio (≤ {SLOWER})", "verdict"), lines))


async def grow_old(database: Database, jobs: int) -> None:
    """Finished runs of W1 with their phases, tasks and attempts, by set-based inserts."""
    sql = Path(__file__).with_suffix(".sql").read_text()
    async with database.connection() as connection:
        runs = jobs // (workloads.SMALL.tasks + 1)
        await connection.execute(sql.replace("{runs}", str(runs)).replace("{project}", PROJECT), timeout=1800)
        await connection.execute("VACUUM ANALYZE", timeout=600)
