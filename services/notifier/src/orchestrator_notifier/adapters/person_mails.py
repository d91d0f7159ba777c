"""Reads the links that people are to get by mail, and the people."""

from datetime import datetime
from uuid import UUID

from orchestrator_notifier.domain.person_mail import PersonMail
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store


class PersonMailStore(Store):
    """People and links belong to the api and are only read."""

    queries = Queries.load(__package__, "person_mails.sql")

    async def mail(self, *, link: UUID) -> PersonMail | None:
        """None if the link or the person was deleted, or if it is not to be sent by mail."""
        return await self._one(PersonMail, "person_mail", link_id=link)

    async def unannounced(self, *, overlap_seconds: float, limit: int) -> list[UUID]:
        """Valid links whose mail was asked for since shortly before the mark and that have no fact."""
        return await self._column(UUID, "unannounced_links", overlap_seconds=overlap_seconds, limit=limit)

    async def advance(self, *, to: datetime) -> None:
        """All links before this have their facts; moves forward only."""
        await self._run("advance_people", to=to)
