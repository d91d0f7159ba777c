"""Decides which runs a backfill requests: one per fire of a schedule in a period, oldest first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from uuid import UUID

from orchestrator_api.http.refusals import FieldError, refuse
from orchestrator_api.schedules.times import Times
from orchestrator_shared.domain.cron import Cron, Every, Fire
from orchestrator_shared.domain.ids import JobId, ScheduleId, fire_job_id
from orchestrator_shared.domain.zones import parse_zone

MAX_FIRES = 1_000
MAX_COUNTED = 10_000
PREFIX = "backfill:"


@dataclass(frozen=True, slots=True)
class BackfillFire:
    """One fire to catch up on; its job id is the same however often it is requested."""

    scheduled_for: datetime
    local: datetime
    fire_key: str
    job_id: JobId


@dataclass(frozen=True, slots=True)
class Counted:
    """The anchor from which the scheduler counts an interval, as of the version it last read.

    Version 0 means that it has not read the schedule yet.
    """

    version: int
    anchor: datetime
    next_at: datetime | None


def anchor_of(seconds: int, version: int, updated_at: datetime, counted: Counted | None) -> datetime:
    """The anchor from which the scheduler counts this version, even if it has not read it yet.

    The scheduler keeps its anchor if an edit does not change the interval.
    """
    saved = updated_at.replace(microsecond=0)
    if counted is None or counted.version == 0:
        return saved
    if counted.version == version or counted.next_at == counted.anchor + timedelta(seconds=seconds):
        return counted.anchor
    return max(counted.anchor, saved)


def plan_backfill(
    schedule: UUID, times: Times, anchor: datetime, start: datetime, end: datetime, now: datetime
) -> list[BackfillFire]:
    """The fires from `start` (inclusive) to `end` (exclusive), oldest first.

    An interval is counted from `anchor`, as the scheduler does.
    """
    refuse(_check_period(start, end, now))
    fires = _fires(times, anchor, start, end)
    refuse(_check_number(len(fires)))
    return [_planned(schedule, times, fire) for fire in fires]


def _check_period(start: datetime, end: datetime, now: datetime) -> list[FieldError]:
    if end <= start:
        return [FieldError("to", "the period is empty: `to` must be later than `from`")]
    if end > now:
        return [FieldError("to", "must not be in the future: the schedule itself will fire then")]
    return []


def _fires(times: Times, anchor: datetime, start: datetime, end: datetime) -> list[Fire]:
    schedule = times.schedule
    if isinstance(schedule, Every):
        schedule = Every(schedule.seconds, anchor)
    fires = schedule.fires(start - timedelta(microseconds=1), parse_zone(times.timezone))
    return list(islice(takewhile(lambda fire: fire.at < end, fires), MAX_COUNTED))


def _check_number(number: int) -> list[FieldError]:
    if number <= MAX_FIRES:
        return []
    counted = f"{number} times" if number < MAX_COUNTED else f"{MAX_COUNTED} times or more"
    detail = (
        f"the schedule fires {counted} in this period; at most {MAX_FIRES} are allowed: use a shorter one"
    )
    return [FieldError("to", detail)]


def _planned(schedule: UUID, times: Times, fire: Fire) -> BackfillFire:
    # The key names the time zone, too: the zone may be edited, and a local time means nothing without it.
    fixed = isinstance(times.schedule, Cron) and times.schedule.is_fixed
    key = PREFIX + (f"{fire.key}[{times.timezone}]" if fixed else fire.key)
    return BackfillFire(fire.at, fire.local, key, fire_job_id(ScheduleId(schedule), key))
