"""Answers of requests with a key, in the database."""

from dataclasses import dataclass
from uuid import UUID

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.database.store import Store


@dataclass(frozen=True, slots=True)
class KeyedAnswer:
    """What a request with a key was answered with."""

    request_digest: bytes
    answer: JsonObject


class KeyedAnswerStore(Store):
    """Answers, each kept for 24 hours."""

    queries = Queries.load(__package__, "keyed_store.sql")

    async def lock(self, *, answer_id: UUID) -> None:
        """Make other requests with this key wait until the transaction ends."""
        await self._run("lock_answer", key=str(answer_id))

    async def find(self, *, project: str, answer_id: UUID) -> KeyedAnswer | None:
        """What was answered under this key."""
        return await self._one(KeyedAnswer, "keyed_answer", project=project, id=answer_id)

    async def insert(self, *, project: str, answer_id: UUID, digest: bytes, answer: JsonObject) -> None:
        """Keep an answer."""
        values = {"project": project, "id": answer_id, "request_digest": digest, "answer": answer}
        await self._run("insert_keyed_answer", **values)
