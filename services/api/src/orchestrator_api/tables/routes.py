"""Table updates over HTTP, known tables, and shared buckets."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from orchestrator_api.access import dedup_keys
from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.dependencies import PREFIX, READ, WRITE, Call, IdempotencyKey, Identifier, Project
from orchestrator_api.http.gate import LARGE, GatedRoute, takes
from orchestrator_api.http.models import Page
from orchestrator_api.http.paging import Paging, Search
from orchestrator_api.http.zones import ZoneName
from orchestrator_api.tables import service as tables
from orchestrator_api.tables.models import (
    BucketOut,
    ListenersOut,
    ShareOut,
    TableOut,
    TableUpdatesIn,
    TableUpdatesOut,
)
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import SLUG
from orchestrator_shared.domain.tables import BUCKET_PATTERN, MAX_LENGTH, TABLE_PATTERN
from orchestrator_shared.domain.zones import parse_zone

router = APIRouter(prefix=PREFIX, tags=["tables"], route_class=GatedRoute)
Bucket = Annotated[
    str, Path(max_length=144, examples=["in.c-sales"], json_schema_extra={"pattern": BUCKET_PATTERN})
]

Table = Annotated[
    str,
    Path(
        max_length=MAX_LENGTH,
        examples=["in.c-sales.orders"],
        json_schema_extra={"pattern": TABLE_PATTERN},
    ),
]


@router.post(
    "/table-updates",
    operation_id="publish_table_updates",
    status_code=202,
    responses=WRITE,
    openapi_extra=takes(Scope.PUBLISH, max_bytes=LARGE),
)
async def publish_table_updates(
    call: Call, project: Project, body: TableUpdatesIn, key: IdempotencyKey = None
) -> TableUpdatesOut:
    """Publish that tables have new data; triggers on them count the updates."""
    async with call.session(Scope.PUBLISH, project) as session:
        dedup_key = dedup_keys.accept(session, key, "table updates", body.model_dump())
        ids = await tables.publish(session, _updates(body), dedup_key)
    return TableUpdatesOut(accepted=len(ids), ids=list(ids))


def _updates(body: TableUpdatesIn) -> list[tables.Update]:
    if (body.table is None) == (body.updates is None):
        raise UserError("give either table, or updates with a list of them", field="table")
    if body.table is not None:
        return [tables.Update(body.table, body.id, body.rows)]
    if body.id is not None or body.rows is not None:
        raise UserError("id and rows belong in each entry of updates", field="updates")
    return [
        tables.Update(update.table, update.id, update.rows, f"updates.{i}.table")
        for i, update in enumerate(body.updates or [])
    ]


@router.get("/tables", operation_id="list_tables", responses=READ)
async def list_tables(
    call: Call,
    project: Project,
    paging: Paging,
    search: Search = None,
    rhythm: Annotated[bool, Query(description="Also tell what is usual for each table.")] = False,
    timezone: ZoneName = "UTC",
) -> Page[TableOut]:
    """List tables for which updates were received: the project's own, and those of buckets shared with it."""
    after = paging.place(str, str)
    async with call.session(Scope.READ, project) as session:
        zone = parse_zone(timezone)
        page = paging.of(await tables.listing(session, after, search, paging.rows), "project", "name")
        if rhythm:
            page["items"] = await tables.with_rhythms(session, page["items"], zone)
    return Page[TableOut].model_validate(page)


@router.get("/tables/{table}/listeners", operation_id="list_listeners", responses=READ)
async def list_listeners(
    call: Call,
    project: Project,
    table: Table,
    owner: Annotated[
        str | None,
        Query(pattern=SLUG, max_length=64, description="The project that owns the table, if not this one."),
    ] = None,
) -> ListenersOut:
    """List the triggers on a table, whether or not it ever had an update."""
    async with call.session(Scope.READ, project) as session:
        return ListenersOut.model_validate(await tables.listeners(session, table, owner))


@router.get("/buckets", operation_id="list_buckets", responses=READ)
async def list_buckets(
    call: Call,
    project: Project,
    paging: Paging,
    search: Search = None,
    shared: Annotated[
        Literal["with_me", "by_me"] | None, Query(description="Only shared ones, in one direction.")
    ] = None,
) -> Page[BucketOut]:
    """List the project's buckets that had updates or are shared, and those that others share with it."""
    after = paging.place(str, str)
    async with call.session(Scope.READ, project) as session:
        found = await tables.buckets(session, after, search=search, shared=shared, limit=paging.rows)
    return Page[BucketOut].model_validate(paging.of(found, "project", "bucket"))


@router.get("/buckets/{bucket}/shares", operation_id="list_shares", responses=READ)
async def list_shares(call: Call, project: Project, bucket: Bucket) -> Page[ShareOut]:
    """List the projects with which the bucket is shared."""
    async with call.session(Scope.READ, project) as session:
        shares = await tables.shares(session, bucket)
    return Page[ShareOut].model_validate({"items": shares})


@router.put(
    "/buckets/{bucket}/shares/{shared_with}",
    operation_id="share_bucket",
    status_code=204,
    responses=WRITE,
)
async def share_bucket(call: Call, project: Project, bucket: Bucket, shared_with: Identifier) -> None:
    """Let another project select the bucket's tables in its triggers (project admin)."""
    async with call.session(Scope.ADMINISTER, project) as session:
        await tables.share(session, bucket, shared_with)


@router.delete(
    "/buckets/{bucket}/shares/{shared_with}",
    operation_id="unshare_bucket",
    status_code=204,
    responses=WRITE,
)
async def unshare_bucket(call: Call, project: Project, bucket: Bucket, shared_with: Identifier) -> None:
    """Stop sharing (project admin). The other project's triggers on its tables are disabled.

    If the bucket is shared again, updates count from then on, but the triggers stay disabled.
    """
    async with call.session(Scope.ADMINISTER, project) as session:
        await tables.unshare(session, bucket, shared_with)
