"""Runs the trigger-watcher service: `python -m orchestrator_trigger_watcher`."""

import sys

from orchestrator_shared.runtime.private_environment import hide_environment


def main() -> int:
    """The exit code: 0 stopped, 1 failed, 2 wrong settings."""
    hide_environment()
    # Only now: these imports take most of the start, during which the environment can be read.
    from orchestrator_shared.runtime.service import run_service
    from orchestrator_trigger_watcher.settings import TriggerWatcherSettings
    from orchestrator_trigger_watcher.wiring import start

    return run_service("trigger-watcher", TriggerWatcherSettings, start)


if __name__ == "__main__":
    sys.exit(main())
