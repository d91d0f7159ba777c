"""Runs components that are behind HTTP: the lifetime of attempts, each of them a run at another service."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from pydantic import ValidationError

from orchestrator_runner.adapters.http_client import HttpClient
from orchestrator_runner.adapters.http_run import Pace, RemoteRun, RunLog
from orchestrator_runner.domain.execution import (
    Execution,
    ExecutionLost,
    ExecutionRefused,
    LogSink,
    Outcome,
)
from orchestrator_runner.domain.masking import mask, secret_forms
from orchestrator_runner.domain.outcome import InvalidReport, duration_text, storable
from orchestrator_shared.definitions.http_component import HttpComponent
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

CANCELLED_GRACE_SECONDS = 3.0
"""When the runner has lost the attempt: somebody else may begin it soon."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How runs at other services are ended."""

    grace_seconds: float = 10.0
    """For cancelling a run and seeing it end; afterwards it is left to itself."""


class HttpExecutor:
    """An `Executor`."""

    def __init__(self, client: HttpClient, settings: HttpSettings, pace: Pace) -> None:
        self._client = client
        self._settings = settings
        self._pace = pace
        self._closing = asyncio.Event()
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, client: HttpClient, settings: HttpSettings | None = None, pace: Pace | None = None
    ) -> AsyncIterator["HttpExecutor"]:
        """At the end, attempts that still run are cancelled at their service and lost."""
        executor = cls(client, settings or HttpSettings(), pace or Pace())
        try:
            yield executor
        finally:
            executor._closing.set()
            await executor._idle.wait()

    async def run(self, execution: Execution, log: LogSink, stop: asyncio.Event) -> Outcome:
        """Run one attempt to its end; see `Executor`."""
        if self._closing.is_set():
            raise ExecutionRefused("the runner shuts down")
        forms = secret_forms(execution.secrets)
        self._running += 1
        self._idle.clear()
        try:
            section = _section(execution)
            remote = RemoteRun(section, execution, RunLog(log), self._client, self._pace, forms)
            outcome = await self._until_ended(remote, execution, stop)
        except UserError as error:
            outcome = Outcome(JobStatus.ERROR, str(error), ErrorKind.USER)
        except InvalidReport as error:
            outcome = Outcome(JobStatus.ERROR, str(error), ErrorKind.INTERNAL)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
        shown = mask(outcome.message.encode(errors="replace"), forms).decode(errors="replace")
        return replace(outcome, message=storable(shown))

    async def _until_ended(self, remote: RemoteRun, execution: Execution, stop: asyncio.Event) -> Outcome:
        working = asyncio.create_task(remote.work())
        stopping = asyncio.create_task(stop.wait())
        closing = asyncio.create_task(self._closing.wait())
        grace = self._settings.grace_seconds
        try:
            done, _ = await asyncio.wait(
                {working, stopping, closing},
                timeout=execution.timeout_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        except asyncio.CancelledError:
            grace = min(grace, CANCELLED_GRACE_SECONDS)
            raise
        finally:
            stopping.cancel()
            closing.cancel()
            await _surely(remote.close(working, grace))
        if working in done:
            return working.result()
        if stopping in done:
            return Outcome(JobStatus.TERMINATED, "terminated")
        if closing in done:
            raise ExecutionLost("the runner shuts down")
        limit = duration_text(execution.timeout_seconds or 0)
        return Outcome(JobStatus.ERROR, f"timed out after {limit}", ErrorKind.USER)


async def _surely(coroutine: Coroutine[None, None, None]) -> None:
    """Bounded by itself, so no cancellation needs to cut it short."""
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


def _section(execution: Execution) -> HttpComponent:
    try:
        return HttpComponent.model_validate(execution.target)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(["http", *map(str, first["loc"])])
        raise UserError(f"the component cannot be used: {first['msg']}", field=place) from None
