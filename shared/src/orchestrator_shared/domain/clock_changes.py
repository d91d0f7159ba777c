"""What the next clock changes of its zone do to a schedule: which fires are moved, left out or doubled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from orchestrator_shared.domain.cron import Cron, Fire, Schedule
from orchestrator_shared.domain.schedule_words import joined
from orchestrator_shared.domain.zones import changes, offset_at, wall_time

Effect = Literal["unchanged", "moved", "first_of_two", "left_out", "twice"]

_LOOKED_AHEAD = timedelta(days=400)
_SHOWN_CHANGES = 2
_SHOWN_FIRES = 10
_SHOWN_TIMES = 4
_SECOND, _HOUR, _DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
_NIGHT_ENDS, _NIGHT_BEGINS = 6, 21


@dataclass(frozen=True, slots=True)
class ClockChange:
    """One change of a zone's clocks, and what it does to a schedule."""

    at: datetime
    """The instant, in UTC."""
    local: datetime
    """What the clock shows right after the change."""
    shift_seconds: int
    """How far the clock is turned; positive: forward."""
    effect: Effect
    label: str
    """The effect in a few words."""
    words: str
    """The effect in a sentence."""
    fires: Sequence[Fire] = ()
    """The fires of that night that differ, at most ten."""


def clock_changes(schedule: Schedule, after: datetime, zone: ZoneInfo) -> list[ClockChange]:
    """The next two changes within about a year; none if the zone keeps its clocks."""
    found = islice(changes(after, after + _LOOKED_AHEAD, zone), _SHOWN_CHANGES)
    return [_Change(at, zone).effect_on(schedule) for at in found]


@dataclass(frozen=True, slots=True)
class _Change:
    at: datetime
    zone: ZoneInfo

    @property
    def shift(self) -> timedelta:
        return offset_at(self.at, self.zone) - offset_at(self.at - _SECOND, self.zone)

    @property
    def affected(self) -> tuple[datetime, datetime]:
        """The wall times that are skipped or come twice: [start, end)."""
        after = wall_time(self.at, self.zone)
        return (after - self.shift, after) if self.shift > timedelta() else (after, after - self.shift)

    @property
    def that_night(self) -> str:
        hour = self.affected[0].hour
        return "that night" if hour < _NIGHT_ENDS or hour >= _NIGHT_BEGINS else "that day"

    def effect_on(self, schedule: Schedule) -> ClockChange:
        if not isinstance(schedule, Cron):
            return self._unchanged("An interval follows real time: no fire is left out or doubled.")
        walls = list(schedule.walls(*self.affected))
        is_forward = self.shift > timedelta()
        if not walls:
            return self._unchanged(
                f"No fire falls into the time that {'is skipped' if is_forward else 'comes twice'}."
            )
        if not schedule.is_fixed and schedule.fields[1].is_full and self.shift % _HOUR == timedelta():
            return self._unchanged("It follows real time: no fire is left out or doubled.")
        fires = self._fires(schedule)
        if is_forward:
            return self._gap(schedule, walls, fires)
        occur = f"{_times(walls)} {'occurs' if len(walls) == 1 else 'occur'} twice {self.that_night}"
        if schedule.is_fixed:
            they = "it fires" if len(walls) == 1 else "they fire"
            return self._told("first_of_two", "first of two", f"{occur}; {they} the first time only.", fires)
        return self._told("twice", "twice", f"{occur}, and so do the fires.", fires)

    def _fires(self, schedule: Cron) -> list[Fire]:
        """Those at the end of the gap, or in the repeated time."""
        if self.shift > timedelta():
            first = next(schedule.fires(self.at - _SECOND, self.zone), None)
            return [first] if first is not None and first.at == self.at else []
        start, end = self.at + self.shift, self.at - self.shift
        found = islice(schedule.fires(start - _SECOND, self.zone), _SHOWN_FIRES)
        return [fire for fire in found if fire.at < end and fire.repeated]

    def _gap(self, schedule: Cron, walls: Sequence[datetime], fires: list[Fire]) -> ClockChange:
        one = len(walls) == 1
        missing = f"{_times(walls)} {'does' if one else 'do'} not exist {self.that_night}"
        moved = [fire for fire in fires if fire.moved]
        if moved:
            at = moved[0].local.strftime("%H:%M")
            words = f"{missing}; {'it fires' if one else 'they fire'} once, right after the gap, at {at}."
            return self._told("moved", "moved", words, moved)
        if schedule.is_fixed:
            return self._told(
                "left_out", "left out", f"{missing}; only {_times([self.affected[1]])} fires.", []
            )
        midnight = datetime.combine(self.affected[0].date(), time())
        if any(wall not in walls for wall in schedule.walls(midnight, midnight + _DAY)):
            return self._told("left_out", "left out", f"{missing} and {'is' if one else 'are'} left out.", [])
        return self._told("left_out", f"none {self.that_night}", f"{missing}, so nothing fires.", [])

    def _unchanged(self, words: str) -> ClockChange:
        return self._told("unchanged", "as usual", words, [])

    def _told(self, effect: Effect, label: str, words: str, fires: list[Fire]) -> ClockChange:
        local, seconds = self.at.astimezone(self.zone), int(self.shift.total_seconds())
        return ClockChange(self.at, local, seconds, effect, label, words, fires)


def _times(walls: Sequence[datetime]) -> str:
    """At most four times, so that the sentence can be read."""
    shown = [wall.strftime("%H:%M") for wall in walls[:_SHOWN_TIMES]]
    if len(walls) > _SHOWN_TIMES:
        shown = [*shown[:-1], f"{len(walls) - _SHOWN_TIMES + 1} more"]
    return joined(shown)
