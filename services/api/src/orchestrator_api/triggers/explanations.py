"""Reads the facts that explain why a trigger did or did not start its orchestration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from orchestrator_api.http.session import Session
from orchestrator_api.triggers.explanation_text import (
    Fired,
    FiredTable,
    Off,
    Since,
    TableFacts,
    TriggerFacts,
    cool_down_until,
    missing_since,
    sentences,
)
from orchestrator_api.triggers.rhythms import (
    FEW_TABLES,
    Punctuality,
    ShownRhythm,
    Starvation,
    punctuality,
    recorded,
    starvation,
)
from orchestrator_api.triggers.rows import StoredTrigger, StoredTriggerFire, TriggerHistory, TriggerState
from orchestrator_api.triggers.service import find_by_id, shown_table
from orchestrator_api.triggers.store import TriggerStore
from orchestrator_shared.clock import stamp
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import CoolDownMode, Disposition
from orchestrator_shared.domain.tables import TableRef

UNSEEN = TriggerState(pending_job_id=None, last_started_at=None)
"""The state before the trigger-watcher has read the trigger."""


@dataclass(frozen=True, slots=True)
class ShownTable:
    """The state of one table of the trigger."""

    table: str
    counted: int | None
    used: int | None
    updated_since_last_run: bool
    last_heard_at: datetime | None
    missing_since: datetime | None
    missing_because: str | None
    ready_since: datetime | None
    rhythm: ShownRhythm | None
    expected_at: datetime | None
    late_seconds: float | None


@dataclass(frozen=True, slots=True)
class ShownFire:
    """The newest run that the trigger requested, and the updates that caused it."""

    generation: int
    at: datetime
    job_id: UUID
    tables: Sequence[FiredTable]
    started_at: datetime | None
    ended: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The facts, and the sentences that describe them."""

    trigger_id: UUID
    orchestration: str
    name: str
    ready: bool
    tables_ready: int
    tables: Sequence[ShownTable]
    missing: Sequence[str]
    cool_down_until: datetime | None
    pending_job_id: UUID | None
    last_fire: ShownFire | None
    starvation: Starvation | None
    reasons: Sequence[str]
    summary: str


async def explain(session: Session, trigger_id: UUID, zone: ZoneInfo) -> Explanation:
    """Read what is known of the trigger, and explain it; usual times are in the zone."""
    trigger = await find_by_id(session, trigger_id)
    store = TriggerStore(session.connection)
    state = await store.state(project=session.project, trigger_id=trigger_id) or UNSEEN
    stored = await store.last_fire(project=session.project, trigger_id=trigger_id)
    fire = None if stored is None else _fire(session.project, stored)
    facts = await _facts(session, trigger, state, fire)
    missing = [table.table for table in facts.tables if not table.is_updated]
    reasons = sentences(facts, session.now)
    heard = await _heard(session, facts.tables)
    usual, starved = await _judged(session, trigger, heard, zone)
    return Explanation(
        trigger_id=trigger_id,
        orchestration=trigger.orchestration,
        name=trigger.name,
        ready=not missing,
        tables_ready=len(facts.tables) - len(missing),
        tables=[_shown(facts, table, usual.get(table.table, Punctuality())) for table in facts.tables],
        missing=missing,
        cool_down_until=cool_down_until(facts, session.now),
        pending_job_id=state.pending_job_id,
        last_fire=fire,
        starvation=starved,
        reasons=reasons,
        summary=" ".join(reasons),
    )


async def _heard(session: Session, tables: Sequence[TableFacts]) -> dict[str, Sequence[datetime]]:
    """The newest updates of each table, by its name as seen from the project."""
    refs = [TableRef.parse(each.table, own_project=session.project) for each in tables]
    found = await recorded(session, [(ref.project, str(ref.name)) for ref in refs])
    return {shown_table(session.project, *table): times for table, times in found.items()}


async def _judged(
    session: Session, trigger: StoredTrigger, heard: Mapping[str, Sequence[datetime]], zone: ZoneInfo
) -> tuple[Mapping[str, Punctuality], Starvation | None]:
    def judged() -> tuple[Mapping[str, Punctuality], Starvation | None]:
        usual = {table: punctuality(times, session.now, zone) for table, times in heard.items()}
        return usual, _starvation(trigger, heard, session.now)

    return judged() if len(heard) <= FEW_TABLES else await session.offload.run(judged)


def _starvation(
    trigger: StoredTrigger, heard: Mapping[str, Sequence[datetime]], now: datetime
) -> Starvation | None:
    if trigger.mode == CoolDownMode.DEFER or not trigger.cool_down_seconds or not heard:
        return None
    return starvation(heard, trigger.cool_down_seconds, now)


def _shown(facts: TriggerFacts, table: TableFacts, usual: Punctuality) -> ShownTable:
    since = missing_since(facts, table)
    return ShownTable(
        table=table.table,
        counted=table.counted,
        used=table.used,
        updated_since_last_run=table.is_updated,
        last_heard_at=table.last_heard_at,
        missing_since=None if since is None else since.at,
        missing_because=None if since is None else since.what,
        ready_since=table.ready_since,
        rhythm=usual.rhythm,
        expected_at=usual.expected_at,
        late_seconds=None if table.is_updated else usual.late_seconds,
    )


async def _facts(
    session: Session, trigger: StoredTrigger, state: TriggerState, fire: ShownFire | None
) -> TriggerFacts:
    store = TriggerStore(session.connection)
    history = await store.history(project=session.project, trigger_id=trigger.id)
    assert history is not None, "the trigger was found"
    ignored = 0
    if state.last_started_at is not None:
        ignored = await store.dropped(
            project=session.project,
            trigger_id=trigger.id,
            since=state.last_started_at,
            disposition=Disposition.COOLING_DOWN,
        )
    return TriggerFacts(
        tables=await _tables(session, trigger),
        cool_down=timedelta(seconds=trigger.cool_down_seconds),
        defers=trigger.mode == CoolDownMode.DEFER,
        created_at=history.created_at,
        reset_at=history.reset_at,
        off=await _off(session, trigger, history),
        last_started_at=state.last_started_at,
        ignored=ignored,
        full_run=await _full_run(session, trigger.orchestration),
        fired=None if fire is None else await _fired(session, trigger, state, fire),
    )


async def _tables(session: Session, trigger: StoredTrigger) -> list[TableFacts]:
    return [
        TableFacts(
            shown_table(session.project, each.table_project, each.table_name),
            each.counted,
            each.used,
            each.counted_at,
            each.last_heard_at,
            each.added_at,
            each.ready_since,
        )
        for each in await TriggerStore(session.connection).counts(
            project=session.project, trigger_id=trigger.id
        )
    ]


async def _off(session: Session, trigger: StoredTrigger, history: TriggerHistory) -> Off | None:
    """What keeps updates from counting; the trigger's own switch comes first."""
    orchestration = trigger.orchestration
    subject = f"{ORCHESTRATOR}/{orchestration}"
    if not trigger.enabled:
        what, subject = "The trigger is disabled", f"{orchestration}/{trigger.name}"
    elif history.orchestration_deleted_at is not None:
        what = f"The orchestration {orchestration} is in the trash"
    elif not history.orchestration_enabled:
        what = f"The orchestration {orchestration} is disabled"
    else:
        return None
    since = history.off_since
    if since is None:
        return Off(what)
    store = TriggerStore(session.connection)
    audit = await store.last_audit(project=session.project, subject=subject, at=since)
    heard = await store.dropped(
        project=session.project, trigger_id=trigger.id, since=since, disposition=Disposition.DISABLED
    )
    if audit is None:
        return Off(what, since, ignored=heard)
    return Off(what, since, audit.actor, audit.reason, heard)


async def _full_run(session: Session, orchestration: str) -> Since | None:
    store = TriggerStore(session.connection)
    run = await store.last_full_run(project=session.project, orchestration=orchestration)
    if run is None:
        return None
    return Since(run.started_at, f"{orchestration} #{run.number} ({run.origin}) started")


async def _fired(session: Session, trigger: StoredTrigger, state: TriggerState, fire: ShownFire) -> Fired:
    run = await TriggerStore(session.connection).run_of_fire(project=session.project, job_id=fire.job_id)
    is_over = state.pending_job_id != fire.job_id
    if run is None:
        return Fired(fire.tables, is_over, fire.at, started_at=fire.started_at)
    by = f", by {run.stop_requested_by}" if run.stop_requested_by else ""
    return Fired(
        tables=fire.tables,
        is_over=is_over,
        at=fire.at,
        name=f"{trigger.orchestration} #{run.number}",
        started_at=fire.started_at,
        ended_at=run.finished_at,
        why_not=f"{run.message or run.status}{by}",
    )


def _fire(project: str, stored: StoredTriggerFire) -> ShownFire:
    return ShownFire(
        generation=stored.generation,
        at=stored.at,
        job_id=stored.job_id,
        tables=[_fired_table(project, table) for table in stored.tables],
        started_at=stored.started_at,
        ended=stored.ended,
    )


def _fired_table(project: str, table: Mapping[str, Any]) -> FiredTable:
    name = shown_table(project, table.get("project", project), table.get("table", ""))
    heard_at = table.get("heard_at")  # written by the watcher, with its UTC offset
    return FiredTable(name, table.get("seq"), stamp(datetime.fromisoformat(heard_at)) if heard_at else None)
