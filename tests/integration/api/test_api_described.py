"""Fault 18 of issue 8: schemathesis holds the real api against its own description, with every check on.

Its systematic cases take longer than all others together: they are in `make soak`.

`TEST_FUZZ_EXAMPLES` makes it longer; the seed is fixed, so that a failure comes again.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.integration.api.fuzzing import furnish, fuzzed
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.service_process import ServiceProcess

EXAMPLES = int(os.environ.get("TEST_FUZZ_EXAMPLES", "3"))
BOUND = 300
"""Seconds; ten times what it takes on a quiet machine."""


@pytest.mark.timeout(BOUND + 60)
async def test_the_api_behaves_as_described(
    database: Database,
    broker: BrokerVhost,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
    tmp_path: Path,
) -> None:
    furnished = await furnish(database, broker, service_process)
    done = fuzzed(furnished, tmp_path, examples=EXAMPLES, seconds=BOUND, phases="examples,fuzzing")
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


@pytest.mark.timeout(BOUND + 60)
async def test_lesser_tokens_get_what_is_described(
    database: Database,
    broker: BrokerVhost,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
    tmp_path: Path,
) -> None:
    """Fault 18: only the administrator's token was tried."""
    furnished = await furnish(database, broker, service_process)
    reader = await furnished.asked_by("read")
    runner = await furnished.asked_by("run", components=["demo-extractor", "orchestrator"])
    runner = await runner.whose_run_failed(database)
    for asked in (reader, runner):
        done = fuzzed(asked, tmp_path, examples=2, seconds=BOUND // 2, phases="examples,fuzzing")
        print(done.stdout)
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
