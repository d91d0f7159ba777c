"""Decides what a retry runs; by default, everything that did not succeed (docs/how-to/run-by-hand.md)."""

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from orchestrator_api.catalog.rows import CurrentVersion
from orchestrator_api.http.refusals import FieldError
from orchestrator_shared.definitions.task_names import Names, task_name
from orchestrator_shared.domain.statuses import TaskStatus

Key = tuple[str, str]
"""Component and configuration."""
Version = Literal["current", "original"]
"""The versions for which a plan was requested."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SUCCEEDED = frozenset({TaskStatus.SUCCESS.value, TaskStatus.WARNING.value})


@dataclass(frozen=True, slots=True)
class Original:
    """The finished job that is retried; a component's job has no tasks."""

    id: UUID
    status: str
    statuses: Mapping[str, str]
    """The final status of each task, in order; empty if the run never started."""
    selection: frozenset[str] | None
    """The tasks that were requested; None for those with the Active flag."""
    version: int | None = None
    """The version that ran; None if it never started."""
    task_versions: Mapping[str, int] = field(default_factory=dict)
    """The version of its configuration that each task ran, or would have."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a retry is based on: a version of the definition, and what its tasks would run."""

    version: int
    definition: Mapping[str, Any]
    existing: Mapping[Key, int]
    """The configurations that still exist, and their current versions."""
    orchestration: str = ""
    pins: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """The versions that ran then, by orchestration (nested ones too) and task id; if empty, current ones."""
    own: Key = ("", "")
    """What is retried."""
    requested: Version = "current"
    saved: Mapping[Key, CurrentVersion] = field(default_factory=dict)
    """Who saved the current version of each configuration, when and why, including the retried one."""

    @property
    def last_save(self) -> datetime:
        """The time of the last save; anything saved after this plan is later."""
        return max((each.saved_at for each in self.saved.values()), default=_EPOCH)

    @property
    def names(self) -> Names:
        """Of the configurations."""
        return {key: each.name for key, each in self.saved.items() if each.name}

    def changed(self, key: Key, then: int | None, now: int | None) -> CurrentVersion | None:
        """The current version of a configuration, if it would be run, and another one was run then."""
        current = self.saved.get(key)
        is_new = current is not None and then is not None and then != now == current.version
        return current if is_new else None

    def version_of(self, task: Mapping[str, Any]) -> int | None:
        """The version of its configuration that a task would run."""
        own = (task.get("parameters") or {}).get("version")
        if isinstance(own, int):
            return own
        current = self.existing.get((task["component"], task["configuration"]))
        return self.pins.get(self.orchestration, {}).get(task["id"], current)


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task of the version to be run."""

    id: str
    name: str
    component: str
    configuration: str
    phase: str
    phase_index: int
    status_before: str | None
    selected: bool
    exists: bool
    """Whether its configuration still exists."""
    active: bool
    version: int | None
    """The version of its configuration; None if there is none."""
    version_before: int | None = None
    """The version that ran then."""
    changed: CurrentVersion | None = None
    """The version that would be run, if it is a newer one than the one that ran then."""


@dataclass(frozen=True, slots=True)
class MissingTask:
    """A task that the version to be run no longer contains; shown, but not run."""

    id: str
    status_before: str


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """Exactly what would be run.

    The id contains which versions were requested; it changes with everything the plan is based on, and with
    the selection.
    """

    id: str
    version: int
    tasks: tuple[PlannedTask, ...]
    missing: tuple[MissingTask, ...]
    task_versions: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """The pinned versions, by orchestration and task id."""
    version_before: int | None = None
    changed: CurrentVersion | None = None
    """The version of the retried job's own configuration, if it is a newer one than the one that ran then."""
    usual_duration_seconds: float | None = None

    @property
    def selection(self) -> list[str]:
        """The tasks to run."""
        return [task.id for task in self.tasks if task.selected]


def plan_retry(original: Original, target: Target, selection: Sequence[str] | None = None) -> RetryPlan:
    """Make the plan for this target; `selection` replaces the default selection."""
    chosen = None if selection is None else frozenset(selection)
    tasks = tuple(
        _task(original, (index, phase["name"]), task, target, chosen)
        for index, phase in enumerate(target.definition.get("phases", []))
        for task in phase["tasks"]
    )
    known = {task.id for task in tasks}
    missing = tuple(
        MissingTask(identifier, status)
        for identifier, status in original.statuses.items()
        if identifier not in known
    )
    versions = _pinned(target, tasks)
    return RetryPlan(
        id=_plan_id(original, target, tasks, versions),
        version=target.version,
        tasks=tasks,
        missing=missing,
        task_versions=versions,
        version_before=original.version,
        changed=target.changed(target.own, original.version, target.version),
    )


def _pinned(target: Target, tasks: Sequence[PlannedTask]) -> dict[str, Mapping[str, int]]:
    """The versions that the plan shows; those inside nested runs only if old ones are requested."""
    own = {task.id: task.version for task in tasks if task.selected and task.version is not None}
    if not own:
        return {}
    return {**target.pins, target.orchestration: own}


def _task(
    original: Original,
    phase: tuple[int, str],
    task: Mapping[str, Any],
    target: Target,
    selection: Set[str] | None,
) -> PlannedTask:
    before = original.statuses.get(task["id"])
    key = (task["component"], task["configuration"])
    exists = key in target.existing
    then, now = original.task_versions.get(task["id"]), target.version_of(task) if exists else None
    chosen = exists and _is_wanted(original, task) and before not in SUCCEEDED
    return PlannedTask(
        id=task["id"],
        name=task_name(task, target.names),
        component=task["component"],
        configuration=task["configuration"],
        phase=phase[1],
        phase_index=phase[0],
        status_before=before,
        selected=chosen if selection is None else task["id"] in selection,
        exists=exists,
        active=task["enabled"],
        version=now,
        version_before=then,
        changed=target.changed(key, then, now),
    )


def without_notes(plan: RetryPlan) -> RetryPlan:
    """The plan without who saved what, and why."""
    return replace(plan, changed=None, tasks=tuple(replace(task, changed=None) for task in plan.tasks))


def usual_seconds(plan: RetryPlan, usual: Mapping[Key, float]) -> float | None:
    """How long the plan would usually take: in each phase its longest task; None if one is not known."""
    longest: dict[int, float] = {}
    for task in plan.tasks:
        if task.selected:
            seconds = usual.get((task.component, task.configuration))
            if seconds is None:
                return None
            longest[task.phase_index] = max(seconds, longest.get(task.phase_index, 0.0))
    return round(sum(longest.values()), 3) if longest else None


def _is_wanted(original: Original, task: Mapping[str, Any]) -> bool:
    """A partial run is retried within its own selection, any other run by the Active flags."""
    if original.selection is not None:
        return task["id"] in original.selection
    return bool(task["enabled"])


def _plan_id(
    original: Original,
    target: Target,
    tasks: Sequence[PlannedTask],
    pinned: Mapping[str, Mapping[str, int]],
) -> str:
    rests_on = [
        str(original.id),
        original.status,
        sorted(original.statuses.items()),
        target.version,
        [[task.id, task.selected, task.exists, task.version] for task in tasks],
        pinned,
    ]
    digest = hashlib.sha256(json.dumps(rests_on, sort_keys=True).encode()).hexdigest()[:32]
    if target.requested == "original":
        return f"original-{digest}"
    return f"current-{digest}-{(target.last_save - _EPOCH) // timedelta(microseconds=1):x}"


def requested_version(plan_id: str) -> Version | None:
    """The versions that the plan was requested for; None if this is not the id of a plan."""
    word = plan_id.partition("-")[0]
    return next((each for each in get_args(Version) if each == word), None)


def saved_since(plan_id: str, target: Target) -> list[CurrentVersion]:
    """Which of the configurations behind the plan were saved after it was made, and by whom."""
    try:
        last_save = int(plan_id.split("-")[2], 16)
    except (IndexError, ValueError):
        return []
    return [
        saved
        for _, saved in sorted(target.saved.items(), key=lambda item: item[0])
        if (saved.saved_at - _EPOCH) // timedelta(microseconds=1) > last_save
    ]


def check_plan(plan: RetryPlan, selection: Sequence[str] | None, *, is_run: bool) -> list[FieldError]:
    """Report what prevents the plan from being carried out."""
    if not is_run:
        return [FieldError("tasks", "a component's job has no tasks: leave them out")] if selection else []
    by_id = {task.id: task for task in plan.tasks}
    errors = []
    for index, identifier in enumerate(selection or ()):
        task = by_id.get(identifier)
        if task is None:
            detail = f"version {plan.version} has no task {identifier!r}"
            errors.append(FieldError(f"tasks.{index}", detail))
        elif not task.exists:
            detail = f"the configuration of {identifier!r} is deleted, so it cannot be run"
            errors.append(FieldError(f"tasks.{index}", detail))
    return errors


def check_something_to_run(plan: RetryPlan, *, is_run: bool) -> list[FieldError]:
    """Report a run without any task."""
    if is_run and not plan.selection:
        return [FieldError("tasks", "nothing is left to retry: choose the tasks to run again")]
    return []
