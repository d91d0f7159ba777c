"""Schemathesis against a furnished api for minutes, other data each time; `make test` repeats the same few.

`TEST_FUZZ_EXAMPLES` says how many per operation, `TEST_SEED` which.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.integration.api.fuzzing import furnish, fuzzed
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.service_process import ServiceProcess

EXAMPLES = int(os.environ.get("TEST_FUZZ_EXAMPLES") or 50)
BOUND = 1200 + 12 * EXAMPLES
"""Seconds."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(BOUND + 60)]


async def test_many_calls_find_nothing_that_is_not_described(
    database: Database,
    broker: BrokerVhost,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
    tmp_path: Path,
) -> None:
    furnished = await furnish(database, broker, service_process)
    done = fuzzed(
        furnished, tmp_path, examples=EXAMPLES, seconds=BOUND, phases="coverage,fuzzing", repeats=False
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
