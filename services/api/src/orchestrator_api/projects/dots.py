"""Projects that were made when their names could have dots."""

import structlog

from orchestrator_api.http.ports import Works
from orchestrator_api.sql import Sql
from orchestrator_shared.database.queries import Queries

log = structlog.get_logger(__name__)


async def tell_of_dots(works: Works, queries: Queries) -> None:
    """Name them at the start."""
    async with works.work() as work:
        projects = await Sql(work.connection, queries).column("projects_with_dots")
    if projects:
        log.warning(
            "project.has_dots", projects=projects, hint="see Projects with dots in publish-table-updates"
        )
