"""Says in one sentence why a job waits, or what it does instead."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator_api.queue.rows import JobRef, Slots
from orchestrator_api.queue.words import Times, capitalized, of_line
from orchestrator_shared.domain.durations import about_duration


class Cause(StrEnum):
    """Why a job waits now."""

    NOT_ACCEPTED = "not_accepted"
    NO_RUNNER = "no_runner"
    CONFIGURATION_BUSY = "configuration_busy"
    NEXT_ATTEMPT_DELAYED = "next_attempt_delayed"
    PROJECT_LIMIT = "project_limit"
    NO_FREE_SLOT = "no_free_slot"
    ABOUT_TO_START = "about_to_start"


@dataclass(frozen=True, slots=True)
class WaitFacts:
    """What is known about a job that waits."""

    cause: Cause
    since: datetime | None
    expected_start: datetime | None = None
    place: int | None = None
    length: int | None = None
    holder: JobRef | None = None
    holder_is_longer: bool = False
    usual_seconds: float | None = None
    slots: Slots | None = None
    parallel_limit: int | None = None
    attempt: int = 0
    max_attempts: int = 1


def waiting_sentence(facts: WaitFacts, times: Times) -> str:
    """The cause, whom it waits for, its place, and when it is expected to start."""
    match facts.cause:
        case Cause.NOT_ACCEPTED:
            return f"No runner has accepted it yet{_for(facts, times)}."
        case Cause.NO_RUNNER:
            return f"No runner is connected{_for(facts, times)}."
        case Cause.CONFIGURATION_BUSY:
            return _busy(facts, times)
        case Cause.NEXT_ATTEMPT_DELAYED:
            return _delayed(facts, times)
        case Cause.PROJECT_LIMIT:
            limit = facts.parallel_limit
            return f"The project already runs {limit} jobs at once, which is its limit. {_in_project(facts)}."
        case Cause.NO_FREE_SLOT:
            return f"Waits for a free slot: {_slots(facts)}. {_in_project(facts)}."
        case Cause.ABOUT_TO_START:
            return "Nothing holds it up: a runner starts it at any moment."


def _for(facts: WaitFacts, times: Times) -> str:
    if facts.since is None:
        return ""
    return f", for {about_duration((times.now - facts.since).total_seconds())}"


def _busy(facts: WaitFacts, times: Times) -> str:
    """`Third of 3, held by nightly-sales #411 since 07:02, expected start about 07:31 UTC.`"""
    holder = facts.holder
    held = "its configuration is busy"
    if holder is not None:
        since = f" since {times.at(holder.started_at)}" if holder.started_at else ""
        longer = ", which runs longer than usual" if facts.holder_is_longer else ""
        held = f"held by {holder.name}{since}{longer}"
    standing = capitalized(of_line(facts.place or 1, facts.length or 1))
    return f"{standing}, {held}, {_expected(facts, times)}."


def _expected(facts: WaitFacts, times: Times) -> str:
    if facts.expected_start is None:
        return "expected start unknown until it has succeeded 5 times"
    return f"expected start {times.about(facts.expected_start)}"


def _delayed(facts: WaitFacts, times: Times) -> str:
    which = f"attempt {facts.attempt + 1} of {facts.max_attempts}" if facts.attempt else "its next attempt"
    return f"Waits between two attempts: {which} starts {times.about(facts.expected_start or times.now)}."


def _slots(facts: WaitFacts) -> str:
    slots = facts.slots
    return "none is free" if slots is None else f"{slots.in_use} of {slots.total} in use"


def _in_project(facts: WaitFacts) -> str:
    return f"{capitalized(of_line(facts.place or 1, facts.length or 1))} in this project"


def working_sentence(
    started_at: datetime, usual_seconds: float | None, expected_end: datetime | None, times: Times
) -> str:
    """`Running for 12 min, usually 17 min, until about 07:19 UTC.`"""
    ran = (times.now - started_at).total_seconds()
    parts = [f"Running for {about_duration(ran)}"]
    if usual_seconds is not None:
        parts.append(f"usually {about_duration(usual_seconds)}")
    if expected_end is not None and expected_end > times.now:
        parts.append(f"until {times.about(expected_end)}")
    return f"{', '.join(parts)}."


def other_sentence(
    status: str, started_at: datetime | None, finished_at: datetime | None, times: Times
) -> str:
    """Of a job that is being stopped, or has ended."""
    if status == "terminating":
        return "It is being stopped."
    if finished_at is None:
        return f"Its status is {status}."
    ran = f" after {about_duration((finished_at - started_at).total_seconds())}" if started_at else ""
    return f"It ended with {status}{ran}, at {times.zoned(finished_at)}."
