"""Pumping a task's output: fair to everything else in the loop, and over when the task is."""

import asyncio
import os
from collections.abc import Iterator
from datetime import datetime

import pytest

from orchestrator_runner.executors.port import Stream
from orchestrator_runner.executors.process.pipes import TAIL_BYTES, Pipe


class Log:
    def __init__(self) -> None:
        self.data = b""

    async def write(self, stream: Stream, at: datetime, data: bytes) -> None:
        self.data += data

    async def mark(self) -> int:
        return 1


class Nowhere(Log):
    async def write(self, stream: Stream, at: datetime, data: bytes) -> None:
        pass


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe("stdout")
    yield pipe
    pipe.discard()


async def test_an_endless_flood_lets_others_work(pipe: Pipe) -> None:
    with open("/dev/zero", "rb") as zero:
        os.dup2(zero.fileno(), pipe._read_end)
    pumping = asyncio.create_task(pipe.pump(Nowhere()))
    async with asyncio.timeout(30):
        for _ in range(10):
            await asyncio.sleep(0)
    pumping.cancel()
    assert 0 < pipe.total < 2**24


async def test_it_ends_with_the_task_even_if_someone_holds_the_pipe(pipe: Pipe) -> None:
    log = Log()
    pumping = asyncio.create_task(pipe.pump(log))
    os.write(pipe.write_end, b"first")
    while not log.data:
        await asyncio.sleep(0)
    os.write(pipe.write_end, b" last")
    pipe.finish()
    await asyncio.wait_for(pumping, 30)
    assert log.data == b"first last"


async def test_the_tail_is_bounded(pipe: Pipe) -> None:
    for size in (10, TAIL_BYTES - 1, 100, 2 * TAIL_BYTES):
        os.write(pipe.write_end, bytes([size % 251]) * size)
        pipe.finish()
        log = Log()
        await pipe.pump(log)
        assert len(pipe.tail) == min(pipe.total, TAIL_BYTES)
        assert log.data.endswith(pipe.tail[-size:])
