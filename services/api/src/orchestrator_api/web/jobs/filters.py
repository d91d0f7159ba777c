"""What the jobs are listed by: as the URL says it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from orchestrator_api.runs.filters import NEWEST_FIRST, JobSort
from orchestrator_api.runs.job_query import LONGEST

QUEUE, ALL = "queue", "all"
SORTS: Mapping[str, JobSort] = {each: each for each in (NEWEST_FIRST, "-finished_at", "-duration")}
PAGE = 50


@dataclass(frozen=True, slots=True)
class JobFilters:
    """Anything that a URL may not say counts as not said."""

    view: str = QUEUE
    q: str = ""
    sort: JobSort = NEWEST_FIRST
    after: str = ""
    lanes: str = ""
    """`all` for all busy configurations, also those without a queue that run as usual."""
    without: str = ""
    """The lanes as they would be if this job were terminated."""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "JobFilters":
        """From the query of a request; whoever searches looks at all jobs."""
        text = query.get("q", "").strip()[:LONGEST]
        return cls(
            view=ALL if text or query.get("view") == ALL else QUEUE,
            q=text,
            sort=SORTS.get(query.get("sort", ""), NEWEST_FIRST),
            after=query.get("after", ""),
            lanes=ALL if query.get("lanes") == ALL else "",
            without=query.get("without", ""),
        )

    @property
    def terminated(self) -> UUID | None:
        """The job that the lanes are shown without."""
        try:
            return UUID(self.without) if self.without else None
        except ValueError:
            return None

    def query(self, **changes: object) -> dict[str, object]:
        """The query with these changes; without a change of `after` it begins at the first page."""
        changed = asdict(replace(self, **{"after": "", "without": "", **changes}))  # type: ignore[arg-type]
        defaults = asdict(JobFilters())
        return {name: value for name, value in changed.items() if value != defaults[name]}
