"""What is run: phases of tasks, how many runs at once, and with which body."""

from dataclasses import dataclass
from typing import Literal

Body = Literal["noop", "spawn"]
PROGRAM = "/bin/true"
NOOP_CONCURRENCY = 64
"""Tasks underway at once where the body does nothing; the same for every system that can be told so."""
SPAWN_CONCURRENCY = 8


@dataclass(frozen=True)
class Shape:
    """The form of one run."""

    name: str
    phases: int
    width: int

    @property
    def tasks(self) -> int:
        return self.phases * self.width

    @property
    def sizes(self) -> list[int]:
        return [self.width] * self.phases


@dataclass(frozen=True)
class Workload:
    """`runs` runs of a shape, requested at once."""

    name: str
    shape: Shape
    runs: int
    body: Body = "noop"

    @property
    def tasks(self) -> int:
        return self.shape.tasks * self.runs


SMALL = Shape("w1", phases=4, width=5)
WIDE = Shape("w2", phases=1, width=1000)
LONG = Shape("w3", phases=40, width=1)
SLEEPERS = Shape("sleepers", phases=1, width=1200)
"""Its tasks last until they are stopped."""

ALONE = Workload("W1 alone, no-op", SMALL, runs=1)
MANY = Workload("W1 x 50 at once, no-op", SMALL, runs=50)
ONE_WIDE = Workload("W2, no-op", WIDE, runs=1)
ONE_LONG = Workload("W3 per step, no-op", LONG, runs=1)
MANY_SPAWNED = Workload("W1 x 50, subprocess", SMALL, runs=50, body="spawn")


def widened(width: int) -> Workload:
    """W2 with so many tasks."""
    return Workload(f"W2 with {width:,} tasks", Shape("w2", phases=1, width=width), runs=1)
