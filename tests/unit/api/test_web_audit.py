"""The audit log in words, and its filters as the URL says them."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from orchestrator_api.access.audit_rows import AuditFilter, AuditRecord
from orchestrator_api.web.audit import words
from orchestrator_api.web.audit.filters import AuditFilters

NOW = datetime(2026, 11, 30, tzinfo=UTC)
PRAGUE = ZoneInfo("Europe/Prague")


def record(action: str, subject: str) -> AuditRecord:
    return AuditRecord(
        UUID(int=1),
        NOW,
        "ada@example.com",
        "person",
        None,
        action,
        subject,
        None,
        None,
        {},
        (),
        0,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("action", "subject", "said", "orchestration"),
    [
        ("configuration.changed", "orchestrator/campaigns", "Orchestration changed", "campaigns"),
        ("configuration.changed", "csv/flights", "Configuration changed", None),
        ("schedule.deleted", "campaigns/main", "Schedule deleted", "campaigns"),
        ("call.refused", "create_token", "Refused", None),
        ("thing.half-done_twice", "x", "Thing half done twice", None),
    ],
)
def test_what_was_done(action: str, subject: str, said: str, orchestration: str | None) -> None:
    found = record(action, subject)
    assert (words.what(found), words.orchestration_of(found)) == (said, orchestration)


def test_values_are_texts_or_json() -> None:
    assert [words.value(each) for each in ("a b", 1, None, ["ř"], {"a": True})] == [
        "a b", "1", "null", '["ř"]', '{"a": true}',
    ]  # fmt: skip


def test_days_are_those_of_the_viewer_and_the_last_one_counts_to_its_end() -> None:
    filters = AuditFilters.read({"who": " ada@example.com ", "since": "2026-11-29", "until": "2026-11-30"})
    assert filters.wanted(PRAGUE) == AuditFilter(
        actor="ada@example.com",
        since=datetime(2026, 11, 28, 23, tzinfo=UTC),
        until=datetime(2026, 11, 30, 23, tzinfo=UTC),
    )
    assert filters.query(action="token.created")["since"] == "2026-11-29"


def test_what_is_no_day_counts_as_not_said() -> None:
    filters = AuditFilters.read({"since": "yesterday", "until": "2026-02-30", "after": "x"})
    assert (filters.since, filters.until, filters.is_filtered, filters.after) == ("", "", False, "x")
    assert AuditFilters.read({"until": "9999-12-31"}).wanted(PRAGUE).until is None
