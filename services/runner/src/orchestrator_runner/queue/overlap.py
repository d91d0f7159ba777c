"""Decides what happens to a request when its configuration is busy (docs/explanation/lanes.md, overlap)."""

from dataclasses import dataclass
from uuid import UUID

from orchestrator_shared.domain.statuses import OverlapPolicy


@dataclass(frozen=True, slots=True)
class Queue:
    """The request becomes a job of its own."""


@dataclass(frozen=True, slots=True)
class Merge:
    """The waiting run of the same schedule covers this request too."""

    into: UUID


@dataclass(frozen=True, slots=True)
class Skip:
    """The request is not run, because of this unfinished run."""

    into: UUID


def decide_overlap(
    policy: OverlapPolicy, *, waiting: UUID | None, unfinished: UUID | None
) -> Queue | Merge | Skip:
    """`waiting` is a run of the same schedule that has not started; `unfinished` is any job in the lane."""
    if policy is OverlapPolicy.ONE_WAITING and waiting is not None:
        return Merge(waiting)
    if policy is OverlapPolicy.SKIP and unfinished is not None:
        return Skip(unfinished)
    return Queue()
