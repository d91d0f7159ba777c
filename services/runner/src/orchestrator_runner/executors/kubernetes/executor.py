"""Runs components as Kubernetes Jobs; a Job continues whatever happens here, so another runner adopts it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from pydantic import ValidationError

from orchestrator_runner import metrics
from orchestrator_runner.executors.images import AllowedImages
from orchestrator_runner.executors.kubernetes.attempt import KubernetesAttempt, PodLost
from orchestrator_runner.executors.kubernetes.client import JOBS, KubernetesClient, Refused
from orchestrator_runner.executors.kubernetes.documents import Terms, job_name
from orchestrator_runner.executors.kubernetes.mirror import Mirror
from orchestrator_runner.executors.kubernetes.views import JobView
from orchestrator_runner.executors.kubernetes.waits import Waits
from orchestrator_runner.executors.masking import secret_forms
from orchestrator_runner.executors.outcome import duration_text, without_secrets
from orchestrator_runner.executors.port import (
    Adopted,
    AttemptId,
    Execution,
    ExecutionLeft,
    ExecutionLost,
    ExecutionRefused,
    Executor,
    LogSink,
    Outcome,
    Underway,
)
from orchestrator_shared.definitions.kubernetes_component import KubernetesComponent
from orchestrator_shared.domain.errors import Unavailable, UserError
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.http_transport.answers import NoAnswer
from orchestrator_shared.validation import describe, path_of

log = structlog.get_logger(__name__)

CANCELLED_GRACE_SECONDS = 3.0
"""Used when the runner has lost the attempt: another one may start it soon."""
MARGIN_SECONDS = 5.0
"""Beyond the grace period of a pod, for the cluster to notice its end."""
RECONCILE_AGAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """What this installation sets for all Jobs."""

    images: AllowedImages
    grace_seconds: float = 10.0
    keep_seconds: int = 600
    waits: Waits = field(default_factory=Waits)

    @property
    def terms(self) -> Terms:
        """What goes into each Job."""
        return Terms(self.grace_seconds, self.keep_seconds)


class KubernetesExecutor(Executor):
    """One Job per attempt, in one namespace."""

    adoptable = True
    passes_token = False

    def __init__(
        self,
        client: KubernetesClient,
        mirror: Mirror,
        settings: KubernetesSettings,
        owns: Callable[[], bool],
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._settings = settings
        self._owns = owns
        self._leaving = asyncio.Event()
        self._closing = asyncio.Event()
        self._running: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._background: set[asyncio.Task[None]] = set()
        self._reconciling: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        client: KubernetesClient,
        settings: KubernetesSettings,
        *,
        owns: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator["KubernetesExecutor"]:
        """Run attempts until closed; then leave the remaining ones to other runners.

        `owns` tells whether attempts certainly belong to this runner; otherwise it ends no Job, because
        another runner may be following it.
        """
        mirror = Mirror(client)
        executor = cls(client, mirror, settings, owns)
        watching = asyncio.create_task(mirror.run())
        try:
            yield executor
        finally:
            executor._closing.set()
            await executor._idle.wait()
            for task in (watching, *executor._background):
                task.cancel()
            await asyncio.wait({watching, *executor._background})

    def leave(self) -> None:
        """See `Executor`."""
        self._leaving.set()

    async def run(self, execution: Execution, log: LogSink, stop: asyncio.Event) -> Outcome:
        """See `Executor`."""
        if self._closing.is_set():
            raise ExecutionRefused("the runner is shutting down")
        if not self._owns():
            raise ExecutionRefused("the lease of this runner ran out")
        return await self._counted(execution, None, log, stop)

    async def adopt(
        self, execution: Execution, adopted: Adopted, log: LogSink, stop: asyncio.Event
    ) -> Outcome:
        """See `Executor`."""
        if self._closing.is_set():
            raise ExecutionLeft
        return await self._counted(execution, adopted, log, stop)

    async def reconcile(self, underway: Underway) -> None:
        """Delete the Jobs of attempts that are over: their runner died, or could not delete them.

        In the background: a cluster that is away must not hold up the recovery of other jobs.
        """
        if self._reconciling is None or self._reconciling.done():
            self._reconciling = self._later(self._reconcile(underway))

    async def _reconcile(self, underway: Underway) -> None:
        while True:
            await self._mirror.wait_synced()
            try:
                await self._delete_orphans(underway)
                return
            except (Refused, NoAnswer, Unavailable) as error:
                log.warning("kubernetes.reconcile_failed", reason=str(error))
            await asyncio.sleep(RECONCILE_AGAIN_SECONDS)

    def _later(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _delete_orphans(self, underway: Underway) -> None:
        found = {_attempt_of(job): job for job in self._mirror.jobs() if not job.is_over}
        found.pop(None, None)
        attempts: list[AttemptId] = [attempt for attempt in found if attempt is not None]
        if not attempts:
            return
        alive = set(await underway(attempts))
        for attempt in attempts:
            job = found[attempt]
            if attempt in alive or job.name in self._running:
                continue
            log.warning("kubernetes.orphan_deleted", name=job.name)
            options = {"propagationPolicy": "Background", "preconditions": {"uid": job.uid}}
            try:
                await self._client.delete(JOBS, job.name, options)
            except Refused as error:
                if error.status not in (404, 409):
                    raise

    async def _counted(
        self, execution: Execution, adopted: Adopted | None, log: LogSink, stop: asyncio.Event
    ) -> Outcome:
        name = job_name(execution)
        self._running.add(name)
        self._idle.clear()
        metrics.KUBERNETES_JOBS.inc()
        try:
            section = self._section(execution)
            attempt = KubernetesAttempt(
                self._client,
                self._mirror,
                section,
                execution,
                adopted,
                log,
                self._settings.terms,
                self._settings.waits,
            )
            outcome = await self._until_ended(attempt, execution, adopted, stop)
        except UserError as error:
            outcome = Outcome(JobStatus.ERROR, str(error), ErrorKind.USER)
        finally:
            metrics.KUBERNETES_JOBS.dec()
            self._running.discard(name)
            if not self._running:
                self._idle.set()
        return without_secrets(outcome, secret_forms(execution.secrets))

    async def _until_ended(
        self,
        attempt: KubernetesAttempt,
        execution: Execution,
        adopted: Adopted | None,
        stop: asyncio.Event,
    ) -> Outcome:
        working = asyncio.create_task(attempt.work())
        stopping = asyncio.create_task(stop.wait())
        closing = asyncio.create_task(self._closing.wait())
        leaving = asyncio.create_task(self._may_leave(attempt))
        grace, leave = self._settings.grace_seconds + MARGIN_SECONDS, False
        try:
            done, _ = await asyncio.wait(
                {working, stopping, closing, leaving},
                timeout=_time_left(execution, adopted),
                return_when=asyncio.FIRST_COMPLETED,
            )
            # A runner that is about to stop leaves the Job even when asked to stop it: its successor decides.
            is_ending = self._leaving.is_set() and working not in done
            is_going = stopping not in done and not done.isdisjoint({closing, leaving})
            leave = is_ending or is_going
        except asyncio.CancelledError:
            grace, leave = min(grace, CANCELLED_GRACE_SECONDS), True
            raise
        finally:
            for waiting in (stopping, closing, leaving):
                waiting.cancel()
            # A Job that others can find is theirs to end, unless it is certainly ours.
            may_be_theirs = leave or not self._owns() or _is_fenced(working)
            leave = attempt.kept.is_set() and not attempt.is_over and may_be_theirs
            await _run_to_end(self._close(attempt, working, grace, leave=leave))
        if leave:
            raise ExecutionLeft
        if working in done:
            return working.result()
        if stopping in done:
            return Outcome(JobStatus.TERMINATED, "terminated")
        if closing in done:
            raise ExecutionLost("the runner is shutting down")
        return _timed_out(attempt, execution)

    async def _close(
        self, attempt: KubernetesAttempt, working: asyncio.Task[Outcome], grace: float, *, leave: bool
    ) -> None:
        if attempt.is_over:
            await attempt.forget_secret()
            attempt.may_run = False
        await attempt.close(working, grace, leave=leave)
        if attempt.is_left_behind:
            self._later(self._delete(attempt))

    async def _delete(self, attempt: KubernetesAttempt) -> None:
        with suppress(Refused):
            await attempt.delete_job()

    async def _may_leave(self, attempt: KubernetesAttempt) -> None:
        await self._leaving.wait()
        await attempt.kept.wait()

    def _section(self, execution: Execution) -> KubernetesComponent:
        try:
            section = KubernetesComponent.model_validate(execution.target)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise UserError(
                f"the component cannot be used: {describe(first)}", field=path_of(first, "kubernetes")
            ) from None
        self._settings.images.require(section.image, field="kubernetes.image")
        return section


def _attempt_of(job: JobView) -> AttemptId | None:
    try:
        return UUID(job.job), int(job.attempt)
    except ValueError:
        return None


def _time_left(execution: Execution, adopted: Adopted | None) -> float | None:
    if execution.timeout_seconds is None:
        return None
    return max(execution.timeout_seconds - (adopted.ran_seconds if adopted else 0), 0)


def _is_fenced(working: "asyncio.Task[Outcome]") -> bool:
    """Whether a fenced write told that another runner owns the job; then that one also ends its Job."""
    if not working.done() or working.cancelled():
        return False
    error = working.exception()
    return isinstance(error, ExecutionLost) and not isinstance(error, PodLost)


def _timed_out(attempt: KubernetesAttempt, execution: Execution) -> Outcome:
    limit = duration_text(execution.timeout_seconds or 0)
    if not attempt.has_begun and attempt.words:
        text = f"timed out after {limit} without being started: {attempt.words}"
        return Outcome(JobStatus.ERROR, text, ErrorKind.USER)
    return Outcome(JobStatus.ERROR, f"timed out after {limit}", ErrorKind.USER)


async def _run_to_end(coroutine: Coroutine[None, None, None]) -> None:
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
