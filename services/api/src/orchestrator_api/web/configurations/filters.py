"""What the list of configurations is filtered by: as the URL says it."""

from collections.abc import Mapping
from dataclasses import dataclass

TYPES: Mapping[str, str] = {
    "extractor": "Extractors",
    "transformation": "Transformations",
    "application": "Applications",
    "writer": "Writers",
}
PAGE_SIZE = 50
MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ListFilters:
    """Anything that a URL may not say counts as not said."""

    component: str = ""
    """A part of the path."""
    q: str = ""
    type: str = ""
    after: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str], component: str = "") -> "ListFilters":
        """From the address of a request."""
        kind = query.get("type", "")
        return cls(
            component,
            query.get("q", "").strip()[:MOST_CHARACTERS],
            kind if kind in TYPES and not component else "",
            query.get("after", ""),
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.type or self.component)

    def query(self, **changes: str) -> dict[str, str]:
        """The query with these changes; without a change of `after` it begins at the first page."""
        return {"q": self.q, "type": self.type, "after": "", **changes}
