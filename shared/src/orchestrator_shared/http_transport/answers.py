"""What can come of a request: a response whose body is read within limits, or none."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import httpcore

from orchestrator_shared.http_transport.gzipped import Gunzip, UnusableBody

GZIP = frozenset({"gzip", "x-gzip"})
COMPRESSED = GZIP | {"br", "compress", "deflate", "zstd"}
REDIRECTS = frozenset({301, 302, 303, 307, 308})

Translated = Callable[[], AbstractContextManager[None]]
"""Turns the errors of the connection into NoAnswer."""


class NoAnswer(Exception):
    """No complete response arrived."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.was_sent = was_sent
        """Whether the other side may have received the request."""


class Response:
    """A response; its body is read once."""

    def __init__(
        self, received: httpcore.Response, translated: Translated, *, most_bytes: int, undoes_gzip: bool
    ) -> None:
        self._received = received
        self._translated = translated
        self._most_bytes = most_bytes
        self._undoes_gzip = undoes_gzip
        self.status = received.status
        self.reason: str = received.extensions.get("reason_phrase", b"").decode("ascii", "replace")[:100]

    def values(self, name: str) -> list[str]:
        """The values of a header, one for each time it was sent."""
        wanted = name.lower().encode()
        return [_text(value) for key, value in self._received.headers if key.lower() == wanted]

    @property
    def redirect(self) -> str | None:
        """Where it sends the client, if it does."""
        location = self.values("Location")
        return location[0] if self.status in REDIRECTS and location else None

    async def read(self) -> bytes:
        """The whole body; raises UnusableBody, NoAnswer."""
        return b"".join([part async for part in self.parts()])

    async def parts(self) -> AsyncIterator[bytes]:
        """The body in small parts; raises UnusableBody, NoAnswer."""
        layers = [Gunzip(self._most_bytes) for _ in self._codings()]
        length = self.values("Content-Length")
        if length and int(length[0]) > self._most_bytes:
            raise UnusableBody(f"is larger than {self._most_bytes} bytes")
        size = 0
        with self._translated():
            async for part in self._received.aiter_stream():
                for piece in _through(layers, part):
                    size += len(piece)
                    if size > self._most_bytes:
                        raise UnusableBody(f"is larger than {self._most_bytes} bytes")
                    yield piece
                    if layers:
                        # A few bytes can unfold into gigabytes: let timeouts and signals interrupt that.
                        await asyncio.sleep(0)
        for layer in layers:
            layer.finish()

    def _codings(self) -> list[str]:
        """The compressions to undo, in the order of undoing; raises UnusableBody.

        Names that are no compression (`aws-chunked`, `utf-8`) are widespread mistakes: the body is as it is.
        """
        named = ",".join(self.values("Content-Encoding")).lower().split(",")
        codings = [coding for coding in map(str.strip, reversed(named)) if coding not in ("", "identity")]
        if not self._undoes_gzip and codings:
            raise UnusableBody("is compressed, which was not asked for")
        for coding in codings:
            if coding in COMPRESSED - GZIP:
                raise UnusableBody(f"is compressed with {coding}, which was not asked for")
        return [coding for coding in codings if coding in GZIP]


def _through(layers: Sequence[Gunzip], data: bytes) -> Iterator[bytes]:
    if not layers:
        yield data
        return
    for piece in layers[0].feed(data):
        yield from _through(layers[1:], piece)
        yield b""


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
