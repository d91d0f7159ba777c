"""Which bearers may still see a project as they could at first; for what lasts longer than a request."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator_api.access.browser_sessions import BrowserSessions
from orchestrator_api.access.store import AccessStore

Bearing = tuple[UUID, str]
"""A token or a session of a browser, and the project that it is used in."""


async def still_good(
    connection: asyncpg.Connection, browsers: BrowserSessions, bearings: Collection[Bearing], now: datetime
) -> set[Bearing]:
    """Those that have not ended and may still enter the project, found by one query."""
    credentials, projects = zip(*bearings, strict=True)
    found = await AccessStore(connection).good_bearings(
        credentials=credentials,
        projects=projects,
        now=now,
        oldest=browsers.oldest(now),
        longest_unused=browsers.longest_unused(now),
    )
    return {(each.credential_id, each.project) for each in found}
