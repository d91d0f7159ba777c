"""Facts follow the order of the runs, not that of the events."""

from tests.integration.notifier.conftest import Stage, StartNotifier, told
from tests.support.smtp_sink import SmtpSink


async def test_the_event_of_a_later_run_reports_the_earlier_ones_first(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com")
    await start_notifier().ready()

    earlier = [await stage.ended_run("campaigns") for _ in range(3)]
    await stage.end("campaigns")
    await stage.all_settled(4)
    for run in reversed(earlier):
        await stage.announce(run)
    await stage.end("campaigns")
    await stage.all_settled(5)

    assert [subject for _, subject in told(smtp_sink)] == [
        f"[demo] campaigns #{number} failed" for number in range(1, 6)
    ]


async def test_first_tries_reach_a_recipient_in_order_after_an_outage(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com")
    notifier = start_notifier()
    await notifier.ready()
    notifier.terminate()
    assert await notifier.ended() == 0

    for _ in range(6):
        await stage.end("campaigns")
    replicas = [start_notifier(ORCHESTRATOR_DELIVERY_BATCH="2") for _ in range(2)]
    for replica in replicas:
        await replica.ready()
    await stage.all_settled(6)

    assert [subject for _, subject in told(smtp_sink)] == [
        f"[demo] campaigns #{number} failed" for number in range(1, 7)
    ]
