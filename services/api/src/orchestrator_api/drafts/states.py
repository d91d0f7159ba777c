"""A draft's states: how they are read and written, and how large they may become. Pure."""

import json
from collections.abc import Sequence

from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.definitions.arranging import Types, arrange
from orchestrator_shared.definitions.operations import MAX_TASKS, Operation
from orchestrator_shared.definitions.orchestration import DraftDefinition
from orchestrator_shared.definitions.task_names import Names
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.sealed_values import check_sealed

MAX_STATES = 200
MAX_PHASES = 1_000
MAX_BYTES = 8 * 1024**2
"""Of one state."""
MAX_BYTES_OF_ALL = 32 * 1024**2


def parse(text: str) -> DraftDefinition:
    """A state as it was written."""
    return DraftDefinition.model_validate(json.loads(text))


def of_saved(parameters: JsonObject) -> DraftDefinition:
    """The state that a draft of this version begins with."""
    return DraftDefinition(phases=parameters.get("phases", []))


def phases_of(definition: DraftDefinition) -> list[JsonObject]:
    """The phases in the form of a stored definition."""
    return list(definition.to_json()["phases"])


def written(phases: Sequence[JsonObject]) -> str:
    """The text of a state; raises UserError if it is larger than a draft may be."""
    check_sealed(phases)
    text = json.dumps({"phases": phases}, ensure_ascii=False)
    if len(text.encode()) > MAX_BYTES:
        raise UserError(
            f"the tasks would take more than {MAX_BYTES // 1024**2} MiB, which is the limit of a draft: "
            "split the orchestration",
            field="operations",
        )
    return text


def changed(
    definition: DraftDefinition, operations: Sequence[Operation], types: Types, names: Names | None = None
) -> DraftDefinition:
    """The definition after the operations; raises UserError for one, or if it is more than a draft holds."""
    made = arrange(definition, operations, types, names)
    if len(made.phases) > MAX_PHASES or len(made.tasks()) > MAX_TASKS:
        raise UserError(
            f"a draft has at most {MAX_PHASES:,} phases and {MAX_TASKS:,} tasks: split the orchestration",
            field="operations",
        )
    return made
