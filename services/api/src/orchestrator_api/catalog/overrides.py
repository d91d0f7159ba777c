"""Parameters merged over a configuration's own: those of one run, and those of tasks."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.parameters import check_override
from orchestrator_api.catalog.phases import MAX_ERRORS, Json, check_overrides, stored_tasks
from orchestrator_api.catalog.rows import OverrideTarget
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.refusals import FieldError
from orchestrator_api.http.session import Session
from orchestrator_shared.definitions.job_request import job_request
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.merging import deep_merge

Target = tuple[str, str, int | None]
"""Component, configuration, and its version; None for the current one."""


@dataclass(frozen=True, slots=True)
class Override:
    """The parameters that a request or a task gives to one configuration."""

    key: Key
    parameters: Json
    path: str
    version: int | None = None
    below: Sequence[Json] = ()
    """The layers between it and the configuration's parameters, from the configuration upwards."""
    place: tuple[str, ...] = ()
    """The ids of the tasks that lead to it from the outermost override."""

    @property
    def target(self) -> Target:
        return (self.key.component, self.key.id, self.version)


async def check(session: Session, overrides: Sequence[Override]) -> list[FieldError]:
    """Report what does not match the schema once merged.

    Errors that existed before, and deleted configurations, are left to the run. A nested orchestration takes
    parameters by the ids of its tasks. Each level of nesting consumes one level of the parameters, so this
    ends even if orchestrations run each other.
    """
    errors: list[FieldError] = []
    checkable: list[tuple[Override, OverrideTarget]] = []
    async for each, target in _walk(session, overrides):
        if target is None:
            continue
        if each.key.component == ORCHESTRATOR:
            errors += check_overrides(target.parameters, each.parameters, each.path)
        elif target.schema:
            checkable.append((each, target))
    return errors + (await session.offload.run(_check_all, session, checkable) if checkable else [])


async def receivers(session: Session, overrides: Sequence[Override]) -> AsyncIterator[Override]:
    """Each configuration that receives parameters, including nested and deleted ones."""
    async for each, _ in _walk(session, overrides):
        yield each


async def _walk(
    session: Session, overrides: Sequence[Override]
) -> AsyncIterator[tuple[Override, OverrideTarget | None]]:
    """Yield each configuration, level by level, and what its override is merged over (None if deleted)."""
    while overrides:
        targets = await _targets(session, {each.target for each in overrides})
        level, overrides = overrides, []
        for each in level:
            target = targets.get(each.target)
            yield each, target
            if target is not None and each.key.component == ORCHESTRATOR:
                overrides += _task_overrides(each, target.parameters)


def task_override(task: Json, parameters: Json, path: str, outer: Sequence[Json] = ()) -> Override | None:
    """The override of one task, merged over its Task Parameters and those of the runs around it, if any."""
    try:
        request = job_request(task, {})
    except UserError:
        return None  # no run could start with these; saving them reports that
    key = Key(task["component"], task["configuration"])
    return (
        Override(key, parameters, path, request.version, (request.parameters, *outer)) if parameters else None
    )


def own_override(task: Json, path: str) -> Override | None:
    """The override within a task's own Task Parameters; None if there is none."""
    given = task.get("parameters") or {}
    bare = {**task, "parameters": {key: value for key, value in given.items() if key != "parameters"}}
    own = given.get("parameters")
    return task_override(bare, own if isinstance(own, Mapping) else {}, path)


async def invalid_task_parameters(session: Session, definition: Json) -> list[str]:
    """Which Task Parameters of a stored orchestration no longer match their schema, as messages."""
    own = (own_override(task, f"task {task['id']!r}: parameters") for task in stored_tasks(definition))
    found = await check(session, [each for each in own if each is not None])
    return [f"{error.field}: {error.detail}" for error in found[:MAX_ERRORS]]


def _task_overrides(override: Override, definition: Json) -> Iterator[Override]:
    tasks = {task["id"]: task for task in stored_tasks(definition)}
    for name, parameters in override.parameters.items():
        if name not in tasks or not isinstance(parameters, Mapping):
            continue
        outer = [layer[name] for layer in override.below if isinstance(layer.get(name), Mapping)]
        if inner := task_override(tasks[name], parameters, f"{override.path}.{name}", outer):
            yield replace(inner, place=(*override.place, name))


def _check_all(session: Session, checkable: Sequence[tuple[Override, OverrideTarget]]) -> list[FieldError]:
    return [error for override, target in checkable for error in _check_one(session, override, target)]


def _check_one(session: Session, override: Override, target: OverrideTarget) -> list[FieldError]:
    layers = [target.parameters, *override.below]
    merged = _decrypted(session, _merge([*layers, override.parameters]))
    before = _decrypted(session, _merge(layers))
    schema, budget = target.schema or {}, session.step_budget
    return check_override(merged, before, override.parameters, schema, override.path, budget=budget)


def _merge(layers: Sequence[Json]) -> Json:
    """Merge as a job does: from the top down, each layer over the one below it."""
    merged = layers[-1]
    for layer in reversed(layers[:-1]):
        merged = deep_merge(layer, merged)
    return merged


def _decrypted(session: Session, parameters: Json) -> Json:
    plain: Json = session.encryption.read_secrets(parameters, session.project)
    return plain


async def _targets(session: Session, targets: set[Target]) -> dict[Target, OverrideTarget]:
    store = ConfigurationStore(session.connection)
    found = await store.override_targets(project=session.project, wanted=list(targets))
    return {(each.component, each.id, each.requested_version): each for each in found}
