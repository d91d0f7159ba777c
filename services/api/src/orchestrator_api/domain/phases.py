"""An orchestration's phases and tasks: their one stored form, and what is wrong with them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestrator_api.domain.refusals import FieldError
from orchestrator_shared.domain.ids import ORCHESTRATOR

DEFAULT_TIMEOUT_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Task:
    """One entry of a phase, with every default written out."""

    id: str
    component: str
    configuration: str
    name: str
    enabled: bool = True
    continue_on_failure: bool = False
    timeout_seconds: float | None = None
    """None: no limit (nested orchestrations)."""
    attempts: int = 1
    attempt_delay_seconds: float = 0
    attempt_backoff: float = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Phase:
    """Tasks that run in parallel."""

    name: str
    tasks: tuple[Task, ...]


def make_task(given: Mapping[str, Any]) -> Task:
    """A task from what was sent: the id is component/configuration unless given, the timeout a day."""
    component, configuration = given["component"], given["configuration"]
    identifier = given.get("id") or f"{component}/{configuration}"
    timeout = given.get("timeout_seconds")
    if timeout is None and component != ORCHESTRATOR:
        timeout = DEFAULT_TIMEOUT_SECONDS
    return Task(
        id=identifier,
        component=component,
        configuration=configuration,
        name=given.get("name") or identifier,
        enabled=given.get("enabled", True),
        continue_on_failure=given.get("continue_on_failure", False),
        timeout_seconds=None if timeout is None else float(timeout),
        attempts=given.get("attempts", 1),
        attempt_delay_seconds=float(given.get("attempt_delay_seconds", 0)),
        attempt_backoff=float(given.get("attempt_backoff", 1)),
        parameters=given.get("parameters") or {},
    )


def make_phases(given: Sequence[Mapping[str, Any]]) -> tuple[Phase, ...]:
    """Phases from what was sent; empty ones are dropped, unnamed ones numbered."""
    kept = [phase for phase in given if phase.get("tasks")]
    return tuple(
        Phase(phase.get("name") or f"Phase {number}", tuple(make_task(task) for task in phase["tasks"]))
        for number, phase in enumerate(kept, start=1)
    )


def to_stored(phases: Sequence[Phase]) -> dict[str, Any]:
    """The definition as versions keep it and runners read it."""
    return {
        "phases": [{"name": phase.name, "tasks": [asdict(task) for task in phase.tasks]} for phase in phases]
    }


def stored_tasks(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All tasks of a stored definition, in order."""
    return [task for phase in definition.get("phases", []) for task in phase.get("tasks", [])]


def doubled_ids(given: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """Tasks whose id another one has; `given` are the phases as sent, so that paths fit."""
    placed = [
        (f"phases.{p}.tasks.{t}.id", make_task(task).id)
        for p, phase in enumerate(given)
        for t, task in enumerate(phase.get("tasks") or [])
    ]
    count = Counter(identifier for _, identifier in placed)
    return [
        FieldError(path, f"another task has the id {identifier!r}: give each task an id of its own")
        for path, identifier in placed
        if count[identifier] > 1
    ]


def unknown_targets(
    given: Sequence[Mapping[str, Any]], components: set[str], configurations: set[tuple[str, str]]
) -> list[FieldError]:
    """Tasks whose component or configuration does not exist."""
    errors = []
    for p, phase in enumerate(given):
        for t, task in enumerate(phase.get("tasks") or []):
            component, configuration = task["component"], task["configuration"]
            path = f"phases.{p}.tasks.{t}"
            if component not in components:
                errors.append(FieldError(f"{path}.component", f"there is no component {component!r}"))
            elif (component, configuration) not in configurations:
                detail = f"there is no configuration {component}/{configuration}: save it first"
                errors.append(FieldError(f"{path}.configuration", detail))
    return errors


def check_selection(definition: Mapping[str, Any], selection: Sequence[str] | None) -> list[FieldError]:
    """What is wrong with a choice of tasks; None means the active ones."""
    known = [task["id"] for task in stored_tasks(definition)]
    if not known:
        return [FieldError("tasks", "this orchestration has no tasks: add one before running it")]
    if selection is None:
        return []
    if not selection:
        return [FieldError("tasks", "choose at least one task, or leave tasks out to run the active ones")]
    return [
        FieldError(f"tasks.{i}", f"there is no task {task!r} in this version; there are {_some(known)}")
        for i, task in enumerate(selection)
        if task not in known
    ]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
