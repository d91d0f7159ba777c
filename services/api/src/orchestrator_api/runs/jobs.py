"""Reading jobs: what the runner knows, and requests that it has not accepted yet."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.http.session import Session
from orchestrator_api.runs.job_times import Attempt, Moments, expected_end, waits_of
from orchestrator_api.runs.narrowing import narrowed_job, narrowed_task
from orchestrator_api.runs.overlaps import DECIDED, as_job, shown
from orchestrator_api.runs.waiting import WaitingFacts, explain_waiting
from orchestrator_api.sql import Row
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.merging import deep_merge
from orchestrator_shared.domain.statuses import FINAL_STATUSES
from orchestrator_shared.security import mask_secrets

LOG_BYTES = 4 * 1024 * 1024
"""About the most text of a log in one answer: 500 chunks would be 32 MiB."""
_CREATED: Row = {
    "number": None,
    "status": "created",
    "parent_id": None,
    "phase": None,
    "task_id": None,
    "attempt": 0,
    "max_attempts": 1,
    "previous_success": None,
    "accepted_at": None,
    "started_at": None,
    "finished_at": None,
    "message": None,
    "error_kind": None,
    "output_tables": [],
    "trigger_id": None,
    "schedule_id": None,
    "fire_key": None,
}


async def find(session: Session, job_id: UUID) -> Row:
    """The job, or its request as a job of the status created; NotFound otherwise.

    For a token that may only run, only the runs that it started, and what is below them, are there.
    """
    row = await _find(session, job_id)
    if row is None or not await _is_visible(session, row["root_id"]):
        raise NotFound(f"there is no job {job_id} in this project", field="job")
    return row


async def _is_visible(session: Session, root: UUID) -> bool:
    actor = session.actor
    if actor.reads_project:
        return True
    return bool(await session.sql.value("is_own_run", session.project, actor.token_id, root))


async def _find(session: Session, job_id: UUID) -> Row | None:
    row = await session.sql.one("job", session.project, job_id)
    if row is not None:
        return row
    request = await session.sql.one("created_job", session.project, job_id)
    if request is not None:
        # Accepted between the two reads? Then the job is there now.
        return await session.sql.one("job", session.project, job_id) or _as_created(request)
    record = await session.sql.one("overlap", session.project, job_id)
    return None if record is None else as_job(record)


def _as_created(request: Row) -> Row:
    kind = "run" if request["component"] == ORCHESTRATOR else "component"
    return {**_CREATED, **request, "kind": kind, "root_id": request["id"]}


async def listing(
    session: Session,
    *,
    statuses: Sequence[str] | None,
    component: str | None,
    configuration: str | None,
    parent: UUID | None,
    root: UUID | None,
    origin: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Row]:
    """The newest jobs first, with their masked parameters and what they wait for."""
    at, last_id = before or (None, None)
    if not session.actor.reads_project:
        if parent is None and root is None:
            filters = (statuses and list(statuses), component, configuration, origin, at, last_id, limit)
            return await completed(session, await _own_runs(session, *filters))
        if not await _are_visible(session, parent, root):
            return []
    rows = await session.sql.many(
        "jobs",
        session.project,
        list(statuses) if statuses else None,
        component,
        configuration,
        parent,
        root,
        origin,
        at,
        last_id,
        limit,
    )
    return await completed(session, rows)


async def _own_runs(session: Session, *filters: Any) -> list[Row]:
    return await session.sql.many("own_runs", session.project, session.actor.token_id, *filters)


async def _are_visible(session: Session, parent: UUID | None, root: UUID | None) -> bool:
    """Whether the jobs below these belong to a run that the token started."""
    if parent is not None:
        root_of_parent = await session.sql.value("root_of_job", session.project, parent)
        if root_of_parent is None or root not in (None, root_of_parent):
            return False
        root = root_of_parent
    return root is not None and await _is_visible(session, root)


async def completed(session: Session, rows: Iterable[Row]) -> list[Row]:
    """Rows for whoever asks: secrets masked, the reason of waiting added."""
    listed = list(rows)
    reasons = await waiting(session, [row["id"] for row in listed if row["status"] == "waiting"])
    whole = [
        {**row, "parameters": mask_secrets(row["parameters"]), "waiting": reasons.get(row["id"])}
        for row in listed
    ]
    return whole if session.actor.reads_project else [narrowed_job(row) for row in whole]


async def detail(session: Session, job_id: UUID) -> Row:
    """One job with all that belongs to it."""
    found = await find(session, job_id)
    (row,) = await completed(session, [found])
    if not session.actor.reads_project:
        moments = _moments(found, await session.sql.many("attempts", job_id))
        return {**row, "waits": asdict(waits_of(moments, session.now))}
    attempts = await session.sql.many("attempts", job_id)
    usual = (await usual_durations(session, [(row["component"], row["configuration"])])).get(
        (row["component"], row["configuration"])
    )
    return {
        **row,
        "parameters_as_run": await _as_run(session, row),
        "retries": await session.sql.many("retries", session.project, job_id),
        "attempts": attempts,
        "waits": None if row["status"] in DECIDED else asdict(waits_of(_moments(row, attempts), session.now)),
        "usual_duration_seconds": usual,
        "expected_end": expected_end(row["status"], row["started_at"], usual),
    }


async def _as_run(session: Session, row: Row) -> dict[str, Any] | None:
    """The parameters of the version that ran, with the job's own merged over them."""
    if row["kind"] == "run" or row["version"] is None:
        return None
    key = Key(row["component"], row["configuration"])
    stored = await configurations.find_version(session, key, row["version"])
    if stored is None:
        return None
    merged: dict[str, Any] = mask_secrets(deep_merge(stored["parameters"], row["parameters"]))
    return merged


def _moments(row: Row, attempts: Sequence[Row]) -> Moments:
    names = ("requested_at", "accepted_at", "started_at", "finished_at")
    return Moments(
        **{name: row[name] for name in names},
        due_at=row.get("due_at"),
        ready_at=row.get("ready_at"),
        attempts=tuple(Attempt(each["started_at"], each["finished_at"]) for each in attempts),
        is_waiting=row["status"] == "waiting",
    )


async def usual_durations(
    session: Session, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], float]:
    """How long the last successful jobs of these configurations took on average, in seconds."""
    values = ([component for component, _ in wanted], [name for _, name in wanted])
    rows = await session.sql.many("usual_durations", session.project, *values)
    return {(row["component"], row["configuration"]): round(row["seconds"], 3) for row in rows}


async def last_runs(session: Session, orchestrations: Sequence[str]) -> dict[str, Row]:
    """The newest run of each of these orchestrations that has one."""
    rows = await session.sql.many("last_runs", session.project, orchestrations)
    return {row["configuration"]: row for row in rows}


async def overlaps(
    session: Session, orchestration: str, before: tuple[Any, ...], limit: int
) -> list[dict[str, Any]]:
    """Requests of an orchestration that were merged into a waiting run or skipped, newest first."""
    rows = await session.sql.many("overlaps", session.project, orchestration, *before, limit)
    return [shown(row) for row in rows]


async def waiting(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Why each of these jobs waits."""
    if not job_ids:
        return {}
    names = list(WaitingFacts.__dataclass_fields__)
    rows = await session.sql.many("waiting_facts", list(job_ids))
    return {
        row["id"]: asdict(explain_waiting(WaitingFacts(**{name: row[name] for name in names})))
        for row in rows
    }


async def tasks(session: Session, job_id: UUID) -> list[dict[str, Any]]:
    """Phases and tasks of a run, with the jobs of those that were started."""
    phases = await session.sql.many("phases", job_id)
    rows = await session.sql.many("tasks", job_id)
    reasons = await waiting(session, [row["job_id"] for row in rows if row["job_status"] == "waiting"])
    shown: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        shown[row["phase"]].append(_task(row, reasons))
    if not session.actor.reads_project:
        shown = defaultdict(list, {n: [narrowed_task(task) for task in found] for n, found in shown.items()})
    return [{**phase, "tasks": shown[phase["index"]]} for phase in phases]


def _task(row: Row, reasons: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    job = None
    if row["job_id"] is not None:
        names = ("started_at", "finished_at", "attempt", "message", "error_kind")
        job = {name: row[name] for name in names}
        job |= {"id": row["job_id"], "number": row["job_number"], "status": row["job_status"]}
        job["waiting"] = reasons.get(row["job_id"])
    names = ("name", "component", "configuration", "status", "continue_on_failure")
    return {"id": row["task_id"], **{name: row[name] for name in names}, "job": job}


async def log(session: Session, job_id: UUID, after: tuple[int, int] | None, limit: int) -> dict[str, Any]:
    """A part of the log. The job is read first: a log that is complete by then stays so."""
    job = await find(session, job_id)
    attempt, seq = after or (None, None)
    chunks = await session.sql.many("log_chunks", job_id, attempt, seq, limit, LOG_BYTES)
    is_whole = not chunks or len(chunks) == chunks[0]["total"] < limit
    last = (chunks[-1]["attempt"], chunks[-1]["seq"]) if chunks else after
    return {
        "chunks": chunks,
        "next": f"{last[0]}:{last[1]}" if last else None,
        "finished": job["status"] in FINAL_STATUSES | DECIDED and is_whole,
    }
