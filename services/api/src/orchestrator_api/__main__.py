"""Runs the api service: `python -m orchestrator_api`."""

import sys

from orchestrator_shared.runtime.private_environment import hide_environment


def main() -> int:
    """The exit code: 0 stopped, 1 failed, 2 wrong settings."""
    hide_environment()
    # Only now: these imports take most of the start, during which the environment can be read.
    from orchestrator_api.settings import ApiSettings
    from orchestrator_api.wiring import start
    from orchestrator_shared.runtime.service import run_service

    return run_service("api", ApiSettings, start)


if __name__ == "__main__":
    sys.exit(main())
