"""A run that is about to start, and the tasks whose jobs its phases create."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orchestrator_runner.queue.lanes import LaneKey
from orchestrator_runner.runs.phase_cache import BegunPhase
from orchestrator_runner.runs.plan import PlannedTask, RunPlan
from orchestrator_shared.definitions.task_names import has_own_name


@dataclass(frozen=True, slots=True)
class ChildTask:
    """A task whose job is about to be created."""

    run: UUID
    lane_id: int
    phase: int
    position: int
    task_id: str
    component: str
    configuration: str
    version: int | None
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Current:
    """A configuration as it is now."""

    project: str
    component: str
    configuration: str
    version: int
    name: str


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that is about to start; `lanes` and `current` include at least those of its tasks."""

    run: UUID
    project: str
    orchestration: str
    lane_id: int
    version: int | None
    token_id: UUID | None
    is_triggered: bool
    plan: RunPlan
    lanes: Mapping[LaneKey, int]
    current: Mapping[LaneKey, Current]

    def key(self, task: PlannedTask) -> LaneKey:
        """The configuration that a task of this run executes."""
        return (self.project, task.component, task.configuration)

    def version_of(self, task: PlannedTask) -> int | None:
        """The version of its configuration; None if that does not exist."""
        current = self.current.get(self.key(task))
        return current.version if current else None

    def name_of(self, task: PlannedTask) -> str:
        """Its own name, else that of its configuration."""
        current = self.current.get(self.key(task))
        if current is None or has_own_name(task.name, task.id, task.component, task.configuration):
            return task.name
        return current.name

    def first_children(self) -> list[ChildTask]:
        """The tasks of the run's first phase; empty if no task is active."""
        return [
            ChildTask(
                run=self.run,
                lane_id=self.lanes[self.key(task)],
                phase=task.phase,
                position=task.position,
                task_id=task.id,
                component=task.component,
                configuration=task.configuration,
                version=self.version_of(task),
                request=task.request,
            )
            for first in self.plan.active_phases[:1]
            for task in self.plan.active_in(first)
        ]

    def underway(self) -> BegunPhase | None:
        """The first phase and the lanes that follow it, for the phase cache; None if no task is active."""
        phases = self.plan.active_phases
        if not phases:
            return None
        following = [task for phase in phases[1:2] for task in self.plan.active_in(phase)]
        lanes = {self.lane_id, *(self.lanes[self.key(task)] for task in following)}
        return BegunPhase(phases[0], len(self.plan.active_in(phases[0])), frozenset(lanes))


def lane_keys(project: str, tasks: Iterable[PlannedTask]) -> set[LaneKey]:
    """The lanes of these tasks."""
    return {(project, task.component, task.configuration) for task in tasks}
