"""`python -m orchestrator_api` runs the api."""

import sys

from orchestrator_api.settings import ApiSettings
from orchestrator_api.wiring import start
from orchestrator_shared.runtime.service import run_service

if __name__ == "__main__":
    sys.exit(run_service("api", ApiSettings, start))
