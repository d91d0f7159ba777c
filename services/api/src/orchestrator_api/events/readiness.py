"""What tables and triggers open streams have not been told of yet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from orchestrator_api.events.frames import frame
from orchestrator_api.events.metrics import STREAM_EVENTS
from orchestrator_api.events.models import JudgedTrigger, ReadinessEvent
from orchestrator_api.events.rows import Heard
from orchestrator_api.events.viewers import ProjectViewer


@dataclass(slots=True)
class News:
    """Of one project: tables with new updates, and triggers that were judged, each with its orchestration."""

    tables: set[str] = field(default_factory=set)
    triggers: dict[UUID, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tables) + len(self.triggers)

    def show(self, viewers: Iterable[ProjectViewer], latest: str) -> None:
        """Send it, written once, to those that may read it."""
        if not self:
            return
        triggers = sorted(self.triggers.items())
        event = ReadinessEvent(
            tables=sorted(self.tables),
            triggers=[JudgedTrigger(id=each, orchestration=name) for each, name in triggers],
        )
        written = frame("readiness", event)
        for viewer in viewers:
            if viewer.hears_of_tables:
                STREAM_EVENTS.labels("readiness").inc()
                viewer.push([written], latest)


def by_project(found: Iterable[Heard]) -> Mapping[str, News]:
    """What was read, for each project."""
    news: dict[str, News] = defaultdict(News)
    for each in found:
        if each.table_name is not None:
            news[each.project].tables.add(each.table_name)
        if each.trigger_id is not None and each.orchestration is not None:
            news[each.project].triggers[each.trigger_id] = each.orchestration
    return news
