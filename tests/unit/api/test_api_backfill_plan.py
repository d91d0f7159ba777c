"""Which fires a backfill catches up on."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from orchestrator_api.http.refusals import Invalid
from orchestrator_api.schedules.backfill_plan import MAX_FIRES, plan_backfill
from orchestrator_api.schedules.times import accept_times
from orchestrator_shared.domain.ids import ScheduleId, fire_job_id

ONE = UUID(int=1)
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
ANCHOR = datetime(2026, 3, 1, 0, 7, tzinfo=UTC)


def day(number: int, month: int = 3, hour: int = 0) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=UTC)


def test_every_fire_of_the_period_oldest_first() -> None:
    times = accept_times("30 5 * * *", None, "Europe/Prague")
    fires = plan_backfill(ONE, times, ANCHOR, day(28), day(31), NOW)
    assert [fire.scheduled_for.isoformat() for fire in fires] == [
        "2026-03-28T04:30:00+00:00",
        "2026-03-29T03:30:00+00:00",  # summer time has begun
        "2026-03-30T03:30:00+00:00",
    ]
    assert fires[0].fire_key == "backfill:2026-03-28T05:30[Europe/Prague]"
    assert fires[0].job_id == fire_job_id(ScheduleId(ONE), fires[0].fire_key)
    assert fires == plan_backfill(ONE, times, ANCHOR, day(28), day(31), NOW + timedelta(days=1))
    assert fires[0].job_id != plan_backfill(UUID(int=2), times, ANCHOR, day(28), day(31), NOW)[0].job_id


def test_start_is_included_and_end_is_not() -> None:
    times = accept_times("0 * * * *", None, "UTC")
    fires = plan_backfill(ONE, times, ANCHOR, day(1, hour=3), day(1, hour=5), NOW)
    assert [fire.scheduled_for.hour for fire in fires] == [3, 4]


def test_interval_is_counted_from_its_anchor_also_backwards() -> None:
    times = accept_times(None, 3600, "UTC")
    fires = plan_backfill(ONE, times, ANCHOR, day(1, 2), day(1, 2, 2), NOW)
    assert [fire.scheduled_for.isoformat() for fire in fires] == [
        "2026-02-01T00:07:00+00:00",
        "2026-02-01T01:07:00+00:00",
    ]


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (day(2), day(2), "empty"),
        (NOW, NOW + timedelta(seconds=1), "future"),
        (day(1), day(2), "1440 times"),
        (day(1), day(1, 5), "10000 times or more"),
    ],
)
def test_refused_periods(start: datetime, end: datetime, said: str) -> None:
    times = accept_times("* * * * *", None, "UTC")
    with pytest.raises(Invalid, match=said) as refused:
        plan_backfill(ONE, times, ANCHOR, start, end, NOW)
    assert refused.value.field == "to"


def test_as_many_as_are_allowed() -> None:
    times = accept_times("* * * * *", None, "UTC")
    end = day(1) + timedelta(minutes=MAX_FIRES)
    assert len(plan_backfill(ONE, times, ANCHOR, day(1), end, NOW)) == MAX_FIRES
