"""Orchestrations as people see them: with what starts them, who is notified, and their last run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator_api.catalog import overrides
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.catalog.secrets import masked_phases
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.notifications.rows import StoredSubscription
from orchestrator_api.orchestrations import validation
from orchestrator_api.orchestrations.findings import Findings
from orchestrator_api.orchestrations.validation import FEW_TASKS, Phases
from orchestrator_api.runs import jobs
from orchestrator_api.runs.rows import LastRun
from orchestrator_api.schedules import service as schedules
from orchestrator_api.schedules.rows import StoredSchedule
from orchestrator_api.schedules.times import next_fire
from orchestrator_api.triggers import service as triggers
from orchestrator_api.triggers.rows import StoredTrigger
from orchestrator_shared.domain.ids import ORCHESTRATOR

NO_ONE_NOTIFIED = "no one is notified when it fails: subscribe someone to its errors"


@dataclass(frozen=True, slots=True)
class Starters:
    """What starts an orchestration, and who is notified about it."""

    schedules: list[StoredSchedule] = field(default_factory=list)
    triggers: list[StoredTrigger] = field(default_factory=list)
    notifications: list[StoredSubscription] = field(default_factory=list)

    @property
    def is_automatic(self) -> bool:
        """Whether it also runs unattended."""
        return bool(self.schedules or self.triggers)


@dataclass(frozen=True, slots=True)
class Shown:
    """An orchestration with everything that belongs to it."""

    id: str
    etag: str
    name: str
    description: str
    labels: Sequence[str]
    enabled: bool
    version: int
    phases: Phases
    note: str
    author: str
    created_at: datetime
    updated_at: datetime
    errors: list[str]
    warnings: list[str]
    schedules: list[StoredSchedule]
    triggers: list[StoredTrigger]
    notifications: list[StoredSubscription]
    last_run: LastRun | None
    recent_runs: list[LastRun]
    next_fire: datetime | None
    usual_duration_seconds: float | None


async def orchestrations(
    session: Session, rows: Sequence[Configuration], *, with_tables: bool = True, recent: int = 0
) -> list[Shown]:
    """Combine the rows with everything that belongs to them, and their `recent` last runs.

    `with_tables` also checks which tasks read what others write, and parameters against their schemas.
    """
    names = [row.id for row in rows]
    starters = await _starters(session, names)
    last_runs = await jobs.last_runs(session, names, max(recent, 1))
    usual = await jobs.usual_durations(session, [(ORCHESTRATOR, name) for name in names])
    masked = await _masked(session, rows)
    found = await validation.validate(session, masked, with_tables=with_tables)
    if with_tables:
        for row in rows:
            found[row.id].errors.extend(await overrides.invalid_task_parameters(session, row.parameters))
    return [
        _shown(
            row,
            masked[row.id],
            starters[row.id],
            found[row.id],
            runs=last_runs.get(row.id, []),
            recent=recent,
            usual=usual.get((ORCHESTRATOR, row.id)),
            now=session.now,
        )
        for row in rows
    ]


async def _masked(session: Session, rows: Sequence[Configuration]) -> dict[str, Phases]:
    """The phases of each without secrets; in a thread if there are many tasks."""
    phases = {row.id: row.parameters.get("phases", []) for row in rows}

    def masked() -> dict[str, Phases]:
        return {name: masked_phases(each) for name, each in phases.items()}

    tasks = sum(len(phase["tasks"]) for each in phases.values() for phase in each)
    return masked() if tasks <= FEW_TASKS else await session.offload.run(masked)


async def _starters(session: Session, names: Sequence[str]) -> dict[str, Starters]:
    found = {name: Starters() for name in names}
    for schedule in await schedules.listing(session, names):
        found[schedule.orchestration].schedules.append(schedule)
    for trigger in await triggers.listing(session, names):
        found[trigger.orchestration].triggers.append(trigger)
    for subscription in await notifications.listing(session, names):
        found[subscription.orchestration].notifications.append(subscription)
    return found


def _shown(
    row: Configuration,
    phases: Phases,
    starters: Starters,
    found: Findings,
    *,
    runs: list[LastRun],
    recent: int,
    usual: float | None,
    now: datetime,
) -> Shown:
    last_run = runs[0] if runs else None
    fires = [next_fire(each, now) for each in starters.schedules if row.enabled]
    return Shown(
        id=row.id,
        etag=row.etag,
        name=row.name,
        description=row.description,
        labels=row.labels,
        enabled=row.enabled,
        version=row.version,
        phases=phases,
        note=row.note,
        author=row.author,
        created_at=row.created_at,
        updated_at=row.updated_at,
        errors=found.errors,
        warnings=_warnings(row, phases, starters, last_run) + found.warnings,
        schedules=starters.schedules,
        triggers=starters.triggers,
        notifications=starters.notifications,
        last_run=last_run,
        recent_runs=runs[:recent],
        next_fire=min((at for at in fires if at is not None), default=None),
        usual_duration_seconds=usual,
    )


def _warnings(row: Configuration, phases: Phases, starters: Starters, last_run: LastRun | None) -> list[str]:
    """What is allowed but worth a look."""
    found = []
    is_automatic = starters.is_automatic
    if not phases:
        found.append("it has no tasks yet: it cannot be run")
    if is_automatic and not any(each.event == "error" for each in starters.notifications):
        found.append(NO_ONE_NOTIFIED)
    if is_automatic and phases and last_run is None:
        found.append("it has never been run: run it by hand before it runs unattended")
    if is_automatic and not row.enabled:
        found.append("it is disabled: its schedules and triggers are paused")
    return found
