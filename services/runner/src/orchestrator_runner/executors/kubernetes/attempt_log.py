"""The log of one attempt: what its program wrote, read from the cluster, and lines of the runner's own."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from orchestrator_runner.executors.kubernetes.client import KubernetesClient
from orchestrator_runner.executors.kubernetes.follow_log import LogFollower
from orchestrator_runner.executors.port import LogMark, LogSink


class AttemptLog:
    """Follows the log of one pod from the moment its program runs."""

    def __init__(self, client: KubernetesClient, sink: LogSink) -> None:
        self._client = client
        self._sink = sink
        self._follower: LogFollower | None = None
        self._task: asyncio.Task[None] | None = None
        self.mark: LogMark | None = None
        """What of it is stored already."""

    def read(self, pod: str) -> None:
        """Begin to follow, unless it has begun."""
        if self._task is None:
            self._follower = LogFollower(self._client, pod, self._sink, self.mark)
            self._task = asyncio.create_task(self._follower.run())

    async def until(self, changed: asyncio.Event, seconds: float) -> None:
        """Wait for a change, or for a log that cannot be stored; raises what the log raised."""
        waiting = asyncio.create_task(changed.wait())
        reading = {self._task} if self._task is not None and not self._task.done() else set()
        try:
            await asyncio.wait(
                {waiting, *reading}, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            waiting.cancel()
        if self._task is not None and self._task.done():
            self._task.result()

    async def finish(self) -> None:
        """Read the rest, once the container has ended."""
        if self._follower is None or self._task is None:
            return
        self._follower.container_ended()
        await self._task
        if self._follower.fault is not None:
            await self.say(f"the end of the log could not be read: {self._follower.fault}")

    async def finish_within(self, seconds: float) -> None:
        """As much of the rest as can be read in this time."""
        if self._follower is not None and self._task is not None:
            self._follower.container_ended()
            await asyncio.wait({self._task}, timeout=seconds)

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            await end_task(self._task)

    async def say(self, text: str) -> None:
        """A line of the runner's own in the job's log; stdout is what the program wrote."""
        await self._sink.write("stderr", datetime.now(UTC), f"{text}\n".encode(errors="replace"))


async def end_task(task: asyncio.Task[Any]) -> None:
    """Cancel it and wait; what it raised is nobody's business any more."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # retrieved, so that asyncio does not log it
