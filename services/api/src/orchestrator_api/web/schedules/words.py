"""What the dialog of a schedule says beside its fields. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from orchestrator_api.schedules.rows import StoredFire
from orchestrator_api.web import words
from orchestrator_shared.domain.clock_changes import ClockChange
from orchestrator_shared.domain.cron import Cron, Fire, Schedule
from orchestrator_shared.domain.durations import parse_duration
from orchestrator_shared.domain.errors import UserError

OVERLAPS = (
    ("one_waiting", "One run waits", "Later fires join the waiting run. Nothing piles up."),
    ("queue", "Every fire queues", "Each starts a run of its own, one after the other."),
    ("skip", "Skip the fire", "It starts nothing."),
)
MISFIRES = (
    ("fire_once", "Run the newest", "Once, however many were missed."),
    ("fire_all", "Run each of them", "Oldest first, one run each, at most the newest 100."),
    ("skip", "Run none of them", "It goes on with the next fire."),
)
UTC = ZoneInfo("UTC")
_ICONS = {
    "moved": "arrow-forward-up",
    "first_of_two": "repeat",
    "twice": "repeat",
    "left_out": "alert-triangle",
}
_OVERLAPPING = {
    "one_waiting": "Fires in between join the waiting run",
    "queue": "Runs would pile up, each later than the one before",
    "skip": "Fires in between are skipped",
}


def overlap_said(overlap: str) -> str:
    """The present choice: `one run waits`."""
    return _lower(next((label for value, label, _ in OVERLAPS if value == overlap), ""))


def misfire_said(misfire: str, catch_up: str) -> str:
    """`run the newest, up to 1 day late`."""
    label = _lower(next((label for value, label, _ in MISFIRES if value == misfire), ""))
    try:
        latest = words.duration(parse_duration(catch_up))
    except UserError:
        return label
    return label if misfire == "skip" else f"{label}, up to {latest} late"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def follows(schedule: Schedule) -> str:
    """Whether it keeps to the clock on the wall."""
    is_local = isinstance(schedule, Cron) and schedule.is_fixed
    return "Follows local time." if is_local else "Follows real time."


def second_zone(zone: ZoneInfo, own: ZoneInfo) -> ZoneInfo | None:
    """In which zone the fires are shown, too: that of who looks, or UTC."""
    if own.key != zone.key:
        return own
    return None if zone.key == "UTC" else UTC


@dataclass(frozen=True, slots=True)
class FireRow:
    """A fire in both zones."""

    at: datetime
    local: str
    other: str
    note: str


def fire_rows(fires: Sequence[Fire], zone: ZoneInfo, other: ZoneInfo | None) -> list[FireRow]:
    """`Tue 1 Dec 2026, 02:30` and `01:30`; the year where it changes."""
    rows: list[FireRow] = []
    year = None
    for fire in fires:
        local = fire.at.astimezone(zone)
        note = "moved" if fire.moved else "comes twice" if fire.repeated else ""
        rows.append(FireRow(fire.at, _day(local, local.year != year), _beside(fire.at, local, other), note))
        year = local.year
    return rows


def _day(at: datetime, with_year: bool) -> str:
    return f"{words.day(at, with_year=with_year)}, {at:%H:%M}"


def _beside(at: datetime, local: datetime, zone: ZoneInfo | None) -> str:
    """Only the time if it is the same day there."""
    if zone is None:
        return ""
    there = at.astimezone(zone)
    return f"{there:%H:%M}" if there.date() == local.date() else _day(there, with_year=False)


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """What one change of the clocks does."""

    at: datetime
    local: str
    other: str
    label: str
    icon: str | None
    """None if every fire is as usual."""
    words: str


def change_rows(changes: Sequence[ClockChange], zone: ZoneInfo, other: ZoneInfo | None) -> list[ChangeRow]:
    """The fire that differs, or the day if it is none or several."""
    rows = []
    for change in changes:
        at = change.fires[0].at if len(change.fires) == 1 else change.at
        local = at.astimezone(zone)
        is_one = len(change.fires) == 1
        day = _day(local, with_year=True) if is_one else words.day(local, with_year=True)
        beside = _beside(at, local, other) if is_one else ""
        rows.append(ChangeRow(at, day, beside, change.label, _ICONS.get(change.effect), change.words))
    return rows


def takes_longer(usual: float | None, fires: Sequence[Fire], overlap: str) -> str | None:
    """That runs usually take longer than the time from one fire to the next."""
    gaps = [(after.at - before.at).total_seconds() for before, after in pairwise(fires)]
    if usual is None or not gaps or usual <= min(gaps):
        return None
    gap = words.duration(min(gaps))
    what = f"Runs usually take {words.duration(usual)}, longer than the {gap} between fires."
    return f"{what} {_OVERLAPPING[overlap]}." if overlap in _OVERLAPPING else what


_OUTCOMES: Mapping[str, str] = {
    "missed": "Missed: no scheduler was running, and it was not caught up",
    "disabled": "Passed while it was switched off",
    "superseded": "A change of the schedule came first",
}


def outcome(fire: StoredFire) -> str:
    """What became of a fire that started no run, or whose run is not known."""
    if fire.status == "merged":
        return f"Joined {_other(fire)}, which was still waiting"
    if fire.status == "skipped":
        return f"Skipped: {_other(fire)} had not ended"
    if fire.outcome != "requested":
        return _OUTCOMES.get(fire.outcome, fire.outcome)
    return "Requested a run"


def around_run(fire: StoredFire) -> tuple[str, str, str]:
    """What became of it: what stands before the other run's name, the name, and what stands behind."""
    return outcome(fire).partition(_other(fire)) if fire.other_number is not None else (outcome(fire), "", "")


def _other(fire: StoredFire) -> str:
    return "another run" if fire.other_number is None else f"run #{fire.other_number}"
