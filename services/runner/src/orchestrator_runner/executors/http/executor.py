"""Runs components that are behind HTTP; each attempt is a run at another service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from orchestrator_runner.executors.elsewhere import run_to_end, time_left
from orchestrator_runner.executors.http.client import HttpClient
from orchestrator_runner.executors.http.exchange import Exchange, Pace
from orchestrator_runner.executors.http.handle import callback_url_of
from orchestrator_runner.executors.http.run import RemoteRun
from orchestrator_runner.executors.http.template import secret_targets
from orchestrator_runner.executors.masking import secret_forms
from orchestrator_runner.executors.outcome import duration_text, without_secrets
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
from orchestrator_shared.definitions.http_component import HttpComponent
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.reports import InvalidReport
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.validation import describe, path_of

CANCELLED_GRACE_SECONDS = 3.0
"""Used when the runner has lost the attempt: another one may start it soon."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Settings for ending runs at other services."""

    grace_seconds: float = 10.0
    """The time to cancel a run and see it end; after that it is left alone."""


class HttpExecutor(Executor):
    """The run continues at the other service whatever happens here, so another runner can adopt it."""

    adoptable = True
    passes_token = False
    """The start may be sent again by another runner, and must not differ."""

    def __init__(
        self, client: HttpClient, settings: HttpSettings, pace: Pace, owns: Callable[[], bool]
    ) -> None:
        self._client = client
        self._settings = settings
        self._pace = pace
        self._owns = owns
        self._leaving = asyncio.Event()
        self._closing = asyncio.Event()
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        client: HttpClient,
        settings: HttpSettings | None = None,
        pace: Pace | None = None,
        *,
        owns: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator["HttpExecutor"]:
        """Run attempts until closed; then leave the remaining ones to other runners, or cancel them at
        their service.

        `owns` tells whether attempts certainly belong to this runner; otherwise it cancels no run, because
        another runner may be following it.
        """
        executor = cls(client, settings or HttpSettings(), pace or Pace(), owns)
        try:
            yield executor
        finally:
            executor._closing.set()
            await executor._idle.wait()

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
        callback_url = _callback_url(execution, adopted)
        secrets = execution.secrets | ({callback_url.rpartition("/")[2]} if callback_url else set())
        forms = secret_forms(secrets | secret_targets(secrets))
        self._running += 1
        self._idle.clear()
        try:
            section = _section(execution)
            exchange = Exchange(section, execution, callback_url, log, self._client, self._pace, forms)
            remote = RemoteRun(section, execution, adopted, callback_url, exchange)
            outcome = await self._until_ended(remote, execution, time_left(execution, adopted), stop)
        except UserError as error:
            outcome = Outcome(JobStatus.ERROR, str(error), ErrorKind.USER)
        except InvalidReport as error:
            outcome = Outcome(JobStatus.ERROR, str(error), ErrorKind.INTERNAL)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
        return without_secrets(outcome, forms)

    async def _until_ended(
        self, remote: RemoteRun, execution: Execution, time_left: float | None, stop: asyncio.Event
    ) -> Outcome:
        working = asyncio.create_task(remote.work())
        stopping = asyncio.create_task(stop.wait())
        closing = asyncio.create_task(self._closing.wait())
        leaving = asyncio.create_task(self._may_leave(remote))
        grace, leave = self._settings.grace_seconds, False
        try:
            done, _ = await asyncio.wait(
                {working, stopping, closing, leaving},
                timeout=time_left,
                return_when=asyncio.FIRST_COMPLETED,
            )
            # A runner that is about to stop leaves the run even when asked to stop it: its successor decides.
            is_ending = self._leaving.is_set() and working not in done
            is_going = stopping not in done and not done.isdisjoint({closing, leaving})
            leave = _is_lost(working) or is_ending or is_going
        except asyncio.CancelledError:
            grace, leave = min(grace, CANCELLED_GRACE_SECONDS), True
            raise
        finally:
            for waiting in (stopping, closing, leaving):
                waiting.cancel()
            # A run that others can find is theirs to cancel, unless it is certainly ours.
            can_be_left = (remote.kept.is_set() or remote.can_be_repeated) and not remote.is_over
            leave = can_be_left and (leave or not self._owns())
            await run_to_end(remote.close(working, grace, leave=leave))
        if leave:
            raise ExecutionLeft
        if working in done:
            return working.result()
        if stopping in done:
            return Outcome(JobStatus.TERMINATED, "terminated")
        if closing in done:
            raise ExecutionLost("the runner is shutting down")
        limit = duration_text(execution.timeout_seconds or 0)
        return Outcome(JobStatus.ERROR, f"timed out after {limit}", ErrorKind.USER)

    async def _may_leave(self, remote: RemoteRun) -> None:
        await self._leaving.wait()
        await remote.kept.wait()


def _callback_url(execution: Execution, adopted: Adopted | None) -> str | None:
    """The address that the start passes on, if the component uses callbacks."""
    if adopted is not None:
        return callback_url_of(adopted.handle)
    is_called_back = execution.target.get("callback") is not None
    return execution.record.callback_url() if is_called_back and execution.record is not None else None


def _is_lost(working: asyncio.Task[Outcome]) -> bool:
    return working.done() and not working.cancelled() and isinstance(working.exception(), ExecutionLost)


def _section(execution: Execution) -> HttpComponent:
    try:
        return HttpComponent.model_validate(execution.target)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UserError(
            f"the component cannot be used: {describe(first)}", field=path_of(first, "http")
        ) from None
