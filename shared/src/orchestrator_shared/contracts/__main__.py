"""`python -m orchestrator_shared.contracts`: writes what is generated from the message models."""

import sys

from orchestrator_shared.contracts.schemas import main

sys.exit(main(sys.argv[1:]))
