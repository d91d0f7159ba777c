"""Jobs of one configuration, by how they ended, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_api.catalog.configurations import Key
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session
from orchestrator_api.runs import jobs
from orchestrator_api.runs.filters import JobFilter
from orchestrator_api.runs.rows import Job

TABS: Mapping[str, tuple[str, Sequence[str] | None]] = {
    "all": ("All", None),
    "successful": ("Successful", ("success", "warning")),
    "failed": ("Failed", ("error", "terminated", "cancelled")),
}
"""The label of each tab, and the statuses of its jobs; None for all of them."""


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page, newest first, and the cursor of the next."""

    listed: Sequence[Job]
    next: str | None


async def job_page(session: Session, key: Key, part: Part, statuses: Sequence[str] | None) -> JobPage:
    """The jobs of this configuration that have one of the statuses."""
    before, before_id = part.place(datetime, UUID)
    wanted = JobFilter(
        statuses=statuses,
        component=key.component,
        configuration=key.id,
        before=before,
        before_id=before_id,
        limit=part.rows,
    )
    found = await jobs.listing(session, wanted)
    page = part.of(found.jobs, "listed_at", "id", then=found.continues_at)
    return JobPage(page["items"], page["next"])
