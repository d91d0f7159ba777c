"""One open stream each: what it may see, and what it has not sent yet, within bounds."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from orchestrator_api.access.standing import Bearing
from orchestrator_api.events.frames import Place, frame, identified, place_id
from orchestrator_api.events.metrics import STREAM_EVENTS, STREAM_RESETS
from orchestrator_api.events.models import EndEvent, ResetEvent
from orchestrator_api.events.rows import JobChange

MOST_BYTES = 256 * 1024
"""What a stream may hold back for a slow reader; frames are shared by all streams that hold them."""

Reason = Literal["opened", "away_too_long", "too_slow", "too_many_changes"]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose stream it is, and what they may see."""

    token_id: UUID
    project: str
    reads_project: bool
    session_id: UUID | None = None
    """Of a person who is signed in."""

    @property
    def bearing(self) -> Bearing:
        """What is checked again while the stream is open."""
        return self.session_id or self.token_id, self.project


class Viewer:
    """Frames on their way to one client. What does not fit is dropped: the client is told to load again."""

    kind = "project"

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        self.closed = asyncio.Event()
        """Set when the stream has to end, whether its client reads or not."""
        self.is_idle = False
        """Whether everything was sent."""
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self.is_ended = False
        """Whether nothing follows what was pushed."""
        self._woken = asyncio.Event()
        self._latest: str | None = None

    def push(self, frames: Sequence[bytes], latest: str) -> None:
        """Send these; with the last one the client has all that happened until `latest`."""
        self._frames.extend(frames[:-1])
        self._frames.append(identified(frames[-1], latest))
        self._bytes += sum(map(len, frames))
        self._latest = latest
        self._wake()

    def reset(self, reason: Reason, latest: str | None) -> None:
        """Drop what was not sent, and tell the client to load again."""
        STREAM_RESETS.labels(reason).inc()
        STREAM_EVENTS.labels("reset").inc()
        told = frame("reset", ResetEvent(reason=reason), latest)
        self._frames, self._bytes, self._latest = deque([told]), len(told), latest
        self._wake()

    def advance(self, latest: str) -> None:
        """Nothing happened for this stream until then."""
        self._latest = latest

    def end(self, job_id: UUID, status: str) -> None:
        """The job is over: say so, after all that was pushed."""
        if not self.is_ended:
            STREAM_EVENTS.labels("end").inc()
            self._frames.append(frame("end", EndEvent(job_id=job_id, status=status)))
            self._finish()

    def close(self) -> None:
        """End the stream now, whatever was not sent."""
        self._frames.clear()
        self._finish()
        self.closed.set()

    def _finish(self) -> None:
        self.is_ended = True
        self._wake()

    def _wake(self) -> None:
        self.is_idle = False
        self._woken.set()

    def heartbeat(self) -> str | None:
        """The id from which the client may resume, if it has everything until then."""
        return self._latest if self.is_idle else None

    async def frames(self) -> AsyncIterator[bytes]:
        """What is pushed, several frames at once if the client was busy."""
        while True:
            while not self._frames and not self.is_ended:
                self._woken.clear()
                self._wait()
                await self._woken.wait()
            if not self._frames:
                return
            together = b"".join(self._frames)
            self._frames.clear()
            self._bytes = 0
            yield together

    def _wait(self) -> None:
        self.is_idle = True


class ProjectViewer(Viewer):
    """Changes of all jobs of a project, or of the runs that the token started."""

    def push(self, frames: Sequence[bytes], latest: str) -> None:
        super().push(frames, latest)
        if self._bytes > MOST_BYTES:
            self.reset("too_slow", latest)

    def wants(self, change: JobChange) -> bool:
        return self.holder.reads_project or change.started_by == self.holder.token_id

    @property
    def hears_of_tables(self) -> bool:
        return self.holder.reads_project


class JobViewer(ProjectViewer):
    """Changes of one job and of the jobs below it; ends with the job."""

    kind = "job"

    def __init__(self, holder: Holder, job_id: UUID, *, is_accepted: bool) -> None:
        super().__init__(holder)
        self.job_id = job_id
        self.is_accepted = is_accepted
        self.is_stale = True
        """Whether runs may be below it of which it does not know."""
        self._runs = {job_id}

    @property
    def hears_of_tables(self) -> bool:
        return False

    def know(self, runs: Iterable[UUID]) -> None:
        """These are the runs nested below it so far."""
        self._runs.update(runs)
        self.is_stale = False

    def wants(self, change: JobChange) -> bool:
        if change.id != self.job_id and change.parent_id not in self._runs:
            return False
        if change.kind == "run":
            self._runs.add(change.id)
        self.is_accepted = True
        return super().wants(change)


class LogViewer(Viewer):
    """A job's log; it is read only as fast as its client reads."""

    kind = "log"

    def __init__(
        self, holder: Holder, job_id: UUID, place: Place, hungry: asyncio.Event, *, is_accepted: bool
    ) -> None:
        super().__init__(holder)
        self.job_id = job_id
        self.place = place
        self.is_accepted = is_accepted
        self.is_behind = True
        """Whether more of the log is there than was read."""
        self._hungry = hungry

    def _wait(self) -> None:
        super()._wait()
        if self.is_behind:
            self._hungry.set()

    def reach(self, place: Place, frames: Sequence[bytes], *, is_behind: bool) -> None:
        """Send the log until this place."""
        self.place, self.is_behind, self.is_accepted = place, is_behind, True
        self.push(frames, place_id(place))
