"""Supervised tasks, readiness and the signal to stop, shared by everything inside one service."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator_shared import metrics
from orchestrator_shared.runtime.retry import wait_for_any

log = structlog.get_logger(__name__)

Check = Callable[[], bool | Awaitable[bool]]

CHECK_SECONDS = 2.0
CANCEL_SECONDS = 5.0
DRAIN_SECONDS = 5.0


class Lifecycle:
    """The state of a service's life that its parts share."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stopping = asyncio.Event()
        self.started = False
        self.failure: str | None = None
        self.app: ASGIApp | None = None
        """A service's own HTTP application; `/livez`, `/readyz` and `/metrics` stay in front of it."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._checks: dict[str, Check] = {}

    def supervise(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a task that lives as long as the service: if it ends early, the service logs why and ends."""
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        metrics.TASKS_DIED.labels(name)  # from 0 on: a rate would miss the first one otherwise
        task.add_done_callback(self._ended)
        return task

    @asynccontextmanager
    async def supervised(
        self, name: str, coroutine: Coroutine[Any, Any, Any]
    ) -> AsyncIterator[asyncio.Task[Any]]:
        """The same for a part of the service's life: on leaving, the task is cancelled and awaited."""
        task = self.supervise(name, coroutine)
        try:
            yield task
        finally:
            await self.cancel(task)

    async def cancel(self, *tasks: asyncio.Task[Any], timeout: float = CANCEL_SECONDS) -> None:
        """Cancel supervised tasks and wait for them, within bounds."""
        self.may_end(*tasks)
        for task in tasks:
            task.cancel()
        if running := [task for task in tasks if not task.done()]:
            _, hanging = await asyncio.wait(running, timeout=timeout)
            for task in hanging:
                log.error("task.hangs", task=task.get_name())

    def may_end(self, *tasks: asyncio.Task[Any]) -> None:
        """From now on the end of these tasks is not a failure."""
        self._tasks.difference_update(tasks)

    async def cancel_all(self) -> None:
        """Cancel whatever is still supervised."""
        await self.cancel(*self._tasks)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if task not in self._tasks:  # ended on purpose
            if error is not None:
                log.warning("task.failed_while_stopping", task=task.get_name(), exc_info=error)
            return
        self._tasks.discard(task)
        if self.stopping.is_set() and error is None:
            return
        if error is not None:
            why = f"{type(error).__name__}: {error}"
        else:
            why = "was cancelled" if task.cancelled() else "returned"
        metrics.TASKS_DIED.labels(task.get_name()).inc()
        self.fail(f"the task {task.get_name()!r} ended: {why}", error)

    def fail(self, why: str, error: BaseException | None = None) -> None:
        """End the service with exit code 1 for this reason."""
        log.error("service.failed", reason=why, exc_info=error)
        self.failure = self.failure or why
        self.stopping.set()

    def stop(self, why: str) -> None:
        """Begin the shutdown."""
        log.info("service.stopping", reason=why)
        self.stopping.set()

    def ready_when(self, name: str, check: Check) -> None:
        """Add a check to `/readyz`. It must be cheap and take less than two seconds."""
        self._checks[name] = check

    async def readiness(self) -> dict[str, bool]:
        """The result of every check; the service is ready if all are true."""
        results = {"started": self.started, "not_stopping": not self.stopping.is_set()}
        checks = dict(self._checks)  # a service that starts may add one meanwhile
        outcomes = await asyncio.gather(*(self._holds(name, check) for name, check in checks.items()))
        results.update(zip(checks, outcomes, strict=True))
        metrics.READY.set(all(results.values()))
        return results

    async def _holds(self, name: str, check: Check) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                result = check()
                return bool(await result if inspect.isawaitable(result) else result)
        except Exception as error:
            log.warning("readiness.check_failed", check=name, reason=f"{type(error).__name__}: {error}")
            return False

    @asynccontextmanager
    async def serving(self, app: ASGIApp) -> AsyncIterator[None]:
        """Serve an application on the service's port; on leaving, new requests get 503 and the open ones are
        waited for, so close what they need only after that. Endless answers must end with `stopping`."""
        requests = _Requests(app)
        self.app = requests
        try:
            yield
        finally:
            self.app = None
            await requests.drained(DRAIN_SECONDS)


class _Requests:
    """An application whose open requests are counted."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = 0
        self._none_open = asyncio.Event()
        self._none_open.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._open += 1
        self._none_open.clear()
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            if not self._open:
                self._none_open.set()

    async def drained(self, timeout: float) -> None:
        if not await wait_for_any(self._none_open, timeout=timeout):
            log.warning("http.requests_cut_off", requests=self._open)
