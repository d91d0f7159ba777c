"""Who is told what, by a real notifier and a real SMTP server."""

from tests.integration.notifier.conftest import Stage, StartNotifier, mails, told
from tests.support.smtp_sink import SmtpSink

from orchestrator_shared.contracts.events import TestMailRequested
from orchestrator_shared.domain.ids import new_id


async def test_the_error_of_an_unattended_run_is_mailed_to_its_subscribers(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com b@example.com", success="c@example.com")
    await start_notifier().ready()

    await stage.end("campaigns", "error", message="the source is empty")
    received = await mails(smtp_sink, 2)

    assert {mail.recipients for mail in received} == {("a@example.com",), ("b@example.com",)}
    mail = received[0]
    assert mail.subject == "[demo] campaigns #1 failed"
    assert "the source is empty" in mail.text
    assert "https://orchestrator.example.com/projects/demo/orchestrations/campaigns/runs/1/retry" in mail.text
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["References"] == "<orchestration.demo.campaigns@example.com>"


async def test_a_run_by_hand_is_mailed_only_to_the_person_who_started_it(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com", success="a@example.com")
    await start_notifier().ready()

    for status in ("error", "success", "warning", "terminated", "cancelled"):
        await stage.end("campaigns", status, origin="manual", attended=True, notify="me@example.com")
    await stage.end("campaigns", "error", origin="manual", attended=True)
    await stage.facts(6)

    await mails(smtp_sink, 5)
    assert told(smtp_sink) == [
        ("me@example.com", "[demo] campaigns #1 failed"),
        ("me@example.com", "[demo] campaigns #2 succeeded"),
        ("me@example.com", "[demo] campaigns #3 finished with a warning"),
        ("me@example.com", "[demo] campaigns #4 was terminated"),
        ("me@example.com", "[demo] campaigns #5 was cancelled"),
    ]
    assert "because you started this run" in smtp_sink.messages[0].text


async def test_a_triggers_run_that_was_refused_for_the_length_of_its_chain_is_reported(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    """Issue 8, 21: it never started, and is an error like any other."""
    await stage.subscribe("campaigns", error="a@example.com")
    await start_notifier().ready()

    refused = {"origin": "trigger", "attempt": 0, "started_at": None, "chain_length": 21}
    await stage.end("campaigns", "error", message="not started: 20 runs in a row", **refused)

    (mail,) = await mails(smtp_sink, 1)
    assert mail.subject == "[demo] campaigns #1 failed"
    assert "not started: 20 runs in a row" in mail.text


async def test_a_test_mail_reaches_the_address_once_and_is_listed(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await start_notifier().ready()
    request = TestMailRequested(
        test_id=new_id(),
        project="demo",
        orchestration="campaigns",
        address="ops@example.com",
        requested_by="jana@example.com",
    )

    await stage.pipelines.publish(request)
    await stage.pipelines.publish(request)

    (mail,) = await mails(smtp_sink, 1)
    assert (mail.recipients, mail.subject) == (("ops@example.com",), "[demo] Test mail of campaigns")
    assert "jana@example.com" in mail.text
    await stage.all_settled(1)
    (row,) = await stage.database.fetch("SELECT * FROM notifications.deliveries_v1")
    assert (row["event"], row["status"], row["recipient"]) == ("test", "sent", "ops@example.com")
