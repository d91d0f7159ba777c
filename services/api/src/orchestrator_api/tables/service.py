"""Table updates over HTTP, and buckets shared with other projects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from orchestrator_api.access.audit import About
from orchestrator_api.access.dedup_keys import DedupKey
from orchestrator_api.http.conditional import entity_tag
from orchestrator_api.http.edits import Target
from orchestrator_api.http.session import Session
from orchestrator_api.runs import idempotency
from orchestrator_api.tables.rows import Bucket, HeardTable, Listener, ListenersElsewhere, Share
from orchestrator_api.tables.store import TableStore
from orchestrator_api.triggers import rhythms
from orchestrator_api.triggers import service as triggers
from orchestrator_api.triggers.rhythms import Punctuality
from orchestrator_shared.contracts.events import TableUpdated
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.domain.errors import NotFound, UserError
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.tables import TableName


@dataclass(frozen=True, slots=True)
class Update:
    """One table update; the same id for the same table is the same update."""

    table: str
    id: str | None
    rows: int | None
    field: str = "table"


async def publish(
    session: Session, updates: Sequence[Update], dedup_key: DedupKey | None = None
) -> Sequence[str]:
    """Publish the updates; returns their ids. Publishing again under the same key changes nothing."""
    names = [TableName.parse(update.table, field=update.field) for update in updates]
    for update, name in zip(updates, names, strict=True):
        session.actor.require_publish(name.bucket, update.field)
    earlier = await idempotency.earlier_updates(session, dedup_key) if dedup_key else None
    if earlier is not None:
        return earlier
    ids = [update.id or str(new_id()) for update in updates]
    if dedup_key is not None:
        await idempotency.remember_updates(session, dedup_key, ids)
    _publish(session, updates, names, ids)
    return ids


def _publish(
    session: Session, updates: Sequence[Update], names: Sequence[TableName], ids: Sequence[str]
) -> None:
    source = f"/api/{session.project}"
    job = session.actor.own_job
    for update, name, event_id in zip(updates, names, ids, strict=True):
        message = TableUpdated(
            project=session.project,
            table=str(name),
            rows=update.rows,
            job_id=job and job.id,
            chain_length=job.chain_length if job else 0,
        )
        session.work.publish_as(message, id=event_id, source=source)


def accept_bucket(bucket: str) -> str:
    """The bucket's name; rejects a name that no bucket can have."""
    return TableName.parse(f"{bucket}.table", field="bucket").bucket


async def listing(
    session: Session, after: tuple[str | None, str | None], search: str | None, limit: int
) -> list[HeardTable]:
    """Tables for which updates were heard: the project's own and those of buckets shared with it."""
    project, name = after
    return await TableStore(session.connection).tables(
        project=session.project, after_project=project, after_name=name, search=search, limit=limit
    )


@dataclass(frozen=True, slots=True)
class RegularTable(Punctuality):
    """A table for which updates were heard, and what is usual for it."""

    project: str = ""
    name: str = ""
    updates: int = 0
    last_heard_at: datetime | None = None


async def with_rhythms(session: Session, found: Sequence[HeardTable], zone: ZoneInfo) -> list[RegularTable]:
    """The same tables with what is usual for each."""
    keys = [(each.project, each.name) for each in found]
    heard = await rhythms.recorded(session, keys, rhythms.MOST_FOR_RHYTHM)
    return [
        RegularTable(
            **columns_of(rhythms.punctuality(heard.get(key, ()), session.now, zone)), **columns_of(table)
        )
        for key, table in zip(keys, found, strict=True)
    ]


async def buckets(
    session: Session,
    after: tuple[str | None, str | None],
    *,
    search: str | None,
    shared: str | None,
    limit: int,
) -> list[Bucket]:
    """The project's buckets and those shared with it."""
    project, bucket = after
    return await TableStore(session.connection).buckets(
        project=session.project,
        after_project=project,
        after_bucket=bucket,
        search=search,
        shared=shared,
        limit=limit,
    )


async def find(session: Session, table: str, owner: str | None = None) -> HeardTable:
    """One table; one without updates has none, and another project's must be shared with this one."""
    name, project = TableName.parse(table, field="table"), owner or session.project
    store = TableStore(session.connection)
    found = await store.table(project=session.project, owner=project, table=table, bucket=name.bucket)
    if found is None:
        await _require_shared(session, project, name.bucket)
    return found or HeardTable(project, table, 0, None)


async def of_bucket(
    session: Session, bucket: str, owner: str | None, after: str | None, limit: int
) -> list[HeardTable]:
    """The tables of one bucket for which updates were heard."""
    accept_bucket(bucket)
    project = owner or session.project
    await _require_shared(session, project, bucket)
    return await TableStore(session.connection).tables_of_bucket(
        project=session.project, owner=project, bucket=bucket, after=after, limit=limit
    )


async def _require_shared(session: Session, owner: str, bucket: str) -> None:
    if owner == session.project:
        return
    store = TableStore(session.connection)
    if not await store.is_shared(owner=owner, bucket=bucket, project=session.project):
        raise NotFound(f"no bucket {bucket!r} of {owner!r} is shared with this project", field="owner")


@dataclass(frozen=True, slots=True)
class Listeners:
    """What listens to a table."""

    items: list[Listener]
    other_projects: list[ListenersElsewhere]


async def listeners(session: Session, table: str, owner: str | None) -> Listeners:
    """The triggers on a table: the project's own, and of other projects how many there are.

    A table that is not shared with the project is as if it did not exist.
    """
    name = TableName.parse(table)
    store = TableStore(session.connection)
    if owner is not None and owner != session.project:
        if not await store.is_shared(owner=owner, bucket=name.bucket, project=session.project):
            raise NotFound(f"no table {table!r} of {owner!r} is shared with this project", field="owner")
        found = await store.listeners(project=session.project, owner=owner, table=table)
        return Listeners(found, [])
    found = await store.listeners(project=session.project, owner=session.project, table=table)
    elsewhere = await store.listeners_elsewhere(project=session.project, table=table)
    return Listeners(found, elsewhere)


async def shares(session: Session, bucket: str) -> list[Share]:
    """The projects with which the bucket is shared."""
    store = TableStore(session.connection)
    return await store.shares(project=session.project, bucket=accept_bucket(bucket))


async def all_shares(session: Session) -> dict[str, list[str]]:
    """The projects with which each shared bucket is shared."""
    by_bucket: dict[str, list[str]] = {}
    for each in await TableStore(session.connection).all_shares(project=session.project):
        by_bucket.setdefault(each.bucket, []).append(each.shared_with)
    return {bucket: sorted(projects) for bucket, projects in by_bucket.items()}


def tag(projects: Sequence[str]) -> str:
    """The state of a bucket that is shared with these projects."""
    return entity_tag(sorted(projects))


async def target(session: Session, bucket: str) -> Target:
    """A bucket whose shares are about to change; None as its tag if it has none."""
    found = [each.shared_with for each in await shares(session, bucket)]
    return Target("the shares of this bucket", "share", bucket, tag(found) if found else None)


async def share_with(session: Session, bucket: str, projects: Sequence[str]) -> None:
    """Share the bucket with these projects and no others."""
    current = {each.shared_with for each in await shares(session, bucket)}
    for project in sorted(set(projects) - current):
        await share(session, bucket, project)
    for project in sorted(current - set(projects)):
        await unshare(session, bucket, project)


async def share(session: Session, bucket: str, with_project: str) -> bool:
    """Let another project select the bucket's tables; returns whether that is new.

    Does not reveal whether that project exists: if it does not, the share takes effect once it is created.
    """
    accept_bucket(bucket)
    if with_project == session.project:
        raise UserError("a project cannot share a bucket with itself", field="project")
    store = TableStore(session.connection)
    is_new = await store.share(project=session.project, bucket=bucket, shared_with=with_project)
    if is_new:
        about = About(after={"shared_with": with_project})
        await session.record("share.created", bucket, about, shared_with=with_project)
        await triggers.restore_tables(session, bucket, with_project)
    return is_new


async def unshare(session: Session, bucket: str, with_project: str) -> None:
    """Stop sharing: the other project's triggers on the bucket are disabled and stop counting updates."""
    store = TableStore(session.connection)
    if not await store.unshare(project=session.project, bucket=bucket, shared_with=with_project):
        raise NotFound(f"the bucket {bucket!r} is not shared with {with_project!r}", field="bucket")
    disabled = await triggers.revoke_tables(session, bucket, with_project)
    about = About({"shared_with": with_project})
    await session.record("share.deleted", bucket, about, shared_with=with_project, disabled_triggers=disabled)
