"""The keeper's end of the socket; it never blocks, because a stopped runner must not stop its keeper."""

import os
import socket
from collections.abc import Iterator

from orchestrator_runner.keeper.protocol import Packet, Unpacker, pack

_READ_SIZE = 256 * 1024
_MAX_DESCRIPTORS = 16
_DESCRIPTOR_SIZE = 4


class Channel:
    """Receives packets with their descriptors, and sends packets through a buffer."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._unpacker = Unpacker()
        self._descriptors: list[int] = []
        self._out = bytearray()
        self.closed = False

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._socket.fileno()

    @property
    def wants_to_write(self) -> bool:
        """Whether packets wait for the runner to read."""
        return bool(self._out)

    def receive(self) -> Iterator[Packet]:
        """Yield the packets that have arrived; afterwards `closed` says whether the runner is gone."""
        while not self.closed:
            try:
                data = self._read()
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.closed = True
                return
            yield from self._unpacker.feed(data)

    def _read(self) -> bytes:
        size = socket.CMSG_SPACE(_MAX_DESCRIPTORS * _DESCRIPTOR_SIZE)
        data, ancillary, _, _ = self._socket.recvmsg(_READ_SIZE, size, socket.MSG_CMSG_CLOEXEC)
        for level, kind, payload in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                whole = len(payload) - len(payload) % _DESCRIPTOR_SIZE
                self._descriptors.extend(memoryview(payload[:whole]).cast("i").tolist())
        return data

    def take_descriptors(self, count: int) -> list[int]:
        """Descriptors arrive in the order of the packets that they belong to."""
        taken, self._descriptors = self._descriptors[:count], self._descriptors[count:]
        return taken

    def send(self, packet: Packet) -> None:
        """Queue a packet; `flush` sends."""
        self._out += pack(packet)

    def flush(self) -> None:
        """Send as much as the socket accepts now."""
        while self._out:
            try:
                sent = self._socket.send(self._out, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            except OSError:
                self.closed = True
                return
            del self._out[:sent]

    def close(self) -> None:
        """Close the socket and the descriptors that no one took."""
        self._socket.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
