"""Which bearers may still see a project as they could at first; for what lasts longer than a request."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator_api.access.store import AccessStore

Bearing = tuple[UUID, str]
"""A token, or a browser's session, and the project that it is used in."""


async def still_good(
    connection: asyncpg.Connection, bearings: Collection[Bearing], now: datetime
) -> set[Bearing]:
    """Those whose token or session has not ended and is still open to the project, found by one query."""
    tokens, projects = zip(*bearings, strict=True)
    found = await AccessStore(connection).good_bearings(tokens=tokens, projects=projects, now=now)
    return {(each.token_id, each.project) for each in found}
