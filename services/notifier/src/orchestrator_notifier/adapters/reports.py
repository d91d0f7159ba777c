"""Reads the contents of a mail when it is written."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from orchestrator_notifier.domain.report import FailedTask, MissedReport, RunReport, Start, deepest
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import EndReason, JobStatus, NotificationEvent, Origin

MAX_TASKS = 50
MAX_LOGS = 3
MAX_REPEATED = 11
"""One more than is shown, to know whether there are more."""


class ReportStore:
    """Several short reads; a finished run changes no more."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._queries = Queries.load("orchestrator_notifier.adapters", "reports.sql")

    async def run(self, job_id: UUID) -> RunReport | None:
        """None if the run was deleted."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(self._queries["run"], job_id)
            if row is None:
                return None
            failed = await connection.fetch(self._queries["failed_tasks"], job_id, MAX_TASKS)
            counts = await connection.fetch(self._queries["task_counts"], job_id)
            repeat = await connection.fetch(self._queries["tasks_to_repeat"], job_id, MAX_REPEATED)
            tasks = await self._with_logs(connection, deepest([_task(each) for each in failed]))
        return _report(
            row,
            failed=tasks,
            failed_count=len(tasks) + (failed[0]["total"] - len(failed) if failed else 0),
            counts={each["status"]: each["count"] for each in counts},
            to_repeat=[each["task_id"] for each in repeat],
        )

    async def _with_logs(self, connection: asyncpg.Connection, tasks: list[FailedTask]) -> list[FailedTask]:
        made = []
        for index, task in enumerate(tasks):
            if index < MAX_LOGS and task.job_id is not None and not task.is_run:
                rows = await connection.fetch(self._queries["log_tail"], task.job_id)
                task = replace(task, log="".join(row["text"] for row in reversed(rows)))
            made.append(task)
        return made

    async def missed(
        self, event: str, project: str, orchestration: str, detail: Mapping[str, Any]
    ) -> MissedReport:
        """A schedule's or a trigger's names, around what the fact says."""
        async with acquire(self._pool) as connection:
            if event == NotificationEvent.SCHEDULE_MISSED:
                row = await connection.fetchrow(self._queries["schedule"], UUID(detail["schedule_id"]))
                return MissedReport(
                    project=project,
                    orchestration=orchestration,
                    source=row["name"] if row else "(deleted)",
                    rhythm=_rhythm(row) if row else "",
                    count=detail["count"],
                    first=datetime.fromisoformat(detail["first"]),
                    last=datetime.fromisoformat(detail["last"]),
                )
            row = await connection.fetchrow(self._queries["trigger"], UUID(detail["trigger_id"]))
        return MissedReport(
            project=project,
            orchestration=orchestration,
            source=row["name"] if row else "(deleted)",
            last=datetime.fromisoformat(detail["deadline"]),
            late_tables=detail["late_tables"],
            late_count=detail["late_count"],
        )


def _rhythm(row: asyncpg.Record) -> str:
    return f"{row['cron']} ({row['timezone']})" if row["cron"] else f"every {row['every_seconds']} s"


def _task(row: asyncpg.Record) -> FailedTask:
    return FailedTask(
        path=tuple(row["path"]),
        phase=row["phase"],
        what=f"{row['component']}/{row['configuration']}",
        status=JobStatus(row["status"]),
        continued=row["continue_on_failure"],
        job_id=row["job_id"],
        message=row["message"] or "",
        attempts=row["attempt"] or 0,
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        is_run=row["component"] == ORCHESTRATOR,
    )


def _report(row: asyncpg.Record, **found: Any) -> RunReport:
    nested = row["root_id"] is not None and row["root_id"] != row["id"]
    prefix = "root_" if nested else ""
    return RunReport(
        id=row["id"],
        number=row["number"],
        project=row["project"],
        project_name=row["project_name"] or row["project"],
        orchestration=row["orchestration"],
        name=row["name"] or row["orchestration"],
        status=JobStatus(row["status"]),
        start=Start(
            origin=Origin(row[f"{prefix}origin"]),
            schedule=row[f"{prefix}schedule"],
            trigger=row[f"{prefix}trigger"],
            requested_by=row[f"{prefix}requested_by"],
        ),
        stopped_by=row["stop_requested_by"],
        scheduled_for=row["scheduled_for"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        message=row["message"] or "",
        end_reason=EndReason(row["end_reason"]) if row["end_reason"] else None,
        version=row["version"],
        root=(row["root_id"], row["root_orchestration"], row["root_number"]) if nested else None,
        **found,
    )
