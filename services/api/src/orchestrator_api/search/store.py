"""What a search reads."""

from uuid import UUID

from orchestrator_api.search.rows import Asked, FoundConfiguration, FoundJob, FoundRun, FoundTable
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store

LOOKED = 20_000
"""How many rows of each kind are looked at, at most."""


class SearchStore(Store):
    """Only reads."""

    queries = Queries.load(__package__, "store.sql")

    async def configurations(
        self, *, project: str, asked: Asked, of_orchestrations: bool, limit: int
    ) -> list[FoundConfiguration]:
        """Orchestrations, or the other configurations; what begins with the text first."""
        return await self._many(
            FoundConfiguration,
            "configurations",
            project=project,
            text=asked.text,
            words=asked.words,
            of_orchestrations=of_orchestrations,
            looked=LOOKED,
            limit=limit,
        )

    async def runs(self, *, project: str, asked: Asked, number: int, limit: int) -> list[FoundRun]:
        """The runs with this number, of orchestrations with these words."""
        return await self._many(
            FoundRun,
            "runs",
            project=project,
            text=asked.text,
            words=asked.words,
            number=number,
            looked=LOOKED,
            limit=limit,
        )

    async def tables(self, *, project: str, asked: Asked, limit: int) -> list[FoundTable]:
        """Known tables, also of buckets that other projects share."""
        return await self._many(
            FoundTable,
            "tables",
            project=project,
            text=asked.text,
            words=asked.words,
            looked=LOOKED,
            limit=limit,
        )

    async def job(self, *, project: str, job_id: UUID) -> FoundJob | None:
        """A job by its id."""
        return await self._one(FoundJob, "job", project=project, job_id=job_id)
