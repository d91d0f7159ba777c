"""Attempts that run elsewhere (at a service, in a container, in a cluster) and may outlive the runner.

What is decided here is who ends such an attempt: this runner, or the one that adopts it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from orchestrator_runner.executors.masking import secret_forms
from orchestrator_runner.executors.outcome import StopCause, duration_text, without_secrets
from orchestrator_runner.executors.port import (
    Adopted,
    Execution,
    ExecutionLeft,
    ExecutionLost,
    ExecutionRefused,
    Executor,
    LogSink,
    Outcome,
)
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.reports import InvalidReport
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.validation import describe, path_of

Working = asyncio.Task[Outcome]
Section = TypeVar("Section", bound=BaseModel)


class AttemptElsewhere(Protocol):
    """One attempt, as the runner that follows it sees it."""

    @property
    def kept(self) -> asyncio.Event:
        """Set once another runner could continue the attempt."""

    @property
    def masked(self) -> tuple[bytes, ...]:
        """The secrets that messages and results must not show, in all their forms."""

    async def work(self) -> Outcome:
        """Start it, unless an earlier runner did; then follow it to its end."""

    def can_be_left(self, working: Working) -> bool:
        """Whether another runner can go on with it."""

    def is_anothers(self, working: Working) -> bool:
        """Whether it turned out to belong to another runner, which also ends it."""

    async def close(self, working: Working, grace: float, *, leave: bool) -> None:
        """Leave nothing running, whatever happened; with `leave`, another runner continues.

        Takes little more than the grace period, and raises nothing.
        """

    def ended_early(self, working: Working, cause: StopCause) -> Outcome:
        """The outcome after `close`, if it was asked to end."""


class ElsewhereExecutor(Executor):
    """Follows attempts that another runner can adopt; how they are started is the subclass's business."""

    adoptable = True
    lost_grace_seconds: ClassVar[float] = 3.0
    """The grace period if the runner has lost the attempt: another one may start it soon."""

    def __init__(self, owns: Callable[[], bool], grace_seconds: float) -> None:
        """`owns` tells whether attempts certainly belong to this runner; otherwise it ends none, because
        another runner may be following it.
        """
        self._owns = owns
        self._grace_seconds = grace_seconds
        self._leaving = asyncio.Event()
        self._closing = asyncio.Event()
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def _attempt(self, execution: Execution, adopted: Adopted | None, log: LogSink) -> AttemptElsewhere:
        """What starts nothing yet; raises UserError if the component cannot be used."""
        raise NotImplementedError

    async def _close(self) -> None:
        """Leave the remaining attempts to other runners, or end them."""
        self._closing.set()
        await self._idle.wait()

    def leave(self) -> None:
        """See `Executor`."""
        self._leaving.set()

    async def run(self, execution: Execution, log: LogSink, stop: asyncio.Event) -> Outcome:
        """See `Executor`."""
        if self._closing.is_set():
            raise ExecutionRefused("the runner is shutting down")
        if not self._owns():
            raise ExecutionRefused("the lease of this runner ran out")
        return await self._follow(execution, None, log, stop)

    async def adopt(
        self, execution: Execution, adopted: Adopted, log: LogSink, stop: asyncio.Event
    ) -> Outcome:
        """See `Executor`."""
        if self._closing.is_set():
            raise ExecutionLeft
        return await self._follow(execution, adopted, log, stop)

    async def _follow(
        self, execution: Execution, adopted: Adopted | None, log: LogSink, stop: asyncio.Event
    ) -> Outcome:
        masked = secret_forms(execution.secrets)
        self._running += 1
        self._idle.clear()
        try:
            attempt = self._attempt(execution, adopted, log)
            masked = attempt.masked
            outcome = await self._until_ended(attempt, _time_left(execution, adopted), stop)
        except UserError as error:
            outcome = Outcome(JobStatus.ERROR, str(error), ErrorKind.USER)
        except InvalidReport as error:
            outcome = Outcome(JobStatus.ERROR, str(error), ErrorKind.INTERNAL)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
        return without_secrets(outcome, masked)

    async def _until_ended(
        self, attempt: AttemptElsewhere, seconds: float | None, stop: asyncio.Event
    ) -> Outcome:
        working = asyncio.create_task(attempt.work())
        stopping = asyncio.create_task(stop.wait())
        closing = asyncio.create_task(self._closing.wait())
        leaving = asyncio.create_task(self._may_leave(attempt))
        grace, leave = self._grace_seconds, False
        try:
            done, _ = await asyncio.wait(
                {working, stopping, closing, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            # A runner that is about to stop leaves it even when asked to stop it: its successor decides.
            is_ending = self._leaving.is_set() and working not in done
            is_going = stopping not in done and not done.isdisjoint({closing, leaving})
            leave = is_ending or is_going
        except asyncio.CancelledError:
            grace, leave = min(grace, self.lost_grace_seconds), True
            raise
        finally:
            for waiting in (stopping, closing, leaving):
                waiting.cancel()
            # What others can find is theirs to end, unless it is certainly ours.
            may_be_theirs = leave or not self._owns() or attempt.is_anothers(working)
            leave = may_be_theirs and attempt.can_be_left(working)
            await run_to_end(attempt.close(working, grace, leave=leave))
        if leave:
            raise ExecutionLeft
        if working in done:
            return working.result()
        if stopping in done:
            return attempt.ended_early(working, StopCause.REQUEST)
        if closing in done:
            raise ExecutionLost("the runner is shutting down")
        return attempt.ended_early(working, StopCause.TIMEOUT)

    async def _may_leave(self, attempt: AttemptElsewhere) -> None:
        await self._leaving.wait()
        await attempt.kept.wait()


def section_of(model: type[Section], execution: Execution, name: str) -> Section:
    """The component's section for its executor; raises UserError that names the field."""
    try:
        return model.model_validate(execution.target)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UserError(
            f"the component cannot be used: {describe(first)}", field=path_of(first, name)
        ) from None


def ended_early(
    cause: StopCause, execution: Execution, *, details: str = "", exit_code: int | None = None
) -> Outcome:
    """The outcome of what was asked to end."""
    if cause is StopCause.REQUEST:
        return Outcome(JobStatus.TERMINATED, "terminated", exit_code=exit_code)
    message = f"timed out after {duration_text(execution.timeout_seconds or 0)}{details}"
    return Outcome(JobStatus.ERROR, message, ErrorKind.USER, exit_code=exit_code)


def error_of(working: Working) -> BaseException | None:
    """What following the attempt failed with."""
    return None if not working.done() or working.cancelled() else working.exception()


def _time_left(execution: Execution, adopted: Adopted | None) -> float | None:
    """Seconds until the time limit; None without a limit."""
    if execution.timeout_seconds is None:
        return None
    return max(execution.timeout_seconds - (adopted.ran_seconds if adopted else 0), 0)


async def run_to_end(coroutine: Coroutine[None, None, None]) -> None:
    """Run to the end, even if cancelled; the call limits its own time."""
    task = asyncio.create_task(coroutine)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    task.result()
