"""Writes fires as the scheduler would, and as the runner decides about them."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from tests.integration.web.conftest import Visit


async def recorded_fires(visit: Visit, orchestration: str, schedule: str) -> None:
    """From the newest: one that was missed, one that joined the last run, and one for each run before."""
    database = visit.site.database
    saved = await visit.client.get(f"orchestrations/{orchestration}/schedules/{schedule}")
    runs = await database.fetch(
        "SELECT id, scheduled_for FROM jobs.jobs WHERE project = $1 AND configuration = $2 AND kind = 'run' "
        "ORDER BY seq DESC LIMIT 8",
        visit.project,
        orchestration,
    )
    last, at = runs[0]["id"], runs[0]["scheduled_for"]
    joined = uuid4()
    await database.execute(
        "INSERT INTO jobs.request_records (job_id, decision, into_job_id, project, configuration,"
        " schedule_id, fire_key, scheduled_for) VALUES ($1, 'merged', $2, $3, $4, $5, 'joined', $6)",
        joined,
        last,
        visit.project,
        orchestration,
        UUID(saved["id"]),
        at + timedelta(minutes=1),
    )
    fires: list[tuple[str, UUID | None, datetime]] = [
        ("missed", None, at + timedelta(minutes=2)),
        ("requested", joined, at + timedelta(minutes=1)),
        *(("requested", run["id"], run["scheduled_for"]) for run in runs),
    ]
    for outcome, job, scheduled_for in fires:
        await database.execute(
            "INSERT INTO scheduler.fires (schedule_id, fire_key, project, orchestration, version,"
            " scheduled_for, at, outcome, job_id) VALUES ($1, $2, $3, $4, 1, $5, $5, $6, $7)",
            UUID(saved["id"]),
            scheduled_for.isoformat(),
            visit.project,
            orchestration,
            scheduled_for,
            outcome,
            job,
        )
