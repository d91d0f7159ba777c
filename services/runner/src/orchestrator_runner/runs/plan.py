"""Plans what a run will do: the phases and tasks of a definition, with the selection applied."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator_shared.definitions.job_request import job_request
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One task of a run; `active` says whether this run executes it."""

    phase: int
    position: int
    id: str
    name: str
    component: str
    configuration: str
    continue_on_failure: bool
    active: bool
    enabled: bool
    request: Mapping[str, Any]
    """The job request that the task sends; see `JobRequest`."""

    @property
    def lane(self) -> tuple[str, str]:
        """The configuration whose jobs run one at a time."""
        return (self.component, self.configuration)


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Phases in order, tasks with what this run does with them, and whether it is a full run."""

    phases: tuple[str, ...]
    tasks: tuple[PlannedTask, ...]
    full: bool

    def active_in(self, phase: int) -> list[PlannedTask]:
        """The tasks of the phase that this run executes."""
        return [task for task in self.tasks if task.phase == phase and task.active]

    @property
    def active_phases(self) -> Sequence[int]:
        """The phases with anything to execute, in order."""
        return sorted({task.phase for task in self.tasks if task.active})


def plan_run(
    definition: Mapping[str, Any],
    selection: Collection[str] | None,
    overrides: Mapping[str, Any] | None = None,
    versions: Mapping[str, int] | None = None,
) -> RunPlan:
    """Plan a run of a stored definition.

    Without a selection, the active flags decide. `overrides` maps task ids to parameters for this run only,
    `versions` maps them to pinned configuration versions. A run is full when every active task is selected
    (docs/explanation/heard-and-used.md). Raises UserError if nothing would run or the selection names an
    unknown task.
    """
    selected = None if selection is None else frozenset(selection)
    phases = [phase for phase in definition.get("phases", ()) if phase.get("tasks")]
    if not phases:
        raise UserError("the orchestration has no tasks: add one before running it", field="phases")
    tasks = [
        _task(task, index, position, selected, _wish(task, overrides or {}, versions or {}))
        for index, phase in enumerate(phases)
        for position, task in enumerate(phase["tasks"])
    ]
    _check_selection(tasks, selection)
    full = all(task.active for task in tasks if task.enabled)
    return RunPlan(tuple(phase["name"] for phase in phases), tuple(tasks), full)


def _task(
    task: Mapping[str, Any],
    phase: int,
    position: int,
    selected: frozenset[str] | None,
    request: Mapping[str, Any],
) -> PlannedTask:
    enabled = task.get("enabled", True)
    return PlannedTask(
        phase=phase,
        position=position,
        id=task["id"],
        name=task.get("name") or task["id"],
        component=task["component"],
        configuration=task["configuration"],
        continue_on_failure=task.get("continue_on_failure", False),
        active=enabled if selected is None else task["id"] in selected,
        enabled=enabled,
        request=request,
    )


def _wish(
    task: Mapping[str, Any], overrides: Mapping[str, Any], versions: Mapping[str, int]
) -> Mapping[str, Any]:
    name = task["id"]
    return job_request(task, overrides.get(name) or {}, versions.get(name)).model_dump(mode="json")


def _check_selection(tasks: Sequence[PlannedTask], selection: Collection[str] | None) -> None:
    unknown = sorted(set(selection or ()) - {task.id for task in tasks})
    if unknown:
        raise UserError(f"the orchestration has no task {unknown[0]!r}", field="tasks")


MAX_DEPTH = 50
"""The database accepts no job deeper than this below its root."""


def check_nesting(own: str, ancestors: Sequence[str], tasks: Sequence[PlannedTask]) -> None:
    """Refuse a run that would wait for itself or is nested too deeply; the UserError names the cycle.

    `ancestors` are listed from the root to the parent.
    """
    line = [*ancestors, own]
    for task in tasks:
        if not task.active:
            continue
        if len(line) > MAX_DEPTH:
            raise UserError(f"orchestrations are nested more than {MAX_DEPTH} deep", field=task.id)
        if task.component == ORCHESTRATOR and task.configuration in line:
            cycle = [*line[line.index(task.configuration) :], task.configuration]
            raise UserError("the orchestrations run each other: " + " → ".join(cycle), field=task.id)
