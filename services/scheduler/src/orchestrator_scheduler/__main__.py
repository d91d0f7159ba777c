"""Run the scheduler: `python -m orchestrator_scheduler`."""

import sys

from orchestrator_scheduler.settings import SchedulerSettings
from orchestrator_scheduler.wiring import NAME, start
from orchestrator_shared.runtime.service import run_service

if __name__ == "__main__":
    sys.exit(run_service(NAME, SchedulerSettings, start))
