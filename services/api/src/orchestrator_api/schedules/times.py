"""Checks and previews schedules before they are saved."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator_shared.domain.cron import Cron, Every, Fire, Schedule, next_fires
from orchestrator_shared.domain.zones import parse_zone

PREVIEWED = 5


@dataclass(frozen=True, slots=True)
class Times:
    """When to fire, already checked: the cron expression in its canonical form, or the interval."""

    cron: str | None
    every_seconds: int | None
    timezone: str
    schedule: Schedule

    @property
    def warning(self) -> str | None:
        return self.schedule.uneven_warning()


def accept_times(cron: str | None, every_seconds: int | None, timezone: str) -> Times:
    """Refuse invalid expressions, impossible dates and unknown time zones, naming the field."""
    zone = parse_zone(timezone)
    if cron is not None:
        parsed = Cron.parse(cron, field="cron")
        parsed.check_zone(zone, field="cron")
        return Times(parsed.text, None, timezone, parsed)
    every = Every.parse(every_seconds, field="every_seconds")
    return Times(None, every.seconds, timezone, every)


def preview(times: Times, now: datetime) -> list[Fire]:
    """The next fires; an interval is counted from now, as it would be after a save."""
    schedule = times.schedule
    if isinstance(schedule, Every):
        schedule = Every(schedule.seconds, now)
    return next_fires(schedule, now, parse_zone(times.timezone), PREVIEWED)
