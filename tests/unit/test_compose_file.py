"""What docker-compose.yml tells each service, and the secrets that deploy/make-env writes for it."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml
from tests.support.documentation import ROOT

from orchestrator_api.settings import ApiSettings
from orchestrator_notifier.settings import NotifierSettings
from orchestrator_runner.settings import RunnerSettings
from orchestrator_scheduler.settings import SchedulerSettings
from orchestrator_shared.settings import parse_keys
from orchestrator_trigger_watcher.settings import TriggerWatcherSettings

SERVICES = ("api", "scheduler", "trigger-watcher", "runner", "notifier")


def holders(variable: str) -> list[str]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert set(SERVICES) <= set(services)
    return [name for name, each in services.items() if variable in str(each)]


def test_only_api_and_runner_get_the_encryption_key() -> None:
    """Issue 8, 9: all five had it."""
    assert holders("encryption-keys") == ["api", "runner"]


def test_only_api_and_notifier_get_the_link_key() -> None:
    """Whoever has it can write a link that sets a person's password."""
    assert holders("link-key") == ["api", "notifier"]


def test_only_api_and_notifier_read_the_link_key() -> None:
    settings = (ApiSettings, NotifierSettings, RunnerSettings, SchedulerSettings, TriggerWatcherSettings)
    readers = [each for each in settings if "link_key" in each.model_fields]
    assert readers == [ApiSettings, NotifierSettings]


TRIAL = ROOT / "deploy" / "trial-secrets"


def project(folder: Path) -> Path:
    (folder / "deploy").mkdir()
    for name in ("make-env", "make-secrets"):
        shutil.copy(ROOT / "deploy" / name, folder / "deploy")
    return folder


def make_env(folder: Path) -> "subprocess.CompletedProcess[str]":
    script = folder / "deploy" / "make-env"
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(["sh", script], check=False, capture_output=True, text=True, env=environment)


def files_of(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_the_trials_secrets_are_those_that_the_script_writes(tmp_path: Path) -> None:
    script = ROOT / "deploy" / "make-secrets"
    subprocess.run(["sh", script, tmp_path], check=True, env={"PATH": os.environ["PATH"]})
    assert files_of(tmp_path) == files_of(TRIAL)
    assert len(json.loads((TRIAL / "rabbitmq-users.json").read_text())["users"]) == 1 + len(SERVICES)


def secrets_of(service: dict[str, Any]) -> set[str]:
    given = service.get("secrets", ())
    return {each["source"] if isinstance(each, dict) else each for each in given}


def test_every_secret_has_a_file_and_every_file_is_used() -> None:
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert set(document["secrets"]) == {file.name for file in TRIAL.iterdir()}
    given = [name for each in document["services"].values() for name in secrets_of(each)]
    assert set(given) == set(document["secrets"])
    for name, each in document["services"].items():
        named = set(re.findall(r"/run/secrets/([a-z.-]+[a-z])", str(each.get("environment"))))
        assert named <= secrets_of(each), name


def test_no_password_stands_in_the_file_itself() -> None:
    assert "trial-only" not in (ROOT / "docker-compose.yml").read_text()


def test_make_env_makes_secrets_of_ones_own_once(tmp_path: Path) -> None:
    folder = project(tmp_path)
    assert make_env(folder).returncode == 0
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert (folder / "secrets" / "link-key").stat().st_mode & 0o777 == 0o644
    assert (folder / ".env").read_text() == "ORCHESTRATOR_SECRETS=./secrets\n"
    made = files_of(folder / "secrets")
    assert made.keys() == files_of(TRIAL).keys()
    assert not any("trial" in text for text in made.values())
    assert len(parse_keys(made["link-key"].strip())) == len(parse_keys(made["encryption-keys"].strip())) == 1
    assert made["link-key"] != made["encryption-keys"]
    assert made["database-password-api"].strip() in made["database-url-api"]
    again = make_env(folder)
    assert again.returncode != 0
    assert "secrets" in again.stderr
    assert files_of(folder / "secrets") == made


def test_make_env_takes_over_what_an_older_version_wrote(tmp_path: Path) -> None:
    folder = project(tmp_path)
    older = (
        "POSTGRES_PASSWORD=older\nRUNNER_AMQP_PASSWORD=rabbit\nORCHESTRATOR_MAIL_FROM=Us <us@example.com>\n"
    )
    (folder / ".env").write_text(older)
    told = make_env(folder)
    assert told.returncode == 0
    assert "delete these lines" in told.stdout
    made = files_of(folder / "secrets")
    assert made["database-url-owner"] == "postgresql://orchestrator:older@postgres:5432/orchestrator\n"
    assert made["amqp-url-runner"] == "amqp://orchestrator_runner:rabbit@rabbitmq:5672/\n"
    assert "trial" not in made["link-key"]
    assert (folder / ".env").read_text() == older + "ORCHESTRATOR_SECRETS=./secrets\n"


def test_every_service_is_limited() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    unlimited = [name for name, each in services.items() if "deploy" not in each]
    assert unlimited == ["migrate", "demo-data"], "they end by themselves"
