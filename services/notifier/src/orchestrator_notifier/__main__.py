"""Runs the notifier service: `python -m orchestrator_notifier`."""

import sys

from orchestrator_notifier.settings import NotifierSettings
from orchestrator_notifier.wiring import start
from orchestrator_shared.runtime.service import run_service


def main() -> int:
    """The exit code: 0 stopped, 1 failed, 2 wrong settings."""
    return run_service("notifier", NotifierSettings, start)


if __name__ == "__main__":
    sys.exit(main())
