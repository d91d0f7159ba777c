"""Fault 17 of issue 8: invalid tokens were neither logged nor limited."""

from orchestrator_api.access.attempts import MAX_TRACKED, REPORT_SECONDS, TokenAttempts
from orchestrator_shared.runtime.addresses import TrustedProxies
from orchestrator_shared.settings import RuntimeSettings

HERE, THERE = "192.0.2.1", "192.0.2.2"


def test_one_invalid_token_too_many_has_to_wait() -> None:
    attempts = TokenAttempts(per_minute=6)
    for _ in range(6):
        assert attempts.seconds_to_wait(HERE, b"x", 0.0) == 0
        attempts.record_failure(HERE, 0.0)
    assert attempts.seconds_to_wait(HERE, b"x", 0.0) == 10
    assert attempts.seconds_to_wait(THERE, b"x", 0.0) == 0
    assert attempts.seconds_to_wait(HERE, b"x", 10.0) == 0
    attempts.record_failure(HERE, 10.0)
    assert attempts.seconds_to_wait(HERE, b"x", 10.0) == 10


def test_a_valid_token_is_not_slowed_down_by_invalid_ones_from_its_address() -> None:
    attempts = TokenAttempts(per_minute=1)
    attempts.record_success(b"good", 0.0)
    attempts.record_failure(HERE, 0.0)
    assert attempts.seconds_to_wait(HERE, b"good", 1.0) == 0
    assert attempts.seconds_to_wait(HERE, b"other", 1.0) > 0
    assert attempts.seconds_to_wait(HERE, b"good", 3601.0 - 0.5) == 0


def test_an_address_is_reported_once_a_minute_with_the_count() -> None:
    attempts = TokenAttempts(per_minute=1)
    told = [
        attempts.record_failure(HERE, second)
        for second in (0.0, 1.0, 2.0, REPORT_SECONDS, REPORT_SECONDS + 1)
    ]
    assert told == [1, 0, 0, 3, 0]


def test_tracked_addresses_and_tokens_are_bounded() -> None:
    attempts = TokenAttempts(per_minute=1)
    for i in range(MAX_TRACKED + 10):
        attempts.record_failure(str(i), 0.0)
        attempts.record_success(str(i).encode(), 0.0)
    assert len(attempts._addresses) == len(attempts._trusted) == MAX_TRACKED


def test_only_trusted_proxies_may_report_the_senders_address() -> None:
    settings = RuntimeSettings(http_trusted_proxies="10.0.0.0/8, 192.0.2.9")
    proxies = TrustedProxies(settings.http_trusted_proxies)
    assert proxies.sender(HERE, ["203.0.113.1"]) == HERE
    assert proxies.sender("10.0.0.1", ["203.0.113.1"]) == "203.0.113.1"
    assert proxies.sender("10.0.0.1", ["198.51.100.1, 203.0.113.1, 10.2.0.1", "192.0.2.9"]) == "203.0.113.1"
    assert proxies.sender("10.0.0.1", ["nonsense"]) == "10.0.0.1"
    assert proxies.sender("10.0.0.1", []) == "10.0.0.1"
    assert TrustedProxies().sender("10.0.0.1", ["203.0.113.1"]) == "10.0.0.1"
