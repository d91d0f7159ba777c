"""Secrets in files: every secret setting can be given as a file, and never in two ways at once."""

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings
from tests.support import documentation

from orchestrator_api.settings import ApiSettings
from orchestrator_cli.context import token_of_environment
from orchestrator_cli.failures import BadInput
from orchestrator_notifier.settings import NotifierSettings
from orchestrator_runner.settings import RunnerSettings
from orchestrator_shared.secret_files import MAX_BYTES, SecretFileError, secret_of
from orchestrator_shared.settings import SettingsError, load_settings, variable

KEY = base64.b64encode(b"k" * 32).decode()
NAME = "ORCHESTRATOR_ADMIN_TOKEN"
SECRETS = {
    "database_url": "postgresql://me:geheim@db/x",
    "amqp_url": "amqp://me:geheim@mq/",
    "encryption_keys": f"{KEY},{KEY}",
    "link_key": KEY,
    "admin_token": "geheim" * 10,
    "smtp_password": " geheim with blanks ",
    "oidc_client_secret": "geheim",
    "registry_credentials": '{"auths": {"registry.example.com": {"auth": "bWU6Z2VoZWlt"}}}',
}
OTHERS = {
    "admin_email": "admin@example.com",
    "smtp_host": "mail.example.com",
    "smtp_username": "me",
    "mail_from": "me@example.com",
}
Write = Callable[[str, str | bytes], Path]


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ORCHESTRATOR_"):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a secret's file and set its variable."""

    def written(name: str, content: str | bytes) -> Path:
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        monkeypatch.setenv(f"{name}_FILE", str(file))
        return file

    return written


@pytest.mark.parametrize("settings", [ApiSettings, NotifierSettings, RunnerSettings])
def test_every_secret_of_a_service_can_be_a_file(
    settings: type[BaseSettings], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in OTHERS.items():
        monkeypatch.setenv(variable(name), value)
    for name, value in SECRETS.items():
        write(variable(name), f"{value}\n")
    loaded = load_settings(settings)
    secret = {name for name, field in settings.model_fields.items() if not field.repr}
    assert secret <= SECRETS.keys()
    for name in secret:
        expected = SECRETS[name] if "key" not in name else (b"k" * 32,) * (1 + SECRETS[name].count(","))
        assert getattr(loaded, name) == expected
    assert "geheim" not in repr(loaded)


def test_the_page_names_every_secret_setting() -> None:
    text = (documentation.REFERENCE / "settings.md").read_text(encoding="utf-8")
    told = text.partition("### Secrets in files")[2].partition("\n## ")[0]
    assert [name for name in SECRETS if f"`{variable(name)}`" not in told] == []


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_line_breaks_at_the_end_do_not_count(write: Write, end: str) -> None:
    write(NAME, f" a\nb {end}")
    assert secret_of(NAME) == " a\nb "


def test_an_empty_variable_is_an_unset_one(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(NAME, "from a file")
    monkeypatch.setenv(NAME, "")
    assert secret_of(NAME) == "from a file"
    monkeypatch.setenv(f"{NAME}_FILE", "")
    assert secret_of(NAME) is None
    monkeypatch.setenv(NAME, "by itself")
    assert secret_of(NAME) == "by itself"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\n", "the file is empty"),
        (b"\xff\xfe", "the file is not UTF-8 text"),
        (b"x" * (MAX_BYTES + 1), "the file is larger than 64 KiB"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(write: Write, content: bytes, reason: str) -> None:
    write(NAME, content)
    with pytest.raises(SecretFileError, match=f"^{NAME}_FILE: {reason}$"):
        secret_of(NAME)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("missing-geheim", "No such file or directory"), (".", "Is a directory"), ("a" * 5000, "too long")],
)
def test_a_path_that_cannot_be_read_is_refused_without_showing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, reason: str
) -> None:
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / path))
    with pytest.raises(SecretFileError, match=f"{NAME}_FILE: the file cannot be read: .*{reason}") as caught:
        secret_of(NAME)
    assert path == "." or path not in str(caught.value)


def test_a_secret_that_is_given_twice_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is wrong is named at once, and no value is."""
    write("ORCHESTRATOR_DATABASE_URL", SECRETS["database_url"])
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", SECRETS["database_url"])
    write("ORCHESTRATOR_AMQP_URL", "")
    with pytest.raises(SettingsError) as caught:
        load_settings(RunnerSettings)
    assert set(str(caught.value).splitlines()) == {
        "The settings cannot be used:",
        "  ORCHESTRATOR_DATABASE_URL and ORCHESTRATOR_DATABASE_URL_FILE are both set: remove one of them",
        "  ORCHESTRATOR_AMQP_URL_FILE: the file is empty",
    }


def test_a_wrong_value_in_a_file_is_named_without_it(write: Write) -> None:
    write("ORCHESTRATOR_DATABASE_URL", "mysql://geheim")
    with pytest.raises(SettingsError, match=r"ORCHESTRATOR_DATABASE_URL: .*expected a URL") as caught:
        load_settings(RunnerSettings)
    assert "geheim" not in str(caught.value)


def test_the_command_lines_token_can_be_a_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("ORCHESTRATOR_TOKEN", "from a file\n")
    assert token_of_environment() == "from a file"
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "by itself")
    with pytest.raises(BadInput, match="are both set"):
        token_of_environment()
