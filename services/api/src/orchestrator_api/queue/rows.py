"""Rows of lanes, of the jobs in them, and of the times of a run's jobs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class JobRef:
    """A job as it is mentioned beside another: enough to name it and to link to it."""

    id: UUID
    number: int
    component: str
    configuration: str
    status: str
    origin: str
    requested_by: str | None
    task_id: str | None
    run_id: UUID | None
    """The topmost run that it belongs to, or is; None for a configuration run on its own."""
    orchestration: str | None
    run_number: int | None
    accepted_at: datetime
    started_at: datetime | None

    @property
    def name(self) -> str:
        """Its run, as people call it: `nightly-sales #411`; else the configuration and the job's number."""
        if self.orchestration is not None:
            return f"{self.orchestration} #{self.run_number}"
        return f"{self.component}/{self.configuration} #{self.number}"

    @property
    def target(self) -> str:
        """What it runs: `csv-writer/out`."""
        return f"{self.component}/{self.configuration}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job stands in its lane's line, and in the line for a slot."""

    id: UUID
    exact_status: str
    place: int
    length: int
    slot_place: int
    slot_length: int
    attempt_ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of all connected runners."""

    runners: int
    total: int
    in_use: int


@dataclass(frozen=True, slots=True)
class TimelineJob:
    """The recorded times of a run's job; or of one further down on the longest path."""

    id: UUID
    parent_id: UUID | None
    task_id: str | None
    status: str
    component: str
    configuration: str
    requested_at: datetime
    accepted_at: datetime
    due_at: datetime | None
    ready_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    is_on_path: bool


@dataclass(frozen=True, slots=True)
class TimelineAttempt:
    """One attempt of one of these jobs."""

    job_id: UUID
    attempt: int
    due_at: datetime | None
    ready_at: datetime | None
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A period in which a job held a lane for which another one waited."""

    place: int
    """Of the wait in what was asked for, from 1 on."""
    job_id: UUID
    begin: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class BusyLane:
    """A configuration with a job underway, or with jobs that wait."""

    id: int
    component: str
    configuration: str
    holder_id: UUID | None
    waiting: int
    """How many wait in line; those between two attempts block no one and are not in it."""


@dataclass(frozen=True, slots=True)
class LineMember:
    """A job in a lane: its holder has the place 0."""

    lane_id: int
    job_id: UUID
    place: int


@dataclass(frozen=True, slots=True)
class StoppedJob:
    """A job that ends with another one."""

    id: UUID
    lane_id: int
    exact_status: str
    kind: str
