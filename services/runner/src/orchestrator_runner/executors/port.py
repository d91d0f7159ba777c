"""What every executor is given and what it gives back: one attempt of one job."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol
from uuid import UUID

from orchestrator_shared.domain.reports import OutputTable
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

Stream = Literal["stdout", "stderr"]


class Journal(Protocol):
    """What outlives the runner: kept with the attempt, and told to it from outside."""

    async def keep(self, handle: Mapping[str, Any]) -> None:
        """Store how a successor finds what was begun; raises ExecutionLost if the job has a new owner."""

    def callback_url(self) -> str:
        """Where another service may report on this attempt, itself a secret; raises UserError if nobody told
        the runner where the api is."""

    async def expect_callbacks(self) -> None:
        """From here on, what is posted to `callback_url` is kept; raises ExecutionLost."""

    async def callbacks(self) -> Sequence[bytes]:
        """Wait for bodies that were posted and not returned yet, in the order of their arrival."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What to run."""

    job_id: UUID
    attempt: int
    argv: tuple[str, ...]
    """The command of a program; empty where the executor needs none."""
    environment: Mapping[str, str] = field(repr=False)
    """All of it: nothing of the runner's own environment is added, only ORCHESTRATOR_DATA_DIR."""
    config: Mapping[str, Any] = field(repr=False)
    """Written as config.json, secrets decrypted."""
    state: Mapping[str, Any] | None = field(default=None, repr=False)
    """Written as state.json; None if the configuration has none yet."""
    user: int | None = None
    """Whom the program runs as, and whose its directory is; None: the runner's own user."""
    project_folder: str | None = None
    """Made before the start: where the component may read and write files."""
    timeout_seconds: float | None = None
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Masked in the log (by `LogCapture`) and in messages."""
    target: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The section of the component's document that is named after its executor: `http`."""
    safe_to_rerun: bool = False
    """Whether the component declares that it may be started twice (`after_crash: rerun`)."""
    journal: Journal | None = field(default=None, repr=False)
    """None: what the attempt began is lost with its runner."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """What an earlier runner began and kept."""

    handle: Mapping[str, Any] = field(repr=False)
    ran_seconds: float = 0.0
    """How long it has been running: part of its time limit."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `status` is success, error or terminated."""

    status: JobStatus
    message: str = ""
    error_kind: ErrorKind | None = None
    output_tables: tuple[OutputTable, ...] = ()
    """Only of a success."""
    state: Mapping[str, Any] | None = None
    """Only of a success; None leaves the stored state as it is."""
    exit_code: int | None = None
    signal: int | None = None


class ExecutionRefused(Exception):
    """Nothing was started and nothing will be: the keeper has no lease, or is gone. Safe to try elsewhere."""


class ExecutionLost(Exception):
    """The task was started and killed without being asked to: the lease ran out, or the keeper ended.

    It has no outcome of its own; what becomes of the job is decided as for a lost runner (`after_crash`).
    """


class ExecutionLeft(Exception):
    """The attempt goes on without this runner: its handle is kept, and whoever takes it over finds it."""


class LogSink(Protocol):
    """Where an executor puts what a task says, in the order in which it was said."""

    async def write(self, stream: Stream, at: datetime, data: bytes) -> None:
        """Take the bytes; whoever writes faster than they can be stored waits here.

        An exception ends the task, so a passing outage is to be waited out.
        """


AttemptId = tuple[UUID, int]
"""A job and the number of its attempt."""
Underway = Callable[[Collection[AttemptId]], Awaitable[Collection[AttemptId]]]
"""Which of these attempts are underway, whoever runs them."""


class Executor(Protocol):
    """Runs attempts. When a call returns or raises, nothing is left running; but see ExecutionLeft."""

    adoptable: ClassVar[bool] = False
    """Whether an attempt may outlive its runner: by the handle in its journal, another one adopts it."""

    async def run(self, execution: Execution, log: LogSink, stop: asyncio.Event) -> Outcome:
        """Start an attempt and follow it to its end; raises ExecutionRefused, ExecutionLost, ExecutionLeft.

        Setting `stop` asks the task to end, and kills it after a grace period: the outcome is terminated.
        Cancelling the call kills it at once.
        """

    async def adopt(
        self, execution: Execution, adopted: Adopted, log: LogSink, stop: asyncio.Event
    ) -> Outcome:
        """Follow an attempt that an earlier runner began; otherwise like `run`."""
        raise ExecutionLost("it ended with its runner")

    def leave(self) -> None:
        """Leave attempts to other runners as soon as these can find them: this one is about to stop."""
        return

    async def reconcile(self, underway: Underway) -> None:
        """End and remove what is here of attempts that are not underway any more."""
        return
