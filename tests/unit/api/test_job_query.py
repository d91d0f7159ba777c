"""Queries for jobs: what they ask for, and where one cannot be read."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from orchestrator_api.runs.filters import JobFilter
from orchestrator_api.runs.job_query import HINTS, QuerySyntaxError, applied, read
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.zones import parse_zone

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PRAGUE = parse_zone("Europe/Prague")


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {}),
        ("  crm   sync ", {"search": "crm sync"}),
        ("status:error", {"statuses": ("error",)}),
        ("STATUS:Error,warning,error", {"statuses": ("error", "warning")}),
        ("component:x origin:schedule", {"component": "x", "origins": ("schedule",)}),
        ("configuration:csv-writer/orders", {"component": "csv-writer", "configuration": "orders"}),
        ("configuration:orders", {"configuration": "orders"}),
        ("orchestration:campaigns", {"component": "orchestrator", "configuration": "campaigns"}),
        ('by:"Jana Nováková" column', {"requested_by": "Jana Nováková", "search": "column"}),
        ("duration:>10m", {"longer_than_seconds": 600.0}),
        ("duration:>1h30m", {"longer_than_seconds": 5400.0}),
        ("duration:<90s", {"shorter_than_seconds": 90.0}),
        ("started:[2026-11-01 TO *]", {"started_since": utc(2026, 10, 31, 23)}),
        (
            "started:2026-11-01",
            {"started_since": utc(2026, 10, 31, 23), "started_until": utc(2026, 11, 1, 23)},
        ),
        ("started:[* TO 2026-11-01T06:20]", {"started_until": utc(2026, 11, 1, 5, 20)}),
        ("started:[-7d TO *]", {"started_since": NOW - timedelta(days=7)}),
        ("started:[2026-11-01T06:20Z TO *]", {"started_since": utc(2026, 11, 1, 6, 20)}),
        (str(UUID(int=7)), {"job_id": UUID(int=7)}),
        ("https://example.com", None),
    ],
)
def test_a_query_is_read(query: str, found: dict[str, Any] | None) -> None:
    if found is None:
        with pytest.raises(QuerySyntaxError):
            read(query, now=NOW, zone=PRAGUE)
        return
    assert read(query, now=NOW, zone=PRAGUE) == found


@pytest.mark.parametrize(
    ("query", "position", "said"),
    [
        ("status:eror", 8, "there is no status 'eror'; use created, waiting, processing"),
        ("x status:error,eror", 16, "there is no status 'eror'"),
        ("origin:nobody", 8, "there is no origin 'nobody'"),
        ("state:error", 1, "there is no key 'state'; use status, component"),
        ("component:x state:error", 13, "there is no key 'state'"),
        ("component:", 11, "component has no value: component:csv-writer"),
        ('by:""', 4, "by has no value"),
        ('by:"Jana', 4, "a quotation mark is not closed"),
        ('so "it is', 4, "a quotation mark is not closed"),
        ("duration:10m", 10, "begin with > or <: duration:>10m"),
        ("duration:>ten", 11, "'ten' is not a duration"),
        ("duration:>1m duration:>2m", 23, "duration is given twice"),
        ("orchestration:x component:y", 27, "component is given twice"),
        ("started:[2026-11-01]", 9, "a range has two ends"),
        ("started:[2026-11-01 TO", 9, "a bracket is not closed"),
        ("started:[2026-13-01 TO *]", 10, "'2026-13-01' is no time"),
        ("started:[* TO soon]", 15, "'soon' is no time"),
        ("started:[* TO 0001-01-01T00:00]", 15, "'0001-01-01T00:00' is no time"),
        ("started:[-99999w TO *]", 10, "'-99999w' is no time"),
        ("started:-7d", 9, "expected a day or a range"),
        ("x" * 501, 501, "500 characters"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(query: str, position: int, said: str) -> None:
    with pytest.raises(QuerySyntaxError) as raised:
        read(query, now=NOW, zone=PRAGUE)
    assert raised.value.position == position
    assert said in raised.value.problem
    assert (raised.value.field, raised.value.detail[:10]) == ("query", f"character {position}"[:10])


def test_hints_are_queries_themselves() -> None:
    for key, hint in HINTS.items():
        assert read(hint.partition(",")[0].partition(" or ")[0], now=NOW, zone=PRAGUE), key


def test_one_filter_cannot_be_given_twice() -> None:
    found = applied("status:error", JobFilter(component="x"), now=NOW, zone=PRAGUE)
    assert (found.statuses, found.component) == (("error",), "x")
    with pytest.raises(UserError, match="either here or in `component`"):
        applied("component:y", JobFilter(component="x"), now=NOW, zone=PRAGUE)
