"""Measuring systems in turns, so that whatever else the machine does hits all of them alike."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Self

from tests.benchmarks.processes import total
from tests.benchmarks.systems import System
from tests.benchmarks.workloads import Workload


@dataclass
class Samples:
    """What one system needed for one workload."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    """Of its own processes, without the servers."""
    missing: str = ""
    """Why there are none, if so."""

    def __iadd__(self, more: Self) -> Self:
        self.seconds += more.seconds
        self.cpu_seconds += more.cpu_seconds
        return self

    @property
    def median(self) -> float:
        return median(self.seconds)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]

    def rate(self, workload: Workload) -> float:
        """Tasks per second."""
        return workload.tasks / self.median


async def nothing() -> None:
    """Nothing is compared with."""


async def in_turns(
    systems: Sequence[System],
    workload: Workload,
    repeats: int,
    before_each: Callable[[], Awaitable[object]] = nothing,
) -> dict[str, Samples]:
    """Run the workload on every system, `repeats` times; another one begins each time.

    `before_each` measures what is compared with: on a machine whose speed changes, beside it.
    """
    samples: dict[str, Samples] = defaultdict(Samples)
    for repeat in range(repeats):
        first = repeat % len(systems)
        for system in (*systems[first:], *systems[:first]):
            await before_each()
            before = total(system.processes)
            seconds = await system.run(workload)
            samples[system.name].seconds.append(seconds)
            samples[system.name].cpu_seconds.append((total(system.processes) - before).cpu_seconds)
    return samples
