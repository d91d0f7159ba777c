"""Three runners, killed, stopped and cut off at random for some seconds; `make soak` does it for minutes.

`TEST_SEED` repeats the faults and the load of an earlier run (not their timing).
"""

import os
import time
from pathlib import Path

import pytest
from tests.support.brokers import BrokerVhost
from tests.support.chaos import run_chaos
from tests.support.chaos_world import Scene
from tests.support.databases import Database

pytestmark = [pytest.mark.xdist_group("chaos"), pytest.mark.timeout(240)]

SEED = int(os.environ.get("TEST_SEED") or time.time())


async def test_runners_keep_their_promises_in_a_short_chaos(
    database: Database, broker: BrokerVhost, tmp_path: Path
) -> None:
    scene = Scene(database, broker, tmp_path, seed=SEED, jobs=100, seconds=7, bound=100, lease_seconds=1.5)
    await run_chaos(scene)
