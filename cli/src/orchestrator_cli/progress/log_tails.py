"""Logs that are being written: each arrives as a stream of events, read by a thread of its own."""

import json
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from orchestrator_cli.client import Json
from orchestrator_cli.event_stream import Event, EventStream, StreamRefused
from orchestrator_cli.notices import SHORTEST_PAUSE_SECONDS
from orchestrator_cli.transport import NoAnswer

MOST_TAILS = 8
"""The server allows 20 streams for each token; further logs are polled until one of these ends."""
REOPENING_PAUSE_SECONDS = 0.4
"""After a stream that ended early: when the api stops, another replica serves."""
HELD_BACK = 64
"""Pieces that wait to be printed; behind a slow output, the threads wait too."""

Open = Callable[[str, str | None], EventStream]
"""Opens the log of a job after a place."""
Show = Callable[[str, Json, str | None], None]
"""Prints a piece of the log of a job, which ends at a place."""


class LogTails:
    """The open streams. All printing is done by the thread that waits."""

    def __init__(self, connect: Open, show: Show) -> None:
        self._connect = connect
        self._show = show
        self._items: queue.Queue[Callable[[], bool]] = queue.Queue(HELD_BACK)
        """Each tells whether something changed, apart from more text."""
        self._streams: dict[str, EventStream | None] = {}
        self._refused: set[str] = set()
        self._is_told = threading.Event()
        self._is_closed = False

    def has(self, job: str) -> bool:
        """Whether the job's log arrives by itself."""
        return job in self._streams

    def begin(self, job: str, after: str | None) -> bool:
        """Let the log arrive from this place on; returns False if it has to be polled."""
        if job in self._refused or len(self._streams) >= MOST_TAILS:
            return False
        self._streams[job] = None
        threading.Thread(target=self._read, args=(job, after), daemon=True).start()
        return True

    def tell(self) -> None:
        """Something changed: end the wait."""
        if not self._is_told.is_set():
            self._is_told.set()
            self._put(self._look)

    def wait(self, most: float) -> None:
        """Print what arrives, until something else changes, for so long at most."""
        until = time.monotonic() + most
        while (left := until - time.monotonic()) > 0:
            try:
                has_changed = self._items.get(timeout=left)()
            except queue.Empty:
                return
            if has_changed:
                time.sleep(SHORTEST_PAUSE_SECONDS)
                return

    def _look(self) -> bool:
        self._is_told.clear()
        return True

    def _end(self, job: str, *, refused: bool) -> bool:
        del self._streams[job]
        if refused:
            self._refused.add(job)
        return True

    def _read(self, job: str, after: str | None) -> None:
        """Reads until the log is complete or the stream breaks: then it is looked at again from there."""
        refused = False
        try:
            with self._connect(job, after) as stream:
                self._streams[job] = stream
                if not self._pass_on(job, stream):
                    time.sleep(REOPENING_PAUSE_SECONDS)
        except NoAnswer:
            pass
        except (StreamRefused, ValueError, RecursionError):
            refused = True
        self._put(lambda: self._end(job, refused=refused))

    def _pass_on(self, job: str, stream: EventStream) -> bool:
        """Pass on what comes; returns whether the log is complete."""
        for event in stream.events():
            if self._is_closed or event.name == "end":
                return True
            if event.name == "log":
                self._put(self._piece(job, _chunk(event), event.id))
        return False

    def _piece(self, job: str, chunk: Json, place: str | None) -> Callable[[], bool]:
        def shown() -> bool:
            self._show(job, chunk, place)
            return False

        return shown

    def _put(self, item: Callable[[], bool]) -> None:
        while not self._is_closed:
            with suppress(queue.Full):
                self._items.put(item, timeout=1.0)
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        for stream in list(self._streams.values()):
            if stream is not None:
                stream.end()


def _chunk(event: Event) -> Json:
    chunk = json.loads(event.data)
    if event.id is None or not isinstance(chunk, dict) or "text" not in chunk:
        raise ValueError("not a piece of a log")
    return chunk
