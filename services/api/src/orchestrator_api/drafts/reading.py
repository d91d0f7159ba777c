"""Reads drafts, and puts together what their boards show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from orchestrator_api.catalog import configurations, task_names
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.catalog.phases import stored_tasks
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.catalog.secrets import masked_phases
from orchestrator_api.drafts import checks, states
from orchestrator_api.drafts.board import Board, Theirs, cards, moved, total_seconds
from orchestrator_api.drafts.changes import Change, compare
from orchestrator_api.drafts.rows import Draft
from orchestrator_api.drafts.store import DraftKey
from orchestrator_api.http.conditional import entity_tag
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import validation
from orchestrator_api.orchestrations.previews import component_types
from orchestrator_api.orchestrations.validation import FEW_TASKS
from orchestrator_api.runs import jobs
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.definitions.arranging import Types
from orchestrator_shared.definitions.orchestration import DraftDefinition
from orchestrator_shared.definitions.task_names import Names

P = ParamSpec("P")
T = TypeVar("T")
SMALL_TEXT = 100_000


def key_of(session: Session, orchestration: str) -> DraftKey:
    """A person has one draft, whichever browser or token they use."""
    actor = session.actor
    return DraftKey(session.project, orchestration, actor.person_id or actor.token_id)


def etag_of(row: Configuration, draft: Draft | None) -> str:
    """Of the draft, or of the saved tasks as long as there is none."""
    if draft is not None:
        return draft.etag
    return entity_tag("no draft", row.id, row.created_at, row.version)


async def parsed(session: Session, draft: Draft) -> DraftDefinition:
    """The present state."""
    if len(draft.definition) <= SMALL_TEXT:
        return states.parse(draft.definition)
    return await session.offload.run(states.parse, draft.definition)


async def of_saved(session: Session, parameters: JsonObject) -> DraftDefinition:
    """The state that a draft of this version begins with."""
    if len(stored_tasks(parameters)) <= FEW_TASKS:
        return states.of_saved(parameters)
    return await session.offload.run(states.of_saved, parameters)


async def quickly(
    session: Session, definition: DraftDefinition, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """The result of work on these tasks: in a thread if they are many."""
    if len(definition.tasks()) <= FEW_TASKS:
        return work(*args, **kwargs)
    return await session.offload.run(work, *args, **kwargs)


async def _types_of(session: Session, definition: DraftDefinition) -> Types:
    return await component_types(session, {task.component for task in definition.tasks()})


async def names_of(session: Session, *layouts: Sequence[Mapping[str, Any]]) -> Names:
    """The names of the configurations that the tasks of these phases run."""
    tasks = [task for phases in layouts for phase in phases for task in phase["tasks"]]
    return await task_names.names_of(session, {(task["component"], task["configuration"]) for task in tasks})


async def board(
    session: Session, row: Configuration, draft: Draft | None, definition: DraftDefinition | None = None
) -> Board:
    """The draft as a board, or the saved tasks if there is none; `definition` if it is known already."""
    definition = definition or await present(session, row, draft)
    phases = await quickly(session, definition, states.phases_of, definition)
    base = await _base(session, row, draft)
    names = await names_of(session, phases, *(each.get("phases", ()) for each in (base, row.parameters)))
    shown = await _board(session, row, draft, definition, phases, names)

    def with_changes() -> Board:
        changed, theirs = _since(row, draft, base, phases, names)
        return replace(shown, phases=moved(shown.phases, changed), changes=changed, conflict=theirs)

    return await quickly(session, definition, with_changes)


async def preview(
    session: Session,
    row: Configuration,
    draft: Draft | None,
    before: DraftDefinition,
    after: DraftDefinition,
) -> Board:
    """The board as it would be; its changes are from what it is."""
    phases = await quickly(session, after, states.phases_of, after)
    was = await quickly(session, before, states.phases_of, before)
    names = await names_of(session, was, phases)
    shown = await _board(session, row, draft, after, phases, names)

    def with_changes() -> Board:
        changed = compare(was, phases, names)
        return replace(shown, phases=moved(shown.phases, changed), changes=changed)

    return await quickly(session, after, with_changes)


async def present(session: Session, row: Configuration, draft: Draft | None) -> DraftDefinition:
    """The tasks of the draft, or those that are saved."""
    return await of_saved(session, row.parameters) if draft is None else await parsed(session, draft)


async def _board(
    session: Session,
    row: Configuration,
    draft: Draft | None,
    definition: DraftDefinition,
    phases: Sequence[JsonObject],
    names: Names,
) -> Board:
    """Without what changed."""
    types = await _types_of(session, definition)
    keys = sorted({(task.component, task.configuration) for task in definition.tasks()})
    usual = await jobs.usual_durations(session, keys)
    masked = await quickly(session, definition, masked_phases, phases)
    found = await validation.find_problems(session, row.id, masked)

    def assembled() -> Board:
        shown = cards(definition, masked, types, usual, names)
        return Board(
            orchestration=row.id,
            name=row.name,
            etag=etag_of(row, draft),
            is_open=draft is not None,
            base_version=draft.base_version if draft else row.version,
            version=row.version,
            phases=shown,
            usual_seconds=total_seconds([phase.usual_seconds for phase in shown]),
            changes=(),
            checks=checks.find(
                task_names.with_names(masked, names), found, types, draft.kept if draft else ()
            ),
            undo=draft.undo if draft and draft.can_undo else None,
            redo=draft.redo if draft else None,
            conflict=None,
            opened_at=draft.created_at if draft else None,
            updated_at=draft.updated_at if draft else None,
        )

    return await quickly(session, definition, assembled)


def _since(
    row: Configuration,
    draft: Draft | None,
    base: JsonObject,
    phases: Sequence[JsonObject],
    names: Names,
) -> tuple[list[Change], Theirs | None]:
    """What changed since the version that the draft began with: in the draft, and in newer versions."""
    if draft is None:
        return [], None
    before = states.phases_of(states.of_saved(base))
    changed = compare(before, phases, names)
    if draft.base_version == row.version:
        return changed, None
    theirs = compare(before, states.phases_of(states.of_saved(row.parameters)), names)
    return changed, Theirs(row.version, row.author, row.updated_at, row.note, theirs)


async def _base(session: Session, row: Configuration, draft: Draft | None) -> JsonObject:
    if draft is None or draft.base_version == row.version:
        return row.parameters
    found = await configurations.find_version(session, orchestration_key(row.id), draft.base_version)
    return found.parameters if found else {}
