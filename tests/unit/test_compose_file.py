"""What docker-compose.yml tells each service."""

from typing import Any

import yaml
from tests.support.documentation import ROOT

SERVICES = ("api", "scheduler", "trigger-watcher", "runner", "notifier")


def test_only_api_and_runner_get_the_encryption_key() -> None:
    """Issue 8, 9: all five had it."""
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert set(SERVICES) <= set(services)
    holders = [name for name, each in services.items() if "ENCRYPTION_KEY" in str(each)]
    assert holders == ["api", "runner"]
