"""Turns what a task writes into masked text in numbered chunks: ordered, bounded, valid for PostgreSQL."""

import asyncio
import codecs
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from orchestrator_runner.executors.masking import Masker, secret_forms
from orchestrator_runner.executors.port import Stream

CHUNK_BYTES: Final = 64 * 1024
BATCH_BYTES: Final = 4 * CHUNK_BYTES
_NUL: Final = "\N{SYMBOL FOR NULL}"


@dataclass(frozen=True, slots=True)
class LogChunk:
    """A piece of one stream; `seq` numbers the pieces of both streams from 1 without gaps."""

    seq: int
    at: datetime
    stream: Stream
    text: str


Append = Callable[[Sequence[LogChunk]], Awaitable[None]]
"""Stores a batch. It waits out an outage, because an exception ends the task."""


@dataclass(frozen=True, slots=True)
class LogLimits:
    """How much of a task's log is kept, and how soon it is shown."""

    max_bytes: int = 100 * 1024 * 1024
    flush_seconds: float = 0.5


class _Text:
    """Decodes one stream from bytes to text."""

    def __init__(self, forms: tuple[bytes, ...]) -> None:
        self.masker = Masker(forms)
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, data: bytes) -> str:
        return self._clean(self.decoder.decode(self.masker.feed(data)))

    def finish(self) -> str:
        return self._clean(self.decoder.decode(self.masker.finish(), final=True))

    @staticmethod
    def _clean(text: str) -> str:
        return text.replace("\0", _NUL)


class LogCapture:
    """A `LogSink` for one attempt; call `close` when it ends, however it ends."""

    def __init__(
        self,
        append: Append,
        *,
        secrets: frozenset[str] = frozenset(),
        limits: LogLimits | None = None,
        first_seq: int = 1,
        skip: Mapping[Stream, int] | None = None,
    ) -> None:
        """`skip`: characters of each stream that an earlier runner stored, if all is written again."""
        self._append = append
        self._limits = limits or LogLimits()
        forms = secret_forms(secrets)
        self._texts: dict[Stream, _Text] = {"stdout": _Text(forms), "stderr": _Text(forms)}
        self._next_seq = first_seq
        self._skip: dict[Stream, int] = dict(skip or {})
        self._taken = 0
        self._is_cut = False
        self._pending: list[tuple[datetime, Stream, str]] = []
        self._pending_size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._flushing = asyncio.Lock()
        self._background: asyncio.Task[None] | None = None

    async def write(self, stream: Stream, at: datetime, data: bytes) -> None:
        """Take bytes of one stream; returns at once unless a batch is full."""
        if self._is_cut:
            return
        room = self._limits.max_bytes - self._taken
        self._taken += len(data)
        self._add(at, stream, self._texts[stream].feed(data[:room]))
        if self._taken > self._limits.max_bytes:
            # What the maskers hold back may be half a secret, and the rest is no longer examined: drop it.
            self._is_cut = True
            self._add(at, stream, f"\n[log cut off: more than {self._limits.max_bytes} bytes]\n")
        if self._pending_size >= BATCH_BYTES:
            await self.flush()

    async def close(self) -> None:
        """Store what is left."""
        if not self._is_cut:
            self._finish_texts(datetime.now(UTC))
        await self.flush()

    async def mark(self) -> int:
        """See `LogSink`."""
        await self.flush()
        return self._next_seq

    async def flush(self) -> None:
        """Store what has been taken so far; raises the error of an earlier timed flush."""
        self._cancel_timer()
        failed, self._background = self._background, None
        if failed is not None:
            await failed
        await self._store()
        if not self._pending:
            self._cancel_timer()

    async def _store(self) -> None:
        async with self._flushing:
            pending, self._pending, self._pending_size = self._pending, [], 0
            chunks = []
            for at, stream, text in _merged(pending):
                chunks.append(LogChunk(self._next_seq, at, stream, text))
                self._next_seq += 1
            if chunks:
                await self._append(chunks)

    def _finish_texts(self, at: datetime) -> None:
        for stream, text in self._texts.items():
            self._add(at, stream, text.finish())

    def _add(self, at: datetime, stream: Stream, text: str) -> None:
        if skip := self._skip.get(stream, 0):
            self._skip[stream] = max(skip - len(text), 0)
            text = text[skip:]
        if not text:
            return
        self._pending.append((at, stream, text))
        self._pending_size += len(text)
        if self._timer is None and self._background is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.flush_seconds, self._flush_by_time)

    def _flush_by_time(self) -> None:
        self._timer = None
        self._background = asyncio.create_task(self._store())
        self._background.add_done_callback(self._flushed_by_time)

    def _flushed_by_time(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is not None:
            return
        if self._background is task:
            self._background = None
        if self._pending and self._timer is None and self._background is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.flush_seconds, self._flush_by_time)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _merged(pending: Sequence[tuple[datetime, Stream, str]]) -> list[tuple[datetime, Stream, str]]:
    """Join neighbouring pieces of the same stream, up to the size of a chunk."""
    merged: list[tuple[datetime, Stream, list[str]]] = []
    size = 0
    for at, stream, text in pending:
        for start in range(0, len(text), CHUNK_BYTES):
            piece = text[start : start + CHUNK_BYTES]
            size += len(piece)
            if merged and merged[-1][1] == stream and size <= CHUNK_BYTES:
                merged[-1][2].append(piece)
            else:
                merged.append((at, stream, [piece]))
                size = len(piece)
    return [(at, stream, "".join(pieces)) for at, stream, pieces in merged]
