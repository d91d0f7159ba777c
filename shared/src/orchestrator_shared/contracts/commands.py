"""What one service wants another to do."""

from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from orchestrator_shared.contracts.message import COMMANDS, Instant, Message, Whole
from orchestrator_shared.domain.ids import ORCHESTRATOR, SLUG
from orchestrator_shared.domain.statuses import Origin, OverlapPolicy


class RunRequested(Message):
    """Run a configuration, usually an orchestration. The requester creates the job id, so a repeated
    request has no effect.

    Task selections, parameter overrides and retry plans lie in `catalog.run_requests` under the job id.
    """

    type: ClassVar[str] = "orchestrator.run.requested.v1"
    exchange: ClassVar[str] = COMMANDS
    key: ClassVar[str] = "run.requested"

    job_id: UUID
    project: str = Field(pattern=SLUG)
    component: str = Field(default=ORCHESTRATOR, pattern=SLUG)
    configuration: str = Field(pattern=SLUG)
    origin: Origin
    requested_at: Instant
    scheduled_for: Instant
    version: int | None = Field(default=None, ge=1, lt=2**31)
    """Pinned version of the configuration; without it, the current one when the run starts."""
    requested_by: str | None = Field(default=None, max_length=200)
    """Person or token that asked, for display."""
    token_id: UUID | None = None
    """The token that asked; the jobs run under the orchestration's own token."""
    notify: str | None = Field(default=None, max_length=320)
    """Attended run: the starter's address, notified of any outcome; None when declined."""
    attended: bool = False
    """A person started it (and may have declined the mail): subscribers are not notified."""
    overlap: OverlapPolicy = OverlapPolicy.QUEUE
    schedule_id: UUID | None = None
    fire_key: str | None = Field(default=None, max_length=200)
    trigger_id: UUID | None = None
    generation: Whole | None = None
    chain_length: int = Field(default=0, ge=0, le=1_000_000)
    """Length of the chain of runs that it would end, each caused by table updates of the one before."""
    details: bool = False
    """Whether `catalog.run_requests` holds a selection or parameters for this job."""

    def subject(self) -> str | None:
        return f"{self.project}/{self.component}/{self.configuration}"


MAX_BACKFILL = 1_000


class BackfillFire(BaseModel):
    """One past fire of a schedule, and the job that runs it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job_id: UUID
    fire_key: str = Field(max_length=200)
    scheduled_for: Instant


class BackfillRequested(Message):
    """Run an orchestration once for each of these fires, in this order.

    One message, because several would be spread over several runners.
    """

    type: ClassVar[str] = "orchestrator.backfill.requested.v1"
    exchange: ClassVar[str] = COMMANDS
    key: ClassVar[str] = "backfill.requested"

    project: str = Field(pattern=SLUG)
    configuration: str = Field(pattern=SLUG)
    origin: Origin
    requested_at: Instant
    requested_by: str | None = Field(default=None, max_length=200)
    token_id: UUID | None = None
    notify: str | None = Field(default=None, max_length=320)
    attended: bool = False
    schedule_id: UUID
    fires: list[BackfillFire] = Field(min_length=1, max_length=MAX_BACKFILL)

    def requests(self) -> list[RunRequested]:
        """The run requests that this stands for."""
        common = self.model_dump(exclude={"fires"})
        return [RunRequested(**common, **fire.model_dump()) for fire in self.fires]

    def subject(self) -> str | None:
        return f"{self.project}/{ORCHESTRATOR}/{self.configuration}"


class TerminateRequested(Message):
    """Stop a job, and if it is a run, its children. May overtake the request of the job itself."""

    type: ClassVar[str] = "orchestrator.job.terminate-requested.v1"
    exchange: ClassVar[str] = COMMANDS
    key: ClassVar[str] = "job.terminate-requested"

    job_id: UUID
    project: str = Field(pattern=SLUG)
    requested_by: str | None = Field(default=None, max_length=200)
    unstarted_only: bool = False
    """Do nothing if it has started: for withdrawing a run that is no longer needed."""

    def subject(self) -> str | None:
        return str(self.job_id)
