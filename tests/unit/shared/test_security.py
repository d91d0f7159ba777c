"""Tokens, encryption at rest and masking."""

import base64
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.security import (
    Encryption,
    hash_token,
    mask_secrets,
    new_token,
    parse_token_id,
)
from orchestrator_shared.settings import SettingsError, parse_keys

OLD, NEW = os.urandom(32), os.urandom(32)
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def test_a_token_is_found_by_its_id_and_proved_by_its_hash() -> None:
    token_id, text = new_token()
    assert parse_token_id(text) == token_id
    assert len(text.split("_", 2)[2]) == 43
    assert hash_token(text) == hash_token(str(text))
    assert hash_token(text[:-1] + ("A" if text[-1] != "A" else "B")) != hash_token(text)


@pytest.mark.parametrize("text", ["", "orc_", "orc_zz_" + "a" * 43, "Bearer x", "orc_" + "0" * 32 + "_short"])
def test_text_that_is_not_a_token_has_no_id(text: str) -> None:
    assert parse_token_id(text) is None


def test_values_are_encrypted_differently_each_time_and_come_back() -> None:
    encryption = Encryption([NEW])
    first, second = (encryption.encrypt_value("heslo ěšč", project="demo") for _ in range(2))
    assert first != second
    assert first.startswith("enc:v1:")
    assert "heslo" not in first
    assert encryption.decrypt_value(first, project="demo") == "heslo ěšč"


def test_a_value_of_another_project_is_refused() -> None:
    encryption = Encryption([NEW])
    with pytest.raises(UserError, match="not made in this project"):
        encryption.decrypt_value(encryption.encrypt_value("x", project="demo"), project="other")


@pytest.mark.parametrize("text", ["enc:v1:", "enc:v1:AAAA", "enc:v1:%%%", "enc:v1:" + "A" * 60, "plain"])
def test_garbage_is_refused_with_a_way_out(text: str) -> None:
    with pytest.raises(UserError, match="enter the secret again"):
        Encryption([NEW]).decrypt_value(text, project="demo")


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old = Encryption([OLD]).encrypt_value("x", project="demo")
    both = Encryption([NEW, OLD])
    assert both.decrypt_value(old, project="demo") == "x"
    new = both.encrypt_value("x", project="demo")
    assert Encryption([NEW]).decrypt_value(new, project="demo") == "x"
    with pytest.raises(UserError):
        Encryption([OLD]).decrypt_value(new, project="demo")


PARAMETERS: dict[str, Any] = {
    "user": "me",
    "#password": "secret",
    "db": {"#key": {"a": [1, None]}, "hosts": [{"#token": "t"}, "#not-a-key"]},
    "#empty": None,
}


def test_secrets_anywhere_are_encrypted_masked_and_decrypted() -> None:
    encryption = Encryption([NEW])
    stored = encryption.encrypt_secrets(PARAMETERS, "demo")
    assert stored["user"] == "me"
    assert stored["#empty"] is None
    assert all(
        encryption.is_encrypted(value)
        for value in (stored["#password"], stored["db"]["#key"], stored["db"]["hosts"][0]["#token"])
    )
    assert encryption.decrypt_secrets(stored, "demo") == PARAMETERS
    masked = {"user": "me", "#password": "***", "#empty": None}
    assert mask_secrets(stored) == {
        **masked,
        "db": {"#key": "***", "hosts": [{"#token": "***"}, "#not-a-key"]},
    }


def test_encrypting_again_keeps_and_checks() -> None:
    encryption = Encryption([NEW])
    stored = encryption.encrypt_secrets(PARAMETERS, "demo")
    assert encryption.encrypt_secrets(stored, "demo") == stored
    with pytest.raises(UserError):
        encryption.encrypt_secrets(stored, "other")


def test_a_mask_without_a_stored_secret_is_refused() -> None:
    with pytest.raises(UserError, match="enter the secret"):
        Encryption([NEW]).encrypt_secrets({"#p": "***"}, "demo")


def test_endless_nesting_is_refused() -> None:
    value: Any = {}
    for _ in range(500):
        value = {"a": value}
    with pytest.raises(UserError, match="nested"):
        mask_secrets(value)


def test_keys_are_base64_of_32_bytes() -> None:
    first, second = (base64.b64encode(key).decode() for key in (OLD, NEW))
    assert parse_keys(f"{first}, {second}") == (OLD, NEW)
    with pytest.raises(ValueError, match="32 bytes"):
        parse_keys("c2hvcnQ=")
    with pytest.raises(SettingsError, match="ORCHESTRATOR_ENCRYPTION_KEYS"):
        Encryption([])
