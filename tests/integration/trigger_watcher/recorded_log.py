"""The log of one trigger as the database has recorded it, for the slow model."""

from datetime import timedelta

from tests.integration.trigger_watcher.slow_model import Ended, Entry, Heard, Saved, Started
from tests.integration.trigger_watcher.stage import Stage

from orchestrator_shared.domain.ids import TriggerId


async def recorded_log(stage: Stage, project: str, orchestration: str, trigger_id: TriggerId) -> list[Entry]:
    """Updates, saves, starts, and ends of runs that never started; in no order."""
    return [
        *await _heard(stage, project),
        *await _saved(stage, trigger_id),
        *await _runs(stage, project, orchestration),
    ]


async def _heard(stage: Stage, project: str) -> list[Heard]:
    rows = await stage.pool.fetch(
        "SELECT heard_at, project || '/' || table_name AS name, seq FROM triggers.updates"
        " WHERE project IN ($1, $1 || '-other')",
        project,
    )
    return [Heard(row["heard_at"], row["name"], row["seq"]) for row in rows]


async def _saved(stage: Stage, trigger_id: TriggerId) -> list[Saved]:
    rows = await stage.pool.fetch(
        "SELECT * FROM triggers.saved_versions WHERE trigger_id = $1 ORDER BY number", trigger_id
    )
    return [
        Saved(
            at=row["at"],
            tables=frozenset(
                () if row["deleted"] else (f"{table['project']}/{table['name']}" for table in row["tables"])
            ),
            enabled=row["enabled"],
            cool_down=timedelta(seconds=row["cool_down_seconds"]),
            defers=row["mode"] == "defer",
            resets=row["reset_count"],
        )
        for row in rows
    ]


async def _runs(stage: Stage, project: str, orchestration: str) -> list[Started | Ended]:
    rows = await stage.pool.fetch(
        "SELECT j.id, j.seq, j.started_at, j.finished_at, j.full_run, other.seq AS used_by FROM jobs.jobs j"
        " LEFT JOIN jobs.withdrawals w ON w.job_id = j.id LEFT JOIN jobs.jobs other ON other.id = w.used_by"
        " WHERE j.project = $1 AND j.configuration = $2"
        " AND (j.started_at IS NOT NULL OR j.finished_at IS NOT NULL)",
        project,
        orchestration,
    )
    return [
        Ended(row["finished_at"], row["id"], row["used_by"])
        if row["started_at"] is None
        else Started(row["started_at"], row["id"], row["seq"], bool(row["full_run"]))
        for row in rows
    ]
