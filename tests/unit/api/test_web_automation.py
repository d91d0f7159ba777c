"""What the form of Automate asks for, and the ids that are made from names."""

import pytest

from orchestrator_api.web.configurations.automation import LATER, times_of
from orchestrator_api.web.configurations.names import id_of
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.schedules import form
from orchestrator_shared.domain.errors import UserError

BEGUN = {**form.NEW, "timezone": "Europe/Prague"}


@pytest.mark.parametrize(
    ("chosen", "times"),
    [
        ({}, {"cron": "0 6 * * *"}),
        ({"cron": "* * * * *"}, {"cron": "0 6 * * *"}),
        ({"preset": "weekly", "at": "7:15", "weekday": "5"}, {"cron": "15 7 * * 5"}),
        ({"preset": "hourly", "minute": "20"}, {"cron": "20 * * * *"}),
        ({"preset": "custom", "cron": "30 5 * * 1-5"}, {"cron": "30 5 * * 1-5"}),
        ({"preset": "interval", "every": "45m"}, {"every_seconds": 2700}),
    ],
)
def test_only_what_is_asked_for_counts(chosen: dict[str, str], times: dict[str, object]) -> None:
    assert times_of(Fields({**BEGUN, **chosen})) == {**times, "timezone": "Europe/Prague"}


def test_a_schedule_may_be_set_later() -> None:
    assert times_of(Fields({**BEGUN, "preset": LATER})) is None


@pytest.mark.parametrize(("chosen", "field"), [({"at": "25:00"}, "at"), ({"preset": "sometimes"}, "preset")])
def test_what_is_no_schedule_is_refused_at_its_field(chosen: dict[str, str], field: str) -> None:
    with pytest.raises(UserError) as raised:
        times_of(Fields({**BEGUN, **chosen}))
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Přehled objednávek", "prehled-objednavek"),
        ("  A/B (test) ", "a-b-test"),
        ("日本", ""),
        ("x" * 99, "x" * 64),
    ],
)
def test_an_id_is_made_from_the_name(name: str, made: str) -> None:
    assert id_of(name) == made
