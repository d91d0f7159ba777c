"""What the runner keeps of the cluster's objects: few fields, so that many Jobs take little memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

JOB_LABEL = "orchestrator/job"
ATTEMPT_LABEL = "orchestrator/attempt"
NAME_LABEL = "orchestrator/name"
"""Also on pods: the name of their Job."""
MANAGED_BY = ("app.kubernetes.io/managed-by", "orchestrator")
CONTAINER = "task"
_BEGINNING = frozenset({"ContainerCreating", "PodInitializing"})
"""Reasons for waiting that are no trouble."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A Job of ours."""

    name: str
    uid: str
    job: str
    attempt: str
    failed: tuple[str, str] | None = None
    """Reason and message of the condition FailureTarget or Failed."""
    succeeded: bool = False
    is_over: bool = False
    """Whether it is Complete or Failed, so that no pod of it is left running."""


@dataclass(frozen=True, slots=True)
class Terminated:
    """How a container ended."""

    exit_code: int
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod of one of our Jobs."""

    name: str
    uid: str
    job_name: str
    phase: str = ""
    reason: str = ""
    message: str = ""
    unschedulable: str = ""
    waiting: str = ""
    """Why the container waits, in the cluster's own words, if that is trouble."""
    disruption: str = ""
    is_running: bool = False
    terminated: Terminated | None = None
    is_deleted: bool = False
    """Whether someone has deleted it; it may still be running."""
    is_gone: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.is_gone or self.terminated is not None or self.phase in ("Succeeded", "Failed")


def job_view(data: Mapping[str, Any]) -> JobView:
    """What is kept of a Job."""
    meta, conditions = data["metadata"], _true((data.get("status") or {}).get("conditions"))
    labels = meta.get("labels") or {}
    failed = conditions.get("Failed") or conditions.get("FailureTarget")
    return JobView(
        name=meta["name"],
        uid=meta.get("uid", ""),
        job=labels.get(JOB_LABEL, ""),
        attempt=labels.get(ATTEMPT_LABEL, ""),
        failed=None if failed is None else (failed.get("reason", ""), failed.get("message", "")),
        succeeded="Complete" in conditions or "SuccessCriteriaMet" in conditions,
        is_over="Complete" in conditions or "Failed" in conditions,
    )


def pod_view(data: Mapping[str, Any], *, is_gone: bool = False) -> PodView:
    """What is kept of a pod."""
    meta, status = data["metadata"], data.get("status") or {}
    conditions = {condition.get("type"): condition for condition in status.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled") or {}
    disruption = _true(status.get("conditions")).get("DisruptionTarget")
    state = _container(status).get("state") or {}
    ended = state.get("terminated")
    return PodView(
        name=meta["name"],
        uid=meta.get("uid", ""),
        job_name=(meta.get("labels") or {}).get(NAME_LABEL, ""),
        phase=status.get("phase") or "",
        reason=status.get("reason") or "",
        message=status.get("message") or "",
        unschedulable=_words(scheduled) if scheduled.get("status") == "False" else "",
        waiting=_trouble(state.get("waiting") or {}),
        disruption="" if disruption is None else _words(disruption),
        is_running="running" in state,
        terminated=ended
        and Terminated(ended.get("exitCode", 0), ended.get("reason") or "", ended.get("message") or ""),
        is_deleted=meta.get("deletionTimestamp") is not None,
        is_gone=is_gone,
    )


def _container(status: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Iterable[Mapping[str, Any]] = status.get("containerStatuses") or ()
    return next((each for each in found if each.get("name") == CONTAINER), {})


def _true(conditions: Iterable[Mapping[str, Any]] | None) -> dict[str, Mapping[str, Any]]:
    return {each.get("type", ""): each for each in conditions or () if each.get("status") == "True"}


def _words(data: Mapping[str, Any]) -> str:
    return ": ".join(filter(None, (data.get("reason"), data.get("message"))))


def _trouble(waiting: Mapping[str, Any]) -> str:
    return "" if waiting.get("reason") in _BEGINNING else _words(waiting)
