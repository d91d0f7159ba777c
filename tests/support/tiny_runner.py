"""A runner reduced to its executor, to be killed and stopped by tests: `tiny_runner.py WORK LEASE ARGV...`.

It renews its lease all the time, runs the same program twice at once, and prints the keeper's process id.
"""

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from orchestrator_runner.executors.port import Execution, Stream
from orchestrator_runner.executors.process.executor import ProcessExecutor, ProcessSettings
from orchestrator_runner.executors.process.keeper_client import Keeper


class NoLog:
    async def write(self, stream: Stream, at: datetime, data: bytes) -> None:
        pass

    async def mark(self) -> int:
        return 1


async def renew(keeper: Keeper, seconds: float) -> None:
    while True:
        keeper.renew_lease(seconds)
        await asyncio.sleep(seconds / 3)


async def main(work: str, lease: str, *argv: str) -> None:
    settings = ProcessSettings(Path(work))
    margin = float(lease) / 4
    async with Keeper.open(lease_margin=margin) as keeper, ProcessExecutor.open(keeper, settings) as executor:
        renewing = asyncio.create_task(renew(keeper, float(lease)))
        print(keeper.pid, flush=True)
        runs = [
            executor.run(Execution(uuid4(), 1, argv, dict(os.environ), {}), NoLog(), asyncio.Event())
            for _ in range(2)
        ]
        for result in await asyncio.gather(*runs, return_exceptions=True):
            print(type(result).__name__, result, flush=True)
        renewing.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
