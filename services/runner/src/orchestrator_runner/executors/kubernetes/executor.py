"""Runs components as Kubernetes Jobs; a Job continues whatever happens here, so another runner adopts it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from orchestrator_runner import metrics
from orchestrator_runner.executors.elsewhere import ElsewhereExecutor, section_of
from orchestrator_runner.executors.images import AllowedImages
from orchestrator_runner.executors.kubernetes.attempt import KubernetesAttempt
from orchestrator_runner.executors.kubernetes.client import JOBS, KubernetesClient, Refused
from orchestrator_runner.executors.kubernetes.documents import Terms, job_name
from orchestrator_runner.executors.kubernetes.mirror import Mirror
from orchestrator_runner.executors.kubernetes.views import JobView
from orchestrator_runner.executors.kubernetes.waits import Waits
from orchestrator_runner.executors.port import (
    Adopted,
    AttemptId,
    Execution,
    LogSink,
    Outcome,
    Underway,
)
from orchestrator_shared.definitions.kubernetes_component import KubernetesComponent
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.http_transport.answers import NoAnswer

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


class KubernetesExecutor(ElsewhereExecutor):
    """One Job per attempt, in one namespace."""

    def __init__(
        self,
        client: KubernetesClient,
        mirror: Mirror,
        settings: KubernetesSettings,
        owns: Callable[[], bool],
    ) -> None:
        super().__init__(owns, settings.grace_seconds + MARGIN_SECONDS)
        self._client = client
        self._mirror = mirror
        self._settings = settings
        self._names: set[str] = set()
        """Of Jobs that are followed here."""
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
        """Run attempts until closed; then leave the remaining ones to other runners."""
        mirror = Mirror(client)
        executor = cls(client, mirror, settings, owns)
        watching = asyncio.create_task(mirror.run())
        try:
            yield executor
        finally:
            await executor._close()
            for task in (watching, *executor._background):
                task.cancel()
            await asyncio.wait({watching, *executor._background})

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
            if attempt in alive or job.name in self._names:
                continue
            log.warning("kubernetes.orphan_deleted", name=job.name)
            options = {"propagationPolicy": "Background", "preconditions": {"uid": job.uid}}
            try:
                await self._client.delete(JOBS, job.name, options)
            except Refused as error:
                if error.status not in (404, 409):
                    raise

    def _attempt(self, execution: Execution, adopted: Adopted | None, log: LogSink) -> KubernetesAttempt:
        written = section_of(KubernetesComponent, execution, "kubernetes")
        section = written.chosen_by(execution.config.get("parameters") or {})
        self._settings.images.require(section.image, field="kubernetes.image")
        return KubernetesAttempt(
            self._client,
            self._mirror,
            section,
            execution,
            adopted,
            log,
            self._settings.terms,
            self._settings.waits,
            self._later,
        )

    async def _follow(
        self, execution: Execution, adopted: Adopted | None, log: LogSink, stop: asyncio.Event
    ) -> Outcome:
        name = job_name(execution)
        self._names.add(name)
        try:
            with metrics.KUBERNETES_JOBS.track_inprogress():
                return await super()._follow(execution, adopted, log, stop)
        finally:
            self._names.discard(name)


def _attempt_of(job: JobView) -> AttemptId | None:
    try:
        return UUID(job.job), int(job.attempt)
    except ValueError:
        return None
