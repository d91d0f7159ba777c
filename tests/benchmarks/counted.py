"""The section `counted`: commits, statements and messages, which no load of the machine can change."""

import argparse
import asyncio

from tests.benchmarks import workloads
from tests.benchmarks.counting import Said, Tally, counted, heard
from tests.benchmarks.ours import Ours
from tests.benchmarks.report import MET, MISSED, table
from tests.benchmarks.stage import Stage
from tests.benchmarks.workloads import NOOP_CONCURRENCY, SLEEPERS, Workload

from orchestrator_shared.contracts.message import EVENTS

WATCHED_SECONDS = 10.0
RUN_TRANSITIONS = 3
"""Created, started, finished."""


async def section(stage: Stage, arguments: argparse.Namespace) -> None:
    """Print what was counted, with verdicts, and the statements of one workload by their cost."""
    async with Ours.open(stage) as ours:
        inbox = await ours.wire.follow(EVENTS, "#")
        for workload in (workloads.ALONE, workloads.MANY):
            await ours.run(workload)
        await ours.analyze()
        heard(inbox)
        lines = []
        for workload in (workloads.ALONE, workloads.MANY, workloads.ONE_WIDE):
            async with counted(stage, ours.database.name) as tally:
                await ours.run(workload)
            lines += _figures(workload, tally, heard(inbox))
            if workload is workloads.MANY:
                details = list(tally.lines())
        lines += await _polling(stage, ours)
    print(table(("what", "goal", "counted", "verdict"), lines))
    print(f"\nStatements of {workloads.MANY.name}, the costliest first:")
    print("\n".join(f"    {line}" for line in details))


def _figures(workload: Workload, tally: Tally, said: Said) -> list[tuple[str, ...]]:
    batches = tally.count("finish_jobs")
    per_batch = tally.commits_with["finish_jobs"] / max(batches, 1)
    durable = sum(said.durable.values()) / workload.runs
    return [
        (
            f"{workload.name}: commits per batch of results",
            "≤ 1",
            f"{per_batch:.2f} ({batches} batches)",
            _at_most(per_batch, 1) if batches else MISSED,
        ),
        (
            f"{workload.name}: durable messages per run",
            f"≤ {RUN_TRANSITIONS}",
            f"{durable:.2f}",
            _at_most(durable, RUN_TRANSITIONS) if durable else MISSED,
        ),
        (f"{workload.name}: hints per task", "", f"{sum(said.hints.values()) / workload.tasks:.2f}", ""),
        (f"{workload.name}: statements per task", "", f"{tally.total / workload.tasks:.2f}", ""),
        (f"{workload.name}: commits", "", str(tally.count("COMMIT")), ""),
    ]


async def _polling(stage: Stage, ours: Ours) -> list[tuple[str, ...]]:
    """A poll per task would grow with what is underway and waiting."""
    idle = await _watched(stage, ours)
    await ours.begin(Workload("", SLEEPERS, 1))
    await ours.underway(NOOP_CONCURRENCY)
    busy = await _watched(stage, ours)
    waiting = SLEEPERS.width - NOOP_CONCURRENCY
    more = (busy.total - idle.total) / WATCHED_SECONDS
    return [
        ("statements per second, idle", "", f"{idle.total / WATCHED_SECONDS:.1f}", ""),
        (
            f"the same with {NOOP_CONCURRENCY} tasks underway and {waiting} waiting",
            "no polling per task: < 5 more",
            f"{busy.total / WATCHED_SECONDS:.1f}",
            _at_most(more, 5),
        ),
    ]


async def _watched(stage: Stage, ours: Ours) -> Tally:
    async with counted(stage, ours.database.name) as tally:
        await asyncio.sleep(WATCHED_SECONDS)
    return tally


def _at_most(figure: float, goal: float) -> str:
    return MET if figure <= goal else MISSED
