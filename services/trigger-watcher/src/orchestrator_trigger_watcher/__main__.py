"""Run the trigger-watcher: `python -m orchestrator_trigger_watcher`."""

import sys

from orchestrator_shared.runtime.service import run_service
from orchestrator_trigger_watcher.settings import TriggerWatcherSettings
from orchestrator_trigger_watcher.wiring import NAME, start

if __name__ == "__main__":
    sys.exit(run_service(NAME, TriggerWatcherSettings, start))
