"""Nested runs, recoveries, missed schedules and deadlines: who hears of them, and that nobody hears twice."""

from datetime import UTC, datetime, timedelta

from tests.integration.notifier.conftest import Stage, StartNotifier, mails, told
from tests.support.pipelines import PROJECT
from tests.support.smtp_sink import SmtpSink

from orchestrator_shared.contracts.events import ScheduleMissed, TriggerDeadlineMissed
from orchestrator_shared.domain.ids import new_id


def _before() -> datetime:
    """Before the root ended, however long the notifier took to start in between."""
    return datetime.now(UTC) - timedelta(minutes=1)


async def test_a_nested_failure_is_reported_once_by_the_deepest_run(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("inner", error="both@example.com")
    await stage.subscribe("outer", error="both@example.com outer@example.com")
    root = await stage.ended_run("outer", "error")
    await stage.ended_run("inner", "error", parent=root, finished_at=_before())
    await start_notifier().ready()

    await stage.announce(root)  # that of the nested run is lost
    await stage.all_settled(2)

    assert sorted(told(smtp_sink)) == [
        ("both@example.com", "[demo] inner #1 failed"),
        ("outer@example.com", "[demo] outer #1 failed"),
    ]
    nested = next(mail for mail in smtp_sink.messages if "inner" in mail.subject)
    assert "nested in outer #1, which was started by a schedule" in nested.text


async def test_two_nested_failures_under_one_root_are_both_reported(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    """Issue 8.24: a subscriber of both heard of one."""
    for name in ("inner", "campaigns", "outer"):
        await stage.subscribe(name, error="all@example.com")
    root = await stage.ended_run("outer", "error")
    await stage.ended_run("inner", "error", parent=root, task_id="first", finished_at=_before())
    await start_notifier().ready()
    nested = await stage.ended_run("campaigns", "error", parent=root, task_id="second", finished_at=_before())
    await stage.announce(nested)
    await stage.announce(root)
    await stage.facts(3)
    await stage.all_settled(2)

    # The root failed because of these two, of which this subscriber knows.
    assert sorted(told(smtp_sink)) == [
        ("all@example.com", "[demo] campaigns #1 failed"),
        ("all@example.com", "[demo] inner #1 failed"),
    ]


async def test_a_roots_own_failure_is_reported_beside_the_nested_one(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    """Issue 8.24: its sibling. The failed component is nobody's news but the root's."""
    for name in ("inner", "outer"):
        await stage.subscribe(name, error="all@example.com")
    root = await stage.ended_run("outer", "error")
    await stage.ended_run("inner", "error", parent=root, task_id="first", finished_at=_before())
    await stage.ended_run(
        "load", "error", parent=root, task_id="second", kind="component", finished_at=_before()
    )
    await start_notifier().ready()
    await stage.announce(root)
    await stage.all_settled(2)
    assert sorted(told(smtp_sink)) == [
        ("all@example.com", "[demo] inner #1 failed"),
        ("all@example.com", "[demo] outer #1 failed"),
    ]


async def test_attempts_of_a_nested_run_are_reported_once(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("inner", error="a@example.com")
    await stage.subscribe("outer", error="a@example.com")
    root = await stage.ended_run("outer", "error")
    first = await stage.ended_run("inner", "error", parent=root, task_id="nested", finished_at=_before())
    await stage.ended_run(
        "inner", "error", parent=root, task_id="nested", retry_of=first, finished_at=_before()
    )
    await start_notifier().ready()
    await stage.announce(root)
    await stage.facts(3)
    await stage.all_settled(1)
    assert told(smtp_sink) == [("a@example.com", "[demo] inner #1 failed")]


async def test_runs_nested_in_a_run_by_hand_notify_no_one(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("inner", error="a@example.com")
    await stage.subscribe("outer", error="a@example.com")
    await start_notifier().ready()

    root = await stage.ended_run("outer", "error", origin="manual", attended=True, notify="me@example.com")
    nested = await stage.ended_run("inner", "error", parent=root)
    await stage.announce(nested)
    await stage.announce(root)
    await stage.facts(2)

    await stage.all_settled(1)
    assert told(smtp_sink) == [("me@example.com", "[demo] outer #1 failed")]


async def test_stopped_unattended_runs_are_facts_that_notify_no_one(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com", warning="a@example.com")
    await start_notifier().ready()

    await stage.end("campaigns", "terminated")
    await stage.end("campaigns", "cancelled")
    await stage.end("campaigns", "warning")

    await stage.facts(3)
    await stage.all_settled(1)
    assert told(smtp_sink) == [("a@example.com", "[demo] campaigns #3 finished with a warning")]


async def test_a_recovery_is_the_first_success_after_an_unattended_failure(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", recovered="a@example.com b@example.com", success="a@example.com")
    await start_notifier().ready()

    for status, attended in (("success", False), ("error", False), ("success", True), ("success", False)):
        await stage.end("campaigns", status, attended=attended)
        await stage.facts(len(stage.runs))
    await stage.end("campaigns", "success")

    await mails(smtp_sink, 4)
    await stage.all_settled(4)
    assert sorted(told(smtp_sink)) == [
        ("a@example.com", "[demo] campaigns #1 succeeded"),
        ("a@example.com", "[demo] campaigns #4 recovered"),
        ("a@example.com", "[demo] campaigns #5 succeeded"),
        ("b@example.com", "[demo] campaigns #4 recovered"),
    ]


async def test_missed_schedules_and_deadlines_are_reported_once(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", schedule_missed="a@example.com", deadline_missed="a@example.com")
    await start_notifier().ready()
    schedule = new_id()
    await stage.database.execute(
        """INSERT INTO catalog.schedules (id, project, orchestration, name, cron, timezone)
           VALUES ($1, $2, 'campaigns', 'weekdays', '30 5 * * 1-5', 'Europe/Prague')""",
        schedule,
        PROJECT,
    )
    first = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
    missed = ScheduleMissed(
        schedule_id=schedule,
        project=PROJECT,
        orchestration="campaigns",
        count=3,
        first=first,
        last=first + timedelta(days=2),
    )
    late = TriggerDeadlineMissed(
        trigger_id=new_id(),
        project=PROJECT,
        orchestration="campaigns",
        deadline=first,
        late_tables=["in.c-crm.contacts"],
    )

    await stage.pipelines.publish(missed, late, missed, late)
    await stage.all_settled(2)

    by_subject = {mail.subject: mail.text for mail in smtp_sink.messages}
    assert set(by_subject) == {
        "[demo] campaigns missed 3 fires of schedule weekdays",
        "[demo] campaigns: tables of trigger (deleted) are late",
    }
    assert (
        "30 5 * * 1-5 (Europe/Prague)" in by_subject["[demo] campaigns missed 3 fires of schedule weekdays"]
    )
    assert "in.c-crm.contacts" in by_subject["[demo] campaigns: tables of trigger (deleted) are late"]
