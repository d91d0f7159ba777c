"""Follows the log of one pod, across lost connections, without gaps and without repeating a line."""

import asyncio
from collections import Counter, deque
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from orchestrator_runner.executors.kubernetes.client import KubernetesClient, Refused
from orchestrator_runner.executors.kubernetes.views import CONTAINER
from orchestrator_runner.executors.port import LogMark, LogSink
from orchestrator_shared.http_transport.answers import NoAnswer
from orchestrator_shared.http_transport.gzipped import UnusableBody

FIRST_PAUSE_SECONDS = 0.2
MOST_PAUSE_SECONDS = 10.0
MOST_LAST_TRIES = 6
"""After the container's end."""
_OVERLAP = timedelta(seconds=1)
"""Two streams are written to one log: their times may be out of order by a little."""


class Position:
    """How far the log was read; `sinceTime` is exact to the second only."""

    def __init__(self, mark: LogMark | None = None) -> None:
        self._last: datetime | None = None
        self._recent: deque[tuple[datetime, int]] = deque()
        self._known: Counter[tuple[datetime, int]] = Counter()
        self._again: Counter[tuple[datetime, int]] = Counter()
        self._begin = None if mark is None else mark.at
        self._skip_from = self._begin
        self._skip_lines = 0 if mark is None else mark.lines

    @property
    def since(self) -> str | None:
        """Where to ask again from; None for the beginning."""
        at = self._begin if self._last is None else self._last - _OVERLAP
        if at is not None and self._begin is not None:
            at = max(at, self._begin)  # what lies before it was never shown here, and is stored
        return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def begin(self) -> None:
        """A new answer begins, with lines that are known already."""
        self._again = self._known.copy()

    def is_new(self, at: datetime, text: bytes) -> bool:
        """Whether this line was not taken yet; it is from now on."""
        key = (at, hash(text))
        if self._again[key] > 0:
            self._again[key] -= 1
            return False
        self._remember(key)
        return not self._is_skipped(at)

    def _is_skipped(self, at: datetime) -> bool:
        """Whether an earlier runner took it: it stored this many lines from this time on."""
        if self._skip_from is None:
            return False
        if at < self._skip_from:
            return True
        self._skip_lines -= 1
        if self._skip_lines < 0:
            self._skip_from = None
            return False
        return True

    def _remember(self, key: tuple[datetime, int]) -> None:
        self._last = key[0] if self._last is None else max(self._last, key[0])
        self._recent.append(key)
        self._known[key] += 1
        oldest = self._last - 2 * _OVERLAP
        while self._recent[0][0] < oldest:
            gone = self._recent.popleft()
            self._known[gone] -= 1
            if not self._known[gone]:
                del self._known[gone]


def parse_line(line: bytes) -> tuple[datetime, bytes] | None:
    """Time and text of a line; None if it does not begin with a time, as an error message in the stream."""
    stamp, blank, text = line.partition(b" ")
    try:
        whole, _, fraction = stamp.decode("ascii").removesuffix("Z").partition(".")
        at = datetime.fromisoformat(whole).replace(tzinfo=UTC)
        micros = int((fraction + "000000")[:6]) if fraction or blank else 0
    except (UnicodeDecodeError, ValueError):
        return None
    return at.replace(microsecond=micros), text if text.endswith(b"\n") else text + b"\n"


class LogFollower:
    """The log of one pod, passed on to the job's log."""

    def __init__(self, client: KubernetesClient, pod: str, sink: LogSink, mark: LogMark | None) -> None:
        self._client = client
        self._pod = pod
        self._sink = sink
        self._position = Position(mark)
        self._ended = asyncio.Event()
        self._has_news = False
        self.fault: str | None = None
        """Why the end of the log is missing, if it is."""

    def container_ended(self) -> None:
        """Nothing more is written: read what is there, then end."""
        self._ended.set()

    async def run(self) -> None:
        """Follow to the end of the log; raises what the sink raises."""
        pause, last_tries = FIRST_PAUSE_SECONDS, 0
        while True:
            was_over = self._ended.is_set()
            reason = ""
            self._has_news = False
            try:
                await self._read(follow=not was_over)
                if was_over:
                    return
            except Refused as error:
                if error.status == 404:
                    self.fault = f"the pod is gone: {error}"
                    return
                reason = str(error)
            except (NoAnswer, UnusableBody) as error:
                reason = str(error)
            if was_over and (last_tries := last_tries + 1) >= MOST_LAST_TRIES:
                self.fault = reason
                return
            pause = FIRST_PAUSE_SECONDS if self._has_news else min(pause * 2, MOST_PAUSE_SECONDS)
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        if self._ended.is_set():
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            pass

    async def _read(self, *, follow: bool) -> None:
        """Take one answer."""
        query = {"container": CONTAINER, "follow": "true" if follow else "false"}
        if (since := self._position.since) is not None:
            query["sinceTime"] = since
        self._position.begin()
        async with aclosing(self._client.log(self._pod, **query)) as lines:
            async for line in lines:
                if (parsed := parse_line(line)) is None or not self._position.is_new(*parsed):
                    continue
                self._has_news = True
                await self._sink.write("stdout", *parsed)
