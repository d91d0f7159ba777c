"""What starts an orchestration, in a few words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator_api.schedules.rows import StoredSchedule
from orchestrator_api.schedules.times import accept_times
from orchestrator_api.triggers.rows import StoredTrigger
from orchestrator_api.web import words
from orchestrator_shared.domain.cron import Every, next_fires
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zones import parse_zone


@dataclass(frozen=True, slots=True)
class Start:
    """One schedule or trigger, or none."""

    icon: str
    text: str
    zone: str = ""
    is_code: bool = False
    """Whether the text is a cron expression."""
    is_paused: bool = False
    ready: tuple[int, int] | None = None
    """Of a trigger: how many of its tables are updated, and how many there are."""


MANUAL = Start("hand-click", "Manual")


def starts_of(schedules: Sequence[StoredSchedule], triggers: Sequence[StoredTrigger]) -> list[Start]:
    """Schedules first; what is switched on before what is paused."""
    found = [*map(of_schedule, schedules), *map(of_trigger, triggers)]
    return sorted(found, key=lambda start: start.is_paused) or [MANUAL]


def of_schedule(schedule: StoredSchedule) -> Start:
    """`Every 45 minutes`, `Mondays to Fridays at 05:30` with its zone; a cron expression without words."""
    zone = "" if schedule.cron is None else schedule.timezone.rpartition("/")[2].replace("_", " ")
    text = schedule.words or schedule.cron or ""
    return Start("clock", text[:1].upper() + text[1:], zone, schedule.words is None, not schedule.enabled)


def next_fire(schedule: StoredSchedule, now: datetime) -> datetime | None:
    """When it fires next; of one that was just saved, as the scheduler will decide."""
    if schedule.next_at is not None or not schedule.enabled:
        return schedule.next_at
    try:
        times = accept_times(schedule.cron, schedule.every_seconds, schedule.timezone).schedule
    except UserError:
        return None
    if isinstance(times, Every):
        times = Every(times.seconds, schedule.updated_at)
    found = next_fires(times, now, parse_zone(schedule.timezone), 1)
    return found[0].at if found else None


def of_trigger(trigger: StoredTrigger) -> Start:
    """`2 tables`."""
    tables = len(trigger.tables)
    text, ready = words.counted(tables, "table"), (trigger.tables_ready, tables)
    return Start("bolt", text, is_paused=not trigger.enabled, ready=ready)
