"""The section `footprint`: memory of a replica with much to do, and processor time per task."""

import argparse

from tests.benchmarks import workloads
from tests.benchmarks.measuring import in_turns
from tests.benchmarks.ours import Ours
from tests.benchmarks.processes import total
from tests.benchmarks.reference.system import Reference
from tests.benchmarks.report import table
from tests.benchmarks.stage import Stage
from tests.benchmarks.workloads import SLEEPERS, Workload

RUNNING = 200


async def section(stage: Stage, arguments: argparse.Namespace) -> None:
    await _memory(stage)
    await _processor_time(stage, arguments.repeats)


async def _memory(stage: Stage) -> None:
    async with Ours.open(stage, slots=RUNNING) as ours:
        idle = total(ours.processes).memory_mib
        await ours.begin(Workload("", SLEEPERS, 1))
        await ours.underway(RUNNING)
        busy = total(ours.processes).memory_mib
    waiting = SLEEPERS.width - RUNNING
    print(f"memory of one replica (runner and keeper, proportional set size): idle {idle:.0f} MiB, ")
    print(f"with {waiting:,} jobs waiting and {RUNNING} running {busy:.0f} MiB\n")


async def _processor_time(stage: Stage, repeats: int) -> None:
    """Own processes from /proc; the servers' share is what they used while the system was measured."""
    async with Ours.open(stage) as ours, Reference.open(stage) as reference:
        for system in (ours, reference):
            await system.run(workloads.MANY)
            await system.analyze()
        lines = []
        for workload in (workloads.MANY, workloads.ONE_WIDE, workloads.MANY_SPAWNED):
            for system in (ours, reference):
                before = stage.server_costs()
                samples = (await in_turns([system], workload, repeats))[system.name]
                tasks = workload.tasks * repeats
                after = stage.server_costs()
                servers = [
                    f"{(after[name] - before[name]).cpu_seconds / tasks * 1e6:.0f} µs"
                    for name in sorted(before)
                ]
                own = sum(samples.cpu_seconds) / tasks * 1e6
                lines.append((workload.name, system.name, f"{own:.0f} µs", *servers))
    print(table(("processor time per task", "system", "own processes", *sorted(before)), lines))
