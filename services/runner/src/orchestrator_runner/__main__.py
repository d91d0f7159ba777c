"""Runs the runner service: `python -m orchestrator_runner`."""

import sys

from orchestrator_runner.settings import RunnerSettings
from orchestrator_runner.wiring import start
from orchestrator_shared.runtime.service import run_service


def main() -> int:
    """The exit code: 0 stopped, 1 failed, 2 wrong settings."""
    return run_service("runner", RunnerSettings, start)


if __name__ == "__main__":
    sys.exit(main())
