"""What the audit log is filtered by, as the URL says it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from orchestrator_api.access.audit_rows import AuditFilter

MOST_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """Days are those of the viewer's zone; what is no day counts as not said."""

    who: str = ""
    action: str = ""
    of: str = ""
    since: str = ""
    until: str = ""
    """The last day, which counts to its end."""
    after: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "AuditFilters":
        """From the query of a request."""
        texts = {name: query.get(name, "").strip()[:MOST_CHARACTERS] for name in ("who", "action", "of")}
        days = {name: _day(query.get(name, "")) for name in ("since", "until")}
        return cls(**texts, **days, after=query.get("after", ""))

    @property
    def is_filtered(self) -> bool:
        return bool(self.who or self.action or self.of or self.since or self.until)

    def wanted(self, zone: ZoneInfo) -> AuditFilter:
        """For the service."""
        return AuditFilter(
            actor=self.who or None,
            action=self.action or None,
            subject=self.of or None,
            since=_begin(self.since, zone),
            until=_begin(self.until, zone, days=1),
        )

    def query(self, **changes: str) -> dict[str, object]:
        """The query with these changes; without a change of `after` it begins at the first page."""
        return dict(asdict(replace(self, **{"after": "", **changes})))


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _begin(day: str, zone: ZoneInfo, days: int = 0) -> datetime | None:
    """The instant at which the day begins, or one that many days later."""
    if not day:
        return None
    try:
        local = datetime.combine(date.fromisoformat(day) + timedelta(days=days), time(), zone)
        return local.astimezone(UTC)
    except OverflowError:
        return None
