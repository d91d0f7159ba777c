"""`python -m tests.benchmarks`: measures our engine beside the reference, and prints tables with verdicts."""

import argparse
import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from statistics import median
from typing import Any

from tests.benchmarks import (
    api,
    counted,
    events,
    footprint,
    growth,
    history,
    kubernetes,
    report,
    web,
    workloads,
)
from tests.benchmarks.measuring import Samples, in_turns, nothing
from tests.benchmarks.ours import Ours
from tests.benchmarks.peers import prefect_system as prefect
from tests.benchmarks.peers.system import open_peers
from tests.benchmarks.quorum import Quorum
from tests.benchmarks.reference.system import Reference
from tests.benchmarks.spawning import raw_rate
from tests.benchmarks.stage import Stage, stage
from tests.benchmarks.systems import System
from tests.benchmarks.workloads import SPAWN_CONCURRENCY, Workload

ALONE_RUNS = 100
QUESTIONS = 20
PROGRAMS = 200
"""Before each run of the workload that they are compared with."""
WARM_UP = (workloads.ALONE, workloads.MANY)
COMPARED = (workloads.ALONE, workloads.MANY, workloads.ONE_WIDE)


async def goals(stage: Stage, arguments: argparse.Namespace) -> None:
    """The table of the goals."""
    results: dict[str, dict[str, Samples]] = {}
    asked: list[float] = []
    raw: list[float] = []
    async with Reference.open(stage) as reference, Quorum.open(stage) as quorum:
        async with Ours.open(stage) as ours:
            await _warm_up([ours, reference], WARM_UP)
            for workload in COMPARED:
                results[workload.name] = await _measure([ours, reference], workload, arguments.repeats)

            async def ask() -> None:
                asked.extend([await quorum.ask() for _ in range(QUESTIONS)])

            long = workloads.ONE_LONG
            results[long.name] = await _measure([ours, reference], long, 4 * arguments.repeats, ask)
        spawned = workloads.MANY_SPAWNED
        async with (
            Ours.open(stage, slots=SPAWN_CONCURRENCY) as few,
            Ours.open(stage, name=report.MORE_SLOTS) as more,
        ):
            await _warm_up([few, more, reference], (spawned,))

            async def spawn() -> None:
                raw.append(await raw_rate(PROGRAMS))

            results[spawned.name] = await _measure([few, more, reference], spawned, arguments.repeats, spawn)
    baselines = report.Baselines(median(asked), median(raw))
    print(report.table(report.HEADER, report.rows(results, baselines)))


async def _measure(
    systems: list[System],
    workload: Workload,
    repeats: int,
    before_each: Callable[[], Awaitable[object]] = nothing,
) -> dict[str, Samples]:
    if workload is workloads.ALONE:
        repeats = max(repeats, ALONE_RUNS)
    samples = await in_turns(systems, workload, repeats, before_each)
    print(f"  measured: {workload.name}", flush=True)
    return samples


async def peers(stage: Stage, arguments: argparse.Namespace) -> None:
    """The same workloads on what people would pick instead."""
    async with AsyncExitStack() as stack:
        systems: list[System] = [
            await stack.enter_async_context(Ours.open(stage)),
            await stack.enter_async_context(Reference.open(stage)),
            *await stack.enter_async_context(open_peers(stage)),
        ]
        await _warm_up(systems, WARM_UP)
        results = {}
        for workload in COMPARED:
            results[workload.name] = await in_turns(systems, workload, arguments.repeats)
            print(f"  measured: {workload.name}", flush=True)
    names = [system.name for system in systems]
    for workload_name, samples in (await prefect.measure(stage, COMPARED, arguments.repeats)).items():
        results[workload_name][prefect.NAME] = samples
    names += [prefect.NAME] if prefect.NAME in results[workloads.ALONE.name] else []
    print(report.table(("workload", *names), report.comparison(results, names)))


async def _warm_up(systems: list[System], warm_up: tuple[Workload, ...]) -> None:
    """Once each, then fresh statistics: what autovacuum does within a minute of a new installation's life."""
    for system in systems:
        for workload in warm_up:
            await system.run(workload)
        await system.analyze()


Section = Callable[[Stage, argparse.Namespace], Coroutine[Any, Any, None]]
SECTIONS: dict[str, Section] = {
    "goals": goals,
    "counted": counted.section,
    "footprint": footprint.section,
    "growth": growth.section,
    "history": history.section,
    "api": api.section,
    "events": events.section,
    "web": web.section,
    "kubernetes": kubernetes.section,
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
    measuring = asyncio.current_task()
    assert measuring is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, measuring.cancel)  # ends the servers too
    with stage(in_memory=arguments.in_memory) as servers:
        print("\n".join(await servers.conditions()), flush=True)
        for name in arguments.sections or usual:
            print(f"\n## {name}", flush=True)
            await SECTIONS[name](servers, arguments)


if __name__ == "__main__":
    asyncio.run(main())
