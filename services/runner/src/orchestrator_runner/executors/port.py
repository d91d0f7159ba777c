"""The port of every executor: what it gets and what it returns for one attempt of one job."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol
from uuid import UUID

from orchestrator_shared.domain.reports import OutputTable
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

Stream = Literal["stdout", "stderr"]
LOG_SEQ = "log_seq"
"""In a handle: all is logged again, and what is stored from this number on is skipped."""
TOKEN = "token"  # noqa: S105  the name of a key
"""In a handle: the token that the program got, a secret of the attempt."""


@dataclass(frozen=True, slots=True)
class LogMark:
    """How far the log of an attempt is stored."""

    at: datetime
    """The time of the first line of the last stored part of stdout."""
    lines: int
    """How many lines that part has."""


class AttemptRecord(Protocol):
    """What outlives the runner: data stored with the attempt, and callbacks that arrive for it."""

    async def keep_handle(self, handle: Mapping[str, Any]) -> None:
        """Store how a successor finds what was started; raises ExecutionLost if the job has a new owner."""

    def callback_url(self) -> str:
        """The address where another service may report on this attempt; it is a secret.

        Raises UserError if the API's address is not configured.
        """

    async def expect_callbacks(self) -> None:
        """From now on, store what is posted to `callback_url`; raises ExecutionLost."""

    async def logged(self) -> LogMark | None:
        """How far stdout is stored by whoever followed the attempt before; None if nothing is."""

    async def callbacks(self) -> Sequence[bytes]:
        """Wait for bodies that were posted and not returned yet; returns them in order of arrival."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What to run."""

    job_id: UUID
    attempt: int
    argv: tuple[str, ...]
    """The command of a program; empty if the executor needs none."""
    environment: Mapping[str, str] = field(repr=False)
    """The whole environment: of the runner's own, only ORCHESTRATOR_DATA_DIR is added."""
    config: Mapping[str, Any] = field(repr=False)
    """Written as config.json, with secrets decrypted."""
    state: Mapping[str, Any] | None = field(default=None, repr=False)
    """Written as state.json; None if the configuration has none yet."""
    user: int | None = None
    """The user that runs the program and owns its directory; None for the runner's own user."""
    project_folder: str | None = None
    """The folder where the component may read and write files; created before the start."""
    timeout_seconds: float | None = None
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Masked in the log (by `LogCapture`) and in messages."""
    target: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The section of the component's document that is named after its executor: `http`."""
    safe_to_rerun: bool = False
    """Whether the component declares that it may be started again (`after_crash: rerun`)."""
    record: AttemptRecord | None = field(default=None, repr=False)
    """If None, whatever the attempt started is lost with its runner."""
    started: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)
    """To be called once the program runs, or the other service has accepted the run; again is no harm."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """What an earlier runner started and stored."""

    handle: Mapping[str, Any] = field(repr=False)
    ran_seconds: float = 0.0
    """How long it has been running; counts against its time limit."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended; `status` is success, error or terminated."""

    status: JobStatus
    message: str = ""
    error_kind: ErrorKind | None = None
    output_tables: tuple[OutputTable, ...] = ()
    """Only for a success."""
    state: Mapping[str, Any] | None = None
    """Only for a success; None leaves the stored state unchanged."""
    exit_code: int | None = None
    signal: int | None = None


class ExecutionRefused(Exception):
    """Nothing was started and nothing will be, because the keeper has no lease or is gone.

    The attempt can safely run elsewhere.
    """


class ExecutionLost(Exception):
    """The task was started, then killed without a request: the lease ran out, or the keeper ended.

    It has no outcome of its own; the job is treated as if its runner was lost (`after_crash`).
    """


class ExecutionLeft(Exception):
    """The attempt continues without this runner; its handle is stored, so that a successor can find it."""


class LogSink(Protocol):
    """Receives what a task writes, in order."""

    async def write(self, stream: Stream, at: datetime, data: bytes) -> None:
        """Take the bytes; a task that writes faster than they can be stored waits here.

        An exception ends the task, so implementations wait out passing outages.
        """

    async def mark(self) -> int:
        """Store what was written so far; returns the number that the next piece will have."""


AttemptId = tuple[UUID, int]
"""A job id and the number of its attempt."""
Underway = Callable[[Collection[AttemptId]], Awaitable[Collection[AttemptId]]]
"""Returns which of these attempts are underway, on any replica."""


class Executor(Protocol):
    """Runs attempts.

    When a call returns or raises, nothing is left running, except after ExecutionLeft.
    """

    adoptable: ClassVar[bool] = False
    """Whether an attempt may outlive its runner: another one adopts it by the handle in its record."""
    passes_token: ClassVar[bool] = True
    """Whether what it starts gets a token for the api in its environment."""

    async def run(self, execution: Execution, log: LogSink, stop: asyncio.Event) -> Outcome:
        """Start an attempt and follow it to its end; raises ExecutionRefused, ExecutionLost,
        ExecutionLeft.

        Setting `stop` asks the task to end, and kills it after a grace period; the outcome is terminated.
        Cancelling the call kills it at once.
        """

    async def adopt(
        self, execution: Execution, adopted: Adopted, log: LogSink, stop: asyncio.Event
    ) -> Outcome:
        """Follow an attempt that an earlier runner started; otherwise like `run`."""
        raise ExecutionLost("it ended with its runner")

    def leave(self) -> None:
        """This runner is about to stop: leave attempts to others as soon as these can find them."""
        return

    async def reconcile(self, underway: Underway) -> None:
        """End and remove whatever is left here of attempts that are no longer underway."""
        return
