"""What the dialog that runs an orchestration says before the run."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from orchestrator_api.notifications.recipients import recipients_of_manual_run
from orchestrator_api.notifications.rows import StoredSubscription
from orchestrator_api.queue.lanes import Ahead
from orchestrator_api.queue.rows import JobRef
from orchestrator_api.web.orchestrations.run_words import busy, instant, told

NOW = datetime(2026, 11, 30, 6, 14, tzinfo=UTC)
PRAGUE = ZoneInfo("Europe/Prague")


def holder(status: str = "processing") -> JobRef:
    job = UUID(int=1)
    return JobRef(
        job,
        9001,
        "orchestrator",
        "nightly-sales",
        status,
        "manual",
        None,
        None,
        job,
        "nightly-sales",
        411,
        NOW,
        NOW,
    )


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (None, ""),
        (
            Ahead(holder(), 0, NOW + timedelta(minutes=7)),
            "nightly-sales #411 is running, this one waits until about 07:21 Prague.",
        ),
        (Ahead(holder(), 0, None), "nightly-sales #411 is running, this one waits until it has ended."),
        (
            Ahead(holder(), 2, None),
            "nightly-sales #411 is running and 2 runs wait, this one waits until they have ended.",
        ),
        (
            Ahead(holder("terminating"), 0, NOW),
            "nightly-sales #411 is being stopped, this one waits only a moment.",
        ),
        (Ahead(None, 1, NOW), "1 run waits, this one waits only a moment."),
    ],
)
def test_who_is_ahead_is_said_with_when_it_ends(ahead: Ahead | None, said: str) -> None:
    assert busy(ahead, NOW, PRAGUE) == said


def subscription(address: str) -> StoredSubscription:
    return StoredSubscription("campaigns", "error", "email", address, None, None, False)


def test_only_the_starter_is_told_and_the_others_are_named() -> None:
    subscribed = [subscription(f"{name}@example.com") for name in ("jana", "a", "b", "c", "d")]
    will, will_not = told(recipients_of_manual_run("jana@example.com"), subscribed)

    assert will == "Only you: jana@example.com."
    assert will_not == "a@example.com, b@example.com, c@example.com and 1 more will not."
    assert told(recipients_of_manual_run(None), []) == ("No one: your account has no e-mail address.", "")


def test_a_time_without_a_zone_is_one_of_the_viewer() -> None:
    assert instant(" 2026-11-30 06:20", PRAGUE) == datetime(2026, 11, 30, 5, 20, tzinfo=UTC)
    assert instant("2026-11-30T06:20Z", PRAGUE) == datetime(2026, 11, 30, 6, 20, tzinfo=UTC)
    with pytest.raises(ValueError):
        instant("tomorrow", PRAGUE)
