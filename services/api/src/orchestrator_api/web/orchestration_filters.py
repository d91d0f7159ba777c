"""What the list of orchestrations is filtered and sorted by: as the URL says it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

Sort = Literal["id", "-id", "name", "-name"]

SORTS: Mapping[str, Sort] = {"id": "id", "-id": "-id", "name": "name", "-name": "-name"}
SIZES = (20, 50, 100)
DEFAULT_SIZE = 50
MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ListFilters:
    """Anything that a URL may not say counts as not said: a link of another release still opens."""

    q: str = ""
    enabled: str = ""
    """`yes`, `no` or empty for all."""
    sort: Sort = "name"
    page_size: int = DEFAULT_SIZE
    after: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "ListFilters":
        """From the query of a request."""
        size = query.get("page_size", "")
        return cls(
            q=query.get("q", "").strip()[:MOST_CHARACTERS],
            enabled=query.get("enabled", "") if query.get("enabled") in ("yes", "no") else "",
            sort=SORTS.get(query.get("sort", ""), "name"),
            page_size=int(size) if size in map(str, SIZES) else DEFAULT_SIZE,
            after=query.get("after", ""),
        )

    @property
    def is_enabled(self) -> bool | None:
        return {"yes": True, "no": False}.get(self.enabled)

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.enabled)

    def query(self, **changes: object) -> dict[str, object]:
        """The query with these changes; without a change of `after` it begins at the first page."""
        changed = asdict(replace(self, **{"after": "", **changes}))  # type: ignore[arg-type]
        defaults = asdict(ListFilters())
        return {name: value for name, value in changed.items() if value != defaults[name]}
