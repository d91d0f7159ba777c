"""What a list of orchestrations is filtered by, and how many each filter shows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Literal

from fastapi import Query

from orchestrator_api.catalog.listing import MOST_COUNTED
from orchestrator_api.catalog.rows import OrchestrationCounts
from orchestrator_shared.definitions.labels import MAX_LABELS, Label

LastRunIs = Literal["failed", "running", "waiting", "success", "warning", "stopped", "never_run"]
StartsBy = Literal["time", "tables", "manual"]
LabelsWanted = Annotated[
    list[Label] | None,
    Query(
        max_length=MAX_LABELS,
        description="Only those with this label; given several times: with all of them.",
    ),
]

OrchestrationSort = Annotated[
    Literal["id", "-id", "name", "-name", "updated_at", "-updated_at", "next_fire"],
    Query(
        description="The order; `-` reverses it. Names are compared without regard to upper and lower case; "
        "`updated_at` is when the current version was saved. With `next_fire`, those that a schedule starts "
        "soonest come first, and those without one last."
    ),
]

_STATUSES: Mapping[LastRunIs, Sequence[str]] = {
    "failed": ("error",),
    "running": ("processing", "terminating"),
    "waiting": ("waiting",),
    "success": ("success",),
    "warning": ("warning",),
    "stopped": ("cancelled", "terminated"),
    "never_run": ("none",),
}
MOST_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class Count:
    """How many, at most a thousand."""

    count: int
    more: bool
    """There are more than these."""


def statuses_of(wanted: Collection[LastRunIs]) -> tuple[str, ...] | None:
    """The statuses of the last run; None for all."""
    return tuple(status for each in wanted for status in _STATUSES[each]) if wanted else None


def capped(counts: OrchestrationCounts) -> dict[str, Count]:
    """Each count as it is shown; where not all were looked at, there may always be more."""
    is_cut = counts.total >= MOST_COUNTED
    shown = {each.name: getattr(counts, each.name) for each in fields(counts)}
    return {
        name: Count(min(count, MOST_SHOWN), is_cut or count > MOST_SHOWN) for name, count in shown.items()
    }
