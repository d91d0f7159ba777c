"""Takes the engine's log stream apart, and knows how far it was read, so that it can be opened anew."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator_runner.executors.port import Stream

_HEADER = 8
_STREAMS: dict[int, Stream] = {1: "stdout", 2: "stderr"}
_OVERLAP = timedelta(seconds=10)
"""The two streams are written by two threads: one may be behind the other."""


class BrokenLog(Exception):
    """The stream is not what an engine sends."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line, or a piece of a long one, with the time at which the engine received it."""

    stream: Stream
    stamp: str
    """As the engine writes it, to the nanosecond: always as long, so that texts compare as times do."""
    data: bytes

    @property
    def at(self) -> datetime:
        """To the microsecond."""
        return datetime.fromisoformat(self.stamp[:26]).replace(tzinfo=UTC)


class Demultiplexer:
    """Finds the messages in the bytes of a stream, however they are cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[Message]:
        """The messages that are complete now; raises BrokenLog."""
        self._buffer += piece
        while len(self._buffer) >= _HEADER:
            end = _HEADER + int.from_bytes(self._buffer[4:_HEADER], "big")
            if len(self._buffer) < end:
                return
            stream, payload = _STREAMS.get(self._buffer[0]), bytes(self._buffer[_HEADER:end])
            del self._buffer[:end]
            if stream is None:
                raise BrokenLog(payload.decode(errors="replace").strip()[:500])
            yield _message(stream, payload)


def _message(stream: Stream, payload: bytes) -> Message:
    stamp, space, data = payload.partition(b" ")
    if not space or len(stamp) != 30 or not stamp.endswith(b"Z"):
        raise BrokenLog("a message has no time")
    return Message(stream, stamp.decode("ascii", "replace"), data)


class LongLines:
    """Puts back the line breaks that Docker 20 loses after lines that it had to cut into pieces.

    All pieces of a line have the same time; only the last output of a program ends without a line break.
    """

    def __init__(self) -> None:
        self._open: dict[Stream, str] = {}

    def data_of(self, message: Message) -> bytes:
        """What the program wrote."""
        last = self._open.pop(message.stream, message.stamp)
        if not message.data.endswith(b"\n"):
            self._open[message.stream] = message.stamp
        return message.data if last == message.stamp else b"\n" + message.data


@dataclass(slots=True)
class _Place:
    stamp: str = ""
    count: int = 0
    """Messages with exactly this time: several can have the same, such as the pieces of a long line."""


class Position:
    """How far each stream was read. Times are compared within a stream only: it is written in order."""

    def __init__(self) -> None:
        self._places: dict[Stream, _Place] = {"stdout": _Place(), "stderr": _Place()}
        self._skipped: dict[Stream, int] = {}

    def since(self) -> str:
        """From when on to ask for messages again, in seconds since 1970."""
        newest = max(place.stamp for place in self._places.values())
        if not newest:
            return "0"
        at = datetime.fromisoformat(newest[:26]).replace(tzinfo=UTC) - _OVERLAP
        return f"{max(at.timestamp(), 0):.6f}"

    def reopen(self) -> None:
        """The stream starts again: what was read before comes once more."""
        self._skipped = {stream: 0 for stream, place in self._places.items() if place.stamp}

    def takes(self, message: Message) -> bool:
        """Whether the message is new; then it counts as read."""
        place, stream = self._places[message.stream], message.stream
        if stream in self._skipped:
            if message.stamp < place.stamp:
                return False
            if message.stamp == place.stamp and self._skipped[stream] < place.count:
                self._skipped[stream] += 1
                return False
            del self._skipped[stream]
        if message.stamp == place.stamp:
            place.count += 1
        else:
            place.stamp, place.count = message.stamp, 1
        return True
