"""Mirrors the namespace's Jobs and pods through one watch each, whatever becomes of the connection."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace

import structlog

from orchestrator_runner import metrics
from orchestrator_runner.executors.kubernetes.client import (
    JOBS,
    PODS,
    KubernetesClient,
    Object,
    Refused,
    Resource,
)
from orchestrator_runner.executors.kubernetes.views import (
    MANAGED_BY,
    JobView,
    PodView,
    job_view,
    pod_view,
)
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.http_transport.answers import NoAnswer
from orchestrator_shared.runtime.outage_log import OutageLog

log = structlog.get_logger(__name__)

SELECTOR = "=".join(MANAGED_BY)
FIRST_PAUSE_SECONDS = 0.2
MOST_PAUSE_SECONDS = 30.0
SHORT_SECONDS = 1.0
"""A watch that ends sooner is followed by a pause."""


class Mirror:
    """What the watches have told so far; a change wakes those who follow the Job."""

    def __init__(self, client: KubernetesClient) -> None:
        self._client = client
        self._jobs: dict[str, JobView] = {}
        self._pods: defaultdict[str, dict[str, PodView]] = defaultdict(dict)
        """By the name of the Job, then by uid; gone ones are kept as long as someone follows the Job."""
        self._followers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._synced: dict[Resource, asyncio.Event] = {JOBS: asyncio.Event(), PODS: asyncio.Event()}

    async def run(self) -> None:
        """Keep both watches until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._keep(JOBS))
            both.create_task(self._keep(PODS))

    async def wait_synced(self) -> None:
        """Wait until everything has been listed once."""
        for synced in self._synced.values():
            await synced.wait()

    def job(self, name: str) -> JobView | None:
        """The Job of this name, if it is there."""
        return self._jobs.get(name)

    def jobs(self) -> Collection[JobView]:
        """All Jobs."""
        return list(self._jobs.values())

    def pods(self, name: str) -> Collection[PodView]:
        """The pods of the Job of this name."""
        return list(self._pods.get(name, {}).values())

    @contextmanager
    def following(self, name: str) -> Iterator[asyncio.Event]:
        """An event that is set at every change of this Job and its pods."""
        changed = asyncio.Event()
        self._followers[name].add(changed)
        try:
            yield changed
        finally:
            self._followers[name].discard(changed)
            if not self._followers[name]:
                del self._followers[name]
                self._forget_gone(name)

    async def _keep(self, resource: Resource) -> None:
        outage, pause, version = OutageLog(f"kubernetes {resource[1]}"), FIRST_PAUSE_SECONDS, ""
        while True:
            began = asyncio.get_running_loop().time()
            try:
                version = version or await self._list(resource)
                async with aclosing(self._client.watch(resource, version, labelSelector=SELECTOR)) as changes:
                    async for kind, data in changes:
                        if kind != "BOOKMARK":
                            self._apply(resource, data, is_gone=kind == "DELETED")
                        version, pause = data["metadata"]["resourceVersion"], FIRST_PAUSE_SECONDS
                        outage.end()
                outage.end()
            except Refused as error:
                if error.is_expired:
                    version = ""
                else:
                    outage.waiting(f"the cluster answered {error.status}: {error}")
            except (NoAnswer, UserError, ValueError, KeyError, TypeError) as error:
                outage.waiting(str(error))
            if asyncio.get_running_loop().time() - began < SHORT_SECONDS:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(pause * 2, MOST_PAUSE_SECONDS)

    async def _list(self, resource: Resource) -> str:
        """List everything, and tell what differs from what is known."""
        items, version = await self._client.list(resource, labelSelector=SELECTOR)
        if self._synced[resource].is_set():
            metrics.KUBERNETES_RELISTS.labels(resource=resource[1]).inc()
        present = {item["metadata"]["uid"] for item in items}
        if resource == JOBS:
            for job in [job for job in self._jobs.values() if job.uid not in present]:
                self._remove_job(job)
        else:
            for pod in [pod for pods in self._pods.values() for pod in pods.values()]:
                if pod.uid not in present and not pod.is_gone:
                    self._put_pod(replace(pod, is_gone=True))
        for item in items:
            self._apply(resource, item, is_gone=False)
        self._synced[resource].set()
        return version

    def _apply(self, resource: Resource, data: Object, *, is_gone: bool) -> None:
        if resource == PODS:
            self._put_pod(pod_view(data, is_gone=is_gone))
            return
        job = job_view(data)
        if is_gone:
            self._remove_job(job)
        else:
            self._jobs[job.name] = job
            self._wake(job.name)

    def _remove_job(self, job: JobView) -> None:
        known = self._jobs.get(job.name)
        if known is not None and known.uid == job.uid:
            del self._jobs[job.name]
        self._wake(job.name)

    def _put_pod(self, pod: PodView) -> None:
        before = self._pods[pod.job_name].get(pod.uid)
        if before is not None and before.terminated is not None and pod.terminated is None:
            # a pod of a lost node can lose its containers' states; what is known stays known
            pod = replace(pod, terminated=before.terminated)
        self._pods[pod.job_name][pod.uid] = pod
        self._wake(pod.job_name)
        if pod.is_gone and pod.job_name not in self._followers:
            self._forget_gone(pod.job_name)

    def _forget_gone(self, name: str) -> None:
        left = {uid: pod for uid, pod in self._pods.get(name, {}).items() if not pod.is_gone}
        if left:
            self._pods[name] = left
        else:
            self._pods.pop(name, None)

    def _wake(self, name: str) -> None:
        for changed in self._followers.get(name, ()):
            changed.set()
