"""Lanes, waits, and what a termination would change."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Output, Page, example
from orchestrator_api.queue.examples import EXPLANATION, LANES, TERMINATION, TIMELINE
from orchestrator_api.queue.explanation_text import Cause
from orchestrator_api.queue.timeline import SegmentCause


class JobRefOut(Output):
    """A job that another one is about."""

    id: UUID
    name: str = Field(description="Its run, such as `nightly-sales #411`; else its configuration and number.")
    target: str = Field(description="What it runs: component/configuration.")
    number: int
    status: str
    origin: str
    requested_by: str | None
    task_id: str | None
    run_id: UUID | None = Field(description="The topmost run that it belongs to, or is.")
    orchestration: str | None = Field(description="That run's orchestration.")
    run_number: int | None
    accepted_at: datetime
    started_at: datetime | None


class SlotsOut(Output):
    """The slots of all connected runners; they serve every project."""

    runners: int
    total: int
    in_use: int


class JobExplanationOut(Output):
    """Why a job waits now; of a job that does not wait, what it does instead."""

    model_config = example(EXPLANATION)

    job_id: UUID
    status: str
    sentence: str
    cause: Cause | None = Field(description="Null if it does not wait.")
    since: datetime | None = Field(
        description="When this cause began; of a job that is being processed, when it started."
    )
    place: int | None = Field(description="In its lane's line, or among this project's jobs without a slot.")
    length: int | None = Field(description="How many wait in that line.")
    holder: JobRefOut | None = Field(description="The job that holds its configuration.")
    holder_longer_than_usual: bool
    expected_start: datetime | None = Field(
        description="If the holder and those before it take as long as usual; null if that is not known."
    )
    expected_end: datetime | None
    usual_seconds: float | None = Field(
        description="The mean of the configuration's last 20 successes; null with fewer than 5."
    )
    slots: SlotsOut | None
    parallel_limit: int | None = Field(description="How many jobs the project may run at once.")


class SegmentOut(Output):
    """A period with one cause. One that is not over ends now."""

    begin: datetime
    end: datetime
    cause: SegmentCause
    holder_id: UUID | None = Field(
        description="With `configuration_busy`: who held it, as in `holders`; null where that is not known."
    )
    attempt: int | None = Field(description="With `running`: which attempt; null of a run.")
    outcome: str | None = Field(description="How that attempt ended.")


class WaitOut(Output):
    """Time on the longest path that was spent waiting for one thing."""

    cause: SegmentCause
    seconds: float
    holder_id: UUID | None
    target: str | None = Field(description="The busy configuration: component/configuration.")


class VerdictOut(Output):
    """Where the time from the request to the end went, along the longest path of tasks."""

    sentence: str
    waited_seconds: float = Field(description="The sum of `waits`.")
    ran_seconds: float = Field(description="All that was not waiting.")
    waits: list[WaitOut] = Field(description="The longest first.")


class TaskTimelineOut(Output):
    """What a task of the run waited for, and when it ran; inactive tasks have no segments."""

    id: str
    name: str
    phase: int
    status: str
    job_id: UUID | None
    is_on_longest_path: bool
    segments: list[SegmentOut]
    seconds: dict[SegmentCause, float] = Field(description="The sums of the segments by cause.")


class TimelineOut(Output):
    """A job's time from its request to its end, by cause; of a run, also that of each task."""

    model_config = example(TIMELINE)

    job_id: UUID
    status: str
    begin: datetime
    end: datetime | None
    verdict: VerdictOut
    segments: list[SegmentOut]
    seconds: dict[SegmentCause, float]
    tasks: list[TaskTimelineOut]
    holders: list[JobRefOut] = Field(description="The jobs that `holder_id` names.")


class InLineOut(Output):
    """A job that waits in a lane."""

    job: JobRefOut
    place: int
    expected_start: datetime | None


class LaneOut(Output):
    """A configuration, the job that holds it, and those that wait for it."""

    component: str
    configuration: str
    sentence: str
    holder: JobRefOut | None = Field(description="Null for the moment between two jobs.")
    longer_than_usual: bool = Field(
        description="Whether the holder is more than a fifth over its usual length."
    )
    usual_seconds: float | None
    expected_end: datetime | None = Field(description="Of the holder; never in the past.")
    waiting: list[InLineOut] = Field(description="The first 20, in the order in which they will start.")
    waiting_count: int


class LanesOut(Page[LaneOut]):
    """One page of lanes, and the slots of all runners."""

    model_config = example(LANES)

    slots: SlotsOut


class BehindOut(Output):
    """A job that would start earlier."""

    job: JobRefOut
    expected_start: datetime | None = Field(description="As things are.")
    expected_start_after: datetime | None = Field(description="After the termination.")


class TerminationPreviewOut(Output):
    """What a termination would do; asking changes nothing."""

    model_config = example(TERMINATION)

    job_id: UUID
    name: str
    status: str
    sentence: str = Field(description="The question that a confirmation asks.")
    consequences: list[str] = Field(description="What else happens, one sentence each.")
    stopped: list[JobRefOut] = Field(description="The jobs below it that would stop; the first 50.")
    stopped_count: int
    behind: list[BehindOut] = Field(description="The first 50, those that would start next first.")
    behind_count: int
