"""Tokens, encryption at rest and masking."""

import base64
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.sealed_values import SealedValue, check_sealed
from orchestrator_shared.secret_places import (
    SecretPlace,
    of_parameters,
    of_run_elsewhere,
    of_state,
    of_variable,
)
from orchestrator_shared.security import (
    Encryption,
    hash_token,
    mask_secrets,
    new_token,
    parse_token_id,
    secret_handle,
)
from orchestrator_shared.settings import SettingsError, parse_keys

PLACE = of_parameters("demo", "csv-source", "orders")
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
    first, second = (encryption.encrypt_value("heslo ěšč", PLACE) for _ in range(2))
    assert first != second
    assert first.startswith("enc:v2:")
    assert "heslo" not in first
    assert encryption.decrypt_value(first, PLACE) == "heslo ěšč"


def test_a_value_of_another_project_is_refused() -> None:
    encryption = Encryption([NEW])
    with pytest.raises(UserError, match="not made in this project"):
        encryption.decrypt_value(
            encryption.encrypt_value("x", PLACE), of_parameters("other", "csv-source", "orders")
        )


OTHERS = (
    of_parameters("demo", "csv-source", "other"),
    of_parameters("demo", "csv-writer", "orders"),
    of_state("demo", "csv-source", "orders"),
    of_run_elsewhere("demo", "csv-source", "orders"),
    of_variable("demo", "orders"),
    of_parameters("other", "csv-source", "orders"),
)


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_a_value_is_bound_to_what_it_is_for(other: SecretPlace) -> None:
    encryption = Encryption([NEW])
    text = encryption.encrypt_value("x", PLACE)
    relabelled = text.replace(PLACE.name, other.name)
    for moved in {text, relabelled}:
        with pytest.raises(UserError, match=r"was not made in this project for .* enter the secret again"):
            encryption.decrypt_value(moved, other)
        with pytest.raises(UserError, match="was not made in this project for"):
            encryption.encrypt_secrets({"#p": moved}, other)
    if other.project == PLACE.project:
        assert encryption.encrypt_secrets({"#p": text}, other, kept={text}) == {"#p": text}
        moved_on = encryption.move_secrets({"#p": text}, PLACE, other)
        assert encryption.decrypt_secrets(moved_on, other) == {"#p": "x"}


def test_values_in_the_first_form_are_read_until_they_are_written_again() -> None:
    old, new = Encryption([NEW], form="v1"), Encryption([NEW])
    first = old.encrypt_value("x", PLACE)
    assert first.startswith("enc:v1:")
    assert new.decrypt_value(first, OTHERS[0]) == "x"
    renewed = new.renew(first, PLACE)
    assert renewed.startswith(f"enc:v2:{new.key_ids[0]}:parameter/csv-source/orders:")
    assert secret_handle(renewed) == secret_handle(first)
    assert old.decrypt_value(renewed, PLACE) == "x"
    assert old.renew(renewed, PLACE) == first
    with pytest.raises(UserError):
        new.decrypt_value(renewed, OTHERS[0])


def test_neither_forms_nor_places_share_a_key_stream() -> None:
    """One nonce for two values under one key would give away the key that authenticates."""
    first = Encryption([NEW], form="v1").encrypt_value("known text", PLACE)
    texts = [first, *(Encryption([NEW]).renew(first, place) for place in (PLACE, *OTHERS[:-1]))]
    values = [SealedValue.parse(text) for text in texts]
    assert len({value.nonce for value in values}) == 1
    assert len({value.sealed[:10] for value in values}) == len(values)


def test_secrets_that_cannot_be_read_stay_as_they_are_for_comparisons() -> None:
    lost, known = Encryption([OLD]).encrypt_value("x", PLACE), Encryption([NEW]).encrypt_value("y", PLACE)
    value = {"#a": lost, "#b": known, "#c": "enc:v1:AAAA", "#d": "enc:v2:zz", "e": known}
    assert Encryption([NEW]).read_secrets(value, "demo") == {**value, "#b": "y"}


BAD = ["", "AAAA", "%%%", "A" * 60, "00000000:parameter/a/b:" + "A" * 60, "a:b", "00:x:AAAA"]


@pytest.mark.parametrize("text", [*(form + bad for form in ("enc:v1:", "enc:v2:") for bad in BAD), "plain"])
def test_garbage_is_refused_with_a_way_out(text: str) -> None:
    with pytest.raises(UserError, match="enter the secret again"):
        Encryption([NEW]).decrypt_value(text, PLACE)


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old = Encryption([OLD]).encrypt_value("x", PLACE)
    both = Encryption([NEW, OLD])
    assert both.decrypt_value(old, PLACE) == "x"
    new = both.encrypt_value("x", PLACE)
    assert Encryption([NEW]).decrypt_value(new, PLACE) == "x"
    with pytest.raises(UserError):
        Encryption([OLD]).decrypt_value(new, PLACE)


PARAMETERS: dict[str, Any] = {
    "user": "me",
    "#password": "secret",
    "db": {"#key": {"a": [1, None]}, "hosts": [{"#token": "t"}, "#not-a-key"]},
    "#empty": None,
}


def test_secrets_anywhere_are_encrypted_masked_and_decrypted() -> None:
    encryption = Encryption([NEW])
    stored = encryption.encrypt_secrets(PARAMETERS, PLACE)
    assert stored["user"] == "me"
    assert stored["#empty"] is None
    assert all(
        encryption.is_encrypted(value)
        for value in (stored["#password"], stored["db"]["#key"], stored["db"]["hosts"][0]["#token"])
    )
    assert encryption.decrypt_secrets(stored, PLACE) == PARAMETERS
    masked = {"user": "me", "#password": "***", "#empty": None}
    assert mask_secrets(stored) == {
        **masked,
        "db": {"#key": "***", "hosts": [{"#token": "***"}, "#not-a-key"]},
    }


def test_encrypting_again_keeps_and_checks() -> None:
    encryption = Encryption([NEW])
    stored = encryption.encrypt_secrets(PARAMETERS, PLACE)
    assert encryption.encrypt_secrets(stored, PLACE) == stored
    with pytest.raises(UserError):
        encryption.encrypt_secrets(stored, of_parameters("other", "csv-source", "orders"))


def test_a_mask_without_a_stored_secret_is_refused() -> None:
    with pytest.raises(UserError, match="enter the secret"):
        Encryption([NEW]).encrypt_secrets({"#p": "***"}, PLACE)


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


def test_a_secret_in_the_clear_is_not_taken_for_an_encrypted_one() -> None:
    check_sealed({"a": [{"#p": Encryption([NEW]).encrypt_value("x", PLACE), "#none": None}]})
    with pytest.raises(ValueError, match="#p is not encrypted"):
        check_sealed({"a": [{"#p": "x"}]})
