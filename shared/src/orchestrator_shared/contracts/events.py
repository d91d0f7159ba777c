"""What happened. Every `run.*` event and every hint may be lost or doubled: readers look at the database."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field, field_validator

from orchestrator_shared.contracts.message import EVENTS, TABLE_UPDATES, Instant, Message, Whole
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import SLUG
from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.domain.statuses import JobStatus, Origin
from orchestrator_shared.domain.tables import TableName


class TableUpdated(Message):
    """A table has new data. Published by anyone who may write the project's routing keys.

    Unique by (project, envelope source, envelope id, table). `rows` is for people; order is order of arrival.
    """

    type: ClassVar[str] = "orchestrator.table.updated.v1"
    exchange: ClassVar[str] = TABLE_UPDATES
    key: ClassVar[str] = "table.updated.#"

    project: str = Field(pattern=SLUG)
    table: str
    rows: int | None = Field(default=None, ge=0, lt=2**63)
    job_id: UUID | None = None
    """The job that reported the table as its output, if one did."""
    chain_length: int = Field(default=0, ge=0, le=1_000_000)
    """Length of the chain of runs that led to it, each caused by table updates of the one before."""

    @field_validator("table")
    @classmethod
    def _is_table(cls, value: str) -> str:
        try:
            return str(TableName.parse(value))
        except UserError as error:
            raise ValueError(error.detail) from error

    def routing_key(self) -> str:
        return f"table.updated.{self.project}.{self.table}"

    def subject(self) -> str | None:
        return f"{self.project}/{self.table}"


class RunEvent(Message):
    """What all run events share; `revision` grows with every change of the job, the highest one counts."""

    exchange: ClassVar[str] = EVENTS

    job_id: UUID
    project: str = Field(pattern=SLUG)
    component: str
    configuration: str
    number: Whole
    """The run's own number within its configuration, as in "campaigns #42"."""
    revision: Whole
    origin: Origin
    parent_id: UUID | None = None
    root_id: UUID
    trigger_id: UUID | None = None
    schedule_id: UUID | None = None

    def subject(self) -> str | None:
        return f"{self.project}/{self.component}/{self.configuration}#{self.number}"


class RunCreated(RunEvent):
    """An orchestration job was accepted."""

    type: ClassVar[str] = "orchestrator.run.created.v1"
    key: ClassVar[str] = "run.created"

    accepted_at: Instant


class RunStarted(RunEvent):
    """An orchestration job started; if it was a full run, it used the updates heard before."""

    type: ClassVar[str] = "orchestrator.run.started.v1"
    key: ClassVar[str] = "run.started"

    started_at: Instant
    full: bool


class RunFinished(RunEvent):
    """An orchestration job ended, possibly without having started."""

    type: ClassVar[str] = "orchestrator.run.finished.v1"
    key: ClassVar[str] = "run.finished"

    status: JobStatus
    started_at: Instant | None = None
    finished_at: Instant


class JobsChanged(Message):
    """Hint for live pages: these jobs changed in one commit. Not persistent.

    Only the api's feed is bound to it; a replica of the api has that feed while streams of events are open.
    """

    type: ClassVar[str] = "orchestrator.jobs.changed.v1"
    exchange: ClassVar[str] = EVENTS
    key: ClassVar[str] = "jobs.changed"
    persistent: ClassVar[bool] = False

    project: str = Field(pattern=SLUG)
    revisions: dict[UUID, Whole]


class ReadinessChanged(Message):
    """Hint for live pages: in one commit, these tables were updated, or these triggers judged.

    Not persistent. Only the api's feed is bound to it.
    """

    type: ClassVar[str] = "orchestrator.readiness.changed.v1"
    exchange: ClassVar[str] = EVENTS
    key: ClassVar[str] = "readiness.changed"
    persistent: ClassVar[bool] = False

    project: str = Field(pattern=SLUG)
    tables: list[str] = Field(default_factory=list)
    """Of this project."""
    triggers: dict[UUID, str] = Field(default_factory=dict)
    """Of this project: the orchestration of each. Their tables may be those of other projects."""


class RunnersWake(Message):
    """Hint from one runner replica to the others: jobs are ready that it has no slot for. Not persistent."""

    type: ClassVar[str] = "orchestrator.runners.wake.v1"
    exchange: ClassVar[str] = EVENTS
    key: ClassVar[str] = "runners.wake"
    persistent: ClassVar[bool] = False

    ready: Whole
    replica_id: UUID | None = None
    """The replica that sent the hint; it ignores its own."""


class CallbackReceived(Message):
    """Hint to the runners: another service reported on the run of this job. Not persistent."""

    type: ClassVar[str] = "orchestrator.callback.received.v1"
    exchange: ClassVar[str] = EVENTS
    key: ClassVar[str] = "callback.received"
    persistent: ClassVar[bool] = False

    job_id: UUID


class ScheduleChanged(Message):
    """A schedule, or the switch of its orchestration, was saved or removed."""

    type: ClassVar[str] = "orchestrator.schedule.changed.v1"
    exchange: ClassVar[str] = EVENTS
    key: ClassVar[str] = "schedule.changed"

    schedule_id: UUID
    project: str = Field(pattern=SLUG)


class TriggerChanged(Message):
    """A trigger, or the switch of its orchestration, was saved, removed or reset."""

    type: ClassVar[str] = "orchestrator.trigger.changed.v1"
    exchange: ClassVar[str] = EVENTS
    key: ClassVar[str] = "trigger.changed"

    trigger_id: UUID
    project: str = Field(pattern=SLUG)


class ScheduleMissed(Message):
    """Fires of a schedule passed while no scheduler ran and were not made up."""

    type: ClassVar[str] = "orchestrator.schedule.missed.v1"
    exchange: ClassVar[str] = EVENTS
    key: ClassVar[str] = "schedule.missed"

    schedule_id: UUID
    project: str = Field(pattern=SLUG)
    orchestration: str
    count: int = Field(ge=1, lt=2**63)
    first: Instant
    last: Instant


class TriggerDeadlineMissed(Message):
    """Not all tables of a trigger were updated by its deadline."""

    type: ClassVar[str] = "orchestrator.trigger.deadline-missed.v1"
    exchange: ClassVar[str] = EVENTS
    key: ClassVar[str] = "trigger.deadline-missed"

    trigger_id: UUID
    project: str = Field(pattern=SLUG)
    orchestration: str
    deadline: Instant
    late_tables: list[str]


class PersonMailRequested(Message):
    """A person is to get a mail with a link. Ids only: the notifier reads the address and signs the link."""

    type: ClassVar[str] = "orchestrator.person.mail-requested.v1"
    exchange: ClassVar[str] = EVENTS
    key: ClassVar[str] = "person.mail-requested"

    link_id: UUID
    person_id: UUID
    purpose: LinkPurpose
    expires_at: Instant


class TestMailRequested(Message):
    """Someone wants to see that mails reach an address which is subscribed to an orchestration."""

    __test__ = False
    type: ClassVar[str] = "orchestrator.test-mail.requested.v1"
    exchange: ClassVar[str] = EVENTS
    key: ClassVar[str] = "test-mail.requested"

    test_id: UUID
    project: str = Field(pattern=SLUG)
    orchestration: str
    address: str
    requested_by: str
