"""Opens streams for those who may read what they show."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from orchestrator_api.events.changes import MARGIN, MOST_CHANGES, Changes, FramedChanges
from orchestrator_api.events.frames import START, Place, instant_id, resumed_instant, resumed_place
from orchestrator_api.events.logs import Logs
from orchestrator_api.events.readiness import by_project
from orchestrator_api.events.responses import StreamResponse
from orchestrator_api.events.store import EventStore
from orchestrator_api.events.streams import OpenStreams
from orchestrator_api.events.viewers import Holder, JobViewer, LogViewer, ProjectViewer
from orchestrator_api.http.session import Session
from orchestrator_api.runs import jobs
from orchestrator_api.runs.overlaps import DECIDED
from orchestrator_shared.domain.statuses import JobStatus

CREATED = JobStatus.CREATED


@dataclass(frozen=True, slots=True)
class Streams:
    """What opens streams; one for each replica."""

    open: OpenStreams
    changes: Changes
    logs: Logs

    async def of_project(self, session: Session, last_id: str | None) -> StreamResponse:
        """Changes of all jobs that the actor may see."""
        return await self._changes_for(session, ProjectViewer(_holder(session)), last_id)

    async def of_job(self, session: Session, job_id: UUID, last_id: str | None) -> StreamResponse:
        """Changes of one job and of the jobs below it, until it is over."""
        job = await jobs.find(session, job_id)
        viewer = JobViewer(_holder(session), job_id, is_accepted=job.status != CREATED)
        response = await self._changes_for(session, viewer, last_id)
        try:
            # Read again, because what happened before the stream was open is told to no one.
            job = await jobs.find(session, job_id)
        except BaseException:
            response.leave()
            raise
        if job.finished_at is not None:
            viewer.end(job_id, job.status)
        return response

    async def of_log(
        self, session: Session, job_id: UUID, after: Place | None, last_id: str | None
    ) -> StreamResponse:
        """A job's log from a place on, until the job is over and its log complete."""
        job = await jobs.find(session, job_id)
        resumed = resumed_place(last_id) if last_id else None
        is_lost = last_id is not None and resumed is None
        place = START if is_lost else resumed or after or START
        is_accepted = job.status != CREATED
        viewer = LogViewer(_holder(session), job_id, place, self.logs.hungry, is_accepted=is_accepted)
        self.open.enter(viewer)
        self.logs.add(viewer)
        if is_lost:
            viewer.reset("away_too_long", None)
        if job.status in DECIDED:
            viewer.end(job_id, job.status)
        return StreamResponse(viewer, partial(self._leave_log, viewer))

    async def _changes_for(
        self, session: Session, viewer: ProjectViewer, last_id: str | None
    ) -> StreamResponse:
        store = EventStore(session.connection)
        now = await store.instant()
        self.open.enter(viewer)
        self.changes.add(viewer, now)
        try:
            if isinstance(viewer, JobViewer):
                viewer.know(await store.runs_below(project=session.project, job_id=viewer.job_id))
            await _catch_up(store, viewer, last_id, now)
        except BaseException:
            self._leave_changes(viewer)
            raise
        return StreamResponse(viewer, partial(self._leave_changes, viewer))

    def _leave_changes(self, viewer: ProjectViewer) -> None:
        self.open.leave(viewer)
        self.changes.remove(viewer)

    def _leave_log(self, viewer: LogViewer) -> None:
        self.open.leave(viewer)
        self.logs.remove(viewer)


async def resume_id(session: Session) -> str:
    """From where a stream tells what happened after this moment, for who shows what this session reads."""
    return instant_id(await EventStore(session.connection).instant())


def _holder(session: Session) -> Holder:
    actor = session.actor
    return Holder(actor.token_id, session.project, actor.reads_project, actor.session_id)


async def _catch_up(store: EventStore, viewer: ProjectViewer, last_id: str | None, now: datetime) -> None:
    """Tell a client that comes back what it missed; any replica can, because the database knows."""
    since = resumed_instant(last_id, now) if last_id else None
    if since is None:
        viewer.reset("away_too_long" if last_id else "opened", instant_id(now))
        return
    projects = [viewer.holder.project]
    found = await store.changed_since(projects=projects, since=since - MARGIN, limit=MOST_CHANGES + 1)
    heard = await store.heard_since(projects=projects, since=since - MARGIN, limit=MOST_CHANGES + 1)
    if max(len(found), len(heard)) > MOST_CHANGES:
        viewer.reset("too_many_changes", instant_id(now))
        return
    for news in by_project(heard).values():
        news.show([viewer], instant_id(now))
    if found:
        changes = await store.job_changes(projects=projects, ids=[each.id for each in found])
        FramedChanges(changes).show(viewer)
