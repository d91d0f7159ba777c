"""The section `growth`: whether ten times as many tasks in one phase take ten times as long."""

import argparse

from tests.benchmarks import workloads
from tests.benchmarks.catalog import fill
from tests.benchmarks.measuring import in_turns
from tests.benchmarks.ours import Ours
from tests.benchmarks.reference.system import Reference
from tests.benchmarks.report import table
from tests.benchmarks.stage import Stage

WIDTHS = (1_000, 3_000, 10_000)
REPEATS = 3


async def section(stage: Stage, arguments: argparse.Namespace) -> None:
    async with stage.migrated() as database:
        await fill(database, widths=WIDTHS)
        async with Ours.open(stage, database=database) as ours, Reference.open(stage) as reference:
            for system in (ours, reference):
                await system.run(workloads.widened(WIDTHS[0]))
                await system.analyze()
            lines = []
            for width in WIDTHS:
                workload = workloads.widened(width)
                samples = await in_turns([ours, reference], workload, min(arguments.repeats, REPEATS))
                lines.append(
                    (workload.name, *(f"{samples[name].rate(workload):,.0f}/s" for name in ("ours", "R")))
                )
    print(table(("one phase", "ours", "R"), lines))
