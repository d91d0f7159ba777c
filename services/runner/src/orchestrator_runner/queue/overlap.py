"""What becomes of a request when its configuration is busy (docs/explanation/lanes.md, overlap)."""

from dataclasses import dataclass
from uuid import UUID

from orchestrator_shared.domain.statuses import OverlapPolicy


@dataclass(frozen=True, slots=True)
class Queue:
    """It becomes a job of its own."""


@dataclass(frozen=True, slots=True)
class Merge:
    """The waiting run of the same schedule does for both."""

    into: UUID


@dataclass(frozen=True, slots=True)
class Skip:
    """Not run, because of this unfinished run."""

    into: UUID


def decide_overlap(
    policy: OverlapPolicy, *, waiting: UUID | None, unfinished: UUID | None
) -> Queue | Merge | Skip:
    """`waiting`: a run of the same schedule that has not started; `unfinished`: any job in the lane."""
    if policy is OverlapPolicy.ONE_WAITING and waiting is not None:
        return Merge(waiting)
    if policy is OverlapPolicy.SKIP and unfinished is not None:
        return Skip(unfinished)
    return Queue()
