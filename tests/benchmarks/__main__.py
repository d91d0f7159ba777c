"""`python -m tests.benchmarks`: measures our engine beside the reference, and prints tables with verdicts."""

import argparse
import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from statistics import median
from typing import Any

from tests.benchmarks import counted, footprint, growth, history, report, workloads
from tests.benchmarks.measuring import in_turns
from tests.benchmarks.ours import Ours
from tests.benchmarks.peers.system import open_peers
from tests.benchmarks.quorum import Quorum
from tests.benchmarks.reference.system import Reference
from tests.benchmarks.spawning import raw_rate
from tests.benchmarks.stage import Stage, stage
from tests.benchmarks.systems import System
from tests.benchmarks.workloads import Workload

ALONE_RUNS = 100
QUESTIONS = 200
PROGRAMS = 500
WARM_UP = (workloads.ALONE, workloads.MANY)


async def goals(stage: Stage, arguments: argparse.Namespace) -> None:
    """The table of the goals."""
    async with AsyncExitStack() as stack:
        systems: list[System] = [
            await stack.enter_async_context(Ours.open(stage)),
            await stack.enter_async_context(Reference.open(stage)),
        ]
        quorum = await stack.enter_async_context(Quorum.open(stage))
        await _warm_up(systems, (*WARM_UP, workloads.MANY_SPAWNED))
        results, asked, raw = {}, [], []
        for workload in (
            workloads.ALONE,
            workloads.MANY,
            workloads.ONE_WIDE,
            workloads.ONE_LONG,
            workloads.MANY_SPAWNED,
        ):
            asked += [await quorum.ask() for _ in range(QUESTIONS // 5)]
            raw.append(await raw_rate(PROGRAMS))
            results[workload.name] = await in_turns(systems, workload, _repeats(workload, arguments.repeats))
            print(f"  measured: {workload.name}", flush=True)
        baselines = report.Baselines(median(asked), median(raw))
    print(report.table(report.HEADER, report.rows(results, baselines)))


async def peers(stage: Stage, arguments: argparse.Namespace) -> None:
    """The same workloads on task queues that people would pick instead."""
    async with AsyncExitStack() as stack:
        systems: list[System] = [
            await stack.enter_async_context(Ours.open(stage)),
            await stack.enter_async_context(Reference.open(stage)),
            *await stack.enter_async_context(open_peers(stage)),
        ]
        await _warm_up(systems, WARM_UP)
        results = {}
        for workload in (workloads.ALONE, workloads.MANY, workloads.ONE_WIDE):
            results[workload.name] = await in_turns(systems, workload, arguments.repeats)
            print(f"  measured: {workload.name}", flush=True)
    names = [system.name for system in systems]
    print(report.table(("workload", *names), report.comparison(results, names)))


async def _warm_up(systems: list[System], warm_up: tuple[Workload, ...]) -> None:
    """Once each, then fresh statistics: what autovacuum does within a minute of a new installation's life."""
    for system in systems:
        for workload in warm_up:
            await system.run(workload)
        await system.analyze()


def _repeats(workload: Workload, repeats: int) -> int:
    return max(repeats, ALONE_RUNS) if workload is workloads.ALONE else repeats


Section = Callable[[Stage, argparse.Namespace], Coroutine[Any, Any, None]]
SECTIONS: dict[str, Section] = {
    "goals": goals,
    "counted": counted.section,
    "footprint": footprint.section,
    "growth": growth.section,
    "history": history.section,
    "peers": peers,
}
USUAL = ("goals", "counted", "footprint", "growth")


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; usually {', '.join(USUAL)}"
    )
    parser.add_argument(
        "--repeats", type=int, default=5, help="measurements of each workload; medians are shown"
    )
    parser.add_argument("--in-memory", action="store_true", help="keep the servers' data in /dev/shm")
    arguments = parser.parse_args()
    usual = [*USUAL, *(["history"] if os.environ.get("BENCH_HISTORY") == "1" else [])]
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}")
    with stage(in_memory=arguments.in_memory) as servers:
        print("\n".join(await servers.conditions()), flush=True)
        for name in arguments.sections or usual:
            print(f"\n## {name}", flush=True)
            await SECTIONS[name](servers, arguments)


if __name__ == "__main__":
    asyncio.run(main())
