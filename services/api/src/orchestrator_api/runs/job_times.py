"""How long a job waited and for what, and when it is expected to end."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt; a lost attempt may have no end time."""

    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Moments:
    """The stored times of a job; `due_at` and `ready_at` are those of its newest attempt."""

    requested_at: datetime
    accepted_at: datetime | None
    due_at: datetime | None
    ready_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    attempts: tuple[Attempt, ...] = ()
    is_waiting: bool = False
    """Whether it is waiting now, for its start or for its next attempt."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds spent waiting, by cause."""

    total_seconds: float = 0.0
    acceptance_seconds: float = 0.0
    """From the request until a runner accepted it."""
    configuration_busy_seconds: float = 0.0
    """Waiting for other jobs of the same configuration."""
    delay_seconds: float = 0.0
    """Between attempts: the delay that the task specifies."""
    slot_or_limit_seconds: float = 0.0
    """Waiting for a free slot of a runner, or because of the project's limit."""
    undivided_seconds: float = 0.0
    """Before earlier attempts, for the configuration or a slot: only the newest attempt records which."""


@dataclass(frozen=True, slots=True)
class _Gap:
    begin: datetime
    end: datetime
    is_first: bool
    is_last: bool


def waits_of(moments: Moments, now: datetime) -> Waits:
    """The time spent waiting until now, or until the job ended."""
    accepted = moments.accepted_at
    acceptance = _seconds(moments.requested_at, accepted or now)
    if accepted is None:
        return Waits(total_seconds=acceptance, acceptance_seconds=acceptance)
    causes = [_causes(moments, gap) for gap in _gaps(moments, accepted, now)]
    busy, delay, slot, undivided = (sum(cause[i] for cause in causes) for i in range(4))
    return Waits(acceptance + busy + delay + slot + undivided, acceptance, busy, delay, slot, undivided)


def _gaps(moments: Moments, accepted: datetime, now: datetime) -> list[_Gap]:
    """The periods after acceptance in which no attempt was in progress."""
    attempts = moments.attempts
    if not attempts and moments.started_at is not None:
        attempts = (Attempt(moments.started_at, moments.finished_at),)
    begins = [accepted, *(attempt.finished_at or now for attempt in attempts)]
    ends = [attempt.started_at for attempt in attempts]
    if moments.is_waiting or not attempts:
        ends.append(moments.finished_at or now)
    last = len(ends) - 1
    # A job does not wait after its last attempt, so the last begin may have no end.
    pairs = zip(begins, ends, strict=False)
    return [_Gap(begin, end, index == 0, index == last) for index, (begin, end) in enumerate(pairs)]


def _causes(moments: Moments, gap: _Gap) -> tuple[float, float, float, float]:
    """Seconds of waiting for the configuration, the delay, a slot, and for an unknown cause."""
    whole = _seconds(gap.begin, gap.end)
    if not gap.is_last:
        return (0.0, 0.0, 0.0, whole) if gap.is_first else (0.0, whole, 0.0, 0.0)
    due = _within(moments.due_at or gap.begin, gap)
    ready = _within(moments.ready_at or gap.end, gap)
    ready = max(ready, due)
    return _seconds(due, ready), _seconds(gap.begin, due), _seconds(ready, gap.end), 0.0


def _within(moment: datetime, gap: _Gap) -> datetime:
    return min(max(moment, gap.begin), gap.end)


def _seconds(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin).total_seconds())


def expected_end(status: str, started_at: datetime | None, usual_seconds: float | None) -> datetime | None:
    """When a job in progress would end if it took as long as usual; may be in the past."""
    if status != "processing" or started_at is None or usual_seconds is None:
        return None
    return started_at + timedelta(seconds=usual_seconds)
