"""Conditional requests, by the rules of RFC 9110, section 13."""

from datetime import UTC, datetime

import pytest

from orchestrator_api.http.conditional import Condition, Verdict, entity_tag
from orchestrator_shared.domain.errors import UserError

NOW = '"now"'


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "current", "verdict"),
    [
        (None, None, None, Verdict.MET),
        (None, None, NOW, Verdict.MISSING),
        (NOW, None, NOW, Verdict.MET),
        ('"then"', None, NOW, Verdict.STALE),
        ('"now', None, None, None),
        ('"then", "now"', None, NOW, Verdict.MET),
        (' , "then" ,,\t"now" , ', None, NOW, Verdict.MET),
        ('"a,b"', None, '"a,b"', Verdict.MET),
        ('"NOW"', None, NOW, Verdict.STALE),
        ('W/"now"', None, NOW, Verdict.WEAK),
        ('W/"now", "now"', None, NOW, Verdict.MET),
        ('W/"then"', None, NOW, Verdict.STALE),
        ('w/"now"', None, NOW, None),
        ("*", None, NOW, Verdict.MET),
        (" * ", None, NOW, Verdict.MET),
        ("*", None, None, Verdict.GONE),
        (NOW, None, None, Verdict.GONE),
        (None, "*", None, Verdict.MET),
        (None, "*", NOW, Verdict.EXISTS),
        (None, NOW, NOW, Verdict.EXISTS),
        (None, 'W/"now"', NOW, Verdict.EXISTS),
        (None, '"then"', NOW, Verdict.MISSING),
        (None, '"then"', None, Verdict.MET),
        (NOW, '"then"', NOW, Verdict.MET),
        (NOW, "*", NOW, Verdict.EXISTS),
        ('"then"', "*", NOW, Verdict.STALE),
        ("now", None, NOW, None),
        ("", None, NOW, None),
        (" , ", None, NOW, None),
        ('*, "now"', None, NOW, None),
        ('"now" "then"', None, NOW, None),
        ('"now""then"', None, NOW, None),
        (None, "now", NOW, None),
    ],
)
def test_every_rule(
    if_match: str | None, if_none_match: str | None, current: str | None, verdict: Verdict | None
) -> None:
    """Without a verdict, the header is malformed."""
    if verdict is not None:
        assert Condition.read(if_match, if_none_match).verdict(current) is verdict
        return
    with pytest.raises(UserError) as refused:
        Condition.read(if_match, if_none_match)
    assert refused.value.field == ("If-Match" if if_none_match is None else "If-None-Match")


def test_a_long_list_is_read_once() -> None:
    tags = ", ".join(f'"{number}"' for number in range(10_000))
    assert Condition.read(tags, None).verdict('"9999"') is Verdict.MET
    assert Condition.read(", " * 30_000 + NOW, None).verdict(NOW) is Verdict.MET


def test_whoever_has_seen_something_says_so() -> None:
    assert Condition.seen(NOW).verdict(NOW) is Verdict.MET
    assert Condition.seen(NOW).verdict(None) is Verdict.GONE
    assert Condition.seen(None).verdict(None) is Verdict.MET
    assert Condition.seen(None).verdict(NOW) is Verdict.EXISTS


def test_a_tag_is_of_its_values() -> None:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    assert entity_tag("a", 1, at) == entity_tag("a", 1, at)
    tags = {entity_tag(*parts) for parts in (("a", 1), ("a", "1"), ("a1",), (["a", 1],), ("a", None), ())}
    assert len(tags) == 6
    assert all(Condition.read(tag, None).verdict(tag) is Verdict.MET for tag in tags)
