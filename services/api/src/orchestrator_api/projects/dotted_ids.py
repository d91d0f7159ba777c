"""Projects that were created when their names could contain dots."""

import structlog

from orchestrator_api.http.ports import Works
from orchestrator_api.projects.store import ProjectStore

log = structlog.get_logger(__name__)


async def tell_of_dots(works: Works) -> None:
    """Log them at the start."""
    async with works.work() as work:
        projects = await ProjectStore(work.connection).with_dots()
    if projects:
        log.warning(
            "project.has_dots", projects=projects, hint="see Projects with dots in publish-table-updates"
        )
