"""What docker-compose.yml tells each service, and the keys that deploy/make-env writes for it."""

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
    assert holders("ENCRYPTION_KEY") == ["api", "runner"]


def test_only_api_and_notifier_get_the_link_key() -> None:
    """Whoever has it can write a link that sets a person's password."""
    assert holders("LINK_KEY") == ["api", "notifier"]


def test_only_api_and_notifier_read_the_link_key() -> None:
    settings = (ApiSettings, NotifierSettings, RunnerSettings, SchedulerSettings, TriggerWatcherSettings)
    readers = [each for each in settings if "link_key" in each.model_fields]
    assert readers == [ApiSettings, NotifierSettings]


def test_make_env_writes_every_key_once_and_adds_those_that_a_file_lacks(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    script = shutil.copy(ROOT / "deploy" / "make-env", tmp_path / "deploy")
    subprocess.run(["sh", script], check=True, capture_output=True)
    file = tmp_path / ".env"
    assert file.stat().st_mode & 0o777 == 0o600
    made = file.read_text()
    keys = dict(line.partition("=")[::2] for line in made.splitlines())
    assert len(parse_keys(keys["ORCHESTRATOR_LINK_KEY"])) == 1
    assert keys["ORCHESTRATOR_LINK_KEY"] != keys["ORCHESTRATOR_ENCRYPTION_KEYS"]
    assert file.read_text() == made

    older = "".join(line for line in made.splitlines(keepends=True) if "LINK_KEY" not in line)
    file.write_text(older)
    subprocess.run(["sh", script], check=True, capture_output=True)
    assert file.read_text().startswith(older)
    assert file.read_text()[len(older) :].startswith("ORCHESTRATOR_LINK_KEY=")
    completed = file.read_text()
    again = subprocess.run(["sh", script], check=False, capture_output=True, text=True)
    assert again.returncode != 0
    assert ".env" in again.stderr
    assert file.read_text() == completed
