"""Durations as people say them."""

import pytest

from orchestrator_shared.domain.durations import about_duration, spoken_duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (0.42, "0.4 s"),
        (5, "5 s"),
        (9.96, "10 s"),
        (41.2, "41 s"),
        (59.6, "1 min"),
        (413, "6 min 53 s"),
        (3599.7, "1 h"),
        (5820, "1 h 37 min"),
        (86_399, "23 h 59 min"),
        (93_600, "1 day 2 h"),
        (3 * 86_400, "3 days"),
    ],
)
def test_two_units_at_most(seconds: float, said: str) -> None:
    assert spoken_duration(seconds) == said


def test_about_leaves_out_seconds_from_ten_minutes_on() -> None:
    assert about_duration(599) == "9 min 59 s"
    assert about_duration(2465) == "41 min"
