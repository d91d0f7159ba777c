"""Signing in: how long an account is closed, which requests are our own, and hashes that nobody has."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from orchestrator_api.access.browser_sessions import (
    BrowserSessions,
    RequestOrigin,
    csrf_token,
    form_token,
    is_csrf_token,
    is_form_token,
)
from orchestrator_api.people.passwords import HASHER, Passwords, no_ones_hash
from orchestrator_api.people.sign_in_delay import delay_after

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HTTPS = BrowserSessions("https://orchestrator.example.com/team")


def test_the_delay_grows_and_ends_at_five_minutes() -> None:
    assert [delay_after(n) for n in (0, 4, 5, 6, 7, 13, 14, 1_000_000)] == [0, 0, 1, 2, 4, 256, 300, 300]


@pytest.mark.parametrize(
    ("rules", "fetch_site", "origin", "is_ours"),
    [
        (HTTPS, "same-origin", None, True),
        (HTTPS, "none", None, True),
        (HTTPS, "same-site", None, False),
        (HTTPS, "cross-site", "https://orchestrator.example.com", False),
        (HTTPS, None, "https://orchestrator.example.com", True),
        (HTTPS, None, "http://orchestrator.example.com", False),
        (HTTPS, None, "https://orchestrator.example.com.evil.example", False),
        (HTTPS, None, "null", False),
        (HTTPS, None, None, False),
        (BrowserSessions(), None, "http://internal:8080", True),
        (BrowserSessions(), None, "http://evil.example", False),
    ],
)
def test_only_our_own_pages_are_ours(
    rules: BrowserSessions, fetch_site: str | None, origin: str | None, is_ours: bool
) -> None:
    assert rules.is_same_origin(RequestOrigin(fetch_site, origin, "internal:8080")) is is_ours


def test_the_cookie_is_guarded() -> None:
    assert BrowserSessions().cookie("x") == (
        "orchestrator_session=x; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax"
    )
    assert HTTPS.cookie("x") == (
        "__Host-orchestrator_session=x; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax; Secure"
    )
    assert "Max-Age=0" in HTTPS.cleared_cookie()


def test_a_session_ends_unused_or_old() -> None:
    rules, now = BrowserSessions(None, 60, 3600), datetime(2026, 11, 30, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert not rules.has_ended(now - 3599 * second, now - 59 * second, now)
    assert rules.has_ended(now - 3599 * second, now - 60 * second, now)
    assert rules.has_ended(now - 3600 * second, now, now)


def test_the_csrf_token_is_the_sessions_own() -> None:
    assert is_csrf_token("secret", csrf_token("secret"))
    once, again = form_token("secret"), form_token("secret")
    assert once != again
    assert all(is_form_token("secret", token) for token in (once, again))
    for token in ("", "é", once[:-2], f"{once[:-1]}{'0' if once[-1] != '0' else '1'}", form_token("other")):
        assert not is_form_token("secret", token)
    for given in (None, "", csrf_token("another"), "é"):
        assert not is_csrf_token("secret", given)


def test_a_hash_that_no_one_has_costs_what_a_real_one_costs() -> None:
    assert not HASHER.check_needs_rehash(no_ones_hash(HASHER))
    assert no_ones_hash(CHEAP) != no_ones_hash(CHEAP)


async def test_a_password_is_checked_and_hashed_anew_where_costs_changed() -> None:
    passwords = Passwords(CHEAP)
    stored = await passwords.hash("me", "half of a pair: \ud800")
    assert (await passwords.verify("me", stored, "half of a pair: \ud800")).is_right
    assert not (await passwords.verify("me", stored, "another")).is_right
    assert not (await passwords.verify("me", None, "another")).is_right
    assert not (await passwords.verify("me", "no hash at all", "another")).is_right
    dearer = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    verdict = await dearer.verify("me", stored, "half of a pair: \ud800")
    assert verdict.is_right
    assert verdict.new_hash is not None
    assert not dearer.hasher.check_needs_rehash(verdict.new_hash)
