"""An orchestration's phases and tasks: how they are stored, and the checks on them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from orchestrator_api.http.refusals import FieldError
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.definitions.job_request import NESTED_TIMEOUT, wrong_task_parameters
from orchestrator_shared.definitions.orchestration import OrchestrationDefinition, Phase, Task
from orchestrator_shared.domain.ids import ORCHESTRATOR

Json = Mapping[str, Any]
"""A read-only JSON object."""
MAX_ERRORS = 50
"""More would only repeat the same mistake in a larger response."""


def make_definition(given: Sequence[Json]) -> OrchestrationDefinition:
    """Build the definition from what was sent: write out defaults, drop empty phases, name unnamed ones."""
    kept = [phase for phase in given if phase.get("tasks")]
    return OrchestrationDefinition(
        phases=tuple(
            Phase(
                name=phase.get("name") or f"Phase {number}",
                tasks=tuple(Task.model_validate(task) for task in phase["tasks"]),
            )
            for number, phase in enumerate(kept, start=1)
        )
    )


def stored_tasks(definition: Json) -> list[JsonObject]:
    """All tasks of a stored definition, in order."""
    return [task for phase in definition.get("phases", []) for task in phase.get("tasks", [])]


def duplicate_ids(given: Sequence[Json]) -> list[FieldError]:
    """Tasks whose ids are not unique; `given` are the phases as sent, so that paths match the request."""
    placed = [
        (f"phases.{p}.tasks.{t}.id", task.get("id") or f"{task['component']}/{task['configuration']}")
        for p, phase in enumerate(given)
        for t, task in enumerate(phase.get("tasks") or [])
    ]
    count = Counter(identifier for _, identifier in placed)
    return [
        FieldError(path, f"duplicate task id {identifier!r}: give each task its own id")
        for path, identifier in placed
        if count[identifier] > 1
    ]


def unknown_targets(
    given: Sequence[Json], components: set[str], configurations: set[tuple[str, str]]
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


def invalid_settings(given: Sequence[Json]) -> list[FieldError]:
    """Settings with which a task could never run."""
    errors = []
    for p, phase in enumerate(given):
        for t, task in enumerate(phase.get("tasks") or []):
            path = f"phases.{p}.tasks.{t}"
            if task["component"] == ORCHESTRATOR and task.get("timeout_seconds") is not None:
                errors.append(FieldError(f"{path}.timeout_seconds", NESTED_TIMEOUT))
            wrong = wrong_task_parameters(task["component"], task.get("parameters") or {})
            errors += [FieldError(f"{path}.parameters.{key}", reason) for key, reason in wrong]
    return errors


def check_selection(definition: Json, selection: Sequence[str] | None) -> list[FieldError]:
    """Report errors in a selection of tasks; None selects the active ones."""
    known = _ids(definition)
    if not known:
        return [FieldError("tasks", "this orchestration has no tasks: add one before running it")]
    if selection is None:
        return []
    if not selection:
        return [FieldError("tasks", "choose at least one task, or leave tasks out to run the active ones")]
    unknown = ((f"tasks.{i}", task) for i, task in enumerate(selection) if task not in known)
    return [_unknown_task(path, task, known) for path, task in islice(unknown, MAX_ERRORS)]


def check_overrides(definition: Json, parameters: Json, path: str = "parameters") -> list[FieldError]:
    """Report errors in the parameters of one run, which are given by task id."""
    known = _ids(definition)
    wrong = ((name, value) for name, value in parameters.items() if not _fits(name, value, known))
    return [
        FieldError(f"{path}.{name}", "must be an object with this task's parameters")
        if name in known
        else _unknown_task(f"{path}.{name}", name, known)
        for name, _ in islice(wrong, MAX_ERRORS)
    ]


def _fits(name: str, value: object, known: Mapping[str, None]) -> bool:
    return name in known and isinstance(value, Mapping)


def _ids(definition: Json) -> dict[str, None]:
    """The ids of all tasks, in order."""
    return dict.fromkeys(task["id"] for task in stored_tasks(definition))


def _unknown_task(path: str, name: str, known: Mapping[str, None]) -> FieldError:
    return FieldError(path, f"there is no task {name!r} in this version; its tasks are {_some(list(known))}")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
