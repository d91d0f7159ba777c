"""Warns about projects that were created when ids could still contain dots."""

import structlog

from orchestrator_api.http.ports import UnitsOfWork
from orchestrator_api.projects.store import ProjectStore

log = structlog.get_logger(__name__)


async def warn_of_dotted_ids(units_of_work: UnitsOfWork) -> None:
    """Log their ids when the api starts."""
    async with units_of_work.work() as work:
        projects = await ProjectStore(work.connection).dotted_ids()
    if projects:
        log.warning(
            "project.has_dots", projects=projects, hint="see Projects with dots in publish-table-updates"
        )
