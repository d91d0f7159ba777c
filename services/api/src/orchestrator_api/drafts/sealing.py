"""What operations bring into a draft: tasks that must exist, and parameters whose secrets are encrypted."""

from collections.abc import Sequence

from orchestrator_api.catalog import overrides
from orchestrator_api.catalog import sealing as catalog_sealing
from orchestrator_api.catalog.overrides import own_override
from orchestrator_api.catalog.secrets import remaining_masks, restored_phases
from orchestrator_api.http.refusals import FieldError, refuse
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import service as orchestrations
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.definitions.operations import AddTasks, Operation, SetTasks
from orchestrator_shared.definitions.orchestration import DraftDefinition
from orchestrator_shared.sealed_values import sealed_values


async def check_added(session: Session, orchestration: str, operations: Sequence[Operation]) -> None:
    """Refuse tasks that would run what does not exist."""
    for index, each in enumerate(operations):
        if isinstance(each, AddTasks):
            given = [{"tasks": [new.model_dump() for new in each.tasks]}]
            errors = await orchestrations.unknown_targets(session, orchestration, given)
            refuse([_at(error, "phases.0", f"operations.{index}") for error in errors])


async def sealed(
    session: Session, before: DraftDefinition, made: DraftDefinition, operations: Sequence[Operation]
) -> DraftDefinition:
    """The definition with the parameters that operations have set as they are stored.

    `***` stands for the secret that the same task had before; each secret is encrypted for what it is for.
    """
    by_task = _setting(operations)
    if not by_task:
        return made
    touched = [task for task in made.to_json()["phases"] for task in task["tasks"] if task["id"] in by_task]
    stored = before.to_json()["phases"]
    (restored,) = restored_phases([{"name": "", "tasks": touched}], stored)
    errors: list[FieldError] = []
    for task in restored["tasks"]:
        errors += remaining_masks(task["parameters"], _path(by_task[task["id"]]))
    refuse(errors)
    (whole,) = await catalog_sealing.sealed_phases(session, [restored], set(sealed_values(stored)))
    await _check_parameters(session, whole["tasks"], by_task)
    parameters = {task["id"]: task["parameters"] for task in whole["tasks"]}
    return made.model_copy(
        update={
            "phases": tuple(
                phase.model_copy(
                    update={
                        "tasks": tuple(
                            task.model_copy(update={"parameters": parameters[task.id]})
                            if task.id in parameters
                            else task
                            for task in phase.tasks
                        )
                    }
                )
                for phase in made.phases
            )
        }
    )


def _setting(operations: Sequence[Operation]) -> dict[str, int]:
    """Which operation sets the parameters of which task."""
    return {
        task: index
        for index, each in enumerate(operations)
        if isinstance(each, SetTasks) and each.values.parameters is not None
        for task in each.tasks
    }


async def _check_parameters(session: Session, tasks: Sequence[JsonObject], by_task: dict[str, int]) -> None:
    """Refuse parameters that do not match the schema once merged."""
    plain = session.encryption.read_secrets({"tasks": list(tasks)}, session.project)["tasks"]
    found = [own_override(task, f"{_path(by_task[task['id']])}.parameters") for task in plain]
    refuse(await overrides.check(session, [each for each in found if each is not None]))


def _path(operation: int) -> str:
    return f"operations.{operation}.values.parameters"


def _at(error: FieldError, old: str, new: str) -> FieldError:
    return FieldError(new + error.field.removeprefix(old), error.detail, error.position)
