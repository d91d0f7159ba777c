"""What needs attention: unsolved failures, runs that take long, tables that are late, missed fires."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from orchestrator_api.http.session import Session
from orchestrator_api.runs import jobs
from orchestrator_api.runs.rows import FailedTask, UnfinishedRun, UnsolvedFailure
from orchestrator_api.schedules import service as schedules
from orchestrator_api.schedules.rows import MissedSchedule
from orchestrator_api.triggers import rhythms
from orchestrator_api.triggers.rhythms import LateTable
from orchestrator_shared.domain.durations import spoken_duration
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zones import parse_zone

Kind = Literal["failed", "running_long", "waiting_long", "table_late", "schedule_missed", "schedule_overdue"]

MOST = 1_000
"""As many of each kind are looked at."""
LEAST_SECONDS = 60.0
LEAST_WAIT_SECONDS = 300.0
"""Runs that have taken or waited for less are nothing to look at, however long is usual."""
LEAST_RUNS = 5
LONGER_THAN_USUAL = 1.2
"""As notifications have it, unless a subscription says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One thing to look at."""

    kind: Kind
    orchestration: str
    name: str
    since: datetime
    summary: str
    job_id: UUID | None = None
    number: int | None = None
    task: str | None = None
    message: str | None = None
    schedule: str | None = None
    trigger: str | None = None
    table: str | None = None
    seconds: float | None = None
    usual_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The first of them, and how many there are besides."""

    items: Sequence[Attention]
    more: int


async def find(session: Session, limit: int, zone: ZoneInfo) -> Found:
    """What is most urgent: failures, then what takes long or is late, then missed fires; the newest first.

    What is late is judged by usual times in the zone.
    """
    failures = sorted(
        await jobs.unsolved_failures(session, limit=MOST), key=lambda each: each.finished_at, reverse=True
    )
    unfinished = await jobs.long_unfinished_runs(session, seconds=LEAST_SECONDS, limit=MOST)
    missed = await schedules.missed(session, limit=MOST)
    late = late_runs(unfinished, session.now)
    tasks = await jobs.first_failed_tasks(session, [each.id for each in failures[:limit]])
    shown = [failed(each, tasks) for each in failures[:limit]]
    shown += late + _newest_first(late_table(each) for each in await rhythms.late_tables(session, zone))
    shown += _newest_first(missed_schedule(each) for each in missed)
    hidden = max(len(failures) - limit, 0)
    return Found(shown[:limit], len(shown[limit:]) + hidden)


def failed(run: UnsolvedFailure, tasks: Mapping[UUID, FailedTask]) -> Attention:
    """A run that failed, with its first failed task and what that said."""
    task = tasks.get(run.id)
    where = f" in {task.name}" if task else ""
    return Attention(
        kind="failed",
        orchestration=run.orchestration,
        name=run.name,
        since=run.finished_at,
        summary=f"{run.name} #{run.number} failed{where}",
        job_id=run.id,
        number=run.number,
        task=task.task_id if task else None,
        message=task.message if task and task.message else run.message,
    )


def late_runs(runs: Iterable[UnfinishedRun], now: datetime) -> list[Attention]:
    """Those of the runs that take or wait longer than usual."""
    return _newest_first(found for run in runs if (found := _late(run, now)) is not None)


def _late(run: UnfinishedRun, now: datetime) -> Attention | None:
    is_waiting = run.started_at is None
    since = run.started_at or run.accepted_at
    usual = run.waited_seconds if is_waiting else run.ran_seconds
    least = LEAST_WAIT_SECONDS if is_waiting else LEAST_SECONDS
    seconds = (now - since).total_seconds()
    if run.runs < LEAST_RUNS or usual is None or seconds < max(least, usual * LONGER_THAN_USUAL):
        return None
    did = "has waited" if is_waiting else "has run"
    lasted = f"{spoken_duration(seconds)}, usually {spoken_duration(usual)}"
    return Attention(
        kind="waiting_long" if is_waiting else "running_long",
        orchestration=run.orchestration,
        name=run.name,
        since=since,
        summary=f"{run.name} #{run.number} {did} for {lasted}",
        job_id=run.id,
        number=run.number,
        seconds=round(seconds, 3),
        usual_seconds=round(usual, 3),
    )


def late_table(late: LateTable) -> Attention:
    """A table that a trigger waits for."""
    waiting, seconds = late.waiting, late.lateness.late_seconds
    lasted = f"{spoken_duration(seconds)} late ({late.rhythm.words})"
    return Attention(
        kind="table_late",
        orchestration=waiting.orchestration,
        name=waiting.name,
        since=late.lateness.expected_at,
        summary=f"{waiting.name} waits for {late.table}, {lasted}",
        trigger=waiting.trigger,
        table=late.table,
        seconds=round(seconds, 3),
    )


def missed_schedule(missed: MissedSchedule) -> Attention:
    """A schedule whose newest fire did not start a run."""
    at = _local(missed.since, missed.timezone)
    if missed.is_overdue:
        summary = f"schedule {missed.schedule} of {missed.name} is overdue since {at}"
    elif missed.fires > 1:
        summary = f"schedule {missed.schedule} of {missed.name} missed {missed.fires} fires, the last at {at}"
    else:
        summary = f"schedule {missed.schedule} of {missed.name} missed its fire at {at}"
    return Attention(
        kind="schedule_overdue" if missed.is_overdue else "schedule_missed",
        orchestration=missed.orchestration,
        name=missed.name,
        since=missed.since,
        summary=summary,
        schedule=missed.schedule,
    )


def _local(at: datetime, timezone: str) -> str:
    try:
        return f"{at.astimezone(parse_zone(timezone)):%d %b %Y %H:%M} {timezone}"
    except UserError:  # the zone no longer exists
        return f"{at:%d %b %Y %H:%M} UTC"


def _newest_first(found: Iterable[Attention]) -> list[Attention]:
    return sorted(found, key=lambda each: each.since, reverse=True)
