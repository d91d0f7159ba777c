"""Settings: one clear message, no values in it, and what the variables mean."""

import base64
from pathlib import Path

import pytest
from pydantic import Field

from orchestrator_shared.settings import (
    EncryptionKeys,
    ServiceSettings,
    SettingsError,
    address,
    load_settings,
)

KEY = base64.b64encode(b"k" * 32).decode()
GOOD = {"DATABASE_URL": "postgresql://me:geheim@db:5433/x", "AMQP_URL": "amqp://me:geheim@mq/"}


class NeedsKeys(ServiceSettings):
    encryption_keys: EncryptionKeys = Field(min_length=1, repr=False)


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("ORCHESTRATOR_"):
            monkeypatch.delenv(name)


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in {**GOOD, **values}.items():
        monkeypatch.setenv(f"ORCHESTRATOR_{name}", value)


def test_good_settings_load_and_their_repr_hides_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, ENCRYPTION_KEYS=f"{KEY},{KEY}", HTTP_PORT_FILE="port", LOG_LEVEL="INFO", UNKNOWN="x")
    settings = load_settings(NeedsKeys)
    assert settings.encryption_keys == (b"k" * 32, b"k" * 32)
    assert settings.http_port_file == Path("port")
    assert settings.log_level == "info"
    assert "geheim" not in repr(settings)
    assert KEY not in repr(settings)


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(NeedsKeys)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "ORCHESTRATOR_DATABASE_URL",
        "ORCHESTRATOR_AMQP_URL",
        "ORCHESTRATOR_ENCRYPTION_KEYS",
    ] or len(lines) == 4
    assert "for example postgresql://" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "mysql://geheim", "expected a URL such as postgresql://"),
        ("DATABASE_URL", "postgresql://h:geheim/x", "expected a URL such as postgresql://"),
        ("AMQP_URL", "geheim", "expected a URL such as amqp://"),
        ("ENCRYPTION_KEYS", "geheim", "base64 keys of 32 bytes"),
        ("HTTP_PORT", "geheim", "whole number"),
        ("HTTP_PORT", "70000", "at most 65535"),
        ("LOG_FORMAT", "geheim", "'json' or 'console'"),
        ("DATABASE_ROLE_PREFIX", 'geheim"; DROP', "use lower-case letters, digits and `_`"),
        ("SHUTDOWN_GRACE_SECONDS", "-1", "more than 0"),
    ],
)
def test_what_is_wrong_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    set_all(monkeypatch, ENCRYPTION_KEYS=KEY)
    monkeypatch.setenv(f"ORCHESTRATOR_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings(NeedsKeys)
    assert f"ORCHESTRATOR_{name}: " in str(caught.value)
    assert expected in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, HTTP_PORT="")
    assert load_settings(ServiceSettings).http_port == 0
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", "")
    with pytest.raises(SettingsError, match="ORCHESTRATOR_DATABASE_URL: is not set"):
        load_settings(ServiceSettings)


def test_an_address_has_no_password() -> None:
    assert address("postgresql://me:geheim@db:5433/x") == "db:5433"
    assert address("amqp://me:geheim@mq/") == "mq:5672"
    assert address("amqps://me:geheim@mq") == "mq:5671"
    assert address("postgresql:///x?host=/run") == "local socket"
    assert address("postgresql://me:ge,heim@one:5433,two/x") == "one:5433, two:5432"
