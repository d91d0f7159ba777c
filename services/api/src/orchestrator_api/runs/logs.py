"""Reads logs of jobs by lines, and searches them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from orchestrator_api.http.session import Session
from orchestrator_api.runs import jobs
from orchestrator_api.runs.log_lines import Lines, LogLine
from orchestrator_api.runs.log_search import MAX_HITS, LogSearch
from orchestrator_api.runs.overlaps import DECIDED
from orchestrator_api.runs.rows import LogChunk, LogPlace
from orchestrator_api.runs.store import RunStore
from orchestrator_shared.domain.statuses import FINAL_STATUSES

READ_CHUNKS: Final = 1000
READ_BYTES: Final = 1024 * 1024
"""Of one read; so much of a log is in memory at once."""
FIRST_BYTES: Final = 256 * 1024
"""Of the first read: a thousand usual lines, which are rarely the whole log."""
LONG_CHARACTERS: Final = 4 * 1024 * 1024
"""Who reads more than this takes one of the few places for long reads."""
MAX_SEARCHED: Final = 128 * 1024 * 1024
"""Characters that one request looks at: a log of the size that runners keep, and some more."""


@dataclass(frozen=True, slots=True)
class LinesPart:
    """Some lines of a log."""

    lines: Sequence[LogLine]
    total_lines: int
    stream_after: str | None
    """Where new text goes on, if these are the last lines: attempt:seq."""
    finished: bool
    """Whether the job has ended and these are the last lines."""


@dataclass(frozen=True, slots=True)
class Found:
    """The lines of a log that contain a text."""

    hits: Sequence[LogLine]
    next: int | None
    """The line from which to search on, if the search ended before the log did."""

    @property
    def count(self) -> int:
        return len(self.hits)


async def lines(session: Session, job_id: UUID, *, first: int | None, count: int) -> LinesPart:
    """Lines of the log: `count` of them from the line `first` on, or the last ones if that is None.

    The job is read first: if it has ended, the log that is read afterwards is complete.
    """
    job = await jobs.find(session, job_id)
    place = await _place(session, job_id, first, count)
    first = first or max(1, place.lines - count + 1)
    reader, found = Lines(place.first_line or 1), list[LogLine]()
    last = (place.attempt, place.seq)
    async with aclosing(_chunks(session, job_id, place, FIRST_BYTES)) as chunks:
        async for chunk in chunks:
            found += [line for line in reader.feed(chunk) if line.number >= first]
            last = (chunk.attempt, chunk.seq)
            if len(found) > count:
                break
        else:
            found += [line for line in reader.finish() if line.number >= first]
    is_end = len(found) <= count
    return LinesPart(
        lines=found[:count],
        total_lines=max(place.lines, found[-1].number if found else 0),
        stream_after=f"{last[0]}:{last[1]}" if is_end and last[0] is not None else None,
        finished=is_end and job.status in FINAL_STATUSES | DECIDED,
    )


async def around(session: Session, job_id: UUID, *, line: int, count: int) -> LinesPart:
    """Lines of the log, with this one in the middle."""
    return await lines(session, job_id, first=max(1, line - count // 2), count=count)


async def search(session: Session, job_id: UUID, *, text: str, first: int = 1) -> Found:
    """The lines from `first` on that contain the text; ends early after many hits or a very long log."""
    await jobs.find(session, job_id)
    place = await _place(session, job_id, first, 1)
    if first > place.lines:
        return Found([], None)
    searched = LogSearch(text, place.first_line or 1, first=first, most=MAX_HITS + 1)
    characters = 0
    async with aclosing(_chunks(session, job_id, place)) as chunks:
        async for chunk in chunks:
            searched.feed(chunk)
            characters += len(chunk.text)
            if searched.is_full:
                return Found(searched.hits[:MAX_HITS], searched.hits[MAX_HITS].number)
            if characters >= MAX_SEARCHED and searched.next_line > first:
                return Found(searched.hits, searched.next_line)
    return Found(searched.hits, None)


async def _place(session: Session, job_id: UUID, first: int | None, count: int) -> LogPlace:
    store = RunStore(session.connection)
    return await store.log_place(project=session.project, job_id=job_id, line=first, count=count)


async def _chunks(
    session: Session, job_id: UUID, place: LogPlace, most: int | None = None
) -> AsyncGenerator[LogChunk, None]:
    """The log from the chunk at this place on, a part of it at a time, the first of at most `most` bytes."""
    store = RunStore(session.connection)
    attempt, seq = place.attempt, None if place.seq is None else place.seq - 1
    characters, is_long = 0, False
    with ExitStack() as stack:
        while True:
            chunks = await store.log_chunks(
                project=session.project,
                job_id=job_id,
                attempt=attempt,
                seq=seq,
                limit=READ_CHUNKS,
                max_bytes=most or READ_BYTES,
            )
            for chunk in chunks:
                yield chunk
            if not chunks or len(chunks) == chunks[0].total < READ_CHUNKS:
                return
            attempt, seq, most = chunks[-1].attempt, chunks[-1].seq, None
            characters += sum(len(chunk.text) for chunk in chunks)
            if characters > LONG_CHARACTERS and not is_long:
                stack.enter_context(session.long_read())
                is_long = True
