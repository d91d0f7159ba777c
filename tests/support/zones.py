"""When the clocks of all time zones change, found by looking at every few days, then hours, then minutes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

from orchestrator_shared.domain.zone_data import load_zone, zone_names

STEPS = (timedelta(days=5), timedelta(hours=1), timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Change:
    """The first instant at which a zone's offset is another one."""

    zone: str
    at: datetime


def changes_of_all_zones(start: datetime, end: datetime) -> list[Change]:
    """Every change of every zone of the pinned tzdata; of zones with the same rules, one."""
    folder = resources.files("tzdata.zoneinfo")
    rules: dict[bytes, str] = {}
    for name in sorted(zone_names()):
        rules.setdefault(folder.joinpath(name).read_bytes(), name)
    found = []
    for name in sorted(rules.values()):
        found += [Change(name, at) for at in _changes(load_zone(name), start, end, STEPS)]
    return found


def _changes(
    zone: ZoneInfo, start: datetime, end: datetime, steps: tuple[timedelta, ...]
) -> Iterator[datetime]:
    step, *finer = steps
    at, offset = start, start.astimezone(zone).utcoffset()
    while at < end:
        following = min(at + step, end)
        if (other := following.astimezone(zone).utcoffset()) != offset:
            if finer:
                yield from _changes(zone, at, following, tuple(finer))
            else:
                yield following
        at, offset = following, other
