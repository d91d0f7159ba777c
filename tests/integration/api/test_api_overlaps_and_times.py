"""Merged and skipped fires can be read; jobs show their waits, usual duration and expected end."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from tests.integration.api.conftest import Client
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

RECORD = (
    "INSERT INTO jobs.request_records (job_id, at, decision, into_job_id, project, configuration,"
    " schedule_id, fire_key, scheduled_for) VALUES ($1, $2, $3, $4, 'demo', 'daily', $5, $6, $2)"
)
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


async def test_merged_and_skipped_fires_are_explained(furnished: Client, database: Database) -> None:
    saved = await furnished.put("orchestrations/daily/schedules/hourly", {"cron": "0 * * * *"})
    schedule = UUID(saved["id"])
    run = await Runner(database).job("daily", 7, "waiting", component="orchestrator")
    merged, skipped = uuid4(), uuid4()
    await database.execute(RECORD, merged, NOW, "merged", run, schedule, "a")
    await database.execute(RECORD, skipped, NOW + timedelta(hours=1), "skipped", run, schedule, "b")
    listed = await furnished.get("orchestrations/daily/overlaps?limit=1")
    rest = await furnished.get(f"orchestrations/daily/overlaps?cursor={listed['next']}")
    both = [*listed["items"], *rest["items"]]
    assert [(each["job_id"], each["decision"], each["schedule"]) for each in both] == [
        (str(skipped), "skipped", "hourly"),
        (str(merged), "merged", "hourly"),
    ]
    assert both[1]["other"] == {"id": str(run), "number": 7, "status": "waiting"}
    shown = await furnished.get(f"jobs/{merged}")
    assert (shown["status"], shown["overlap"]["other"]["id"]) == ("merged", str(run))
    assert "was merged into run #7" in shown["message"]
    assert "not run, because run #7" in (await furnished.get(f"jobs/{skipped}"))["message"]
    assert (await furnished.get(f"jobs/{merged}/log"))["finished"] is True
    assert (await furnished.get(f"jobs/{merged}/tasks"))["phases"] == []
    assert "run #7" in (await furnished.post(f"jobs/{merged}/termination", status=409))["detail"]
    refused = await furnished.get(f"jobs/{merged}/retry-plan", status=409)
    assert "nothing to retry: it was merged into run #7" in refused["detail"]
    await furnished.get("orchestrations/ghost/overlaps", status=404)


FIRE = (
    "INSERT INTO scheduler.fires (schedule_id, fire_key, project, orchestration, version, scheduled_for,"
    " at, outcome, job_id) VALUES ($1, $2, 'demo', 'daily', 1, $3, $3, $4, $5)"
)


async def test_fires_tell_their_run_or_the_one_that_they_joined(
    furnished: Client, database: Database
) -> None:
    saved = await furnished.put("orchestrations/daily/schedules/hourly", {"cron": "0 * * * *"})
    schedule = UUID(saved["id"])
    runner = Runner(database)
    run = await runner.job("daily", 7, "success", component="orchestrator")
    foreign = await Runner(database, "other").job("daily", 8, "success", component="orchestrator")
    merged, skipped = uuid4(), uuid4()
    await database.execute(RECORD, merged, NOW, "merged", run, schedule, "b")
    await database.execute(RECORD, skipped, NOW, "skipped", run, schedule, "c")
    fires = ((run, "a"), (merged, "b"), (skipped, "c"), (uuid4(), "d"), (foreign, "e"))
    for job, key in fires:
        await database.execute(FIRE, schedule, key, NOW, "requested", job)
    await database.execute(FIRE, schedule, "f", NOW, "missed", None)
    found = (await furnished.get(f"schedules/{schedule}/fires"))["items"]
    assert [(each["outcome"], each["number"], each["status"], each["other_number"]) for each in found] == [
        ("missed", None, None, None),
        ("requested", None, None, None),
        ("requested", None, None, None),
        ("requested", None, "skipped", 7),
        ("requested", None, "merged", 7),
        ("requested", 7, "success", None),
    ]
    page = await furnished.get(f"schedules/{schedule}/fires?limit=2")
    rest = await furnished.get(f"schedules/{schedule}/fires?limit=9&cursor={page['next']}")
    assert [*page["items"], *rest["items"]] == found


async def test_a_deleted_schedule_comes_back_with_its_fires(furnished: Client, database: Database) -> None:
    path = "orchestrations/daily/schedules/hourly"
    await furnished.post(f"{path}/restore", status=404)
    saved = await furnished.put(path, {"cron": "0 * * * *", "overlap": "skip"})
    await database.execute(FIRE, UUID(saved["id"]), "a", NOW, "missed", None)
    older = await furnished.get(path)
    await furnished.delete(path, status=204)
    made = await furnished.put(path, {"cron": "5 * * * *"}, status=201)
    refused = await furnished.post(f"{path}/restore", status=409)
    assert "has a schedule 'hourly': delete it first" in refused["detail"]
    await furnished.delete(path, status=204)

    newest = await furnished.post(f"{path}/restore")
    assert (newest["id"], newest["cron"]) == (made["id"], "5 * * * *")
    await database.execute("DELETE FROM catalog.schedules WHERE id = $1", UUID(made["id"]))
    back = await furnished.post(f"{path}/restore")
    assert back == {**older, "version": 3}
    fires = (await furnished.get(f"schedules/{back['id']}/fires"))["items"]
    assert [each["outcome"] for each in fires] == ["missed"]
    await furnished.delete("orchestrations/daily", status=204)
    await furnished.post(f"{path}/restore", status=404)


async def test_usual_duration_is_the_mean_of_the_last_successes(
    furnished: Client, database: Database
) -> None:
    runner = Runner(database)
    await runner.connect()

    async def ended(number: int, seconds: float, status: str = "success", **more: object) -> None:
        times = {"started_at": NOW, "finished_at": NOW + timedelta(seconds=seconds)}
        await runner.job("daily", number, status, component="orchestrator", **times, **more)

    assert (await furnished.get("orchestrations/daily"))["usual_duration_seconds"] is None
    for number in range(1, 6):
        await ended(number, 1000)
    for number in range(6, 26):
        await ended(number, 10 if number % 2 else 20)
    await ended(26, 5000, "error")
    await ended(27, 5000, full_run=False)
    run = await runner.job("daily", 28, "processing", component="orchestrator", started_at=NOW)
    shown = await furnished.get(f"jobs/{run}")
    assert (shown["usual_duration_seconds"], shown["expected_end"]) == (15.0, "2026-11-21T08:00:15Z")
    assert (await furnished.get("orchestrations/daily"))["usual_duration_seconds"] == 15.0
    assert (await furnished.get("orchestrations"))["items"][0]["usual_duration_seconds"] == 15.0


async def test_waits_and_attempts_of_a_job(furnished: Client, database: Database) -> None:
    job = await Runner(database).job(
        "one",
        1,
        "success",
        attempt=2,
        requested_at=NOW,
        accepted_at=NOW + timedelta(seconds=1),
        due_at=NOW + timedelta(seconds=20),
        ready_at=NOW + timedelta(seconds=22),
        started_at=NOW + timedelta(seconds=5),
        finished_at=NOW + timedelta(seconds=40),
    )
    for attempt, start, end, outcome in ((1, 5, 10, "error"), (2, 25, 40, "success")):
        await database.execute(
            "INSERT INTO jobs.attempts VALUES ($1, $2, $3, $4, $5, $6, NULL)",
            job,
            attempt,
            uuid4(),
            NOW + timedelta(seconds=start),
            NOW + timedelta(seconds=end),
            outcome,
        )
    shown = await furnished.get(f"jobs/{job}")
    assert shown["waits"] == {
        "total_seconds": 20.0,
        "acceptance_seconds": 1.0,
        "configuration_busy_seconds": 2.0,
        "delay_seconds": 10.0,
        "slot_or_limit_seconds": 3.0,
        "undivided_seconds": 4.0,
    }
    assert [(each["attempt"], each["outcome"]) for each in shown["attempts"]] == [
        (1, "error"),
        (2, "success"),
    ]
    created = await furnished.post("orchestrations/daily/runs")
    fresh = await furnished.get(f"jobs/{created['job_id']}")
    assert fresh["waits"]["acceptance_seconds"] == fresh["waits"]["total_seconds"]
