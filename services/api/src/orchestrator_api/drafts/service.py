"""Drafts of an orchestration's tasks: opened by their first step, kept on the server, saved as a version."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import Saved, orchestration_key
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.drafts import changes, reading, sealing, states
from orchestrator_api.drafts.board import Board
from orchestrator_api.drafts.rows import Draft
from orchestrator_api.drafts.store import DraftKey, DraftStore
from orchestrator_api.http.conditional import IF_MATCH, Condition, Verdict
from orchestrator_api.http.refusals import Overtaken, PreconditionFailed, PreconditionRequired, SavedSince
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import service as orchestrations
from orchestrator_api.orchestrations.previews import known_to
from orchestrator_api.orchestrations.service import OrchestrationSpec
from orchestrator_shared.clock import stamp
from orchestrator_shared.definitions.operations import Operation
from orchestrator_shared.definitions.orchestration import DraftDefinition
from orchestrator_shared.domain.errors import Conflict
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.sealed_values import sealed_values

MAX_DRAFTS = 50
"""Of one person or token in one project."""
MAX_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class _Opened:
    """A draft, locked until the transaction ends, and the orchestration that it is of."""

    key: DraftKey
    row: Configuration
    draft: Draft
    definition: DraftDefinition


async def board(session: Session, orchestration: str) -> Board:
    """The caller's draft, or the saved tasks as long as they have none."""
    row = await configurations.load(session, orchestration_key(orchestration))
    draft = await DraftStore(session.connection).draft(reading.key_of(session, orchestration))
    return await reading.board(session, row, draft)


async def tasks(session: Session, orchestration: str) -> DraftDefinition:
    """The same tasks without what a board says about them, which takes longer."""
    row = await configurations.load(session, orchestration_key(orchestration))
    draft = await DraftStore(session.connection).draft(reading.key_of(session, orchestration))
    return await reading.present(session, row, draft)


async def preview(session: Session, orchestration: str, operations: Sequence[Operation]) -> Board:
    """The board as it would be after these operations; nothing is kept."""
    row = await configurations.load(session, orchestration_key(orchestration))
    draft = await DraftStore(session.connection).draft(reading.key_of(session, orchestration))
    before = await reading.present(session, row, draft)
    known = await known_to(session, before, operations)
    await sealing.check_added(session, orchestration, operations)
    after = await reading.quickly(session, before, states.changed, before, operations, *known)
    return await reading.preview(session, row, draft, before, after)


async def change(
    session: Session, orchestration: str, condition: Condition, operations: Sequence[Operation]
) -> Board:
    """Apply operations as one step, which undo takes back as one."""
    opened = await _open(session, orchestration, condition)
    known = await known_to(session, opened.definition, operations)
    await sealing.check_added(session, orchestration, operations)
    made = await reading.quickly(
        session, opened.definition, states.changed, opened.definition, operations, *known
    )
    made = await sealing.sealed(session, opened.definition, made, operations)
    return await _push(session, opened, made)


async def undo(session: Session, orchestration: str, condition: Condition) -> Board:
    """Take back the last step."""
    opened = await _open(session, orchestration, condition)
    if not opened.draft.can_undo:
        raise Conflict("there is no step to undo")
    return await _go(session, opened, opened.draft.position - 1)


async def redo(session: Session, orchestration: str, condition: Condition) -> Board:
    """Do the step again that was undone last."""
    opened = await _open(session, orchestration, condition)
    if opened.draft.redo is None:
        raise Conflict("there is no step to do again")
    return await _go(session, opened, opened.draft.position + 1)


async def keep(session: Session, orchestration: str, condition: Condition, check: str) -> Board:
    """Keep what a warning is about: it is shown as kept from now on."""
    opened = await _open(session, orchestration, condition)
    kept = [*(each for each in opened.draft.kept if each != check), check][-MAX_KEPT:]
    draft = opened.draft
    await DraftStore(session.connection).update(
        opened.key, position=draft.position, base_version=draft.base_version, kept=kept
    )
    return await _shown(session, opened, opened.definition)


async def resolve(
    session: Session, orchestration: str, condition: Condition, keep: Literal["mine", "theirs"], version: int
) -> Board:
    """Go on from the version that someone saved meanwhile: with one's own tasks on top, or with theirs.

    Theirs are a step like any other, which undo takes back.
    """
    opened = await _open(session, orchestration, condition)
    _refuse_other(opened.row, version)
    if keep == "theirs":
        theirs = await reading.of_saved(session, opened.row.parameters)
        return await _push(session, opened, theirs, words=f"Version {version} taken", base=version)
    draft = opened.draft
    await DraftStore(session.connection).update(
        opened.key, position=draft.position, base_version=version, kept=draft.kept
    )
    return await _shown(session, opened, opened.definition)


async def save(session: Session, orchestration: str, condition: Condition, note: str) -> Saved:
    """Save the draft as a new version, which ends it."""
    session.actor.require_configure(ORCHESTRATOR)
    await configurations.lock_orchestrations(session)
    key = reading.key_of(session, orchestration)
    row, draft = await _checked(session, key, condition)
    if draft is None:
        raise Conflict("there is no draft to save: change something first")
    _refuse_other(row, draft.base_version)
    definition = await reading.parsed(session, draft)
    phases = [phase for phase in definition.to_json()["phases"] if phase["tasks"]]
    spec = OrchestrationSpec(
        name=row.name,
        description=row.description,
        labels=row.labels,
        enabled=row.enabled,
        phases=phases,
        note=note,
        kept=set(sealed_values(phases)),
    )
    saved = await orchestrations.save(session, orchestration, spec)
    await DraftStore(session.connection).delete(key)
    return saved


async def discard(session: Session, orchestration: str, condition: Condition) -> None:
    """End the draft; the saved tasks stay as they are."""
    session.actor.require_configure(ORCHESTRATOR)
    key = reading.key_of(session, orchestration)
    _, draft = await _checked(session, key, condition)
    if draft is not None:
        await DraftStore(session.connection).delete(key)


async def _open(session: Session, orchestration: str, condition: Condition) -> _Opened:
    """The caller's draft, locked; the first step begins it with the saved tasks."""
    session.actor.require_configure(ORCHESTRATOR)
    key = reading.key_of(session, orchestration)
    row, draft = await _checked(session, key, condition)
    if draft is None:
        draft = await _begin(session, key, row)
    return _Opened(key, row, draft, await reading.parsed(session, draft))


async def _checked(
    session: Session, key: DraftKey, condition: Condition
) -> tuple[Configuration, Draft | None]:
    """The orchestration and the draft, locked; refuses a caller who has seen another state."""
    row = await configurations.load(session, orchestration_key(key.orchestration))
    store = DraftStore(session.connection)
    await store.lock(key)
    draft = await store.draft(key)
    etag = reading.etag_of(row, draft)
    verdict = condition.verdict(etag)
    if verdict is Verdict.MISSING:
        raise PreconditionRequired(
            "send the etag of the draft that you have seen, so that no step is done twice", field=IF_MATCH
        )
    if verdict is not Verdict.MET:
        raise _moved_on(etag)
    return row, draft


def _moved_on(etag: str) -> PreconditionFailed:
    detail = "the draft is no longer as you have seen it, so nothing was done: load it again"
    return PreconditionFailed(detail, field=IF_MATCH, etag=etag, change=None)


async def _begin(session: Session, key: DraftKey, row: Configuration) -> Draft:
    store = DraftStore(session.connection)
    if await store.count(project=session.project, owner=key.owner) >= MAX_DRAFTS:
        raise Conflict(f"you have {MAX_DRAFTS} drafts in this project: save or discard one of them first")
    definition = await reading.of_saved(session, row.parameters)
    text = await reading.quickly(session, definition, lambda: states.written(states.phases_of(definition)))
    if not await store.insert(key, base_version=row.version):
        raise _moved_on(reading.etag_of(row, await store.draft(key)))
    await store.insert_state(key, 0, text, "")
    begun = await store.draft(key)
    assert begun is not None
    return begun


async def _push(
    session: Session,
    opened: _Opened,
    made: DraftDefinition,
    *,
    words: str | None = None,
    base: int | None = None,
) -> Board:
    """Make it the next state; what could have been done again is gone."""
    draft, before = opened.draft, opened.definition
    old, new = [await reading.quickly(session, made, states.phases_of, each) for each in (before, made)]
    names = await reading.names_of(session, old, new)

    def written() -> tuple[str, str]:
        return states.written(new), words or changes.summary(changes.compare(old, new, names))

    text, summary = await reading.quickly(session, made, written)
    store, position = DraftStore(session.connection), draft.position + 1
    await store.delete_later_states(opened.key, draft.position)
    await store.insert_state(opened.key, position, text, summary)
    await store.update(
        opened.key, position=position, base_version=base or draft.base_version, kept=draft.kept
    )
    await store.delete_oldest_states(
        opened.key, max_states=states.MAX_STATES, max_bytes=states.MAX_BYTES_OF_ALL
    )
    return await _shown(session, opened, made)


async def _go(session: Session, opened: _Opened, position: int) -> Board:
    draft = opened.draft
    await DraftStore(session.connection).update(
        opened.key, position=position, base_version=draft.base_version, kept=draft.kept
    )
    return await _shown(session, opened)


async def _shown(session: Session, opened: _Opened, definition: DraftDefinition | None = None) -> Board:
    """The draft as it has become; `definition` if it is known already."""
    draft = await DraftStore(session.connection).draft(opened.key)
    return await reading.board(session, opened.row, draft, definition)


def _refuse_other(row: Configuration, version: int) -> None:
    """Unless this is the newest version."""
    if row.version == version:
        return
    raise Overtaken(
        f"{row.author} saved version {row.version} at {stamp(row.updated_at)}, after you began: "
        "put your tasks on top of it, or take its tasks",
        field="version",
        saved=[SavedSince(ORCHESTRATOR, row.id, row.version, row.author, row.updated_at, row.note)],
    )
