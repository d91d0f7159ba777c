"""Server-sent events, read from a connection of their own."""

import http.client
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from orchestrator_cli.transport import ANSWER_SECONDS, NoAnswer, Request

Connect = Callable[[], http.client.HTTPConnection]
MEDIA_TYPE = "text/event-stream"
SILENT_SECONDS = 60.0
"""The server sends a heartbeat every 15 seconds."""
MOST_LINE_BYTES = 1024 * 1024
"""A piece of a log has at most 64 KiB, which JSON may write six times as long."""


class StreamRefused(Exception):
    """The server answers, but not with a stream: it is an older one, or has too many open."""


@dataclass(frozen=True)
class Event:
    """One event."""

    name: str
    data: str
    id: str | None


class EventStream:
    """An open stream; raises NoAnswer if no one answers, and StreamRefused if the answer is no stream."""

    def __init__(self, connect: Connect, request: Request) -> None:
        self._connection = connect()
        try:
            self._connection.connect()
            self._sock: socket.socket = self._connection.sock
            self._sock.settimeout(ANSWER_SECONDS)
            headers = {**request.headers, "Accept": MEDIA_TYPE}
            self._connection.request("GET", request.target, headers=headers)
            self._answer = self._connection.getresponse()
            self._sock.settimeout(SILENT_SECONDS)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._connection.close()
            raise NoAnswer(str(error) or type(error).__name__) from None
        kind = self._answer.headers.get("Content-Type", "")
        if self._answer.status != http.client.OK or not kind.startswith(MEDIA_TYPE):
            self.close()
            raise StreamRefused(f"status {self._answer.status}")

    def events(self) -> Iterator[Event]:
        """The events until the stream ends or breaks."""
        name, data, event_id = "", "", None
        for line in self._lines():
            key, _, value = line.partition(": ")
            if not line:
                if name:
                    yield Event(name, data, event_id)
                name, data, event_id = "", "", None
            elif key == "event":
                name = value
            elif key == "data":
                data = value
            elif key == "id":
                event_id = value

    def _lines(self) -> Iterator[str]:
        with suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while (line := self._answer.readline(MOST_LINE_BYTES)).endswith(b"\n"):
                yield line.decode(errors="replace").rstrip("\r\n")

    def end(self) -> None:
        """End the stream while another thread reads it, which closes it then."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free its connection."""
        self._answer.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
