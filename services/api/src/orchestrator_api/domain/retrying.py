"""What a retry of a finished job would run: preselected is all that did not succeed (PRODUCT section 3)."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orchestrator_api.domain.refusals import FieldError
from orchestrator_shared.domain.statuses import TaskStatus

SUCCEEDED = frozenset({TaskStatus.SUCCESS.value, TaskStatus.WARNING.value})


@dataclass(frozen=True, slots=True)
class Original:
    """The finished job that is retried; a component's job has no tasks."""

    id: UUID
    status: str
    statuses: Mapping[str, str]
    """How each of its tasks stood at the end, in order; empty where it never started."""
    selection: frozenset[str] | None
    """The tasks it was told to run; None: those with the Active flag."""


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task of the version to be run, or one that is missing there."""

    id: str
    name: str
    phase: str
    status_before: str | None
    selected: bool
    exists: bool
    """Its configuration is still there."""
    active: bool


@dataclass(frozen=True, slots=True)
class MissingTask:
    """A task that the version to be run no longer has: shown and not run."""

    id: str
    status_before: str


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What exactly would be run; the id changes with whatever the plan rests on, and with the selection."""

    id: str
    version: int
    tasks: tuple[PlannedTask, ...]
    missing: tuple[MissingTask, ...]

    @property
    def selection(self) -> list[str]:
        """The tasks to run."""
        return [task.id for task in self.tasks if task.selected]


def plan_retry(
    original: Original,
    version: int,
    definition: Mapping[str, Any],
    existing: Collection[tuple[str, str]],
    selection: Sequence[str] | None = None,
) -> RetryPlan:
    """The plan on this version of the definition; `selection` takes the place of the preselection.

    `existing` are the configurations that are still there.
    """
    tasks = tuple(
        _task(original, phase["name"], task, existing, selection)
        for phase in definition.get("phases", [])
        for task in phase["tasks"]
    )
    known = {task.id for task in tasks}
    missing = tuple(
        MissingTask(identifier, status)
        for identifier, status in original.statuses.items()
        if identifier not in known
    )
    return RetryPlan(_plan_id(original, version, tasks), version, tasks, missing)


def _task(
    original: Original,
    phase: str,
    task: Mapping[str, Any],
    existing: Collection[tuple[str, str]],
    selection: Sequence[str] | None,
) -> PlannedTask:
    before = original.statuses.get(task["id"])
    exists = (task["component"], task["configuration"]) in existing
    chosen = exists and _is_wanted(original, task) and before not in SUCCEEDED
    return PlannedTask(
        id=task["id"],
        name=task["name"],
        phase=phase,
        status_before=before,
        selected=chosen if selection is None else task["id"] in selection,
        exists=exists,
        active=task["enabled"],
    )


def _is_wanted(original: Original, task: Mapping[str, Any]) -> bool:
    """A partial run is retried within its own choice, any other one by the Active flags."""
    if original.selection is not None:
        return task["id"] in original.selection
    return bool(task["enabled"])


def _plan_id(original: Original, version: int, tasks: Sequence[PlannedTask]) -> str:
    rests_on = [
        str(original.id),
        original.status,
        sorted(original.statuses.items()),
        version,
        [[task.id, task.selected, task.exists] for task in tasks],
    ]
    return hashlib.sha256(json.dumps(rests_on).encode()).hexdigest()[:32]


def check_plan(plan: RetryPlan, selection: Sequence[str] | None, *, is_run: bool) -> list[FieldError]:
    """What keeps the plan from being carried out."""
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
            detail = f"the configuration of {identifier!r} is deleted: it cannot be run"
            errors.append(FieldError(f"tasks.{index}", detail))
    return errors


def check_something_to_run(plan: RetryPlan, *, is_run: bool) -> list[FieldError]:
    """A run needs at least one task."""
    if is_run and not plan.selection:
        return [FieldError("tasks", "nothing is left to retry: choose the tasks to run again")]
    return []
