"""Decides from a Job and its pods where an attempt stands."""

from collections.abc import Collection
from dataclasses import dataclass

from orchestrator_runner.executors.kubernetes.views import JobView, PodView, Terminated

DEADLINE = "DeadlineExceeded"
_OUT_OF_MEMORY = "OOMKilled"
_UNKNOWN = "ContainerStatusUnknown"
"""The kubelet found no container when its pod was terminated."""


@dataclass(frozen=True, slots=True)
class Starting:
    """The program does not run yet."""

    words: str = ""
    """What the cluster says about it, if it is trouble."""
    has_pod: bool = True


@dataclass(frozen=True, slots=True)
class Running:
    """The program runs, or has run, in this pod."""

    pod: PodView


@dataclass(frozen=True, slots=True)
class Ended:
    """The container has ended by itself."""

    pod: PodView
    how: Terminated

    @property
    def why(self) -> str:
        """What the cluster adds to the exit code."""
        return "ran out of memory (OOMKilled)" if self.how.reason == _OUT_OF_MEMORY else ""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A deadline of the cluster ended it."""

    has_begun: bool
    pod: PodView | None = None


@dataclass(frozen=True, slots=True)
class Vanished:
    """The cluster ended it for reasons of its own, or its exit is not known."""

    reason: str
    pod: PodView | None = None
    is_late: bool = False
    """The Job ended well, or the pod's last state may still arrive: worth a moment's wait."""


Verdict = Starting | Running | Ended | TimedOut | Vanished


def judge(job: JobView | None, pods: Collection[PodView]) -> Verdict:
    """Decide; `job` is None once it is gone.

    A pod's phase is not asked: one that failed at once was recorded as Pending with an ended container.
    """
    for pod in pods:
        if pod.terminated is not None and pod.terminated.exit_code == 0:
            return Ended(pod, pod.terminated)
    is_overdue = job is not None and job.failed is not None and job.failed[0] == DEADLINE
    for pod in pods:
        if (verdict := _of_ended_pod(pod, is_overdue=is_overdue)) is not None:
            return verdict
    running = next((pod for pod in pods if pod.is_running and not pod.is_gone), None)
    if is_overdue:
        return TimedOut(has_begun=any(map(_has_begun, pods)), pod=running)
    if running is not None:
        return Running(running)
    return _without_program(job, pods)


def _has_begun(pod: PodView) -> bool:
    return pod.is_running or (pod.terminated is not None and pod.terminated.reason != _UNKNOWN)


def _of_ended_pod(pod: PodView, *, is_overdue: bool) -> Ended | TimedOut | Vanished | None:
    how = pod.terminated
    if pod.reason == DEADLINE:
        return TimedOut(has_begun=_has_begun(pod), pod=pod)
    if is_overdue and (pod.is_deleted or how is None):
        return None
    if how is None:
        if pod.phase != "Failed":
            return None
        words = ": ".join(filter(None, (pod.reason, pod.message))) or "no reason given"
        return Vanished(f"its pod failed: {words}", pod)
    if pod.disruption:
        return Vanished(f"its pod was removed from its node: {pod.disruption}", pod)
    if pod.is_deleted:
        return Vanished(f"its pod was deleted (exit code {how.exit_code})", pod, is_late=True)
    if how.reason == _UNKNOWN:
        return Vanished(f"its container is gone: {how.message}", pod)
    return Ended(pod, how)


def _without_program(job: JobView | None, pods: Collection[PodView]) -> Starting | Vanished:
    """Where it stands if no container runs and none has been seen to end."""
    if job is None:
        return Vanished("its Job was deleted")
    if job.failed is not None:
        reason, message = job.failed
        return Vanished(f"its pod is gone: {message or reason}", is_late=True)
    if job.is_over or job.succeeded:
        return Vanished("its pod is gone, and its result was not read", is_late=True)
    present = next((pod for pod in pods if not pod.is_gone), None)
    if present is None:
        return Vanished("its pod was deleted", is_late=True) if pods else Starting(has_pod=False)
    return Starting(present.unschedulable or present.waiting)
