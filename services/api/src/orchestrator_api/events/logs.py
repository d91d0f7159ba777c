"""Follows logs for open streams: one query for all of them, and none while no one looks."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby
from uuid import UUID

from orchestrator_api.events.changes import Acquire
from orchestrator_api.events.frames import Place, frame, place_id
from orchestrator_api.events.metrics import STREAM_EVENTS
from orchestrator_api.events.models import LogEvent
from orchestrator_api.events.rows import LogNews
from orchestrator_api.events.store import EventStore
from orchestrator_api.events.viewers import LogViewer

EVERY_SECONDS = 0.5
MOST_PIECES = 8
"""Of one log in one read; a piece has at most 64 KiB."""
MOST_BYTES = 4 * 1024 * 1024
"""Of all logs in one read."""

Cursor = tuple[UUID, Place]


class Logs:
    """The streams that show logs."""

    def __init__(self, connections: Acquire) -> None:
        self._connections = connections
        self._viewers: dict[LogViewer, None] = {}
        self.hungry = asyncio.Event()
        """Set when a stream has sent all that was read, and more is there."""

    def add(self, viewer: LogViewer) -> None:
        """Show it a log from now on."""
        self._viewers[viewer] = None

    def remove(self, viewer: LogViewer) -> None:
        """Its client has gone."""
        self._viewers.pop(viewer, None)

    async def once(self) -> None:
        """Read on for every stream that has sent what it had; a slow client delays only its own stream."""
        cursors: dict[Cursor, list[LogViewer]] = {}
        for viewer in self._viewers:
            if viewer.is_idle and not viewer.is_ended:
                cursors.setdefault((viewer.job_id, viewer.place), []).append(viewer)
        if not cursors:
            return
        async with self._connections() as connection:
            news = await EventStore(connection).log_news(
                job_ids=[job_id for job_id, _ in cursors],
                attempts=[attempt for _, (attempt, _) in cursors],
                seqs=[seq for _, (_, seq) in cursors],
                limit=MOST_PIECES,
                most_bytes=MOST_BYTES,
            )
        watching = list(cursors.values())
        for number, rows in groupby(news, key=lambda row: row.cursor):
            self._show(watching[number - 1], list(rows))

    def _show(self, viewers: Iterable[LogViewer], rows: Sequence[LogNews]) -> None:
        frames = [
            frame("log", LogEvent.model_validate(row), place_id(_place(row)))
            for row in rows
            if row.seq is not None
        ]
        last = rows[-1]
        for viewer in viewers:
            if viewer in self._viewers:  # the next read begins with those that were served longest ago
                self._viewers[viewer] = self._viewers.pop(viewer)
            if frames:
                STREAM_EVENTS.labels("log").inc(len(frames))
                viewer.reach(_place(last), frames, is_behind=last.is_cut)
            if last.status is None:
                self._miss(viewer)
            elif last.is_over and not last.is_cut:
                viewer.end(viewer.job_id, last.status)

    def _miss(self, viewer: LogViewer) -> None:
        """No job yet; if there was one, it was removed with its log."""
        viewer.is_behind = False
        if viewer.is_accepted:
            viewer.close()


def _place(row: LogNews) -> Place:
    assert row.attempt is not None
    assert row.seq is not None
    return row.attempt, row.seq
