"""Undoes gzip piece by piece, so that a small body cannot fill the memory."""

import zlib
from collections.abc import Iterator

PIECE = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class UnusableBody(Exception):
    """The response arrived, but its body cannot be used; the text continues "the answer …"."""


class Gunzip:
    """One compression being undone; also of several members, as `cat a.gz b.gz` makes them."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._size = 0
        self._zlib = zlib.decompressobj(_GZIP)
        self._is_begun = False
        self._is_between = True
        """No member has begun, or the last one is complete."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What these bytes unfold into, in pieces; raises UnusableBody."""
        while data:
            if self._is_between and self._is_begun:
                data = data.lstrip(b"\0")  # padding
                if not data:
                    return
            self._is_begun = True
            piece = self._decompress(data)
            self._is_between = self._zlib.eof
            data = self._zlib.unconsumed_tail
            if self._zlib.eof:
                data = self._zlib.unused_data
                self._zlib = zlib.decompressobj(_GZIP)
            yield piece

    def finish(self) -> None:
        """Raises UnusableBody if something is missing."""
        if not self._is_between:
            raise UnusableBody("is damaged: its compressed data ends too early")

    def _decompress(self, data: bytes) -> bytes:
        try:
            piece = self._zlib.decompress(data, PIECE)
        except zlib.error as error:
            raise UnusableBody(f"is damaged: {error}") from None
        self._size += len(piece)
        if self._size > self._most_bytes:
            raise UnusableBody(f"is larger than {self._most_bytes} bytes")
        return piece
