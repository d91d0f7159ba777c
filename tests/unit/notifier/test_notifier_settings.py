"""Settings that cannot work are refused at the start, by name."""

from typing import Any

import pytest

from orchestrator_notifier.settings import NotifierSettings
from orchestrator_shared.settings import SettingsError, load_settings

GOOD: dict[str, Any] = {
    "database_url": "postgresql://u:p@localhost/db",
    "amqp_url": "amqp://u:p@localhost/",
    "link_key": (b"l" * 32,),
    "smtp_host": "mail.example.com",
    "mail_from": "Orchestrator <o@example.com>",
}


def test_starttls_is_the_default() -> None:
    settings = load_settings(NotifierSettings, **GOOD, public_url="https://o.example.com/")
    assert (settings.smtp_tls, settings.public_url) == ("starttls", "https://o.example.com")
    assert settings.sender.domain == "example.com"


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"mail_from": "nobody"}, "ORCHESTRATOR_MAIL_FROM: expected an address"),
        ({"smtp_username": "u"}, "ORCHESTRATOR_SMTP_USERNAME and ORCHESTRATOR_SMTP_PASSWORD together"),
        ({"smtp_username": "u", "smtp_password": "p", "smtp_tls": "none"}, "password in clear"),
        ({"delivery_lease_seconds": 5}, "ORCHESTRATOR_DELIVERY_LEASE_SECONDS"),
        ({"public_url": "javascript:alert(1)"}, "ORCHESTRATOR_PUBLIC_URL"),
        ({"link_key": "short"}, "ORCHESTRATOR_LINK_KEY: expected comma-separated base64 keys"),
        ({"smtp_tls": "maybe"}, "ORCHESTRATOR_SMTP_TLS"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        load_settings(NotifierSettings, **{**GOOD, **wrong})


def test_a_password_in_clear_is_fine_on_this_machine() -> None:
    fields = {**GOOD, "smtp_host": "127.0.0.1", "smtp_tls": "none"}
    load_settings(NotifierSettings, **fields, smtp_username="u", smtp_password="p")
