"""Tells when something happened at the server, by its live events; without them, that time has passed."""

import http.client
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from orchestrator_cli.transport import ANSWER_SECONDS, Request

Connect = Callable[[], http.client.HTTPConnection]
MEDIA_TYPE = "text/event-stream"
SHORTEST_PAUSE_SECONDS = 0.1
"""A wide run has hundreds of events a second; each look costs two requests."""
SILENT_SECONDS = 60.0
"""The server sends a heartbeat every 15 seconds."""


class Notices:
    """A stream of events, read by a thread: callers read the job again, so only the arrival counts.

    An older server has no such stream, and a stream may break: then `wait` is a plain pause.
    """

    def __init__(self, connect: Connect | None, request: Request) -> None:
        self._arrived = threading.Event()
        self._sock: socket.socket | None = None
        self.is_open = connect is not None and self._open(connect, request)

    def _open(self, connect: Connect, request: Request) -> bool:
        try:
            connection = connect()
            connection.connect()
            self._sock = connection.sock
            self._sock.settimeout(ANSWER_SECONDS)
            connection.request("GET", request.target, headers={**request.headers, "Accept": MEDIA_TYPE})
            answer = connection.getresponse()
            self._sock.settimeout(SILENT_SECONDS)
        except (OSError, ValueError, http.client.HTTPException):
            return False
        kind = answer.headers.get("Content-Type", "")
        if answer.status != http.client.OK or not kind.startswith(MEDIA_TYPE):
            return False
        threading.Thread(target=self._read, args=(answer,), daemon=True).start()
        return True

    def _read(self, answer: http.client.HTTPResponse) -> None:
        with suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while line := answer.readline():
                if line.startswith(b"event:"):
                    self._arrived.set()
        self.is_open = False
        self._arrived.set()

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
        if self._sock is not None:
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
