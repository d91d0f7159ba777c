"""Hundreds of random histories of the engine, others each time; `make test` repeats the same few.

`LIFECYCLE_EXAMPLES` says how many, `LIFECYCLE_STEPS` how long each is.
"""

import os

import pytest
from tests.integration.runner.test_lifecycle_machine import RICH, run_histories

EXAMPLES = int(os.environ.get("LIFECYCLE_EXAMPLES") or 500)
STEPS = int(os.environ.get("LIFECYCLE_STEPS") or 60)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + 5 * EXAMPLES)]


def test_many_random_histories_keep_the_rules() -> None:
    house = run_histories(EXAMPLES, STEPS, derandomize=False)
    assert house.happened.keys() >= RICH or EXAMPLES < 100, f"not seen: {RICH - house.happened.keys()}"
