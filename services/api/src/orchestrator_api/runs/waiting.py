"""Explains why a job waits, for which job, and at which place in line, from facts at the time of reading."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WaitingFacts:
    """What the database knows about one waiting job."""

    is_delayed: bool
    """Between two attempts, of this job or of the nested run before it."""
    due_at: datetime
    kind: str
    holder_id: UUID | None
    holder_number: int | None
    holder_status: str | None
    ahead: int
    parallel_limit: int | None
    underway: int
    runner_is_connected: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """The job that holds the configuration."""

    id: UUID
    number: int | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The reason, the job that holds the configuration, and the place in line."""

    reason: str
    detail: str
    holder: Holder | None
    place: int


def explain_waiting(facts: WaitingFacts) -> Waiting:
    """Return the first reason that applies."""
    place = facts.ahead + 1
    if facts.is_delayed:
        detail = f"the next attempt is due at {facts.due_at:%Y-%m-%dT%H:%M:%SZ}"
        return Waiting("next_attempt_delayed", detail, None, place)
    if facts.holder_id is not None:
        holder = Holder(facts.holder_id, facts.holder_number, facts.holder_status)
        detail = f"the configuration is busy with job #{facts.holder_number}"
        return Waiting("configuration_busy", detail, holder, place)
    if not facts.runner_is_connected:
        return Waiting("no_runner", "no runner is connected", None, place)
    limit = facts.parallel_limit
    if limit is not None and facts.kind == "component" and facts.underway >= limit:
        detail = f"the project has reached its limit of {limit} parallel jobs"
        return Waiting("project_limit", detail, None, place)
    return Waiting("no_free_slot", "a runner takes it as soon as a slot is free", None, place)
