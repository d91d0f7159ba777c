"""Three runners and thousands of jobs over fifty configurations, for minutes of random faults.

`TEST_CHAOS_JOBS` (some of which fall to merges and failed runs) and `TEST_CHAOS_SECONDS` say how much and for
how long, `TEST_SEED` repeats the faults and the load of an earlier run (not their timing).
"""

import os
import time
from pathlib import Path

import pytest
from tests.support.brokers import fresh_vhost
from tests.support.chaos import run_chaos
from tests.support.chaos_world import Scene
from tests.support.databases import Database
from tests.support.servers import RabbitAddress

from orchestrator_local.servers.rabbitmq import RabbitServer

JOBS = int(os.environ.get("TEST_CHAOS_JOBS") or 6000)
SECONDS = float(os.environ.get("TEST_CHAOS_SECONDS") or 360)
SEED = int(os.environ.get("TEST_SEED") or time.time())
pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * SECONDS + 300)]


async def test_runners_keep_their_promises_in_chaos(
    database: Database, private_broker: RabbitServer, tmp_path: Path
) -> None:
    address = RabbitAddress(private_broker.url, private_broker.management_url, "")
    with fresh_vhost(address) as broker:
        bound = 60 + 2 * SECONDS  # of what was left undone, much has to be done one after another
        await run_chaos(
            Scene(
                database,
                broker,
                tmp_path,
                SEED,
                JOBS,
                SECONDS,
                bound,
                pause_seconds=(0.4, 1.6),
                server=private_broker,
            )
        )
