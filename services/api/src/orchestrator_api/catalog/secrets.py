"""Secrets (#keys) in what people send: `***` stands for a stored secret, `***:handle` for one in a list."""

from collections import defaultdict
from collections.abc import Sequence

from orchestrator_api.catalog.phases import Json, stored_tasks
from orchestrator_api.http.refusals import FieldError
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.sealed_values import SECRET_KEY, is_secret
from orchestrator_shared.secret_handles import Reveal, handles_of, mask_for_editing, restore_masked
from orchestrator_shared.security import MASK, is_mask

Phases = Sequence[Json]
Target = tuple[str, str]
"""Component and configuration."""

_NOTHING_STORED = "*** stands for a stored secret, but none is stored: enter the secret"
_AMBIGUOUS = (
    "in a list, *** alone does not identify a stored secret: fetch or export this again and keep the handle "
    "that is shown (such as ***:3f2a9c1b07de), or enter the secret"
)
_UNKNOWN_HANDLE = (
    "no secret with this handle is stored here; it may have been replaced, or belong to something else: "
    "fetch or export this again, or enter the secret"
)


def masked_phases(phases: Phases, read: Reveal = lambda stored: stored) -> list[JsonObject]:
    """Stored phases with secrets masked. A task is found by its id, so its position does not matter."""
    return [
        {
            **phase,
            "tasks": [
                {**task, "parameters": mask_for_editing(read(task.get("parameters") or {}))}
                for task in phase.get("tasks", [])
            ],
        }
        for phase in phases
    ]


def restored_phases(
    phases: Phases, stored: Phases, reveal: Reveal = lambda sealed: sealed
) -> list[JsonObject]:
    """The phases with every mask that names a stored secret replaced by that secret.

    A secret stays with the configuration it was entered for: otherwise, pointing the task at another
    configuration would hand that one a secret which its owners were never given.
    """
    before: defaultdict[Target, JsonObject] = defaultdict(dict)
    for task in stored_tasks({"phases": stored}):
        before[_target(task)][task["id"]] = task.get("parameters") or {}
    handles = {target: handles_of(list(tasks.values())) for target, tasks in before.items()}

    def restored(task: Json) -> JsonObject:
        target, parameters = _target(task), task.get("parameters") or {}
        known = before[target].get(task["id"])
        return {**task, "parameters": restore_masked(parameters, known, handles.get(target, {}), reveal)}

    return [{**phase, "tasks": [restored(task) for task in phase["tasks"]]} for phase in phases]


def _target(task: Json) -> Target:
    return task["component"], task["configuration"]


def contains_secret(value: object) -> bool:
    """Whether a #key holds a secret in the clear, not a mask."""
    if isinstance(value, dict):
        return any(
            not is_mask(item) if is_secret(key, item) else contains_secret(item)
            for key, item in value.items()
        )
    return isinstance(value, list) and any(map(contains_secret, value))


def remaining_masks(value: object, prefix: str) -> list[FieldError]:
    """Each remaining mask under a #key that names no stored secret, and what to do about it."""
    return [
        FieldError(".".join(filter(None, (prefix, *path))), reason)
        for path, reason in _remaining(value, in_list=False)
    ]


def _remaining(value: object, *, in_list: bool) -> list[tuple[tuple[str, ...], str]]:
    """Builds paths only for masks it finds: documents are large and contain few."""
    found: list[tuple[tuple[str, ...], str]] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if key.startswith(SECRET_KEY) and is_mask(item):
                found.append(((key,), _reason(item, in_list=in_list)))
            elif below := _remaining(item, in_list=in_list):
                found += [((key, *path), reason) for path, reason in below]
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if below := _remaining(item, in_list=True):
                found += [((str(index), *path), reason) for path, reason in below]
    return found


def remaining_masks_in_phases(phases: Phases) -> list[FieldError]:
    """The same for tasks' parameters."""
    return [
        error
        for p, phase in enumerate(phases)
        for t, task in enumerate(phase["tasks"])
        for error in remaining_masks(task.get("parameters") or {}, f"phases.{p}.tasks.{t}.parameters")
    ]


def _reason(mask: str, *, in_list: bool) -> str:
    if mask != MASK:
        return _UNKNOWN_HANDLE
    return _AMBIGUOUS if in_list else _NOTHING_STORED
