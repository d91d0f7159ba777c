"""Decides about the fires of a schedule that are due: requested, missed, disabled or superseded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from orchestrator_shared.domain.cron import Cron, Every, Fire
from orchestrator_shared.domain.ids import ScheduleId
from orchestrator_shared.domain.statuses import OverlapPolicy

MOST_AT_ONCE = 1000
"""Due fires decided at once; the next evaluation continues with a schedule that is further behind."""


class Misfire(StrEnum):
    """What to do about fires that passed while no scheduler ran."""

    FIRE_ONCE = "fire_once"
    SKIP = "skip"
    FIRE_ALL = "fire_all"


class Outcome(StrEnum):
    """What became of one fire."""

    REQUESTED = "requested"
    MISSED = "missed"
    DISABLED = "disabled"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Definition:
    """A schedule as someone saved it in the catalog."""

    id: ScheduleId
    project: str
    orchestration: str
    name: str
    version: int
    enabled: bool
    updated_at: datetime
    timing: Cron | int
    """A cron expression, or the seconds between fires."""
    zone: ZoneInfo
    overlap: OverlapPolicy
    misfire: Misfire
    catch_up: timedelta

    def fires_after(self, anchor: datetime) -> Iterator["Planned"]:
        """Every fire later than the anchor, in order, without end."""
        schedule = Every(self.timing, anchor) if isinstance(self.timing, int) else self.timing
        return (Planned(fire.at, self._key(fire)) for fire in schedule.fires(anchor, self.zone))

    def _key(self, fire: Fire) -> str:
        """A wall time is unique only together with its zone, which may be edited."""
        fixed = isinstance(self.timing, Cron) and self.timing.is_fixed
        return f"{fire.key}[{self.zone.key}]" if fixed else fire.key


@dataclass(frozen=True, slots=True)
class Planned:
    """One fire: its instant and its key, unique within the schedule."""

    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the scheduler knows of a schedule: which version, and what comes next."""

    version: int
    enabled: bool
    anchor: datetime
    """Fires at or before this instant are decided; intervals are counted from it."""
    next: Planned | None


@dataclass(frozen=True, slots=True)
class DecidedFire:
    """One fire, and what became of it."""

    fire: Planned
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Limits:
    """When a fire counts as missed, and how many missed ones are made up."""

    grace: timedelta
    fire_all: int

    @property
    def look_ahead(self) -> int:
        """More fires than `fire_all` and those within the grace period, at one a minute."""
        return max(self.fire_all, 1) + self.grace // timedelta(minutes=1) + 2


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What to record, and what is known afterwards."""

    known: Known
    decided: Sequence[DecidedFire]

    @property
    def requested(self) -> list[Planned]:
        return [item.fire for item in self.decided if item.outcome is Outcome.REQUESTED]

    @property
    def missed(self) -> list[Planned]:
        return [item.fire for item in self.decided if item.outcome is Outcome.MISSED]


def evaluate_due(known: Known | None, definition: Definition, now: datetime, limits: Limits) -> Evaluation:
    """Adopt what was saved, decide about every fire that is due, and find the next one.

    Of a schedule that is far behind, the oldest fires are decided now, the rest by the next evaluation.
    """
    adopted, superseded = _adopt(known, definition, now)
    due = _due(adopted, definition, now, limits)
    decided = [*superseded, *_decide_due(due, adopted, definition, now, limits)[:MOST_AT_ONCE]]
    part = due[:MOST_AT_ONCE]
    anchor = part[-1].at if part else adopted.anchor
    coming = next(definition.fires_after(anchor), None)
    if len(part) < len(due):  # the rest must still know until when it was disabled
        enabled = definition.enabled and adopted.enabled
        return Evaluation(Known(adopted.version, enabled, anchor, coming), decided)
    return Evaluation(Known(definition.version, definition.enabled, anchor, coming), decided)


def _adopt(known: Known | None, definition: Definition, now: datetime) -> tuple[Known, list[DecidedFire]]:
    """A new timing counts from when it was saved; a due fire that it does not have is superseded."""
    if known is None:
        anchor = definition.updated_at.replace(microsecond=0)
        return Known(definition.version, definition.enabled, anchor, None), []
    if known.version == definition.version or _keeps_timing(known, definition):
        return known, []
    superseded = []
    if known.next is not None and known.next.at <= now:
        superseded.append(DecidedFire(known.next, Outcome.SUPERSEDED))
    anchor = max(known.anchor, definition.updated_at.replace(microsecond=0))
    return replace(known, anchor=anchor, next=None), superseded


def _keeps_timing(known: Known, definition: Definition) -> bool:
    """The saved version has the same fire next: something else was edited."""
    return known.next is not None and next(definition.fires_after(known.anchor), None) == known.next


def _due(known: Known, definition: Definition, now: datetime, limits: Limits) -> list[Planned]:
    """The oldest due fires, and behind them so many that the newest ones are known if they are among them."""
    fires = takewhile(lambda fire: fire.at <= now, definition.fires_after(known.anchor))
    return list(islice(fires, MOST_AT_ONCE + limits.look_ahead))


def _decide_due(
    due: list[Planned], known: Known, definition: Definition, now: datetime, limits: Limits
) -> list[DecidedFire]:
    if not definition.enabled:
        return [DecidedFire(fire, Outcome.DISABLED) for fire in due]
    until = _disabled_until(known, definition, now)
    disabled = [fire for fire in due if until is not None and fire.at <= until]
    live = due[len(disabled) :]
    punctual, made_up = _punctual(live, now, limits), _made_up(live, definition, now, limits)
    chosen = set(punctual or made_up)
    if definition.misfire is Misfire.FIRE_ALL:
        chosen.update(made_up)
    return [
        *(DecidedFire(fire, Outcome.DISABLED) for fire in disabled),
        *(DecidedFire(fire, Outcome.REQUESTED if fire in chosen else Outcome.MISSED) for fire in live),
    ]


def _disabled_until(known: Known, definition: Definition, now: datetime) -> datetime | None:
    """Enabling starts nothing: fires up to the moment of enabling, as far as it is known, are not made up."""
    if known.enabled:
        return None
    return definition.updated_at if known.version != definition.version else now


def _punctual(live: list[Planned], now: datetime, limits: Limits) -> list[Planned]:
    return [fire for fire in live if now - fire.at <= limits.grace]


def _made_up(live: list[Planned], definition: Definition, now: datetime, limits: Limits) -> list[Planned]:
    """Missed fires to request after all: none, the newest, or the newest few.

    Where `live` does not reach up to now, those chosen here lie beyond what is decided, and are chosen anew.
    """
    late = [fire for fire in live if limits.grace < now - fire.at <= definition.catch_up]
    if definition.misfire is Misfire.SKIP:
        return []
    most = 1 if definition.misfire is Misfire.FIRE_ONCE else limits.fire_all
    return late[-most:] if most else []
