"""Reads a task's output, whatever the length of its lines and whoever still holds the other end open."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime

from orchestrator_runner.executors.port import LogSink, Stream

_READ_SIZE = 64 * 1024
TAIL_BYTES = 16 * 1024


class Pipe:
    """The read end of one stream, pumped into a log; the write end goes to the task."""

    def __init__(self, stream: Stream) -> None:
        self.stream: Stream = stream
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._waiter: asyncio.Future[None] | None = None
        self._is_watched = False
        self._all_writers_ended = False
        self._first = b""
        self.tail = b""
        self.total = 0

    def when_readable(self, begin: Callable[[], None]) -> None:
        """Call this once, when there is something to pump: most tasks write little, late, or nothing."""

        def readable() -> None:
            self._stop_watching()
            with contextlib.suppress(BlockingIOError):
                self._first = os.read(self._read_end, _READ_SIZE)
                if not self._first:
                    return
            begin()

        asyncio.get_running_loop().add_reader(self._read_end, readable)
        self._is_watched = True

    def _stop_watching(self) -> None:
        if self._is_watched:
            self._is_watched = False
            asyncio.get_running_loop().remove_reader(self._read_end)

    async def pump(self, log: LogSink) -> None:
        """Pass on what is written until nothing more can come."""
        while data := await self._read():
            self.total += len(data)
            self.tail = (self.tail + data)[-TAIL_BYTES:] if len(data) < TAIL_BYTES else data[-TAIL_BYTES:]
            await log.write(self.stream, datetime.now(UTC), data)
            await asyncio.sleep(0)  # so that a task that floods its output does not starve the heartbeat

    def finish(self) -> None:
        """The task has no process left: read what is in the pipe, then stop, whoever else holds it open."""
        self._all_writers_ended = True
        self._stop_watching()
        self._wake()

    def close(self) -> None:
        """Close the descriptor."""
        self._stop_watching()
        self._wake()
        os.close(self._read_end)

    def discard(self) -> None:
        """Close both ends of a pipe that was never used."""
        self.close()
        os.close(self.write_end)

    async def _read(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        while True:
            with contextlib.suppress(BlockingIOError):
                return os.read(self._read_end, _READ_SIZE)
            if self._all_writers_ended:
                return b""
            await self._readable()

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        loop.add_reader(self._read_end, self._wake)
        try:
            await self._waiter
        finally:
            loop.remove_reader(self._read_end)
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
