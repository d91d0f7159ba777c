"""Which jobs a list shows, and by which index they are found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from orchestrator_api.runs.rows import Job

SCANNED = 5_000
"""How many jobs one page looks at, at most: what matches none of them is left to the next page."""
TROUBLED = frozenset({"warning", "error", "cancelled", "terminated"})
"""These have an index of their own: they are few, and people look for them."""
UNFINISHED = frozenset({"created", "waiting", "processing", "terminating"})
"""So do these, by lane: what is underway is found however old it is."""
FILTERS = (
    "job_id",
    "statuses",
    "origins",
    "component",
    "configuration",
    "parent",
    "root",
    "since",
    "until",
    "longer_than_seconds",
    "shorter_than_seconds",
    "started_since",
    "started_until",
    "requested_by",
    "search",
)
APPLIED = {
    "own": frozenset({"since", "until"}),
    "id": frozenset({"job_id"}),
    "project": frozenset({"since", "until"}),
    "troubled": frozenset({"since", "until"}),
    "unfinished": frozenset({"since", "until"}),
    "finished": frozenset[str](),
    "lane": frozenset({"component", "configuration", "until"}),
    "configuration": frozenset({"configuration", "until"}),
    "parent": frozenset({"parent", "until"}),
    "root": frozenset({"root", "until"}),
}
"""By path: the filters that the path applies itself, so that no job is looked at in vain."""
Place = tuple[datetime, UUID]
JobSort = Literal["-accepted_at", "-finished_at", "-duration"]
NEWEST_FIRST: JobSort = "-accepted_at"


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
    shorter_than_seconds: float | None = None
    started_since: datetime | None = None
    started_until: datetime | None = None
    requested_by: str | None = None
    """Part of the name of who requested it."""
    search: str | None = None
    searches_messages: bool = True
    is_own: bool = False
    """Whether only the runs that a token started are listed."""
    before: datetime | None = None
    before_id: UUID | None = None
    sort: JobSort = NEWEST_FIRST
    limit: int = 100

    @property
    def path(self) -> str:
        """The index that leads to the fewest jobs."""
        if self.is_own:
            return "own"
        if self.job_id is not None:
            return "id"
        if self.parent is not None:
            return "parent"
        if self.root is not None:
            return "root"
        if self.configuration is not None:
            return "configuration" if self.component is None else "lane"
        if self.statuses and TROUBLED.issuperset(self.statuses):
            return "troubled"
        if self.statuses and UNFINISHED.issuperset(self.statuses):
            return "unfinished"
        return "finished" if self.sort == "-finished_at" else "project"

    @property
    def in_path_order(self) -> bool:
        """Whether the index has the order of the list; otherwise the newest jobs of the path are sorted."""
        return self.sort == NEWEST_FIRST or self.path == "finished"

    @property
    def scan(self) -> int:
        """How many jobs of the path to look at: no more than are shown, if all of them match."""
        if not self.in_path_order:
            return SCANNED
        given = {name for name in FILTERS if getattr(self, name) is not None}
        return self.limit if given <= APPLIED[self.path] else SCANNED

    def values(self) -> dict[str, object]:
        """The parameters of the statement."""
        names = (*FILTERS, "searches_messages", "path", "in_path_order", "scan", "limit")
        place, nowhere = (self.before, self.before_id), (None, None)
        walked, listed = (place, nowhere) if self.in_path_order else (nowhere, place)
        return {
            **{name: getattr(self, name) for name in names},
            "order": self.sort.removeprefix("-"),
            "before": walked[0],
            "before_id": walked[1],
            "sorted_before": listed[0],
            "sorted_before_id": listed[1],
        }

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


def whole_id(text: str | None) -> UUID | None:
    """The id that a text is; None for any other text."""
    try:
        return UUID(text) if text and len(text) == len(str(UUID(int=0))) else None
    except ValueError:
        return None
