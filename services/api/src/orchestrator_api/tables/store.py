"""Shares and tables in the database."""

from orchestrator_api.tables.rows import (
    Bucket,
    HeardTable,
    Listener,
    ListenersElsewhere,
    Share,
    SharedBucket,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store


class TableStore(Store):
    """Writes shares; tables belong to the trigger-watcher and are only read."""

    queries = Queries.load(__package__, "store.sql")

    async def tables(
        self,
        *,
        project: str,
        after_project: str | None,
        after_name: str | None,
        search: str | None,
        limit: int,
    ) -> list[HeardTable]:
        """The tables of the project and of the buckets shared with it."""
        return await self._many(
            HeardTable,
            "tables",
            project=project,
            after_project=after_project,
            after_name=after_name,
            search=search,
            limit=limit,
        )

    async def table(self, *, project: str, owner: str, table: str, bucket: str) -> HeardTable | None:
        """One table, if updates for it were heard and the project may see it."""
        return await self._one(HeardTable, "table", project=project, owner=owner, table=table, bucket=bucket)

    async def tables_of_bucket(
        self, *, project: str, owner: str, bucket: str, after: str | None, limit: int
    ) -> list[HeardTable]:
        """The tables of one bucket."""
        return await self._many(
            HeardTable,
            "tables_of_bucket",
            project=project,
            owner=owner,
            bucket=bucket,
            after=after,
            limit=limit,
        )

    async def buckets(
        self,
        *,
        project: str,
        after_project: str | None,
        after_bucket: str | None,
        search: str | None,
        shared: str | None,
        limit: int,
    ) -> list[Bucket]:
        """The buckets of the project and those shared with it."""
        return await self._many(
            Bucket,
            "buckets",
            project=project,
            after_project=after_project,
            after_bucket=after_bucket,
            search=search,
            shared=shared,
            limit=limit,
        )

    async def is_shared(self, *, owner: str, bucket: str, project: str) -> bool:
        """Whether the owner shares the bucket with the project."""
        return await self._value(bool, "is_shared", owner=owner, bucket=bucket, project=project) is True

    async def listeners(self, *, project: str, owner: str, table: str) -> list[Listener]:
        """The project's triggers on the table."""
        return await self._many(Listener, "listeners", project=project, owner=owner, table=table)

    async def listeners_elsewhere(self, *, project: str, table: str) -> list[ListenersElsewhere]:
        """How many triggers other projects have on a table of the project."""
        return await self._many(ListenersElsewhere, "listeners_elsewhere", project=project, table=table)

    async def shares(self, *, project: str, bucket: str) -> list[Share]:
        """The projects with which the bucket is shared."""
        return await self._many(Share, "shares", project=project, bucket=bucket)

    async def all_shares(self, *, project: str) -> list[SharedBucket]:
        """All shared buckets, with each project that has them."""
        return await self._many(SharedBucket, "all_shares", project=project)

    async def share(self, *, project: str, bucket: str, shared_with: str) -> bool:
        """Share the bucket; returns whether that is new."""
        added = await self._run("insert_share", project=project, bucket=bucket, shared_with=shared_with)
        return added > 0

    async def unshare(self, *, project: str, bucket: str, shared_with: str) -> bool:
        """Stop sharing the bucket; returns whether it was shared."""
        ended = await self._run("delete_share", project=project, bucket=bucket, shared_with=shared_with)
        return ended > 0
