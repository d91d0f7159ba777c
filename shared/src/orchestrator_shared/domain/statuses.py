"""The states and origins of jobs."""

from enum import StrEnum


class JobStatus(StrEnum):
    """Every status a job can have; `ready` is internal and shown to people as `waiting`."""

    CREATED = "created"
    WAITING = "waiting"
    READY = "ready"
    PROCESSING = "processing"
    TERMINATING = "terminating"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"

    @property
    def is_final(self) -> bool:
        """Finished is final: no transition leaves these."""
        return self in FINAL_STATUSES

    @property
    def shown(self) -> "JobStatus":
        """What people see."""
        return JobStatus.WAITING if self is JobStatus.READY else self


FINAL_STATUSES = frozenset(
    {JobStatus.SUCCESS, JobStatus.WARNING, JobStatus.ERROR, JobStatus.CANCELLED, JobStatus.TERMINATED}
)
ACTIVE_STATUSES = frozenset({JobStatus.READY, JobStatus.PROCESSING, JobStatus.TERMINATING})
"""At most one job of a configuration is in one of these: the lane's unique index says so."""

TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.CREATED: frozenset({JobStatus.WAITING, JobStatus.ERROR, JobStatus.CANCELLED}),
    JobStatus.WAITING: frozenset(
        {JobStatus.READY, JobStatus.ERROR, JobStatus.CANCELLED, JobStatus.TERMINATED}
    ),
    JobStatus.READY: frozenset(
        {JobStatus.PROCESSING, JobStatus.ERROR, JobStatus.CANCELLED, JobStatus.TERMINATED}
    ),
    JobStatus.PROCESSING: frozenset(
        {
            JobStatus.WAITING,
            JobStatus.READY,
            JobStatus.TERMINATING,
            JobStatus.SUCCESS,
            JobStatus.WARNING,
            JobStatus.ERROR,
            JobStatus.TERMINATED,
        }
    ),
    JobStatus.TERMINATING: frozenset({JobStatus.TERMINATED, JobStatus.CANCELLED}),
    JobStatus.SUCCESS: frozenset(),
    JobStatus.WARNING: frozenset(),
    JobStatus.ERROR: frozenset(),
    JobStatus.CANCELLED: frozenset(),
    JobStatus.TERMINATED: frozenset(),
}
"""The one transition table; a trigger of the database refuses every other transition. `processing` to
`waiting` is the delay before a next attempt, or a lost runner's job that is run again; `processing` to
`ready` gives back a claim before anything began, `terminating` to `cancelled` one that was to be stopped;
`waiting` to `terminated` is a stop during such a delay."""


class TaskStatus(StrEnum):
    """How a task of a run stands; the job of a started task has a `JobStatus` of its own."""

    PENDING = "pending"
    SKIPPED = "skipped"
    STARTED = "started"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    NOT_EXECUTED = "not_executed"


TASK_TRANSITIONS: dict[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.PENDING: frozenset({TaskStatus.STARTED, TaskStatus.NOT_EXECUTED}),
    TaskStatus.STARTED: frozenset(
        {
            TaskStatus.SUCCESS,
            TaskStatus.WARNING,
            TaskStatus.ERROR,
            TaskStatus.CANCELLED,
            TaskStatus.TERMINATED,
        }
    ),
    TaskStatus.SKIPPED: frozenset(),
    TaskStatus.SUCCESS: frozenset(),
    TaskStatus.WARNING: frozenset(),
    TaskStatus.ERROR: frozenset(),
    TaskStatus.CANCELLED: frozenset(),
    TaskStatus.TERMINATED: frozenset(),
    TaskStatus.NOT_EXECUTED: frozenset(),
}
"""The same for tasks. A task stays `started` while its nested run is attempted again."""


class EndReason(StrEnum):
    """What decided how a run ended that had started; none where every task succeeded."""

    TASKS_FAILED = "tasks_failed"
    WENT_ON_AFTER_FAILURES = "went_on_after_failures"
    NOTHING_TO_RUN = "nothing_to_run"
    STOPPED = "stopped"

    @property
    def names_tasks(self) -> bool:
        """Whether the run's message lists tasks, and says nothing that these do not say themselves."""
        return self in (EndReason.TASKS_FAILED, EndReason.WENT_ON_AFTER_FAILURES)


class Origin(StrEnum):
    """Who or what started a job."""

    MANUAL = "manual"
    SCHEDULE = "schedule"
    TRIGGER = "trigger"
    API = "api"
    RETRY = "retry"
    PARENT = "parent"

    @property
    def is_attended(self) -> bool:
        """Whether a person waits for the end; see `RunRequested.notify` for whom a retry notifies."""
        return self is Origin.MANUAL


class ErrorKind(StrEnum):
    """Whose fault an error is: the configuration author's, or ours and the component's."""

    USER = "user"
    INTERNAL = "internal"


class OverlapPolicy(StrEnum):
    """What a schedule's fire does when a run of the same orchestration is not finished."""

    ONE_WAITING = "one_waiting"
    QUEUE = "queue"
    SKIP = "skip"


class ComponentType(StrEnum):
    """The kinds of components, in the order in which grouping by type lays out phases."""

    EXTRACTOR = "extractor"
    TRANSFORMATION = "transformation"
    APPLICATION = "application"
    WRITER = "writer"
    ORCHESTRATOR = "orchestrator"


class CoolDownMode(StrEnum):
    """What happens to updates during a cool-down: ignored, or deferred to its end."""

    IGNORE = "ignore"
    DEFER = "defer"


class Disposition(StrEnum):
    """What became of one table update for one trigger."""

    COUNTED = "counted"
    COMPLETED = "completed"
    COOLING_DOWN = "ignored_in_cool_down"
    BELONGS_TO_WAITING = "belongs_to_waiting_run"
    DISABLED = "trigger_disabled"


class NotificationEvent(StrEnum):
    """Events that people can subscribe to."""

    ERROR = "error"
    WARNING = "warning"
    SUCCESS = "success"
    PROCESSING_LONG = "processing_long"
    WAITING_LONG = "waiting_long"
    SCHEDULE_MISSED = "schedule_missed"
    DEADLINE_MISSED = "deadline_missed"
    RECOVERED = "recovered"
