"""Issue 8.27: runs that take or wait too long are told once, whoever looks and whenever."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.integration.notifier.conftest import Stage, StartNotifier, mails, told
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually

from orchestrator_shared.contracts.events import RunStarted
from orchestrator_shared.domain.statuses import Origin
from orchestrator_shared.runtime import failpoints

HOUR = 3600


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


async def history(stage: Stage, seconds: list[float], orchestration: str = "campaigns", **more: Any) -> None:
    """Runs that succeeded yesterday and took so long."""
    for took in seconds:
        begin = ago(24 * HOUR)
        end = begin + timedelta(seconds=took)
        await stage.ended_run(orchestration, "success", started_at=begin, finished_at=end, **more)


async def underway(stage: Stage, took: float, orchestration: str = "campaigns", **more: Any) -> UUID:
    return await stage.ended_run(
        orchestration, "processing", started_at=ago(took), **{"finished_at": None, **more}
    )


async def limit(stage: Stage, orchestration: str = "campaigns", **events: tuple[str, int]) -> None:
    for event, (address, value) in events.items():
        await stage.subscribe(orchestration, **{event: address})
        column = "percent" if event == "processing_long" else "minutes"
        await stage.database.execute(
            f"UPDATE catalog.subscriptions SET {column} = $1 WHERE address = $2 AND event = $3",
            value,
            address,
            event,
        )
    await stage.database.execute("UPDATE catalog.subscriptions SET changed_at = now() - interval '2 days'")


async def no_timer_left(stage: Stage) -> None:
    async def look() -> bool:
        return bool(await stage.database.fetchval("SELECT count(*) = 0 FROM notifications.timers"))

    await eventually(look, 30)


async def scanned(stage: Stage) -> None:
    """Wait until a whole scan began and ended after now."""
    now = datetime.now(UTC)

    async def look() -> bool:
        mark: datetime = await stage.database.fetchval("SELECT finished_at FROM notifications.progress")
        return mark > now

    await eventually(look, 30)


async def test_a_run_that_takes_longer_than_usual_is_reported_once_to_each_at_its_limit(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await history(stage, [100.0] * 5)
    await limit(stage, processing_long=("default@example.com", 20))
    await limit(stage, processing_long=("patient@example.com", 100))
    await underway(stage, 150)
    replicas = [start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.2") for _ in range(2)]
    for replica in replicas:
        await replica.ready()
    (mail,) = await mails(smtp_sink, 1)
    assert mail.recipients == ("default@example.com",)
    assert mail.subject == "[demo] campaigns #6 takes longer than usual"
    assert "more than 20 % longer than usual" in mail.text
    assert "the last\r\n5 successful" in mail.text or "last 5 successful" in mail.text
    assert "1 min 40 s" in mail.text
    assert "orchestrator jobs terminate" in mail.text
    assert "/termination" in mail.text
    html = mail.message.get_body(("html",))
    assert html is not None
    assert "takes longer than usual" in html.get_content()
    # A restart, and further scans, make no other.
    for replica in replicas:
        replica.kill()
        await replica.ended()
    await start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.2").ready()
    await scanned(stage)
    await scanned(stage)
    assert len(smtp_sink.messages) == 1
    timers = await stage.database.fetch("SELECT due_at FROM notifications.timers")
    assert len(timers) == 1  # that of the patient one


async def test_what_ended_before_anybody_looked_is_judged_by_how_long_it_took(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await history(stage, [100.0] * 5)
    await history(stage, [100.0] * 5, "inner")
    await history(stage, [100.0] * 4, "outer")
    for name in ("campaigns", "inner", "outer"):
        await limit(stage, name, processing_long=(f"{name}@example.com", 20))
    for name, took in (("campaigns", 121), ("inner", 119), ("outer", 1000)):
        await stage.ended_run(name, "warning", started_at=ago(took), finished_at=ago(0))
    await start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.2").ready()
    await mails(smtp_sink, 1)
    await scanned(stage)
    await no_timer_left(stage)
    assert told(smtp_sink) == [("campaigns@example.com", "[demo] campaigns #6 took longer than usual")]


async def test_a_timer_whose_run_ended_in_time_makes_nothing(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await history(stage, [2.0] * 5)
    await limit(stage, processing_long=("a@example.com", 20))
    notifier = start_notifier()
    await notifier.ready()
    run = await underway(stage, 0)
    row = stage.runs[run]
    await stage.pipelines.publish(
        RunStarted(
            job_id=run,
            project="demo",
            component="orchestrator",
            configuration="campaigns",
            number=row["seq"],
            revision=2,
            origin=Origin.SCHEDULE,
            root_id=run,
            started_at=row["started_at"],
            full=True,
        )
    )

    async def is_set() -> bool:
        return bool(await stage.database.fetchval("SELECT count(*) = 1 FROM notifications.timers"))

    await eventually(is_set, 30)
    await stage.database.execute(
        "UPDATE jobs.jobs SET status = 'success', finished_at = started_at + interval '1 s' WHERE id = $1",
        run,
    )
    await no_timer_left(stage)
    assert await stage.deliveries() == []


async def test_a_run_that_waits_too_long_is_reported_once_although_a_replica_dies(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await limit(stage, waiting_long=("a@example.com", 45))
    waiting: dict[str, Any] = {"started_at": None, "finished_at": None, "attempt": 0}
    await stage.ended_run("campaigns", "waiting", accepted_at=ago(46 * 60), **waiting)
    await stage.ended_run("campaigns", "waiting", accepted_at=ago(44 * 60), **waiting)
    crashing = start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.2", ORCHESTRATOR_CRASH_AT=failpoints.BEFORE_COMMIT)
    await crashing.ended()
    assert await stage.deliveries() == []
    await start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.2").ready()
    (mail,) = await mails(smtp_sink, 1)
    await scanned(stage)
    assert told(smtp_sink) == [("a@example.com", "[demo] campaigns #1 has been waiting for more than 45 min")]
    assert "Waiting since" in mail.text


async def test_runs_by_hand_are_not_watched(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await history(stage, [1.0] * 6)
    await limit(stage, processing_long=("a@example.com", 20), waiting_long=("a@example.com", 1))
    await limit(stage, "inner", waiting_long=("a@example.com", 1))
    root = await underway(stage, 1000, attended=True, accepted_at=ago(2000))
    await stage.ended_run(
        "inner", "waiting", parent=root, started_at=None, finished_at=None, attempt=0, accepted_at=ago(900)
    )
    await start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.2").ready()
    await scanned(stage)
    await no_timer_left(stage)
    assert await stage.deliveries() == []


async def test_partial_and_failed_runs_are_nothing_usual(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await history(stage, [100.0] * 5)
    await history(stage, [1.0] * 20, full_run=False)
    begin = ago(23 * HOUR)
    await stage.ended_run("campaigns", "error", started_at=begin, finished_at=begin + timedelta(seconds=1))
    await limit(stage, processing_long=("a@example.com", 20))
    await underway(stage, 100)
    await start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.2").ready()
    await scanned(stage)
    assert await stage.deliveries() == []
    assert await stage.database.fetchval("SELECT count(*) FROM notifications.timers") == 1


async def test_a_changed_limit_moves_the_timer_and_no_one_is_notified_twice(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await history(stage, [100.0] * 5)
    await limit(stage, processing_long=("a@example.com", 500))
    await underway(stage, 300)
    await start_notifier(ORCHESTRATOR_SCAN_SECONDS="0.2").ready()
    await scanned(stage)
    await stage.database.execute("UPDATE catalog.subscriptions SET percent = 20, changed_at = now()")
    await mails(smtp_sink, 1)
    # Ended and begun again, it is another subscription, but the same person and the same run.
    await stage.database.execute("DELETE FROM catalog.subscriptions")
    await limit(stage, processing_long=("A@example.com", 20))
    await scanned(stage)
    await scanned(stage)
    await no_timer_left(stage)
    assert len(smtp_sink.messages) == 1
