"""Tells when something happened at the server, by its live events; without them, that time has passed."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from orchestrator_cli.event_stream import EventStream, StreamRefused
from orchestrator_cli.transport import NoAnswer

SHORTEST_PAUSE_SECONDS = 0.1
"""A wide run has hundreds of events a second; each look costs two requests."""


class Notices:
    """A stream of events, read by a thread: callers read the job again, so only the arrival counts.

    An older server has no such stream, and a stream may break: then `wait` is a plain pause.
    """

    def __init__(self, connect: Callable[[], EventStream], tell: Callable[[], None] | None = None) -> None:
        self._arrived = threading.Event()
        self._tell = tell or self._arrived.set
        self._stream: EventStream | None = None
        try:
            self._stream = connect()
        except (NoAnswer, StreamRefused):
            self.is_open = False
            return
        self.is_open = True
        threading.Thread(target=self._read, args=(self._stream,), daemon=True).start()

    def _read(self, stream: EventStream) -> None:
        with stream:
            for _ in stream.events():
                self._tell()
        self.is_open = False
        self._tell()

    def wait(self, *, most: float, otherwise: float) -> None:
        """Wait for the next event, at most so long; `otherwise` is the pause without events."""
        if not self.is_open:
            time.sleep(otherwise)
        elif self._arrived.wait(most):
            time.sleep(SHORTEST_PAUSE_SECONDS)
            self._arrived.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_open = False
        if self._stream is not None:
            self._stream.end()
