"""Runs the api service: `python -m orchestrator_api`."""

import sys

from orchestrator_shared.runtime.private_environment import hide_environment


def main() -> int:
    """Returns the exit code: 0 when stopped, 1 when failed, 2 when the settings are invalid."""
    hide_environment()
    # Imported late: imports take most of the start-up time, and the environment must be hidden first.
    from orchestrator_api.settings import ApiSettings
    from orchestrator_api.wiring import start
    from orchestrator_shared.runtime.service import run_service

    return run_service("api", ApiSettings, start)


if __name__ == "__main__":
    sys.exit(main())
