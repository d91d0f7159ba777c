"""Previews a rearrangement of an orchestration's tasks without saving it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator_api.catalog import configurations, task_names
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.phases import duplicate_ids, make_definition
from orchestrator_api.catalog.secrets import masked_phases
from orchestrator_api.http.refusals import refuse
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import validation
from orchestrator_api.orchestrations.store import OrchestrationStore
from orchestrator_api.orchestrations.validation import FEW_TASKS
from orchestrator_shared.definitions.arranging import Types, arrange, needs_names
from orchestrator_shared.definitions.operations import AddTasks, Operation
from orchestrator_shared.definitions.orchestration import OrchestrationDefinition
from orchestrator_shared.definitions.task_names import Names
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import ComponentType


@dataclass(frozen=True, slots=True)
class Preview:
    """The rearranged phases; `version` and `etag` are those of what they are based on."""

    version: int
    etag: str
    phases: list[dict[str, Any]]
    changed: bool
    errors: list[str]
    warnings: list[str]


async def component_types(session: Session, components: Collection[str]) -> dict[str, ComponentType]:
    """The type of each component; one that is no longer registered has none."""
    found = await OrchestrationStore(session.connection).component_types(components=components)
    return {each.id: each.type for each in found}


async def known_to(
    session: Session, definition: OrchestrationDefinition, operations: Sequence[Operation]
) -> tuple[Types, Names]:
    """The types of components, and the names of configurations if the operations name phases after tasks."""
    keys = {(task.component, task.configuration) for task in definition.tasks()}
    for each in operations:
        if isinstance(each, AddTasks):
            keys.update((task.component, task.configuration) for task in each.tasks)
    types = await component_types(session, {component for component, _ in keys})
    return types, await task_names.names_of(session, keys) if needs_names(operations) else {}


async def preview(
    session: Session,
    orchestration: str,
    operations: Sequence[Operation],
    given: Sequence[dict[str, Any]] | None,
) -> Preview:
    """Apply the operations to the saved phases, or to those given (unsaved phases of an editor)."""
    row = await configurations.load(session, Key(ORCHESTRATOR, orchestration))
    stored = masked_phases(row.parameters.get("phases", []))
    saved = OrchestrationDefinition.model_validate({**row.parameters, "phases": stored})
    before = saved
    if given is not None:
        refuse(duplicate_ids(given))
        before = make_definition(given)
    types, names = await known_to(session, before, operations)

    def rearrange() -> tuple[OrchestrationDefinition, list[dict[str, Any]]]:
        definition = arrange(before, operations, types, names)
        return definition, definition.to_json()["phases"]

    # A hundred operations on ten thousand tasks take seconds.
    work = len(operations) * len(before.tasks())
    arranged, phases = rearrange() if work <= FEW_TASKS else await session.offload.run(rearrange)
    found = (await validation.validate(session, {orchestration: phases}))[orchestration]
    changed = arranged.phases != saved.phases
    return Preview(row.version, row.etag, phases, changed, found.errors, found.warnings)
