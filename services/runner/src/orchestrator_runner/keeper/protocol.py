"""The messages between runner and keeper: JSON objects, each preceded by its length, over a stream socket.

Runner to keeper:
  {"do": "lease", "until": boottime}
  {"do": "spawn", "id", "argv", "environment", "directory", "mark", "user"}
     with two descriptors: stdout, stderr
  {"do": "stop", "id", "grace": seconds}
Keeper to runner:
  {"is": "ready"}
  {"is": "started", "id", "pid"}   {"is": "refused", "id", "why"}   {"is": "unstartable", "id", "why"}
  {"is": "ended", "id", "status": exit code or minus the signal, "lost": why the keeper ended it, or null}
"""

import json
import struct
from collections.abc import Iterator
from typing import Any

Packet = dict[str, Any]
_LENGTH = struct.Struct("!I")
MAX_PACKET = 16 * 1024 * 1024


class BrokenPacket(ValueError):
    """The other side does not follow the protocol; nothing after this can be understood."""


def pack(packet: Packet) -> bytes:
    """Encode one packet; raises ValueError if it is too large to send."""
    body = json.dumps(packet, separators=(",", ":")).encode()
    if len(body) > MAX_PACKET:
        raise ValueError(f"arguments and environment take {len(body)} bytes, more than {MAX_PACKET}")
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Splits a stream of bytes into packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Yield every packet that is now complete."""
        self._buffer += data
        while (body := self._take()) is not None:
            packet = json.loads(body)
            if not isinstance(packet, dict):
                raise BrokenPacket("a packet is not an object")
            yield packet

    def _take(self) -> bytes | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MAX_PACKET:
            raise BrokenPacket(f"a packet of {length} bytes is announced")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return body
