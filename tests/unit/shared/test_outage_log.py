"""An outage is told of when it begins, every half minute, and when it ends."""

from structlog.testing import capture_logs

from orchestrator_shared.runtime.outage_log import REMIND_SECONDS, OutageLog


class Watch:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_one_line_at_once_then_one_every_half_minute() -> None:
    watch = Watch()
    outage = OutageLog("scan", now=watch)
    news = []
    for _ in range(121):
        news.append(outage.is_news("refused"))
        watch.at += 0.5
    assert [number for number, told in enumerate(news) if told] == [0, REMIND_SECONDS * 2, REMIND_SECONDS * 4]
    assert (outage.tries, outage.seconds) == (121, 60.5)


def test_the_end_is_logged_once_and_the_next_outage_is_news_again() -> None:
    watch = Watch()
    outage = OutageLog("scan", now=watch)
    with capture_logs() as lines:
        outage.end()
        assert outage.is_news("refused")
        watch.at += 7
        assert not outage.is_news("refused")
        outage.end()
        outage.end()
    assert [(line["event"], line["what"], line["seconds"], line["tries"]) for line in lines] == [
        ("outage.over", "scan", 7.0, 2)
    ]
    assert outage.is_news("refused")


def test_another_reason_is_news_unless_every_one_is_another() -> None:
    outage = OutageLog("scan", now=Watch())
    reasons = ["refused", "timeout", "refused", "timeout", *map(str, range(20))]
    assert sum(outage.is_news(reason) for reason in reasons) == 10
