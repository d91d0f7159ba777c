"""Which jobs a list shows, and by which index they are found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from orchestrator_api.runs.rows import Job

SCANNED = 5_000
"""How many jobs one page looks at, at most: what matches none of them is left to the next page."""
TROUBLED = frozenset({"warning", "error", "cancelled", "terminated"})
"""These have an index of their own: they are few, and people look for them."""
FILTERS = (
    "statuses",
    "origins",
    "component",
    "configuration",
    "parent",
    "root",
    "since",
    "until",
    "longer_than_seconds",
    "search",
)
APPLIED = {
    "id": frozenset[str](),
    "project": frozenset({"since", "until"}),
    "troubled": frozenset({"since", "until"}),
    "lane": frozenset({"component", "configuration", "until"}),
    "configuration": frozenset({"configuration"}),
    "parent": frozenset({"parent"}),
    "root": frozenset({"root"}),
}
"""By path: the filters that the path applies itself, so that no job is looked at in vain."""
Place = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list, and where to begin; None means no restriction."""

    statuses: Sequence[str] | None = None
    origins: Sequence[str] | None = None
    component: str | None = None
    configuration: str | None = None
    parent: UUID | None = None
    root: UUID | None = None
    job_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    longer_than_seconds: float | None = None
    search: str | None = None
    searches_messages: bool = True
    before: datetime | None = None
    before_id: UUID | None = None
    limit: int = 100

    @property
    def path(self) -> str:
        """The index that leads to the fewest jobs."""
        if self.job_id is not None:
            return "id"
        if self.parent is not None:
            return "parent"
        if self.root is not None:
            return "root"
        if self.configuration is not None:
            return "configuration" if self.component is None else "lane"
        return "troubled" if self.statuses and TROUBLED.issuperset(self.statuses) else "project"

    @property
    def scan(self) -> int:
        """How many jobs of the path to look at: no more than are shown, if all of them match."""
        given = {name for name in FILTERS if getattr(self, name) is not None}
        return self.limit if given <= APPLIED[self.path] else SCANNED

    def without_messages(self) -> "JobFilter":
        """For those who may not read what programs wrote: a search must not tell it either."""
        return replace(self, searches_messages=False)

    def continuing(self, edge: Place | None) -> Place | None:
        """Where the next page begins, after the last job that was looked at; None if there is nothing more.

        A job that retention has just removed leads nowhere: then all that is older goes, too.
        """
        if edge is None or (self.since is not None and edge[0] < self.since):
            return None
        if self.before is not None and self.before_id is not None and edge >= (self.before, self.before_id):
            return None
        return edge


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of jobs; `continues_at` is where the next one begins if this one is not full."""

    jobs: list[Job]
    continues_at: Place | None
