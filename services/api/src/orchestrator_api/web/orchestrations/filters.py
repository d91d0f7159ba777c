"""What the list of orchestrations is filtered and sorted by: as the URL says it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal, get_args

Sort = Literal["id", "-id", "name", "-name", "next_fire"]
LastRun = Literal["failed", "running", "waiting", "success", "warning", "stopped", "never_run"]
SORTS: Mapping[str, Sort] = {each: each for each in get_args(Sort)}
STATUSES: Mapping[str, tuple[LastRun, ...]] = {
    "failed": ("failed",),
    "at_work": ("running", "waiting"),
    "running": ("running",),
    "waiting": ("waiting",),
    "success": ("success",),
    "warning": ("warning",),
    "stopped": ("stopped",),
    "never_run": ("never_run",),
}
STARTS = ("time", "tables", "manual")
SIZES = (20, 50, 100)
MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ListFilters:
    """Anything that a URL may not say counts as not said: a link of another release still opens."""

    q: str = ""
    status: str = ""
    """Of the last run: one of STATUSES."""
    starts: str = ""
    label: str = ""
    enabled: str = ""
    """`yes`, `no` or empty for all."""
    sort: Sort = "name"
    page_size: int = 0
    """0 for that of the account."""
    after: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "ListFilters":
        """From the query of a request."""
        size = query.get("page_size", "")
        return cls(
            q=query.get("q", "").strip()[:MOST_CHARACTERS],
            status=_one_of(query.get("status"), STATUSES),
            starts=_one_of(query.get("starts"), STARTS),
            label=query.get("label", "")[:MOST_CHARACTERS],
            enabled=_one_of(query.get("enabled"), ("yes", "no")),
            sort=SORTS.get(query.get("sort", ""), "name"),
            page_size=int(size) if size in map(str, SIZES) else 0,
            after=query.get("after", ""),
        )

    @property
    def is_enabled(self) -> bool | None:
        return {"yes": True, "no": False}.get(self.enabled)

    @property
    def statuses(self) -> tuple[LastRun, ...]:
        return STATUSES.get(self.status, ())

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.status or self.starts or self.label or self.enabled)

    def query(self, **changes: object) -> dict[str, object]:
        """The query with these changes; without a change of `after` it begins at the first page."""
        changed = asdict(replace(self, **{"after": "", **changes}))  # type: ignore[arg-type]
        defaults = asdict(ListFilters())
        return {name: value for name, value in changed.items() if value != defaults[name]}

    def only(self, **chosen: object) -> dict[str, object]:
        """The query with this choice instead of those that stand beside it."""
        return self.query(**{"status": "", "starts": "", "enabled": "", **chosen})


def _one_of(text: str | None, known: Mapping[str, object] | tuple[str, ...]) -> str:
    return text if text is not None and text in known else ""
