"""What one service wants another to do."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from orchestrator_shared.contracts.message import COMMANDS, Message
from orchestrator_shared.domain.ids import ORCHESTRATOR, SLUG
from orchestrator_shared.domain.statuses import Origin, OverlapPolicy


class RunRequested(Message):
    """Run a configuration, usually an orchestration. The asker makes the job id: asking twice is asking once.

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
    requested_at: AwareDatetime
    scheduled_for: AwareDatetime
    version: int | None = Field(default=None, ge=1)
    """Pinned version of the configuration; without it, the current one when the run starts."""
    requested_by: str | None = Field(default=None, max_length=200)
    """Person or token that asked, for people to read."""
    token_id: UUID | None = None
    """The token that asked; the jobs run as the orchestration's own token."""
    notify: str | None = Field(default=None, max_length=320)
    """Attended run: the starter's address, told at the end whatever the outcome; None when declined."""
    attended: bool = False
    """A person started it (and may have declined the message): subscribers hear nothing."""
    overlap: OverlapPolicy = OverlapPolicy.QUEUE
    schedule_id: UUID | None = None
    fire_key: str | None = Field(default=None, max_length=200)
    trigger_id: UUID | None = None
    generation: int | None = None
    details: bool = False
    """Whether `catalog.run_requests` holds a selection or parameters for this job."""

    def subject(self) -> str | None:
        return f"{self.project}/{self.component}/{self.configuration}"


class TerminateRequested(Message):
    """Stop a job, and if it is a run, its children. May overtake the request of the job itself."""

    type: ClassVar[str] = "orchestrator.job.terminate-requested.v1"
    exchange: ClassVar[str] = COMMANDS
    key: ClassVar[str] = "job.terminate-requested"

    job_id: UUID
    project: str = Field(pattern=SLUG)
    requested_by: str | None = Field(default=None, max_length=200)
    unstarted_only: bool = False
    """Leave it alone if it has started: for withdrawing a run that is not needed any more."""

    def subject(self) -> str | None:
        return str(self.job_id)
