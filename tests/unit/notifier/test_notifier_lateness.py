"""Issue 8.27: from when on a run takes or waits too long, judged by its recorded times alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from orchestrator_notifier.domain.lateness import Watched, due_at, late_fact, may_be_late
from orchestrator_shared.domain.statuses import NotificationEvent

AT = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
LONG = Watched(
    job_id=UUID(int=7),
    subscription_id=UUID(int=8),
    root_id=UUID(int=1),
    project="demo",
    orchestration="campaigns",
    event=NotificationEvent.PROCESSING_LONG,
    address="a@example.com",
    percent=20,
    minutes=None,
    since=AT - timedelta(days=1),
    accepted_at=AT - timedelta(hours=1),
    started_at=AT,
    finished_at=None,
    usual_seconds=100.0,
    usual_runs=5,
)
WAITING = replace(
    LONG, event=NotificationEvent.WAITING_LONG, percent=None, minutes=45, started_at=None, usual_runs=0
)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_processing_counts_from_the_start_and_against_the_mean() -> None:
    assert due_at(LONG) == AT + seconds(120)
    assert due_at(replace(LONG, percent=50)) == AT + seconds(150)
    assert due_at(replace(LONG, usual_runs=4)) is None
    assert due_at(replace(LONG, started_at=None)) is None


def test_waiting_counts_from_acceptance_to_the_start() -> None:
    due = WAITING.accepted_at + timedelta(minutes=45)
    assert due_at(WAITING) == due
    assert may_be_late(replace(WAITING, started_at=due)) is None
    assert may_be_late(replace(WAITING, started_at=due + seconds(1), finished_at=AT)) == due
    assert may_be_late(replace(WAITING, finished_at=due - seconds(1))) is None  # cancelled before


@pytest.mark.parametrize(("took", "is_late"), [(119, False), (120, False), (120.000001, True), (5000, True)])
def test_what_ended_is_judged_by_how_long_it_took(took: float, is_late: bool) -> None:
    run = replace(LONG, finished_at=AT + seconds(took))
    assert (may_be_late(run) is not None) is is_late


def test_a_subscription_counts_from_when_it_is_as_it_is() -> None:
    since = AT + seconds(300)
    assert may_be_late(replace(LONG, since=since)) == since
    assert may_be_late(replace(LONG, since=since, finished_at=AT + seconds(299))) is None


def test_one_key_per_run_and_subscription() -> None:
    fact = late_fact(LONG)
    assert fact.key == f"processing-long:{LONG.job_id}:{LONG.subscription_id}"
    assert (fact.subscriber, fact.to_subscribers, fact.starter) == ("a@example.com", False, None)
    assert late_fact(WAITING).key.startswith("waiting-long:")
