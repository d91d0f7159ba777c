"""Checks and previews schedules before they are saved."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator_api.schedules.presets import PresetId, preset_of
from orchestrator_api.schedules.rows import StoredSchedule
from orchestrator_shared.domain.clock_changes import ClockChange, clock_changes
from orchestrator_shared.domain.cron import Cron, Every, Fire, Schedule, next_fires
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.schedule_words import in_words
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


@dataclass(frozen=True, slots=True)
class Preview:
    """What a schedule will do."""

    words: str
    preset: PresetId | None
    fires: list[Fire]
    clock_changes: list[ClockChange]
    warning: str | None


def preview(times: Times, now: datetime) -> Preview:
    """The next fires and clock changes; an interval is counted from now, as it would be after a save."""
    schedule, zone = times.schedule, parse_zone(times.timezone)
    if isinstance(schedule, Every):
        schedule = Every(schedule.seconds, now)
    return Preview(
        words=in_words(schedule),
        preset=preset_of(times.cron) if times.cron else None,
        fires=next_fires(schedule, now, zone, PREVIEWED),
        clock_changes=clock_changes(schedule, now, zone),
        warning=times.warning,
    )


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
