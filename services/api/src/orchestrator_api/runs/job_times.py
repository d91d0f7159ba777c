"""How long a job waited and for what, and when it is expected to end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class WaitCause(StrEnum):
    """What a job waits for."""

    ACCEPTANCE = "acceptance"
    CONFIGURATION_BUSY = "configuration_busy"
    DELAY = "delay"
    SLOT_OR_LIMIT = "slot_or_limit"
    UNDIVIDED = "undivided"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt; a lost attempt may have no end time."""

    started_at: datetime
    finished_at: datetime | None
    due_at: datetime | None = None
    ready_at: datetime | None = None
    """When it was due, and when its lane was its own; runners record both since 0056."""


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


class StoredAttempt(Protocol):
    """The row of an attempt."""

    @property
    def started_at(self) -> datetime: ...

    @property
    def finished_at(self) -> datetime | None: ...

    @property
    def due_at(self) -> datetime | None: ...

    @property
    def ready_at(self) -> datetime | None: ...


class StoredJob(Protocol):
    """The row of a job."""

    @property
    def status(self) -> str: ...

    @property
    def requested_at(self) -> datetime: ...

    @property
    def accepted_at(self) -> datetime | None: ...

    @property
    def due_at(self) -> datetime | None: ...

    @property
    def ready_at(self) -> datetime | None: ...

    @property
    def started_at(self) -> datetime | None: ...

    @property
    def finished_at(self) -> datetime | None: ...


def moments_of(job: StoredJob, attempts: Sequence[StoredAttempt]) -> Moments:
    """The stored times of a job."""
    return Moments(
        requested_at=job.requested_at,
        accepted_at=job.accepted_at,
        due_at=job.due_at,
        ready_at=job.ready_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        attempts=tuple(
            Attempt(each.started_at, each.finished_at, each.due_at, each.ready_at) for each in attempts
        ),
        is_waiting=job.status == "waiting",
    )


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
    """Before earlier attempts, for the configuration or a slot: older runners did not record which."""


@dataclass(frozen=True, slots=True)
class WaitSpan:
    """A period of waiting for one cause."""

    begin: datetime
    end: datetime
    cause: WaitCause

    @property
    def seconds(self) -> float:
        """How long it is."""
        return _seconds(self.begin, self.end)


@dataclass(frozen=True, slots=True)
class _Gap:
    begin: datetime
    end: datetime
    is_first: bool
    due_at: datetime | None
    ready_at: datetime | None
    is_recorded: bool
    """Whether `due_at` and `ready_at` are those of the attempt after it; None then means not yet."""


def waits_of(moments: Moments, now: datetime) -> Waits:
    """The time spent waiting until now, or until the job ended."""
    seconds = dict.fromkeys(WaitCause, 0.0)
    for span in wait_spans(moments, now):
        seconds[span.cause] += span.seconds
    return Waits(sum(seconds.values()), **{f"{cause}_seconds": total for cause, total in seconds.items()})


def wait_spans(moments: Moments, now: datetime) -> list[WaitSpan]:
    """The periods of waiting until now, or until the job ended, oldest first; none is empty."""
    accepted = moments.accepted_at
    spans = [WaitSpan(moments.requested_at, accepted or now, WaitCause.ACCEPTANCE)]
    if accepted is not None:
        for gap in _gaps(moments, accepted, now):
            spans += _divided(gap)
    return [span for span in spans if span.begin < span.end]


def _gaps(moments: Moments, accepted: datetime, now: datetime) -> Iterator[_Gap]:
    """The periods after acceptance in which no attempt was in progress."""
    attempts = moments.attempts
    if not attempts and moments.started_at is not None:
        attempts = (Attempt(moments.started_at, moments.finished_at),)
    begin = accepted
    is_waiting = moments.is_waiting or not attempts
    for index, attempt in enumerate(attempts):
        due, ready, is_recorded = attempt.due_at, attempt.ready_at, attempt.ready_at is not None
        if not is_recorded and not is_waiting and index == len(attempts) - 1:
            due, ready, is_recorded = moments.due_at, moments.ready_at, True
        yield _Gap(begin, attempt.started_at, index == 0, due, ready, is_recorded)
        begin = attempt.finished_at or now
    if is_waiting:
        yield _Gap(begin, moments.finished_at or now, not attempts, moments.due_at, moments.ready_at, True)


def _divided(gap: _Gap) -> list[WaitSpan]:
    """First the delay, then the wait for the configuration, then for a slot."""
    if not gap.is_recorded:
        return [WaitSpan(gap.begin, gap.end, WaitCause.UNDIVIDED if gap.is_first else WaitCause.DELAY)]
    due = _within(gap.due_at or gap.begin, gap)
    ready = max(_within(gap.ready_at or gap.end, gap), due)
    return [
        WaitSpan(gap.begin, due, WaitCause.DELAY),
        WaitSpan(due, ready, WaitCause.CONFIGURATION_BUSY),
        WaitSpan(ready, gap.end, WaitCause.SLOT_OR_LIMIT),
    ]


def _within(moment: datetime, gap: _Gap) -> datetime:
    return min(max(moment, gap.begin), gap.end)


def _seconds(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin).total_seconds())


def expected_end(status: str, started_at: datetime | None, usual_seconds: float | None) -> datetime | None:
    """When a job in progress would end if it took as long as usual; may be in the past."""
    if status != "processing" or started_at is None or usual_seconds is None:
        return None
    return started_at + timedelta(seconds=usual_seconds)
