"""Tells open streams what changed: each change is read once for all of them, and only if someone watches."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from orchestrator_api.events.frames import frame, instant_id
from orchestrator_api.events.metrics import STREAM_EVENTS
from orchestrator_api.events.models import JobEvent
from orchestrator_api.events.readiness import News, by_project
from orchestrator_api.events.rows import JobChange, Revision
from orchestrator_api.events.store import EventStore
from orchestrator_api.events.viewers import JobViewer, ProjectViewer
from orchestrator_shared.contracts.events import JobsChanged, ReadinessChanged, RunEvent
from orchestrator_shared.messaging.decoding import Delivery

GATHER_SECONDS = 0.1
"""Hints that come within this time are read together."""
PAUSE_SHARE = 4
"""A pause is at least this many times as long as the read before it."""
FED_POLL_SECONDS = 15.0
"""How often to look for lost hints while the broker delivers them."""
MARGIN = timedelta(seconds=10)
"""The longest time from a change's own timestamp to its commit and its hint."""
MOST_CHANGES = 500
"""Of one project in one read; with more, loading a page again is cheaper than reading all this."""
STORM_SECONDS = 2.0
"""With more, nothing is told for this long, so that clients load again at most that often."""
MOST_FOUND = 5_000
"""Of all projects in one look for lost hints; most of these were told already."""
MOST_REVISIONS = 20_000

Acquire = Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]


class Changes:
    """The streams that show changes of jobs, and what they have not been told yet."""

    def __init__(
        self,
        connections: Acquire,
        *,
        is_fed: Callable[[], bool],
        poll_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._connections = connections
        self._is_fed = is_fed
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._viewers: dict[str, set[ProjectViewer]] = {}
        self._hinted: dict[str, dict[UUID, int]] = defaultdict(dict)
        self._news: dict[str, News] = defaultdict(News)
        self._storms: dict[str, float] = {}
        """Projects with too many changes, until when."""
        self._told: OrderedDict[UUID, int] = OrderedDict()
        self._looked_at: datetime | None = None
        self._was_fed = False
        self._next_poll = 0.0
        self._took = 0.0
        self.watched = asyncio.Event()
        """Set while there are streams."""
        self.woken = asyncio.Event()
        """Set when there is something to read."""

    def add(self, viewer: ProjectViewer, since: datetime) -> None:
        """From now on tell this stream; it knows what happened until `since`."""
        if not self._viewers:
            self._looked_at, self._next_poll, self._was_fed = since, 0.0, False
            self._told.clear()
        self._viewers.setdefault(viewer.holder.project, set()).add(viewer)
        self.watched.set()

    def remove(self, viewer: ProjectViewer) -> None:
        """Its client has gone."""
        viewers = self._viewers.get(viewer.holder.project, set())
        viewers.discard(viewer)
        if not viewers:
            self._viewers.pop(viewer.holder.project, None)
            self._hinted.pop(viewer.holder.project, None)
            self._news.pop(viewer.holder.project, None)
        if not self._viewers:
            self.watched.clear()

    async def hear(self, deliveries: Sequence[Delivery]) -> None:
        """Hints from the broker; those of projects that no one watches are ignored."""
        for delivery in deliveries:
            message = delivery.message
            if isinstance(message, JobsChanged):
                self._hint(message.project, message.revisions.items())
            elif isinstance(message, RunEvent):
                self._hint(message.project, [(message.job_id, message.revision)])
            elif isinstance(message, ReadinessChanged):
                self._gather(message.project, News(set(message.tables), dict(message.triggers)))

    def _gather(self, project: str, news: News) -> None:
        if project not in self._viewers or project in self._storms or not news:
            return
        gathered = self._news[project]
        gathered.tables |= news.tables
        gathered.triggers |= news.triggers
        self.woken.set()
        if len(gathered) > MOST_CHANGES:
            self._give_up(project)

    def _hint(self, project: str, revisions: Iterable[tuple[UUID, int]]) -> None:
        if project not in self._viewers:
            return
        if project in self._storms:
            self._remember(revisions)
            return
        hinted = self._hinted.get(project, {})
        fresh = {
            job_id: revision
            for job_id, revision in revisions
            if revision > max(self._told.get(job_id, 0), hinted.get(job_id, 0))
        }
        if fresh:
            self._hinted[project].update(fresh)
            self.woken.set()
        if len(hinted) + len(fresh) > MOST_CHANGES:
            self._give_up(project)

    def _give_up(self, project: str) -> None:
        """The reset at the end of the storm tells of all these."""
        self._remember(self._hinted.pop(project, {}).items())
        self._news.pop(project, None)
        self._storms.setdefault(project, self._clock() + STORM_SECONDS)

    def _end_storms(self) -> None:
        latest = instant_id(self._looked_at) if self._looked_at else None
        for project, until in list(self._storms.items()):
            if self._clock() >= until:
                del self._storms[project]
                for viewer in self._viewers.get(project, ()):
                    viewer.reset("too_many_changes", latest)
                    if isinstance(viewer, JobViewer):
                        self._look_again_at(viewer)

    def _look_again_at(self, viewer: JobViewer) -> None:
        """Its job may be over by now, and runs below it may be new."""
        viewer.is_stale = True
        self._told.pop(viewer.job_id, None)
        self._hinted[viewer.holder.project].setdefault(viewer.job_id, 1)

    async def once(self) -> None:
        """Read what was hinted, and from time to time what a lost hint would have told."""
        if not self._viewers:  # checked again after the pause: they may leave meanwhile
            return
        await asyncio.sleep(max(GATHER_SECONDS, PAUSE_SHARE * self._took))
        self._end_storms()
        is_due = self._clock() >= self._next_poll or self._is_fed() != self._was_fed
        if not self._viewers or not (is_due or self._hinted or self._news):
            return
        started = self._clock()
        async with self._connections() as connection:
            store = EventStore(connection)
            if is_due:
                await self._poll(store)
            await self._refresh(store)
            await self._read(store)
            await self._tell_news(store)
        self._took = self._clock() - started

    async def _poll(self, store: EventStore) -> None:
        """After the broker was away, one look more: hints were lost until it delivered again."""
        fed = self._is_fed()
        projects = list(self._viewers)
        now = await store.instant()
        assert self._looked_at is not None
        since = self._looked_at - MARGIN
        found = await store.changed_since(projects=projects, since=since, limit=MOST_FOUND)
        self._looked_at, self._was_fed = now, fed
        self._next_poll = self._clock() + (FED_POLL_SECONDS if fed else self._poll_seconds)
        if len(found) == MOST_FOUND and not fed:
            for project in projects:
                self._give_up(project)
        self._note(found)
        heard = await store.heard_since(projects=projects, since=since, limit=MOST_FOUND)
        for project, news in by_project(heard).items():
            self._gather(project, news)
        await self._end_decided(store)
        for viewer in self._all():
            project = viewer.holder.project
            if not (project in self._hinted or project in self._news or project in self._storms):
                viewer.advance(instant_id(now))

    def _note(self, found: Iterable[Revision]) -> None:
        for each in found:
            self._hint(each.project, [(each.id, each.revision)])

    async def _end_decided(self, store: EventStore) -> None:
        """A request that joins another run or is skipped never becomes a job, so no hint tells of it."""
        waiting = [each for each in self._all() if isinstance(each, JobViewer) and not each.is_accepted]
        if waiting:
            decided = await store.decided(ids={each.job_id for each in waiting})
            decisions = {each.job_id: each.decision for each in decided}
            for viewer in waiting:
                if viewer.job_id in decisions:
                    viewer.end(viewer.job_id, decisions[viewer.job_id])

    async def _refresh(self, store: EventStore) -> None:
        for viewer in self._all():
            if isinstance(viewer, JobViewer) and viewer.is_stale:
                viewer.know(await store.runs_below(project=viewer.holder.project, job_id=viewer.job_id))

    def _all(self) -> Iterable[ProjectViewer]:
        return [viewer for viewers in self._viewers.values() for viewer in viewers]

    async def _read(self, store: EventStore) -> None:
        hinted, self._hinted = self._hinted, defaultdict(dict)
        ids = [job_id for revisions in hinted.values() for job_id in revisions]
        if not ids:
            return
        try:
            changes = await store.job_changes(projects=list(hinted), ids=ids)
        except BaseException:
            for project, revisions in hinted.items():
                self._hint(project, revisions.items())
            raise
        by_project: dict[str, list[JobChange]] = defaultdict(list)
        for change in changes:
            if change.revision > self._told.get(change.id, 0):
                self._remember([(change.id, change.revision)])
                by_project[change.project].append(change)
        for project, found in by_project.items():
            frames = FramedChanges(found)
            for viewer in list(self._viewers.get(project, ())):
                frames.show(viewer)

    async def _tell_news(self, store: EventStore) -> None:
        if not self._news:
            return
        latest = instant_id(await store.instant())
        gathered, self._news = self._news, defaultdict(News)
        for project, news in gathered.items():
            news.show(self._viewers.get(project, ()), latest)

    def _remember(self, revisions: Iterable[tuple[UUID, int]]) -> None:
        for job_id, revision in revisions:
            self._told[job_id] = revision
            self._told.move_to_end(job_id)
        while len(self._told) > MOST_REVISIONS:
            self._told.popitem(last=False)


class FramedChanges:
    """Changes of one project as events, written once for all streams."""

    def __init__(self, changes: Sequence[JobChange]) -> None:
        self._changes = changes
        self._frames: dict[tuple[UUID, bool], bytes] = {}

    def show(self, viewer: ProjectViewer) -> None:
        """Send a stream what belongs to it; a stream of one job ends with that job."""
        wanted = [change for change in self._changes if viewer.wants(change)]
        if wanted:
            is_whole = viewer.holder.reads_project
            STREAM_EVENTS.labels("job").inc(len(wanted))
            viewer.push([self._frame(change, is_whole) for change in wanted], instant_id(wanted[0].at))
        if isinstance(viewer, JobViewer):
            own = next((change for change in wanted if change.id == viewer.job_id), None)
            if own is not None and own.finished_at is not None:
                viewer.end(own.id, own.status)

    def _frame(self, change: JobChange, is_whole: bool) -> bytes:
        """A program's message is a line of its log, which a token that may only run does not see."""
        is_whole = is_whole or change.kind == "run"
        key = (change.id, is_whole)
        if key not in self._frames:
            event = JobEvent.model_validate(change)
            shown = event if is_whole else event.model_copy(update={"message": None})
            self._frames[key] = frame("job", shown)
        return self._frames[key]
